//! The page itself.

use super::Counts;
use crate::chat::say;
use crate::http::call;
use crate::rooms::{group, two};
use rookery_engine::metrics::{CATALOGUE, Kind, Values};
use rookery_tests::node::TestNode;
use serde_json::Value;

#[tokio::test]
async fn every_series_of_the_catalogue_is_there_before_anything_was_counted() {
    let node = TestNode::start().await;
    let counts = Counts::of(&node).await;
    for row in CATALOGUE {
        let name =
            if row.kind == Kind::Histogram { format!("{}_count", row.name) } else { row.name.to_owned() };
        let there = counts.0.keys().filter(|series| {
            series.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        });
        let expected = match row.values {
            Values::None => 1,
            Values::Each(values) => values.len(),
            Values::Cross(first, second) => first.len() * second.len(),
            Values::Pairs(pairs) => pairs.len(),
            Values::Routes => rookery_api::route_infos().count() + 1,
            Values::RoutesWith(third) => (rookery_api::route_infos().count() + 1) * third.len(),
        };
        assert_eq!(there.count(), expected, "{}", row.name);
    }
}

#[tokio::test]
async fn no_traffic_makes_a_series_that_was_not_there() {
    let node = TestNode::start().await;
    let before = Counts::of(&node).await;
    let (_, mut a, bob, _b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    say(&mut a, &room, "hello").await;
    for path in ["/v1/nothing", "/v1/rooms/tea", "/%00", "/metrics?x=1"] {
        call(node.http(), "GET", path, &[], &Value::Null).await;
    }
    node.advance(std::time::Duration::from_secs(61));
    let after = Counts::of(&node).await;
    assert!(before.0.keys().eq(after.0.keys()));
}

#[tokio::test]
async fn it_says_which_version_runs_since_when_and_what_the_process_uses() {
    let node = TestNode::start().await;
    let counts = Counts::of(&node).await;
    assert!(counts.get(&format!("rookery_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))) > 0.0);
    // The clock of the test says some day in 2026.
    assert!(counts.get("rookery_start_time_seconds") > 1.7e9);
    for gauge in
        ["process_resident_memory_bytes", "process_open_fds", "process_threads", "process_start_time_seconds"]
    {
        assert!(counts.get(gauge) > 0.0, "{gauge}");
    }
}
