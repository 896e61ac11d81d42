//! How the server is used, as the office tells it.

use super::{operate, user};
use crate::chat::say;
use crate::http::call;
use crate::rooms::group;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn statistics(node: &TestNode) -> Value {
    operate(node, "GET", "/admin/statistics", Value::Null).await
}

#[tokio::test]
async fn users_are_active_on_the_days_on_which_they_were_there() {
    let node = TestNode::start().await;
    let (_, mut a) = user(&node, "alice").await;
    let (_, b) = user(&node, "bob").await;
    let room = group(&mut a, "Tea", &[]).await;
    for number in 0..3 {
        say(&mut a, &room, &number.to_string()).await;
    }
    for amount in [500, -200] {
        operate(&node, "POST", "/admin/revenue", json!({ "amount": amount })).await;
    }
    let told = statistics(&node).await;
    let actives = |told: &Value| {
        ["daily_active", "weekly_active", "monthly_active", "ever_active"]
            .map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(actives(&told), [2, 2, 2, 2]);
    let today = &told["days"][0];
    assert_eq!((&today["messages"], &today["calls"]), (&json!(3), &json!(0)));
    assert_eq!((&today["revenue_events"], &today["revenue"]), (&json!(2), &json!(300)));
    assert_eq!(told["cohorts"], json!([{ "weeks_ago": 0, "back": [2] }]));

    // Ten days on only one of them comes back.
    a.hang_up();
    b.hang_up();
    empty(&node).await;
    node.pass(DAY * 10);
    let again = node.login("alice").await;
    let mut a = Wire::log_in(node.http(), again.token()).await;
    a.settle().await;
    let told = statistics(&node).await;
    assert_eq!(actives(&told), [1, 1, 2, 2]);
    assert_eq!(told["cohorts"], json!([{ "weeks_ago": 1, "back": [2, 1] }]));
    assert_eq!(told["days"].as_array().unwrap().last().unwrap()["messages"], 3, "of then");
}

/// Waits until nobody is connected any more.
async fn empty(node: &TestNode) {
    while !node.node().users().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_day_has_what_happened_on_it_and_is_told_for_a_month() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let told = |day: &Value| {
        ["registrations", "messages", "revenue_events", "revenue", "errors", "calls"]
            .map(|name| day[name].as_i64().unwrap())
    };
    let paid = async |amount: i64| {
        operate(&node, "POST", "/admin/revenue", json!({ "amount": amount, "reason": "an order" })).await;
    };
    let register = async |handle: &str| {
        let body = json!({
            "email": format!("{handle}@example.org"), "password": rookery_tests::node::PASSWORD,
            "handle": handle, "name": handle,
        });
        call(node.http(), "POST", "/v1/auth/register", &[], &body).await.status
    };
    let (_, mut a) = user(&node, "alice").await;
    let room = group(&mut a, "Tea", &[]).await;
    for number in 0..3 {
        say(&mut a, &room, &number.to_string()).await;
    }
    for handle in ["bob", "carol"] {
        assert_eq!(register(handle).await, 201);
    }
    paid(500).await;
    let first = statistics(&node).await;
    assert_eq!(told(&first["days"][0]), [2, 3, 1, 500, 0, 0]);
    a.hang_up();
    empty(&node).await;

    node.pass(DAY);
    let mut a = Wire::log_in(node.http(), node.login("alice").await.token()).await;
    say(&mut a, &room, "again").await;
    paid(-200).await;
    paid(-100).await;
    store.refuse_all("the disk is full");
    assert_eq!(register("dave").await, 503);
    store.heal();
    let second = statistics(&node).await;
    let days = second["days"].as_array().unwrap();
    assert_eq!(days.iter().map(told).collect::<Vec<_>>(), [[0, 1, 2, -300, 1, 0], [2, 3, 1, 500, 0, 0]]);
    assert_eq!(second["day"].as_i64().unwrap() - first["day"].as_i64().unwrap(), 1);
    a.hang_up();
    empty(&node).await;

    // Nobody comes any more: they drop out of the week, of the month, and out of the days that are told.
    let active = |told: &Value| {
        let counts = ["daily_active", "weekly_active", "monthly_active", "ever_active"];
        (counts.map(|name| told[name].as_u64().unwrap()), told["days"].as_array().unwrap().len())
    };
    for (pass, wanted) in
        [(6, ([0, 1, 1, 1], 2)), (1, ([0, 0, 1, 1], 2)), (22, ([0, 0, 1, 1], 1)), (1, ([0, 0, 0, 1], 0))]
    {
        node.pass(DAY * pass);
        assert_eq!(active(&statistics(&node).await), wanted, "{pass} days later");
    }
    // In the fifth week one of that week's comes back.
    let mut a = Wire::log_in(node.http(), node.login("alice").await.token()).await;
    a.settle().await;
    let cohorts = statistics(&node).await["cohorts"].take();
    assert_eq!(cohorts, json!([{ "weeks_ago": 4, "back": [1, 0, 0, 0, 1] }]));
}
