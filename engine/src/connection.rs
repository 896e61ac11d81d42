//! A connection as everybody but its own task sees it, and the table of all of them.
//!
//! The task that owns the socket, the session behind it, the rooms it hears and the sweeper share
//! one of these. It has no channel and no timer: frames go to its outbox, and the sweeper asks
//! once a second what is due.

use crate::credit::Credits;
use crate::limits::{
    AUTH_WITHIN, CLOSE_WITHIN, CREDITS_PER_CONNECTION, PING_EVERY, PONG_WITHIN, STALL_WITHIN,
};
use crate::outbox::{EphemeralKey, Outbox, Pushed};
use bytes::Bytes;
use rookery_protocol::{CloseCode, Codec, Frame, ServerEvent, SessionId, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Shards of the table of connections; one is locked at a time while they are swept.
const SHARDS: u64 = 16;

/// "Not yet", for a moment kept as milliseconds.
const NEVER: u64 = u64::MAX;

/// Names a connection of this node; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// One open socket.
#[derive(Debug)]
pub struct Connection {
    id: ConnectionId,
    outbox: Outbox,
    credits: Arc<Credits>,
    /// Who speaks here, once that is known.
    identity: OnceLock<(UserId, SessionId)>,
    /// Since when the peer could say who it is; `NEVER` while that is looked up, which is not its time.
    asked: AtomicU64,
    heard: AtomicU64,
    pinged: AtomicU64,
    closing: AtomicU64,
    /// Wall time, in milliseconds, at which the access token runs out.
    expires: AtomicI64,
    aborted: AtomicBool,
}

/// What the sweeper has to do about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Leave,
    /// Ask whether the peer is there.
    Ping,
    /// Close it with this code.
    Close(CloseCode),
    /// Drop the socket: the peer did not take even the close frame.
    Abort,
}

impl Connection {
    /// Returns a connection opened at `now`, whose peer is not known yet.
    pub fn new(id: ConnectionId, codec: Codec, now: Duration) -> Arc<Self> {
        Arc::new(Self {
            id,
            outbox: Outbox::new(codec),
            credits: Credits::new(CREDITS_PER_CONNECTION),
            identity: OnceLock::new(),
            asked: AtomicU64::new(millis(now)),
            heard: AtomicU64::new(millis(now)),
            pinged: AtomicU64::new(NEVER),
            closing: AtomicU64::new(NEVER),
            expires: AtomicI64::new(i64::MAX),
            aborted: AtomicBool::new(false),
        })
    }

    /// Returns its name.
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// Returns the codec it speaks.
    pub const fn codec(&self) -> Codec {
        self.outbox.codec()
    }

    /// Returns what waits to be sent to it.
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns its credits.
    pub const fn credits(&self) -> &Arc<Credits> {
        &self.credits
    }

    /// Sends a reply or a notice about the connection itself.
    pub fn push_reply(&self, frame: &Frame) -> Pushed {
        self.push_encoded(frame.bytes(self.codec()))
    }

    /// Sends a reply, or a frame of the WebSocket itself, encoded for this connection. A peer that has
    /// let too much pile up is sent away instead.
    pub fn push_encoded(&self, frame: Bytes) -> Pushed {
        match self.outbox.push_reply(frame) {
            Pushed::Full => {
                let bye = Frame::server(ServerEvent::bye(CloseCode::SlowConsumer, None));
                self.outbox.close(CloseCode::SlowConsumer, Some(bye.bytes(self.codec())));
                Pushed::Closed
            }
            done => done,
        }
    }

    /// Sends a durable event.
    pub fn push_event(&self, frame: &Frame) -> Pushed {
        self.outbox.push_event(frame.bytes(self.codec()))
    }

    /// Sends a signal that only matters now.
    pub fn push_ephemeral(&self, key: EphemeralKey, frame: &Frame) -> Pushed {
        self.outbox.push_ephemeral(key, frame.bytes(self.codec()))
    }

    /// Sends how something stands now.
    pub fn push_latest(&self, key: EphemeralKey, frame: &Frame) -> Pushed {
        self.outbox.push_latest(key, frame.bytes(self.codec()))
    }

    /// The peer has said who it is, and that is looked up from now on. Returns since when it was asked, or
    /// `None` where that was looked up already.
    pub fn looks_up(&self) -> Option<Duration> {
        let since = self.asked.swap(NEVER, Ordering::Relaxed);
        (since != NEVER).then(|| Duration::from_millis(since))
    }

    /// What the peer said is no answer to who it is: it has been asked since then.
    pub fn asked_since(&self, since: Duration) {
        self.asked.store(millis(since), Ordering::Relaxed);
    }

    /// Remembers who speaks here; the first answer stays. Returns whether it is this one.
    pub fn identify(&self, user: UserId, session: SessionId) -> bool {
        *self.identity.get_or_init(|| (user, session)) == (user, session)
    }

    /// Returns who speaks here.
    pub fn identity(&self) -> Option<(UserId, SessionId)> {
        self.identity.get().copied()
    }

    /// Closes the connection for lack of a token at `expires`. Only the latest moment given counts:
    /// the answers about two tokens may come in any order.
    pub fn expire_at(&self, expires: Timestamp) {
        let later = |known| (known == i64::MAX || known < expires.0).then_some(expires.0);
        self.expires.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later).ok();
    }

    /// Notes that the peer was heard at `now`: any frame shows that it is there. Returns how long that
    /// took since it was pinged, if it was.
    pub fn heard(&self, now: Duration) -> Option<Duration> {
        self.heard.store(millis(now), Ordering::Relaxed);
        let pinged = self.pinged.swap(NEVER, Ordering::Relaxed);
        (pinged != NEVER).then(|| Duration::from_millis(millis(now).saturating_sub(pinged)))
    }

    /// Writes what is queued, then `last`, then closes with `code`. The first close counts.
    pub fn close(&self, code: CloseCode, last: Option<&Frame>, now: Duration) {
        let first = |closing| (closing == NEVER).then_some(millis(now));
        self.closing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, first).ok();
        self.outbox.close(code, last.map(|frame| frame.bytes(self.codec())));
    }

    /// Has the connection's task drop the socket as it is.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        self.outbox.wake();
    }

    /// Returns whether the socket is to be dropped.
    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    /// Returns what is due at `now` (`wall` for the token), and notes a ping as sent.
    pub fn sweep(&self, now: Duration, wall: Timestamp) -> Verdict {
        let passed = |since: u64, limit: Duration| {
            since != NEVER && millis(now).saturating_sub(since) >= millis(limit)
        };
        if self.outbox.closing().is_some() {
            // The outbox may have closed itself: its time counts from the first look at it.
            let since = self.closing.load(Ordering::Relaxed);
            if since == NEVER {
                self.closing.store(millis(now), Ordering::Relaxed);
            }
            return if passed(since, CLOSE_WITHIN) { Verdict::Abort } else { Verdict::Leave };
        }
        if self.identity.get().is_none() && passed(self.asked.load(Ordering::Relaxed), AUTH_WITHIN) {
            return Verdict::Close(CloseCode::AuthTimeout);
        }
        if wall.0 >= self.expires.load(Ordering::Relaxed) {
            return Verdict::Close(CloseCode::TokenExpired);
        }
        if let Some(since) = self.outbox.stalled_since() {
            if passed(millis(since), STALL_WITHIN) {
                return Verdict::Close(CloseCode::SlowConsumer);
            }
            // It takes what it is sent. It would see a ping only behind all that, and while so much
            // waits its pong is not read either.
            self.heard(since);
            return Verdict::Leave;
        }
        if passed(self.pinged.load(Ordering::Relaxed), PONG_WITHIN) {
            return Verdict::Close(CloseCode::NoPong);
        }
        let is_silent = passed(self.heard.load(Ordering::Relaxed), PING_EVERY);
        if is_silent && self.pinged.load(Ordering::Relaxed) == NEVER {
            self.pinged.store(millis(now), Ordering::Relaxed);
            return Verdict::Ping;
        }
        Verdict::Leave
    }
}

/// All open connections of a node.
#[derive(Debug)]
pub struct Connections {
    shards: Vec<Mutex<HashMap<ConnectionId, Arc<Connection>>>>,
    next: AtomicU64,
}

impl Connections {
    /// Returns a table without connections.
    pub fn new() -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default)
                .take(usize::try_from(SHARDS).unwrap_or(1))
                .collect(),
            next: AtomicU64::new(1),
        }
    }

    /// Opens a connection at `now` and keeps it until [`Connections::remove`].
    pub fn open(&self, codec: Codec, now: Duration) -> Arc<Connection> {
        let id = ConnectionId(self.next.fetch_add(1, Ordering::Relaxed));
        let connection = Connection::new(id, codec, now);
        self.shard(id).lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&connection));
        connection
    }

    /// Forgets a connection.
    pub fn remove(&self, id: ConnectionId) {
        self.shard(id).lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Returns how many are open.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Returns whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` for every connection, one shard at a time, on a copy.
    pub fn each(&self, mut visit: impl FnMut(&Arc<Connection>)) {
        for shard in &self.shards {
            let connections: Vec<_> =
                shard.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
            connections.iter().for_each(&mut visit);
        }
    }

    fn shard(&self, id: ConnectionId) -> &Mutex<HashMap<ConnectionId, Arc<Connection>>> {
        &self.shards[usize::try_from(id.0 % SHARDS).unwrap_or(0)]
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::OUTBOX_CLOSE_BYTES;
    use std::collections::VecDeque;
    use std::task::{Context, Waker};
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn authenticated() -> Arc<Connection> {
        let connection = Connection::new(ConnectionId(1), Codec::Json, Duration::ZERO);
        assert!(connection.identify(UserId(Uuid::nil()), SessionId(Uuid::nil())));
        connection
    }

    #[test]
    fn a_peer_that_does_not_say_who_it_is_is_closed() {
        let connection = Connection::new(ConnectionId(1), Codec::Json, Duration::ZERO);
        assert_eq!(connection.sweep(seconds(4), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(5), NOW), Verdict::Close(CloseCode::AuthTimeout));
    }

    #[test]
    fn looking_up_who_a_peer_is_does_not_count_as_its_silence() {
        let connection = Connection::new(ConnectionId(1), Codec::Json, Duration::ZERO);
        assert_eq!(connection.looks_up(), Some(Duration::ZERO));
        assert_eq!(connection.looks_up(), None);
        assert_eq!(connection.sweep(seconds(20), NOW), Verdict::Leave);
        connection.asked_since(seconds(20));
        assert_eq!(connection.sweep(seconds(24), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(25), NOW), Verdict::Close(CloseCode::AuthTimeout));
    }

    #[test]
    fn a_silent_peer_is_pinged_once_and_closed_when_it_does_not_answer() {
        let connection = authenticated();
        assert_eq!(connection.sweep(seconds(24), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(25), NOW), Verdict::Ping);
        assert_eq!(connection.sweep(seconds(26), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(35), NOW), Verdict::Close(CloseCode::NoPong));
    }

    #[test]
    fn any_frame_answers_a_ping() {
        let connection = authenticated();
        assert_eq!(connection.sweep(seconds(25), NOW), Verdict::Ping);
        connection.heard(seconds(30));
        assert_eq!(connection.sweep(seconds(54), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(55), NOW), Verdict::Ping);
    }

    #[test]
    fn a_peer_that_takes_what_it_is_sent_owes_no_pong_however_long_that_lasts() {
        let connection = authenticated();
        connection.push_encoded(Bytes::from_static(&[0; 100]));
        let mut frames = VecDeque::new();
        connection.outbox().poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
        for second in 1..100 {
            assert_eq!(connection.sweep(seconds(second), NOW), Verdict::Leave, "after {second} s");
            connection.outbox().wrote(0, 1, seconds(second));
        }
        connection.outbox().wrote(1, 1, seconds(100));
        assert_eq!(connection.sweep(seconds(101), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(125), NOW), Verdict::Ping);
    }

    #[test]
    fn a_peer_that_lets_its_replies_pile_up_is_sent_away_with_a_word() {
        let connection = authenticated();
        assert_eq!(connection.push_encoded(Bytes::from(vec![0; OUTBOX_CLOSE_BYTES])), Pushed::Queued);
        assert_eq!(connection.push_encoded(Bytes::from_static(&[0])), Pushed::Closed);
        assert_eq!(connection.outbox().closing(), Some(CloseCode::SlowConsumer));
        let mut frames = VecDeque::new();
        connection.outbox().poll_take(&Context::from_waker(Waker::noop()), &mut frames, Duration::ZERO);
        let last = frames.pop_back().expect("a frame");
        assert!(String::from_utf8_lossy(&last).contains("\"bye\""), "{last:?}");
    }

    #[test]
    fn a_connection_ends_with_its_token() {
        let connection = authenticated();
        connection.expire_at(NOW);
        connection.expire_at(NOW.plus_millis(-5));
        assert_eq!(connection.sweep(seconds(1), NOW.plus_millis(-1)), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(1), NOW), Verdict::Close(CloseCode::TokenExpired));
    }

    #[test]
    fn a_peer_that_does_not_take_the_close_frame_is_dropped() {
        let connection = authenticated();
        connection.close(CloseCode::Draining, None, seconds(1));
        assert_eq!(connection.sweep(seconds(2), NOW), Verdict::Leave);
        assert_eq!(connection.sweep(seconds(6), NOW), Verdict::Abort);
    }
}
