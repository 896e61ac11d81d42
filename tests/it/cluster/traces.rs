//! One trace of a message that goes over several nodes.

use super::{Cluster, texts};
use crate::chat::say;
use crate::servers::{Received, STEPS};
use serde_json::Value;

/// Returns the spans of the message at `seq`, by the order of their steps, then by node.
async fn trace_at(cluster: &Cluster, room: &Value, seq: u64, spans: usize) -> Vec<Received> {
    let of = |all: &[Received]| -> Vec<Received> {
        let is_at = |span: &&Received| {
            span.name == "persist"
                && span.attributes["rookery.seq"] == seq
                && span.attributes["rookery.room"] == *room
        };
        let trace = all.iter().find(is_at).map(|span| span.trace.clone());
        all.iter().filter(|span| Some(&span.trace) == trace.as_ref()).cloned().collect()
    };
    let otlp = cluster.otlp.as_ref().unwrap();
    let all = otlp.until(|all| of(all).len() >= spans).await;
    let mut trace = of(&all);
    trace.sort_by_key(|span| (STEPS.iter().position(|step| *step == span.name), node(span)));
    trace
}

fn node(span: &Received) -> String {
    span.resource["service.instance.id"].as_str().unwrap().to_owned()
}

fn steps(trace: &[Received]) -> Vec<String> {
    trace.iter().map(|span| format!("{} {}", span.name, node(span))).collect()
}

/// No span begins before the one that has caused it, and all but the first have one in this trace.
#[track_caller]
fn expect_one_tree(trace: &[Received]) {
    for span in &trace[1..] {
        let parent = trace.iter().find(|parent| parent.span == span.parent);
        let parent = parent.unwrap_or_else(|| panic!("{} {} has no parent", span.name, node(span)));
        assert!(parent.start <= span.start, "{} {} begins before {}", span.name, node(span), parent.name);
    }
}

#[tokio::test]
async fn a_message_of_one_node_at_home_on_another_and_heard_on_three_is_one_trace() {
    let cluster = Cluster::traced(3).await;
    let (_users, mut wires, room) = cluster.group_at(1, &["alice", "bob", "carol"]).await;
    let mut seq = 0;
    // The first may be found in the store, before each node knows that the others hear the room.
    for said in ["one", "two", "three", "four"] {
        seq = say(&mut wires[0], &room, said).await;
        for wire in &mut wires {
            assert_eq!(texts(wire, 1).await, [(seq, said.to_owned())]);
        }
    }
    let trace = trace_at(&cluster, &room, seq, 14).await;
    assert_eq!(
        steps(&trace),
        [
            "receive n1",
            "decode n1",
            "authorise n1",
            "order n2",
            "persist n2",
            "encode n1",
            "encode n2",
            "encode n3",
            "fan_out n1",
            "fan_out n2",
            "fan_out n3",
            "write n1",
            "write n2",
            "write n3",
        ]
    );
    expect_one_tree(&trace);
    let find =
        |step: &str| trace.iter().find(|span| format!("{} {}", span.name, node(span)) == step).unwrap();
    let is_caused = |step: &str, by: &str| assert_eq!(find(step).parent, find(by).span, "{step} by {by}");
    is_caused("order n2", "authorise n1");
    is_caused("encode n2", "persist n2");
    is_caused("encode n1", "fan_out n2");
    is_caused("encode n3", "fan_out n2");
    is_caused("write n3", "fan_out n3");
    for span in &trace[3..] {
        assert_eq!(span.attributes["rookery.room"], room);
    }
}

#[tokio::test]
async fn where_the_home_is_lost_on_the_way_the_trace_goes_on_where_it_began() {
    let cluster = Cluster::traced(2).await;
    let (_users, mut wires, room) = cluster.group_at(1, &["alice", "bob"]).await;
    say(&mut wires[0], &room, "one").await;
    cluster.cut_off(1);
    let seq = say(&mut wires[0], &room, "two").await;
    let trace = trace_at(&cluster, &room, seq, 8).await;
    assert_eq!(
        steps(&trace),
        STEPS.iter().map(|step| format!("{step} n1")).collect::<Vec<_>>(),
        "all of it on the first node"
    );
    expect_one_tree(&trace);
}
