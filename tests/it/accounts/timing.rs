//! Time tells nobody whether an address has an account: of two samples of answers, one of each kind, no rank
//! test can say which is which.

use super::people::{PASSWORD, Person, login, post, register};
use crate::folder::Folder;
use crate::http::with;
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Tries of each kind.
const TRIES: u32 = 1000;

/// How far from one half the chance may be that an answer of the one kind takes longer than one of the other.
///
/// Of two samples of 1000 from one distribution it is within 0.05 of a half but for one pair in 10,000 (its
/// standard deviation is 0.0129); one more read of a store that is on a disk would move it by 0.2 and more.
const INDISTINCT: f64 = 0.05;

/// Returns the chance that a value of `ones` is above one of `others`, equal ones counting half (the statistic of
/// Mann and Whitney, over the number of pairs), and how many standard deviations it is from one half.
#[expect(clippy::cast_precision_loss, reason = "pairs of a few thousand are far below 2^52")]
fn rank_test(ones: &[Duration], others: &[Duration]) -> (f64, f64) {
    let mut all: Vec<_> =
        ones.iter().map(|time| (time, true)).chain(others.iter().map(|time| (time, false))).collect();
    all.sort_unstable();
    let (mut twice, mut below) = (0_u64, 0_u64);
    for equals in all.chunk_by(|one, other| one.0 == other.0) {
        let of_ones = equals.iter().filter(|(_, is_one)| *is_one).count() as u64;
        let of_others = equals.len() as u64 - of_ones;
        twice += of_ones * (2 * below + of_others);
        below += of_others;
    }
    let (n, m) = (ones.len() as f64, others.len() as f64);
    let chance = twice as f64 / (2.0 * n * m);
    (chance, (chance - 0.5) / ((n + m + 1.0) / (12.0 * n * m)).sqrt())
}

async fn compare(what: &str, mut one: impl AsyncFnMut(u32), mut other: impl AsyncFnMut(u32)) {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for number in 0..TRIES {
        // In turns, and each first half of the time: whatever else the machine does slows both down.
        for is_one in [number % 2 == 0, number % 2 != 0] {
            let begun = Instant::now();
            if is_one {
                one(number).await;
            } else {
                other(number).await;
            }
            if is_one { ones.push(begun.elapsed()) } else { others.push(begun.elapsed()) }
        }
    }
    let (chance, deviations) = rank_test(&ones, &others);
    println!(
        "{what}: {chance:.4} of the pairs, {deviations:+.2} standard deviations, over {TRIES} tries each"
    );
    assert!((chance - 0.5).abs() < INDISTINCT, "{what}: told apart by {chance}");
}

/// A hash takes a few milliseconds, as little as leaves it the greatest part of a login.
async fn node() -> TestNode {
    with(&[("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "1024")]).await
}

#[tokio::test]
async fn a_login_to_an_account_takes_as_long_as_one_to_none() {
    let node = node().await;
    Person::fresh(&node, "alice").await;
    let refused = async |email: &str| assert_eq!(login(&node, email, "wrong horse").await.status, 401);
    let there = async |_: u32| refused("alice@example.org").await;
    let missing = async |_: u32| refused("nobod@example.org").await;
    compare("login", there, missing).await;
}

#[tokio::test]
async fn asking_for_a_password_takes_as_long_with_an_account_as_without() {
    let folder = Folder::new("timing");
    let dir = Box::leak(folder.at("outbox").display().to_string().into_boxed_str());
    let settings = [("ROOKERY_MAIL__TRANSPORT", "files"), ("ROOKERY_MAIL__DIR", &*dir)];
    let node = with(&settings).await;
    Person::fresh(&node, "alice").await;
    let forgot = async |email: &str| {
        let answer = post(&node, "/v1/auth/password/forgot", json!({ "email": email })).await;
        assert_eq!(answer.status, 202);
    };
    let there = async |_: u32| forgot("alice@example.org").await;
    let missing = async |_: u32| forgot("nobod@example.org").await;
    compare("forgot", there, missing).await;
}

/// Starts a node whose store and letters are on a disk, since there a write more would show.
async fn node_on_disk(folder: &Folder, settings: &[(&'static str, &'static str)]) -> TestNode {
    let dir = Box::leak(folder.at("outbox").display().to_string().into_boxed_str());
    let mail = [
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "1024"),
        ("ROOKERY_MAIL__TRANSPORT", "files"),
        ("ROOKERY_MAIL__DIR", &*dir),
    ];
    let store = Arc::new(SqliteStore::open(&SqliteOptions::in_dir(&folder.0)).unwrap());
    let settings = [&mail[..], settings].concat();
    TestNode::with(TestNodeOptions { store, settings, ..TestNodeOptions::default() }).await
}

#[tokio::test]
async fn registering_an_address_that_has_an_account_takes_as_long_as_one_that_has_none() {
    for (what, verifies) in [("register", "false"), ("register, to be confirmed", "true")] {
        let folder = Folder::new(&format!("timing-register-{verifies}"));
        let node = node_on_disk(&folder, &[("ROOKERY_AUTH__VERIFY_EMAIL", verifies)]).await;
        assert_eq!(register(&node, "alice").await.status, 201);
        let take = async |email: String, handle: String| {
            let body = json!({ "email": email, "password": PASSWORD, "handle": handle, "name": "A Name" });
            assert_eq!(post(&node, "/v1/auth/register", body).await.status, 201);
        };
        // Addresses and handles are as long, and no handle is taken.
        let there = async |number: u32| take("alice@example.org".to_owned(), format!("a{number:04}")).await;
        let missing =
            async |number: u32| take(format!("b{number:04}@example.org"), format!("c{number:04}")).await;
        compare(what, there, missing).await;
    }
}

#[test]
fn the_rank_test_finds_what_is_shifted() {
    let times =
        |from: u64| -> Vec<_> { (0..1000).map(|n| Duration::from_nanos(from + n * 7919 % 1000)).collect() };
    let (chance, deviations) = rank_test(&times(0), &times(0));
    assert!((chance - 0.5).abs() < 1e-9 && deviations.abs() < 1e-6, "{chance} {deviations}");
    let (chance, deviations) = rank_test(&times(100), &times(0));
    assert!(chance > 0.5 + INDISTINCT && deviations > 5.0, "{chance} {deviations}");
    assert!((rank_test(&times(2000), &times(0)).0 - 1.0).abs() < 1e-9);
}
