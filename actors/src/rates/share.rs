//! What a user may do on all nodes together, without a question on the way of a command.
//!
//! A node lets a user do something first and asks behind: for a second's worth of its rate at a time, which the bus
//! counts over all nodes. Whoever is refused one is in debt here, and does nothing more until it is given another.
//! So a user is ahead of its rate by what it does on each node while one question is under way, and pays for that.
//! While the bus is away or slow, and on a node that is alone, the node's own bucket is all there is.

use super::BURST_SECONDS;
use rookery_engine::bus::{Bus, Peers};
use rookery_engine::limits::{RATE_BUCKETS, THROTTLE_WITHIN};
use rookery_engine::{Rule, Throttled};
use rookery_protocol::{Timestamp, UserId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::timeout;

/// Questions under way at once. A question takes about a millisecond, so this is as good as any number; where Redis
/// hangs it bounds what waits for it.
const ASKED_AT_ONCE: usize = 64;

/// Milliseconds until whoever waits for an answer of the bus should come again, and until a bus that did not answer
/// is asked again for the same user.
const AGAIN_MS: i64 = 50;

/// What each user has been given and has not used.
#[derive(Debug)]
pub(super) struct Shares {
    /// Of the node's own bucket.
    rule: Rule,
    /// What a second is worth.
    worth: i64,
    bus: Arc<dyn Bus>,
    peers: watch::Receiver<Arc<Peers>>,
    known: Mutex<HashMap<UserId, Share>>,
    asked: AtomicUsize,
}

/// What one user has on this node.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// What it was given and has not used; below zero it is in debt.
    left: i64,
    /// The bus has refused it, and has given nothing since.
    is_refused: bool,
    is_asked_for: bool,
    /// When the bus may be asked again.
    asks_from: i64,
    used_at: i64,
}

/// A question for the bus.
#[derive(Debug)]
pub(super) struct Question {
    shares: Arc<Shares>,
    user: UserId,
    moment: Timestamp,
}

impl Shares {
    /// Returns the shares of users who may do `rule`, each second of which is `worth` so much of it.
    pub(super) fn new(rule: Rule, worth: u32, bus: Arc<dyn Bus>) -> Arc<Self> {
        let peers = bus.peers();
        let (known, asked) = (Mutex::default(), AtomicUsize::new(0));
        Arc::new(Self { rule, worth: i64::from(worth), bus, peers, known, asked })
    }

    /// Takes what something of `user` costs at `moment`. Returns whether it passes, and a question that is then to be
    /// asked beside it.
    pub(super) fn spend(
        self: &Arc<Self>,
        user: UserId,
        cost: u32,
        moment: Timestamp,
    ) -> (Result<(), Throttled>, Option<Question>) {
        if cost == 0 || self.is_alone() {
            return (Ok(()), None);
        }
        let mut known = self.lock();
        if known.len() >= RATE_BUCKETS && !known.contains_key(&user) {
            make_room(&mut known);
        }
        let share = known.entry(user).or_default();
        share.used_at = moment.0;
        let left = share.left - i64::from(cost);
        let passes = left >= 0 || !share.is_refused;
        if passes {
            share.left = left;
        }
        let asks = left < 0 && !share.is_asked_for && share.asks_from <= moment.0;
        let question = if asks && self.asked.load(Ordering::Relaxed) >= ASKED_AT_ONCE {
            share.count_alone(self.worth, moment);
            None
        } else if asks {
            share.is_asked_for = true;
            self.asked.fetch_add(1, Ordering::Relaxed);
            Some(Question { shares: Arc::clone(self), user, moment })
        } else {
            None
        };
        if passes {
            return (Ok(()), question);
        }
        let wait = (share.asks_from - moment.0).max(AGAIN_MS);
        let retry_after_ms = u32::try_from(wait).unwrap_or(u32::MAX);
        (Err(Throttled { rule: self.rule, retry_after_ms }), question)
    }

    fn is_alone(&self) -> bool {
        let peers = self.peers.borrow();
        !peers.is_connected || peers.nodes.len() < 2
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Share>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Has the node's own bucket decide for a while: the bus does not.
    fn count_alone(&mut self, worth: i64, moment: Timestamp) {
        self.left = self.left.max(0) + worth;
        self.is_refused = false;
        self.asks_from = moment.0 + AGAIN_MS;
    }
}

impl Question {
    /// Asks, when the time on all nodes is `now`, and takes note of the answer.
    pub(super) async fn ask(self, now: Timestamp) {
        let (shares, who) = (&self.shares, self.user.to_string());
        let rule = Rule { name: "user-seconds", burst: BURST_SECONDS, every_ms: 1000 };
        let answer = timeout(THROTTLE_WITHIN, shares.bus.throttle(rule, &who, now)).await;
        let mut known = shares.lock();
        // It may have been forgotten meanwhile: then it begins anew.
        let Some(share) = known.get_mut(&self.user) else { return };
        match answer {
            Ok(Ok(Ok(()))) => {
                share.left += shares.worth;
                share.is_refused &= share.left < 0;
            }
            Ok(Ok(Err(refused))) => {
                share.is_refused = true;
                share.asks_from = self.moment.0 + i64::from(refused.retry_after_ms);
            }
            Ok(Err(_)) | Err(_) => share.count_alone(shares.worth, self.moment),
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(share) = self.shares.lock().get_mut(&self.user) {
            share.is_asked_for = false;
        }
        self.shares.asked.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Forgets the half that was used longest ago.
fn make_room(known: &mut HashMap<UserId, Share>) {
    let mut moments: Vec<i64> = known.values().map(|share| share.used_at).collect();
    let middle = known.len() / 2;
    let (_, bound, _) = moments.select_nth_unstable(middle);
    let bound = *bound;
    let mut left = middle;
    known.retain(|_, share| {
        let goes = share.used_at <= bound && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::bus::{MemoryBuses, NodeId, Peer};
    use uuid::Uuid;

    /// 100 a second, 400 at once.
    const RULE: Rule = Rule { name: "user", burst: 400, every_ms: 10 };
    const WORTH: u32 = 100;
    const NOW: i64 = 1_700_000_000_000;

    fn nodes(buses: &MemoryBuses) -> [Arc<Shares>; 2] {
        [1, 2].map(|number| {
            let id = NodeId(Uuid::from_u128(number));
            let (name, url) = (number.to_string(), String::new());
            let me = Peer { id, name, url, connections: 0, capacity: 0, is_draining: false };
            Shares::new(RULE, WORTH, buses.join(me))
        })
    }

    fn user(number: usize) -> UserId {
        UserId(Uuid::from_u128(number as u128))
    }

    /// Has alice do something that costs 10, and what is to be asked be answered.
    async fn spend(shares: &Arc<Shares>, millis: i64) -> bool {
        let (taken, question) = shares.spend(user(1), 10, Timestamp(millis));
        if let Some(question) = question {
            question.ask(Timestamp(NOW + millis)).await;
        }
        taken.is_ok()
    }

    async fn use_up(shares: &Arc<Shares>) {
        let mut passed = 0;
        while spend(shares, 0).await {
            passed += 1;
            assert!(passed <= 41, "four seconds' worth, and what shows that it is no more");
        }
    }

    #[tokio::test]
    async fn what_a_user_does_on_two_nodes_is_as_much_as_on_one() {
        let buses = MemoryBuses::new();
        let [one, two] = nodes(&buses);
        let (mut on_one, mut on_two) = (0, 0);
        for millis in (0..60_000).step_by(10) {
            on_one += i32::from(spend(&one, millis).await);
            on_two += i32::from(spend(&two, millis).await);
        }
        // 4 seconds' worth and 60 more, of 10 each, and what each node lets pass before its first refusal.
        let both = on_one + on_two;
        assert!((600..=650).contains(&both), "{on_one} and {on_two}");
    }

    #[tokio::test]
    async fn a_refusal_says_when_to_come_again_and_then_it_passes() {
        let buses = MemoryBuses::new();
        let [one, two] = nodes(&buses);
        use_up(&one).await;
        let (refused, question) = one.spend(user(1), 10, Timestamp(0));
        assert!(question.is_none(), "the bus has just said when");
        assert_eq!(refused, Err(Throttled { rule: RULE, retry_after_ms: 1000 }));
        assert!(spend(&two, 0).await, "what it has done there is not known yet,");
        assert!(!spend(&two, 0).await, "and then it is");
        assert_eq!(one.spend(user(2), 10, Timestamp(0)).0, Ok(()), "others are not held up");
        assert!(!spend(&one, 1000).await, "it is asked first");
        assert!(spend(&one, 1000).await);
    }

    #[tokio::test]
    async fn while_the_bus_is_away_and_on_a_node_alone_the_node_s_own_bucket_decides() {
        let buses = MemoryBuses::new();
        let [one, two] = nodes(&buses);
        use_up(&one).await;
        buses.away(NodeId(Uuid::from_u128(1)));
        for _ in 0..1000 {
            assert!(spend(&one, 0).await);
        }
        drop(two);
    }

    #[tokio::test]
    async fn what_is_known_and_what_is_asked_is_bounded() {
        let buses = MemoryBuses::new();
        let [one, _two] = nodes(&buses);
        let mut questions = Vec::new();
        for number in 0..RATE_BUCKETS * 2 {
            let moment = Timestamp(i64::try_from(number).unwrap());
            questions.extend(one.spend(user(number), 1, moment).1);
        }
        assert_eq!(questions.len(), ASKED_AT_ONCE);
        assert!(one.lock().len() <= RATE_BUCKETS);
        drop(questions);
        assert!(one.spend(user(1), 200, Timestamp(0)).1.is_some(), "and asked again afterwards");
    }
}
