//! The checker is tested: good histories pass, and every kind of damage done to one is caught
//! under the right name.

mod damage;
mod model;

use model::{REPLAY, Run};
use rookery_tests::checker::{Checker, Rule, Verdict, check_folder};
use rookery_tests::journal::{JournalWriter, RoomLogFile};

/// Histories that are made; each damage is done to every one of them that offers a place for it.
const SEEDS: u64 = 60;

/// Histories that a damage has to find a place in, or it shows too little.
const PLACES: u64 = 12;

fn judge(run: &Run) -> Verdict {
    let mut checker = Checker::new(run.logs.clone()).with_replay(REPLAY);
    for (owner, entries) in &run.journals {
        checker.client(owner, entries.iter().cloned().map(Ok)).expect("a journal in memory is readable");
    }
    checker.finish()
}

#[test]
fn good_histories_with_crashes_refusals_and_resets_pass() {
    let mut total = rookery_tests::checker::Counts::default();
    for seed in 0..SEEDS {
        let verdict = judge(&Run::play(seed));
        assert!(verdict.is_clean(), "seed {seed}: {verdict}");
        total.resets += verdict.counts.resets;
        total.unknown += verdict.counts.unknown;
        total.refusals += verdict.counts.refusals;
        total.repeats += verdict.counts.repeats;
        total.lagged += verdict.counts.lagged;
        total.reads += verdict.counts.reads;
        total.edits += verdict.counts.edits;
        total.deletes += verdict.counts.deletes;
        total.reactions += verdict.counts.reactions;
        total.pins += verdict.counts.pins;
        total.standings += verdict.counts.standings;
    }
    for (what, number) in [
        ("resets", total.resets),
        ("unknown outcomes", total.unknown),
        ("refusals", total.refusals),
        ("repeats", total.repeats),
        ("lagged", total.lagged),
        ("reads", total.reads),
        ("edits", total.edits),
        ("deletes", total.deletes),
        ("reactions", total.reactions),
        ("pins", total.pins),
        ("cursors", total.standings),
    ] {
        assert!(number > SEEDS / 2, "the histories are too tame: {number} {what}");
    }
}

#[test]
fn every_damage_is_caught_under_its_name() {
    for (name, rule, damage) in damage::ALL {
        let mut done = 0;
        for seed in 0..SEEDS {
            let mut run = Run::play(seed);
            let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
            if damage(&mut run, &mut rng).is_none() {
                continue;
            }
            done += 1;
            let verdict = judge(&run);
            assert!(verdict.found.contains_key(rule), "{name}, seed {seed}: not caught as {rule}: {verdict}");
        }
        assert!(done >= PLACES, "{name}: only {done} of {SEEDS} histories offer a place");
    }
}

#[test]
fn every_rule_has_a_damage() {
    for rule in [
        Rule::Lost,
        Rule::Unseen,
        Rule::Duplicate,
        Rule::Differs,
        Rule::Gap,
        Rule::Stream,
        Rule::Order,
        Rule::NeverSent,
        Rule::Outside,
        Rule::Redacted,
        Rule::Rights,
        Rule::State,
        Rule::Counts,
        Rule::Cursor,
        Rule::Stale,
    ] {
        assert!(damage::ALL.iter().any(|(_, caught, _)| *caught == rule), "{rule}");
    }
}

#[test]
fn a_folder_of_journals_gives_the_same_verdict() {
    let mut run = Run::play(7);
    run.logs[0].events.pop();
    let folder = std::env::temp_dir().join(format!("rookery-journals-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    for (number, log) in run.logs.iter().enumerate() {
        RoomLogFile::write(&folder.join(format!("room-{number}.jsonl")), log).expect("a log can be written");
    }
    for (number, (owner, entries)) in run.journals.iter().enumerate() {
        let path = folder.join(format!("client-{number:02}.jsonl"));
        let mut journal = JournalWriter::create(&path, owner).expect("a journal can be begun");
        for entry in entries {
            journal.write(entry).expect("a journal can be written");
        }
        journal.flush().expect("a journal can be written");
    }
    let verdict = check_folder(&folder);
    std::fs::remove_dir_all(&folder).expect("the temporary folder is ours");
    let verdict = verdict.expect("the folder is readable");
    let expected = {
        let mut checker = Checker::new(run.logs.clone());
        for (owner, entries) in &run.journals {
            checker.client(owner, entries.iter().cloned().map(Ok)).expect("a journal in memory is readable");
        }
        checker.finish()
    };
    assert!(!verdict.is_clean());
    assert_eq!((verdict.counts, verdict.found), (expected.counts, expected.found));
}
