//! How often something may be done: by a user and by a login, on sockets and over HTTP together, and in a room.
//!
//! What is rare and costly is counted over all nodes, at a question to the bus each. What is not, the many commands
//! of people who write, is counted where the connection is, and weighed: a message is [`MESSAGE`]. What a user does on
//! several nodes is brought together behind its commands ([`share`]). A room is counted at its home, so over all nodes.

mod share;

use crate::identity::Identity;
use crate::node::Node;
use metrics::Counter;
use rookery_engine::bus::Bus;
use rookery_engine::metrics::By;
use rookery_engine::{Bucket, ClusterThrottle, Rule, Throttle, Throttled};
use rookery_protocol::{Op, SessionId, Timestamp, UserId};
use share::{Question, Shares};
use std::sync::Arc;

/// Searches for users: 30 at once, then one every two seconds.
///
/// A person who types finds somebody within a few; 30 searches of 20 a minute read a directory of
/// 100,000 handles in no less than two days, and only where their beginnings are known.
pub const SEARCH_RATE: Rule = Rule { name: "user-search", burst: 30, every_ms: 2_000 };

/// Changes of a handle: 3 at once, then 3 a day. Each keeps the old handle from others for a month.
pub const HANDLE_RATE: Rule = Rule { name: "handle-change", burst: 3, every_ms: 8 * 60 * 60 * 1000 };

/// What a message costs; all else is weighed against it.
const MESSAGE: u32 = 10;

/// Seconds of its rate that a full bucket holds, so that who has been quiet may hurry: a paste of 20 lines.
const BURST_SECONDS: u32 = 4;

/// Logins of one user that may be as busy as one may be, at a time.
const BUSY_LOGINS: u32 = 2;

/// What may be done in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateConfig {
    /// Messages of one login, or what costs as much: 1 to 100. A user may do twice that, with all logins together.
    pub session_messages: u32,
    /// Messages of one room, changes of them included: 1 to 1000.
    pub room_messages: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self { session_messages: 5, room_messages: 50 }
    }
}

/// Returns what `op` costs. By what it has the server do, and others read.
const fn cost(op: &Op) -> u32 {
    match op {
        // It is refused before it is weighed, or it ends what costs.
        Op::Auth(_) | Op::Ping | Op::RoomClose(_) => 0,
        // One row, or nothing that is kept; clients send them by themselves.
        Op::ReadMark(_) | Op::DeliveredMark(_) | Op::TypingSet(_) | Op::PresenceSet(_) => 1,
        Op::RoomGet(_) | Op::UserGet(_) | Op::RoomOpen(_) | Op::ReadList(_) => 2,
        Op::RoomList(_)
        | Op::MemberList(_)
        | Op::PresenceWatch(_)
        | Op::RoomSettings(_)
        | Op::UserSearch(_)
        | Op::UserBlock(_)
        | Op::MemberRemove(_)
        | Op::InviteRevoke(_) => 5,
        Op::MessageSearch(_) => 2 * MESSAGE,
        // Each makes something that stays, and that others are told of.
        Op::RoomCreate(_) | Op::RoomDirect(_) | Op::MemberAdd(_) | Op::InviteCreate(_) => 3 * MESSAGE,
        _ => MESSAGE,
    }
}

/// The rates of users and logins; none where limits are relaxed.
#[derive(Debug)]
pub(crate) struct Rates(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    search: ClusterThrottle,
    handle: ClusterThrottle,
    session: Throttle<SessionId>,
    user: Throttle<UserId>,
    shares: Arc<Shares>,
    room: Rule,
    limits: By<Counter>,
}

impl Rates {
    /// Returns rates of which those that are rare hold over the nodes of `bus`.
    pub(crate) fn strict(config: RateConfig, bus: &Arc<dyn Bus>, limits: &By<Counter>) -> Self {
        let of = |rule| ClusterThrottle::new(rule, Arc::clone(bus)).counted_by(limits);
        let session = weighed("session", config.session_messages * MESSAGE);
        let per_second = config.session_messages * MESSAGE * BUSY_LOGINS;
        let user = weighed("user", per_second);
        Self(Some(Buckets {
            search: of(SEARCH_RATE),
            handle: of(HANDLE_RATE),
            session: Throttle::new(session),
            user: Throttle::new(user),
            shares: Shares::new(user, per_second, Arc::clone(bus)),
            room: weighed("room", config.room_messages),
            limits: limits.clone(),
        }))
    }

    /// Returns rates that let everything pass.
    pub(crate) const fn relaxed() -> Self {
        Self(None)
    }

    /// Takes what something of `user` on the login `session` costs. Returns whether it passes, and what is then to be
    /// asked of the other nodes, beside it.
    fn spend(
        &self,
        (user, session): (UserId, SessionId),
        cost: u32,
        now: Timestamp,
    ) -> (Result<(), Throttled>, Option<Question>) {
        let Some(buckets) = &self.0 else { return (Ok(()), None) };
        let here = buckets
            .session
            .take_many(session, cost, now)
            .and_then(|()| buckets.user.take_many(user, cost, now));
        let (taken, question) = match here {
            Ok(()) => buckets.shares.spend(user, cost, now),
            Err(refused) => (Err(refused), None),
        };
        (taken.inspect_err(|refused| buckets.limits.of(refused.rule.name).increment(1)), question)
    }

    /// Takes one message of the room whose bucket this is.
    pub(crate) fn room(&self, bucket: &mut Bucket, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        bucket.take(buckets.room, now).inspect_err(|_| buckets.limits.of("room").increment(1))
    }

    /// Takes one search of `user`.
    pub(crate) async fn search(&self, user: UserId, now: Timestamp) -> Result<(), Throttled> {
        match &self.0 {
            Some(buckets) => buckets.search.take(&user.to_string(), now).await,
            None => Ok(()),
        }
    }

    /// Takes one change of the handle of `user`.
    pub(crate) async fn handle(&self, user: UserId, now: Timestamp) -> Result<(), Throttled> {
        match &self.0 {
            Some(buckets) => buckets.handle.take(&user.to_string(), now).await,
            None => Ok(()),
        }
    }
}

impl Node {
    /// Takes what `op` costs whoever asks for it. Never waits for another node.
    ///
    /// # Errors
    /// [`Throttled`] where the login, or the user, has done too much; it passes later.
    pub fn spend(&self, who: &Identity, op: &Op) -> Result<(), Throttled> {
        self.spend_cost(who, cost(op))
    }

    /// Returns what buckets of this process count by: a clock that does not jump.
    pub fn moment(&self) -> Timestamp {
        Timestamp(i64::try_from(self.clock().elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Takes what is no op and costs as much as a message.
    ///
    /// # Errors
    /// As [`Node::spend`].
    pub fn spend_message(&self, who: &Identity) -> Result<(), Throttled> {
        self.spend_cost(who, MESSAGE)
    }

    fn spend_cost(&self, who: &Identity, cost: u32) -> Result<(), Throttled> {
        let (taken, question) = self.rates().spend((who.user.id, who.session), cost, self.moment());
        if let Some(question) = question {
            self.tasks().spawn(question.ask(self.clock().now()));
        }
        taken
    }
}

/// Returns the rule of so many a second, to the millisecond, and [`BURST_SECONDS`] of them at once.
fn weighed(name: &'static str, per_second: u32) -> Rule {
    Rule { name, burst: per_second * BURST_SECONDS, every_ms: (1000 / per_second).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_the_configuration_says() {
        assert_eq!(weighed("x", 50), Rule { name: "x", burst: 200, every_ms: 20 });
        assert_eq!(weighed("x", 1), Rule { name: "x", burst: 4, every_ms: 1000 });
        // The largest that can be set.
        assert_eq!(weighed("x", 100 * MESSAGE * BUSY_LOGINS), Rule { name: "x", burst: 8000, every_ms: 1 });
    }
}
