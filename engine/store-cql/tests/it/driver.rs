//! What a driver may be told of a conditional batch that is no plain yes or no: the outcome is sorted into
//! applied, refused and unknown, and an unknown one is settled.
//!
//! The proxy of the driver's own project stands between, which knows frames: it has answers lost, late, or
//! replaced by errors, before the server has seen the batch or after it.

use crate::events::{ROOM, Sent, head, message, name, send, user, whole_log};
use crate::keyspace::{Keyspace, server};
use rookery_engine::store::{Append, AppendError, Log, Store, StoreError};
use rookery_protocol::Seq;
use rookery_store_cql::{CqlOptions, CqlStore};
use scylla::errors::{DbError, WriteType};
use scylla::statement::Consistency;
use scylla_proxy::{
    Condition, Node, Proxy, Reaction, RequestOpcode, RequestReaction, RequestRule, ResponseFrame,
    ResponseOpcode, ResponseReaction, ResponseRule, RunningProxy, ShardAwareness,
};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// How long one request waits: short, as the tests wait for it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How often the store sends one batch before it says that the outcome is unknown.
const SENDS: usize = 3;

/// A store whose driver speaks through a proxy.
struct Scene {
    keyspace: Keyspace,
    proxy: RunningProxy,
    store: CqlStore,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let keyspace = Keyspace::new(name, 10_000).await;
        keyspace.open().await.close().await.expect("close");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("there is a free port");
        let node = Node::builder()
            .real_address(server().parse().expect("it is ADDRESS:PORT"))
            .proxy_address(address)
            .shard_awareness(ShardAwareness::Unaware)
            .build();
        let proxy = Proxy::new([node]).run().await.expect("the port is still free");
        let nodes = vec![address.to_string()];
        let options = CqlOptions { nodes, request_timeout: TIMEOUT, ..keyspace.options.clone() };
        let store = CqlStore::open(&options).await.expect("open the store through the proxy");
        assert_eq!(store.append(batch(Seq::ZERO, 1)).await, Ok(()), "a bucket that is there");
        Self { keyspace, proxy, store }
    }

    /// Has this happen to batches before the server sees them, so many times.
    fn requests(&mut self, times: usize, reaction: RequestReaction) {
        let batches = Condition::RequestOpcode(RequestOpcode::Batch);
        let rule = RequestRule(batches.and(Condition::TrueForLimitedTimes(times)), reaction);
        self.proxy.running_nodes[0].change_request_rules(Some(vec![rule]));
    }

    /// Has this happen to the answers of conditional statements, so many times.
    fn answers(&mut self, times: usize, reaction: ResponseReaction) {
        let answers = Condition::ResponseOpcode(ResponseOpcode::Result)
            .and(Condition::BodyContainsCaseSensitive(Box::from(*b"[applied]")));
        let rule = ResponseRule(answers.and(Condition::TrueForLimitedTimes(times)), reaction);
        self.proxy.running_nodes[0].change_response_rules(Some(vec![rule]));
    }

    /// Appends one more message.
    async fn append(&self) -> Result<(), AppendError> {
        let head = head(&self.store).await;
        self.store.append(batch(head, u128::from(head.0) + 1)).await
    }

    /// Everything is there once, `count` messages in all, and the next one takes the next place.
    async fn end(mut self, count: usize) {
        self.proxy.turn_off_rules();
        assert_eq!(whole_log(&self.store).await.len(), count);
        assert_eq!(self.append().await, Ok(()));
        assert_eq!(whole_log(&self.store).await.len(), count + 1);
        self.store.close().await.expect("close");
        self.keyspace.end().await;
    }
}

fn batch(head: Seq, number: u128) -> Append {
    let events = [message(head.next(), user(1), name(number))].into();
    Append { room: ROOM, expected: head, events, projections: [].into() }
}

fn is_refused(answer: &Result<(), AppendError>) -> bool {
    matches!(answer, Err(AppendError::Store(StoreError::Refused(_))))
}

fn is_unknown(answer: &Result<(), AppendError>) -> bool {
    matches!(answer, Err(AppendError::Store(StoreError::Unknown(_))))
}

fn timed_out() -> DbError {
    let (consistency, write_type) = (Consistency::LocalSerial, WriteType::Cas);
    DbError::WriteTimeout { consistency, received: 0, required: 1, write_type }
}

fn unavailable() -> DbError {
    DbError::Unavailable { consistency: Consistency::LocalSerial, required: 1, alive: 0 }
}

/// Replaces an answer: the server has done what it was asked for.
fn replaced(error: DbError) -> ResponseReaction {
    ResponseReaction::transform_frame(Arc::new(move |answer: ResponseFrame| {
        ResponseFrame::forged_error(answer.params, error.clone(), None).expect("it can be written")
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_or_late_is_asked_for_again_and_the_batch_is_there_once() {
    let mut scene = Scene::new("lost").await;
    scene.answers(1, ResponseReaction::drop_frame());
    assert_eq!(scene.append().await, Ok(()), "lost");
    scene.answers(2, ResponseReaction::drop_frame());
    assert_eq!(scene.append().await, Ok(()), "lost twice");
    // It comes when nobody waits for it any more, and is taken for no other answer.
    scene.answers(1, ResponseReaction::delay(TIMEOUT * 2));
    assert_eq!(scene.append().await, Ok(()), "late");
    for _ in 0..20 {
        assert_eq!(scene.append().await, Ok(()), "beside the late one");
    }
    scene.end(24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_whose_answers_are_all_lost_is_unknown_until_it_is_sent_again() {
    let mut scene = Scene::new("silent").await;
    scene.answers(SENDS, ResponseReaction::drop_frame());
    let answer = scene.append().await;
    assert!(is_unknown(&answer), "{answer:?}");
    // The room sends the identical one until it knows.
    assert_eq!(send(&scene.store, user(1), &[name(2)]).await, Sent::Duplicate);
    scene.end(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_that_it_has_done_nothing_is_believed() {
    let mut scene = Scene::new("refused").await;
    for error in [DbError::Overloaded, unavailable(), DbError::IsBootstrapping] {
        scene.requests(1, RequestReaction::forge_with_error(error.clone()));
        let answer = scene.append().await;
        assert!(is_refused(&answer), "{error}: {answer:?}");
        assert_eq!(whole_log(&scene.store).await.len(), 1, "{error}");
    }
    scene.end(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_know_is_asked_again_whether_it_had_done_it_or_not() {
    let mut scene = Scene::new("timeouts").await;
    let mut count = 1;
    for error in [timed_out(), DbError::ServerError] {
        scene.answers(1, replaced(error.clone()));
        assert_eq!(scene.append().await, Ok(()), "{error}: it had done it");
        scene.requests(1, RequestReaction::forge_with_error(error.clone()));
        assert_eq!(scene.append().await, Ok(()), "{error}: it had not");
        count += 2;
        assert_eq!(whole_log(&scene.store).await.len(), count, "{error}");
    }
    scene.end(count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_done() {
    let mut scene = Scene::new("doubt").await;
    // The first is done and unheard; those after it are refused before the server sees them.
    scene.answers(1, ResponseReaction::drop_frame());
    let batches = Condition::RequestOpcode(RequestOpcode::Batch);
    let later = batches.clone().and(Condition::not(Condition::TrueForLimitedTimes(1)));
    let rule = RequestRule(later, RequestReaction::forge_with_error(DbError::Overloaded));
    scene.proxy.running_nodes[0].change_request_rules(Some(vec![rule]));
    let answer = scene.append().await;
    assert!(is_unknown(&answer), "{answer:?}");
    scene.proxy.turn_off_rules();
    assert_eq!(send(&scene.store, user(1), &[name(2)]).await, Sent::Duplicate);
    scene.end(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_over_a_batch_leaves_it_once() {
    let mut scene = Scene::new("broken").await;
    for round in 0..4 {
        if round % 2 == 0 {
            scene.answers(1, ResponseReaction::drop_connection());
        } else {
            scene.requests(1, RequestReaction::drop_connection());
        }
        assert_eq!(send(&scene.store, user(1), &[name(10 + round)]).await, Sent::Applied, "round {round}");
    }
    scene.end(5).await;
}
