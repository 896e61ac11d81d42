//! What administration keeps is forgotten once it was kept long enough, and not before.

use super::{ask, erase::done, operate};
use crate::http::call;
use crate::rooms::two;
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the statuses of the archive and of its job.
async fn statuses(node: &TestNode, job: &str) -> [u16; 2] {
    let path = format!("/admin/jobs/{job}");
    let archive = ask(node, node.operator(), "GET", &format!("{path}/archive"), Value::Null).await;
    [archive.status, ask(node, node.operator(), "GET", &path, Value::Null).await.status]
}

#[tokio::test]
async fn an_archive_goes_after_a_week_and_its_job_after_a_month() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let path = format!("/admin/users/{}/export", alice.id());
    let begun = operate(&node, "POST", &path, json!({ "reason": "x" })).await;
    done(node.admin(), node.operator(), &begun["id"]).await;
    let job = begun["id"].as_str().unwrap();
    for (pass, wanted) in [(6, [200, 200]), (1, [404, 200]), (22, [404, 200]), (1, [404, 404])] {
        node.pass(DAY * pass);
        for _ in 0..2 {
            node.sweep_office().await;
        }
        assert_eq!(statuses(&node, job).await, wanted, "{pass} days later");
    }
    let metrics = call(node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
    for (what, count) in [("archives", 1), ("jobs", 1), ("reports", 0)] {
        let line = format!("rookery_office_forgotten_total{{what=\"{what}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn a_report_goes_a_year_after_it_was_closed_and_an_open_one_stays() {
    let settings = vec![("ROOKERY_RETENTION__REPORT_DAYS", "10")];
    let node = TestNode::with(TestNodeOptions { settings, ..TestNodeOptions::default() }).await;
    let (alice, _, bob, _) = two(&node).await;
    let header = format!("Bearer {}", alice.token());
    let mut paths = Vec::new();
    for reason in ["open", "closed"] {
        let body = json!({ "user": bob.id(), "reason": reason });
        let headers = [("authorization", header.as_str())];
        let taken = call(node.http(), "POST", "/v1/reports", &headers, &body).await;
        paths.push(format!("/admin/reports/{}", taken.json()["id"].as_str().unwrap()));
    }
    // Older than that when it is closed, and kept as long from then on.
    node.pass(DAY * 11);
    operate(&node, "PUT", &paths[1], json!({ "action": "dismiss", "reason": "x" })).await;
    for (pass, wanted) in [(9, 2), (1, 1)] {
        node.pass(DAY * pass);
        node.sweep_office().await;
        let list = operate(&node, "GET", "/admin/reports", Value::Null).await;
        assert_eq!(list["reports"].as_array().unwrap().len(), wanted, "{list}");
    }
}
