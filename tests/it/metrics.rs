//! What a node counts is what it did: each family after traffic of which the test knows every piece.

mod edge;
mod engine;
mod page;

use crate::http::call;
use rookery_tests::node::TestNode;
use rookery_tests::server::series;
use serde_json::Value;
use std::collections::BTreeMap;

/// Turns of the executor within which a node has counted what it has answered already.
const TURNS: usize = 2_000;

/// The page of metrics at one moment.
#[derive(Debug)]
struct Counts(BTreeMap<String, f64>);

impl Counts {
    async fn of(node: &TestNode) -> Self {
        let text = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
        let number = |value: &str| value.parse().unwrap();
        Self(series(&text).map(|(name, value)| (name.to_owned(), number(value))).collect())
    }

    /// Returns a series, which is there whether or not it was ever counted.
    #[track_caller]
    fn get(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("there is no series {series}"))
    }
}

/// Waits until the series have grown by so much since `before`, and fails where they do not come to that.
async fn grown(node: &TestNode, before: &Counts, wanted: &[(&str, f64)]) {
    let mut found = Vec::new();
    for _ in 0..TURNS {
        let now = Counts::of(node).await;
        found = wanted.iter().map(|(series, _)| (*series, now.get(series) - before.get(series))).collect();
        if found == wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(found, wanted);
}
