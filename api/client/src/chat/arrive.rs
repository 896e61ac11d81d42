//! The live connection: what is due goes out, what arrives is understood.

use super::connect::{NotRenewed, Refreshing};
use super::follow::{Followed, RETRY_AFTER, Stream};
use super::outbox::Asked;
use super::{ANSWER_WITHIN, Chat, Closed, Connection, GaveUp, News, Phase};
use crate::account::Tokens;
use crate::connection::Incoming;
use crate::notice::Notice;
use rookery_protocol::{
    Auth, CommandId, ErrorCode, History, Op, RawBody, RoomHistory, RoomId, RoomOpen, RoomOpened, Seq,
    WireError,
};
use std::time::Duration;
use tokio::time::Instant;

/// What ends a wait.
enum Woken {
    Incoming(Incoming),
    Refreshed(Result<Tokens, NotRenewed>),
    Time,
}

impl Chat {
    /// Sends what is due and takes what arrives next, or notices that it is time for something.
    pub(super) async fn live(&mut self) -> Result<(), GaveUp> {
        if let Err(closed) = self.write_due().await {
            return self.disconnected(closed);
        }
        if !self.news.is_empty() {
            return Ok(());
        }
        let wake_at = self.wake_at();
        let Phase::Live(connection) = &mut self.phase else { return Ok(()) };
        let refreshing = self.refreshing.as_mut();
        let woken = tokio::select! {
            incoming = connection.next() => Woken::Incoming(incoming),
            outcome = Refreshing::finish(refreshing) => Woken::Refreshed(outcome),
            () = tokio::time::sleep_until(wake_at) => Woken::Time,
        };
        match woken {
            Woken::Incoming(Incoming::Reply { id, outcome }) => return self.reply(id, outcome),
            Woken::Incoming(Incoming::Notice(notice)) => self.notice(notice),
            Woken::Incoming(Incoming::Closed(closed)) => return self.disconnected(closed),
            Woken::Refreshed(outcome) => return self.refreshed(outcome),
            Woken::Time if self.is_dead() => return self.disconnected(Closed::broken("no answer in time")),
            Woken::Time => {}
        }
        Ok(())
    }

    /// Writes every command whose turn it is, and has them sent.
    async fn write_due(&mut self) -> Result<(), Closed> {
        let Phase::Live(connection) = &mut self.phase else { return Ok(()) };
        let now = Instant::now();
        if self.auth_due.is_some_and(|time| time <= now) {
            connection.ready().await?;
            let auth = Auth { token: self.keys.access_token().to_owned(), device: None, inbox_after: None };
            let id = connection.put(&Op::Auth(Box::new(auth)))?;
            self.asked.insert(id, (Asked::Auth, now));
            self.auth_due = None;
        }
        for (room, followed) in &mut self.rooms {
            if matches!(followed.state, Stream::Closed(time) if time.is_none_or(|time| time <= now)) {
                let (room, after) = (*room, followed.position);
                connection.ready().await?;
                let id = connection.put(&Op::RoomOpen(RoomOpen { room, after }))?;
                self.asked.insert(id, (Asked::Open { room, after }, now));
                followed.state = Stream::Opening;
            }
            if let Some(owed) =
                followed.owed.as_mut().filter(|owed| owed.ask_at.is_some_and(|time| time <= now))
            {
                connection.ready().await?;
                let page = RoomHistory {
                    room: *room,
                    before: None,
                    after: Some(owed.after),
                    around: None,
                    limit: None,
                };
                let id = connection.put(&Op::RoomHistory(page))?;
                self.asked.insert(id, (Asked::Page { room: *room }, now));
                owed.ask_at = None;
            }
        }
        while let Some(waiting) = self.outbox.due(now) {
            connection.ready().await?;
            let op = waiting.begin_attempt();
            let (handle, attempt) = (waiting.handle, waiting.attempt);
            self.news.push_back(News::Sent { at: Instant::now(), handle, op: op.clone(), attempt });
            let id = connection.put(&op)?;
            waiting.is_under_way(id);
            self.asked.insert(id, (Asked::Submitted(handle), now));
        }
        connection.flush().await
    }

    /// Returns when to look again although nothing arrived.
    fn wake_at(&mut self) -> Instant {
        self.refresh_if_due();
        let Phase::Live(connection) = &self.phase else { return Instant::now() };
        let renew_at = if self.refreshing.is_none() { self.keys.renew_at() } else { None };
        let answer_at = self.asked.values().map(|(_, since)| *since + ANSWER_WITHIN).min();
        let silent_at = connection.heard_at() + silence(connection);
        let room_at = self.rooms.values().filter_map(Followed::due_at).min();
        let times = [renew_at, self.auth_due, answer_at, Some(silent_at), self.outbox.next_due(), room_at];
        times.into_iter().flatten().min().unwrap_or(silent_at)
    }

    fn is_dead(&self) -> bool {
        let Phase::Live(connection) = &self.phase else { return false };
        let now = Instant::now();
        let is_late = |(_, since): &(Asked, Instant)| *since + ANSWER_WITHIN <= now;
        self.asked.values().any(is_late) || connection.heard_at() + silence(connection) <= now
    }

    fn reply(&mut self, id: CommandId, outcome: Result<RawBody, WireError>) -> Result<(), GaveUp> {
        let Some((asked, since)) = self.asked.remove(&id) else { return Ok(()) };
        match asked {
            Asked::Submitted(handle) => {
                let settled = self.outbox.answered(handle, outcome.as_ref().err(), Instant::now());
                match (settled, outcome) {
                    (Some(Ok(op)), outcome) => self.news.push_back(News::Answered { handle, op, outcome }),
                    (Some(Err(op)), Err(error)) => self.news.push_back(News::PutOff { handle, op, error }),
                    _ => {}
                }
            }
            Asked::Open { room, after } => match outcome.map(|body| body.read::<RoomOpened>()) {
                Ok(Ok(opened)) => self.opened(since, after, opened),
                Ok(Err(error)) => {
                    self.not_opened(room, WireError::new(ErrorCode::Internal, error.to_string()));
                }
                Err(error) => self.not_opened(room, error),
            },
            Asked::Page { room } => self.paged(since, room, outcome),
            Asked::Auth => return outcome.map_or_else(|error| self.not_extended(&error), |_| Ok(())),
        }
        Ok(())
    }

    fn opened(&mut self, asked: Instant, after: Option<Seq>, opened: RoomOpened) {
        if let Some(followed) = self.rooms.get_mut(&opened.room.id) {
            followed.opened(after, &opened);
            self.news.push_back(News::Opened { after, asked, opened: Box::new(opened) });
        }
    }

    fn not_opened(&mut self, room: RoomId, error: WireError) {
        if error.retryable {
            if let Some(followed) = self.rooms.get_mut(&room) {
                followed.state = Stream::Closed(Some(later(&error)));
            }
        } else if self.rooms.remove(&room).is_some() {
            self.news.push_back(News::NotOpened { room, error });
        }
    }

    fn paged(&mut self, asked: Instant, room: RoomId, outcome: Result<RawBody, WireError>) {
        let Some(followed) = self.rooms.get_mut(&room) else { return };
        match outcome.map(|body| body.read::<History>()) {
            Ok(Ok(page)) => {
                let head = page.head.seq;
                let news = |message| News::Paged { asked, head, message: Box::new(message) };
                self.news.extend(followed.page(page.messages).into_iter().map(news));
            }
            Err(error) if error.retryable => {
                if let Some(owed) = &mut followed.owed {
                    owed.ask_at = Some(later(&error));
                }
            }
            Ok(Err(_)) | Err(_) => followed.owed = None,
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Event(event) => {
                self.took(event.room, event.seq);
                self.news.push_back(News::Event(event));
            }
            Notice::Position { room, seq } => self.took(room, seq),
            Notice::Lagged { room, .. } => {
                if let Some(followed) = self.rooms.get_mut(&room) {
                    followed.state = Stream::Closed(None);
                    self.news.push_back(News::Lagged { room });
                }
            }
            Notice::Removed { room, seq } => {
                self.rooms.remove(&room);
                self.news.push_back(News::Removed { room, seq });
            }
            Notice::Signal(signal) => self.news.push_back(News::Signal(signal)),
            Notice::Bye { retry_after, url, .. } => {
                self.come_back_after = retry_after;
                // One that cannot be read, or needs TLS, is none that this client could go to.
                self.come_back_to = url.and_then(|url| url.parse().ok());
            }
            Notice::Hello(_)
            | Notice::Ready(_)
            | Notice::RoomHead(_)
            | Notice::Error(_)
            | Notice::Other { .. } => {}
        }
    }

    /// Moves a room's position; an event out of turn has the room opened again from its position.
    fn took(&mut self, room: RoomId, seq: Seq) {
        if let Some(followed) = self.rooms.get_mut(&room)
            && followed.state == Stream::Open
            && !followed.take(seq)
        {
            followed.state = Stream::Closed(None);
        }
    }
}

/// The silence after which a connection is taken for dead: two pings and the time for an answer.
fn silence(connection: &Connection) -> Duration {
    Duration::from_millis(connection.hello().ping_every_ms) * 2 + ANSWER_WITHIN
}

pub(super) fn later(error: &WireError) -> Instant {
    Instant::now() + error.retry_after_ms.map_or(RETRY_AFTER, |millis| Duration::from_millis(millis.into()))
}
