//! The schema's versions, as keyspaces have them.

use crate::keyspace::Keyspace;
use rookery_store_cql::{CqlOptions, CqlStore, MigrateError, MigrationState, OpenError, migrate};
use std::time::Duration;
use uuid::Uuid;

/// Does `statement`, which names its table without the keyspace as `%.table`.
async fn execute(keyspace: &Keyspace, statement: &str) {
    let statement = statement.replace("%.", &format!("{}.", keyspace.options.keyspace));
    keyspace.session.query_unpaged(statement, ()).await.expect("execute");
}

async fn states(options: &CqlOptions) -> Vec<MigrationState> {
    let status = migrate(options, true).await.expect("look");
    status.into_iter().map(|status| status.state).collect()
}

async fn refused(options: &CqlOptions) -> MigrateError {
    match CqlStore::open(options).await.expect_err("it is refused") {
        OpenError::Migrate(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyspace_is_made_and_brought_up_to_date_by_one_of_two_runners() {
    let keyspace = Keyspace::fresh("two", 10_000).await;
    let options = &keyspace.options;
    let pending = migrate(options, true).await.expect("look");
    assert!(!pending.is_empty() && pending.iter().all(|status| status.state == MigrationState::Pending));
    assert_eq!(migrate(options, true).await.expect("look"), pending, "looking changes nothing");
    let (one, other) = tokio::join!(migrate(options, false), migrate(options, false));
    one.expect("migrate");
    other.expect("migrate");
    assert!(states(options).await.iter().all(|state| *state == MigrationState::Applied));
    keyspace.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_runner_is_continued_and_one_that_lives_is_waited_for() {
    let keyspace = Keyspace::fresh("resumed", 10_000).await;
    let options = &keyspace.options;
    migrate(options, false).await.expect("migrate");
    // As if it had died before the last table of a file, with the lock in its hand.
    for statement in ["DROP TABLE %.last_seen", "DROP TABLE %.import", "DROP TABLE %.sign_ins"] {
        execute(&keyspace, statement).await;
    }
    let all = states(options).await.len();
    for number in 2..=all {
        execute(&keyspace, &format!("DELETE FROM %.migrations WHERE number = {number}")).await;
    }
    let holder = Uuid::from_u128(1);
    let take = |seconds| {
        format!(
            "INSERT INTO %.migration_lock (one, holder) VALUES (1, {holder}) IF NOT EXISTS USING TTL {seconds}"
        )
    };
    execute(&keyspace, &take(600)).await;
    let impatient = CqlOptions { wait: Duration::from_millis(600), ..options.clone() };
    assert!(matches!(refused(&impatient).await, MigrateError::Locked(_)));
    let [applied, pending] = [MigrationState::Applied, MigrationState::Pending];
    assert_eq!(states(options).await, [vec![applied], vec![pending; all - 1]].concat());
    let error = CqlStore::open_as_it_is(options).await.expect_err("it would have to be changed");
    assert!(matches!(error, OpenError::Outdated { number: 2, .. }), "{error}");

    execute(&keyspace, &format!("DELETE FROM %.migration_lock WHERE one = 1 IF holder = {holder}")).await;
    execute(&keyspace, &take(2)).await;
    migrate(options, false).await.expect("the dead runner's lease ends");
    assert_eq!(states(options).await, vec![applied; all]);
    CqlStore::open(options).await.expect("every table is there");
    keyspace.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyspace_that_differs_from_what_is_known_is_refused() {
    let keyspace = Keyspace::fresh("differs", 10_000).await;
    let options = &keyspace.options;
    migrate(options, false).await.expect("migrate");
    let other = CqlOptions { bucket_size: 9_999, ..options.clone() };
    let error = refused(&other).await;
    assert!(matches!(&error, MigrateError::BucketSize { asked: 9_999, kept } if kept == "10000"), "{error}");

    execute(&keyspace, "INSERT INTO %.migrations (number, name, sha256) VALUES (99, 'later', '')").await;
    let error = refused(options).await;
    assert!(matches!(&error, MigrateError::Newer { number: 99, name } if name == "later"), "{error}");
    execute(&keyspace, "DELETE FROM %.migrations WHERE number = 99").await;

    execute(&keyspace, "UPDATE %.migrations SET sha256 = 'another' WHERE number = 1").await;
    let error = refused(options).await;
    assert!(matches!(error, MigrateError::Changed { number: 1, name: "start" }), "{error}");
    execute(&keyspace, "DELETE FROM %.migrations WHERE number = 1").await;
    let error = refused(options).await;
    assert!(matches!(error, MigrateError::Missing { number: 1 }), "{error}");
    keyspace.remove().await;
}
