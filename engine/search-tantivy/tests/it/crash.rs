//! Kills: a process that takes a story in is killed without warning, again and again, in one folder.

use crate::scratch::{Scratch, open};
use crate::story::{Story, check, seed};
use rookery_engine::MemoryStore;
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const KILLS: usize = 5;

/// Steps of the story between two searches.
const STEPS: usize = 10;

/// Where the child works; without it [`child`] does nothing.
const DIR: &str = "ROOKERY_CRASH_DIR";

/// The story that the child takes in.
const SEED: &str = "ROOKERY_CRASH_SEED";

/// Tells the story and searches in it until it is killed.
#[tokio::test]
#[ignore = "it is the process that the other test kills"]
async fn child() {
    let (Some(dir), Some(seed)) = (std::env::var_os(DIR), std::env::var_os(SEED)) else { return };
    let seed = seed.to_str().and_then(|seed| seed.parse().ok()).expect("a seed");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, seed).await;
    let index = open(Path::new(&dir), &store);
    loop {
        tale.go_on(&*store, STEPS).await;
        writeln!(std::io::stdout().lock(), "told").expect("the parent listens");
        check(&[&index], &store).await;
    }
}

#[tokio::test]
async fn a_killed_index_goes_on_from_what_it_committed() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let scratch = Scratch::new("crash");
    for _ in 0..KILLS {
        let told = tell_and_kill(scratch.path(), seed, random.usize(2..6), random.u64(..30));
        // The store as the killed process had it, and a little more.
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let mut tale = Story::begin(&*store, seed).await;
        tale.go_on(&*store, (told - 1) * STEPS).await;
        let searched = tale.events();
        tale.go_on(&*store, 2 * STEPS).await;
        let index = open(scratch.path(), &store);
        check(&[&index], &store).await;
        let indexed = index.progress().indexed;
        assert!(indexed <= tale.events() - searched, "{indexed} of {} after {searched}", tale.events());
    }
}

/// Runs the child, kills it some milliseconds after it has gone on `times` times, and returns how often it
/// has.
fn tell_and_kill(dir: &Path, seed: u64, times: usize, millis: u64) -> usize {
    let mut child = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--ignored", "--exact", "crash::child", "--nocapture"])
        .env(DIR, dir)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the child");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut lines = lines.map(|line| line.expect("read the child")).filter(|line| line == "told");
    let mut told = lines.by_ref().take(times).count();
    std::thread::sleep(std::time::Duration::from_millis(millis));
    child.kill().expect("kill the child");
    told += lines.count();
    child.wait().expect("bury the child");
    told
}
