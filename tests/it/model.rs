//! The model test: random interleavings of all ops from several users and devices over a whole node,
//! with faults of the store, panics and passivation, against a model.
//!
//! The steps are drawn by a reference state machine without a state: a step says "the third newest
//! message", and is made a command where it happens. The model is asked afterwards, because the order
//! of commands that are asked at once is the server's to choose.
//!
//! A longer run, with the steps on failure shown as short as they come:
//! `ROOKERY_MODEL_CASES=500 ROOKERY_MODEL_STEPS=40 cargo test -p rookery-tests --test it model -- --nocapture`

mod device;
mod driver;
mod ground;
mod look;
mod room;
mod rules;
mod step;
mod world;

use driver::Driver;
use ground::{Ground, RAGE};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use step::Step;
use tokio::runtime::Runtime;

/// Draws the steps.
#[derive(Debug)]
struct Steps;

impl ReferenceStateMachine for Steps {
    type State = ();
    type Transition = Step;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Step> {
        step::steps()
    }

    fn apply((): (), _: &Step) {}
}

/// What a run is over.
trait Over: fmt::Debug {
    fn ground() -> Ground;
    const IS_WRONG: bool = false;
}

#[derive(Debug)]
struct Memory;

impl Over for Memory {
    fn ground() -> Ground {
        let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, RAGE));
        Ground { faults: Arc::clone(&store) as Arc<_>, store, folder: None }
    }
}

#[derive(Debug)]
struct Sqlite;

impl Over for Sqlite {
    fn ground() -> Ground {
        let folder =
            std::env::temp_dir().join(format!("rookery-model-{}", crate::chat::name().as_str().unwrap()));
        let folder = folder.with_extension(std::process::id().to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let store = SqliteStore::open(&SqliteOptions::in_dir(&folder)).unwrap();
        let store = Arc::new(FaultStore::by_seed(store, 1, RAGE));
        Ground { faults: Arc::clone(&store) as Arc<_>, store, folder: Some(folder) }
    }
}

/// A model that forgets deletes.
#[derive(Debug)]
struct Wrong;

impl Over for Wrong {
    fn ground() -> Ground {
        Memory::ground()
    }

    const IS_WRONG: bool = true;
}

/// A node that runs, and the executor it runs on.
#[derive(Debug)]
struct Running {
    driver: Option<Driver>,
    runtime: Runtime,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        let folder = self.driver.take().and_then(|driver| driver.ground.folder);
        if let Some(folder) = folder {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

#[derive(Debug)]
struct Node<O>(PhantomData<O>);

impl<O: Over> StateMachineTest for Node<O> {
    type SystemUnderTest = Running;
    type Reference = Steps;

    fn init_test((): &()) -> Running {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut driver = runtime.block_on(Driver::start(O::ground()));
        driver.worlds[0].is_wrong = O::IS_WRONG;
        Running { driver: Some(driver), runtime }
    }

    fn apply(mut running: Running, (): &(), step: Step) -> Running {
        let driver = running.driver.as_mut().unwrap();
        if let Err(why) = running.runtime.block_on(driver.step(step)) {
            panic!("step {}: {why}", driver.steps);
        }
        running
    }
}

#[expect(clippy::disallowed_methods, reason = "how long to run is said by whoever runs it")]
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn run<O: Over>(cases: usize) {
    let cases = setting("ROOKERY_MODEL_CASES", cases).try_into().unwrap();
    let steps = setting("ROOKERY_MODEL_STEPS", 20);
    // What failed is told, and not kept in a file that others would have to know of.
    let failure_persistence: Option<Box<dyn proptest::test_runner::FailurePersistence>> =
        Some(Box::new(FileFailurePersistence::Off));
    // The same stories each time; another number tells others, and the one that failed is told again by its.
    let seed = setting("ROOKERY_MODEL_SEED", 1);
    eprintln!("ROOKERY_MODEL_SEED={seed}");
    let rng_seed = RngSeed::Fixed(seed as u64);
    let config = Config { cases, failure_persistence, max_shrink_iters: 400, rng_seed, ..Config::default() };
    let strategy = Steps::sequential_strategy(1..=steps);
    proptest!(config.clone(), |((state, steps, seen) in strategy)| {
        Node::<O>::test_sequential(config.clone(), state, steps, seen);
    });
}

#[test]
fn every_client_has_what_the_model_has_over_memory() {
    run::<Memory>(24);
}

#[test]
fn every_client_has_what_the_model_has_over_sqlite() {
    run::<Sqlite>(4);
}

#[test]
fn a_model_that_forgets_deletes_is_seen() {
    let failed = std::panic::catch_unwind(|| run::<Wrong>(200)).unwrap_err();
    let why = failed.downcast_ref::<String>().unwrap();
    // What is seen is the content that the server shows no more, after as few steps as it takes.
    assert!(why.contains("].body.kind:\n  is      null\n  expected \"text\""), "{why}");
    assert!(why.contains("what: Delete") && why.matches("what: ").count() <= 4, "{why}");
}
