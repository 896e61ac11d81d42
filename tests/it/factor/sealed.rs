//! What a store keeps of a second factor is sealed: read without the keys of the server it makes no codes.

use super::{challenge, meet, set_up};
use rookery_engine::MemoryStore;
use rookery_engine::store::{Export, Part, Record, SignIn, SignIns};
use rookery_tests::node::{TestNode, TestNodeOptions};
use std::sync::Arc;

/// Returns the one record of a second factor that is kept, and the secret in it as it is written there.
async fn kept(store: &MemoryStore) -> (SignIn, String) {
    let page = store.rows(Part::SignIns, None, 100).await.unwrap();
    let factors = page.items.into_iter().filter_map(|record| match record {
        Record::SignIn(record) if record.body.contains("recovery") => Some(record),
        _ => None,
    });
    let [record] = factors.collect::<Vec<_>>().try_into().unwrap();
    let body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    let secret = body["secret"].as_str().unwrap().to_owned();
    (record, secret)
}

async fn node(store: &MemoryStore, seed: u64) -> TestNode {
    let store = Arc::new(store.again());
    TestNode::with(TestNodeOptions { store, seed, ..TestNodeOptions::default() }).await
}

#[tokio::test]
async fn the_secret_of_an_app_is_sealed_in_the_store_and_anew_with_each_use() {
    let store = MemoryStore::new();
    let node = node(&store, 1).await;
    let (_, app, _) = set_up(&node).await;
    let plain = app.secret();
    let (record, sealed) = kept(&store).await;
    assert!(!record.body.contains(&plain) && sealed.len() > plain.len(), "{sealed}");
    assert_eq!(meet(&node, &challenge(&node).await, &app.next(&node)).await.status, 200);
    let (record, anew) = kept(&store).await;
    assert_ne!(sealed, anew);

    // A version of before has kept it as it is: that is taken, and sealed by it.
    let body = record.body.replace(&anew, &plain);
    let before = SignIn { version: uuid::Uuid::from_u128(7), body, ..record.clone() };
    assert_eq!(store.put_sign_in(Some(record.version), before, node.now()).await, Ok(true));
    assert_eq!(meet(&node, &challenge(&node).await, &app.next(&node)).await.status, 200);
    let (record, _) = kept(&store).await;
    assert!(!record.body.contains(&plain));
    assert_eq!(meet(&node, &challenge(&node).await, &app.next(&node)).await.status, 200);
}

#[tokio::test]
async fn without_the_key_that_sealed_it_only_recovery_codes_are_good() {
    let store = MemoryStore::new();
    let first = node(&store, 1).await;
    let (_, app, codes) = set_up(&first).await;
    let other = node(&store, 2).await;
    other.advance(std::time::Duration::from_secs(30));
    assert_eq!(meet(&other, &challenge(&other).await, &app.code(&other)).await.problem().0, 401);
    assert_eq!(meet(&other, &challenge(&other).await, &codes[0]).await.status, 200);
    // Nothing is lost by it: who has the key opens it still.
    assert_eq!(meet(&first, &challenge(&first).await, &app.next(&first)).await.status, 200);
}
