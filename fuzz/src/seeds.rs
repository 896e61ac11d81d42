//! Every target over its seeds, and over changes of them: a short run, the same on every machine.

use crate::{TARGETS, Target};
use std::fs;
use std::path::PathBuf;

/// Changes of seeds that a target is run over: some seconds in all.
const CHANGES: usize = 3000;

/// As many where one run decodes a picture, or fills a store.
const COSTLY_CHANGES: usize = 300;

fn seeds_of(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Changes `bytes` as a fuzzer does: bits, bytes, numbers at the edge, pieces out, twice, or of another seed.
fn change(bytes: &mut Vec<u8>, other: &[u8], longest: usize, chance: &mut fastrand::Rng) {
    for _ in 0..chance.usize(1..=4) {
        let at = chance.usize(0..=bytes.len());
        let end = (at + chance.usize(0..=16)).min(bytes.len());
        match chance.u8(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.u8(0..8),
            1 if at < bytes.len() => {
                bytes[at] = *chance.choice(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'{']).unwrap();
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(chance.usize(1..=8)));
            }
            4 if !other.is_empty() => {
                let from = chance.usize(0..other.len());
                let piece = &other[from..(from + chance.usize(1..=32)).min(other.len())];
                bytes.splice(at..end, piece.iter().copied());
            }
            5 => bytes.truncate(at),
            _ => drop(
                bytes.splice(at..at, (0..chance.usize(1..=8)).map(|_| chance.u8(..)).collect::<Vec<_>>()),
            ),
        }
    }
    bytes.truncate(longest);
}

fn run(name: &str, changes: usize) {
    let target = crate::target(name).unwrap();
    let seeds = seeds_of(target);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for (path, bytes) in &seeds {
        println!("{}", path.display());
        (target.run)(bytes);
    }
    let seed = 7;
    println!("changes by seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    for number in 0..changes {
        let mut bytes = chance.choice(&seeds).unwrap().1.clone();
        let other = chance.choice(&seeds).unwrap().1.clone();
        change(&mut bytes, &other, target.bytes, &mut chance);
        let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
        assert!(
            outcome.is_ok(),
            "{name}: change {number} of seed {seed} is {:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn frames_in_json() {
    run("frames-json", CHANGES);
}

#[test]
fn frames_in_message_pack() {
    run("frames-msgpack", CHANGES);
}

#[test]
fn requests() {
    run("request", CHANGES);
}

#[test]
fn bodies_of_strangers() {
    run("body", CHANGES);
}

#[test]
fn access_tokens() {
    run("token", COSTLY_CHANGES);
}

#[test]
fn cursors() {
    run("cursor", CHANGES);
}

#[test]
fn what_nodes_tell_each_other() {
    run("bus", CHANGES);
}

#[test]
fn backup_files() {
    run("backup", COSTLY_CHANGES);
}

#[test]
fn files_and_pictures() {
    run("file", COSTLY_CHANGES);
}

#[test]
fn every_target_has_a_test_here() {
    let tests = include_str!("seeds.rs");
    for target in TARGETS {
        assert!(tests.contains(&format!("run(\"{}\", ", target.name)), "{} has none", target.name);
    }
}
