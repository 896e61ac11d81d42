//! How the server is used, as the office tells it.

use super::{operate, user};
use crate::chat::say;
use crate::rooms::group;
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
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
    while !node.node().users().is_empty() {
        tokio::task::yield_now().await;
    }
    node.pass(DAY * 10);
    let again = node.login("alice").await;
    let mut a = rookery_tests::wire::Wire::log_in(node.http(), again.token()).await;
    a.settle().await;
    let told = statistics(&node).await;
    assert_eq!(actives(&told), [1, 1, 2, 2]);
    assert_eq!(told["cohorts"], json!([{ "weeks_ago": 1, "back": [2, 1] }]));
    assert_eq!(told["days"].as_array().unwrap().last().unwrap()["messages"], 3, "of then");
}
