//! Reports: what users want the office to look at, and what it has done about it.

use super::{Office, Person};
use crate::docket::{self, Known};
use rookery_engine::store::{Book, Range, RoomRecord, StoreError};
use rookery_protocol::{Message, RoomId, Seq, Timestamp, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Entries that are looked at for one page of a list: of a book of closed reports only some are open.
const LOOKED_AT: usize = 1000;

/// Entries of a room that are shown before the message that a report is about, and behind it.
const AROUND: u64 = 5;

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct About {
    /// A room that the reporter is in; with `seq`, a message there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<RoomId>,
    /// The message's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<Seq>,
    /// A user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<UserId>,
}

/// What is done about a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Nothing is to be done.
    Dismiss,
    /// The content of the message is taken away.
    RemoveMessage,
    /// The user is removed from the room.
    RemoveMember,
    /// The user is barred from the server.
    Ban,
    /// Every member of the room is removed.
    CloseRoom,
    /// What was done was done elsewhere; the reason says it.
    Other,
}

/// How a report was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Closed {
    /// When.
    pub(crate) at: Timestamp,
    /// By whom, as in the audit log.
    pub(crate) by: String,
    /// What was done.
    pub(crate) action: Action,
    /// Why.
    pub(crate) reason: String,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it came.
    pub(crate) at: Timestamp,
    /// Who reports.
    pub(crate) by: UserId,
    /// What.
    pub(crate) about: About,
    /// Why; empty once the reporter, or whom it is about, was erased.
    pub(crate) reason: String,
    /// How it was closed; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<Closed>,
}

/// What a report is about, as it is now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Context {
    /// The room, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<RoomRecord>,
    /// Where it is about a message, that and some before and behind it, ascending by position.
    messages: Vec<Message>,
    /// Whom it is about: the user that it names, or else the author of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Person>,
}

/// A page of reports.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    /// The newest first.
    pub(crate) found: Vec<Known<Report>>,
    /// Where to go on, unless there are no more.
    pub(crate) next: Option<Uuid>,
}

impl Office {
    /// Takes a report and returns its id.
    pub(crate) async fn report(&self, by: UserId, about: About, reason: String) -> Result<Uuid, StoreError> {
        let id = self.new_id();
        let report = Report { at: self.now(), by, about, reason, closed: None };
        docket::begin(self.store(), Book::Reports, id, &report).await?;
        Ok(id)
    }

    /// Returns at most `limit` reports from before `before`: all of them, or only open or closed ones. May return
    /// fewer, and where to go on.
    pub(crate) async fn reports(
        &self,
        is_open: Option<bool>,
        mut before: Option<Uuid>,
        limit: usize,
    ) -> Result<Reports, StoreError> {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while found.len() < limit && looked_at < LOOKED_AT {
            let page = docket::page::<Report>(self.store(), Book::Reports, before, limit).await?;
            let is_last = page.len() < limit;
            for known in page {
                if found.len() == limit {
                    return Ok(Reports { found, next: before });
                }
                (before, looked_at) = (Some(known.id), looked_at + 1);
                if is_open.is_none_or(|is_open| is_open == known.what.closed.is_none()) {
                    found.push(known);
                }
            }
            if is_last {
                return Ok(Reports { found, next: None });
            }
        }
        Ok(Reports { found, next: before })
    }

    /// Returns one report.
    pub(crate) async fn find_report(&self, id: Uuid) -> Result<Option<Known<Report>>, StoreError> {
        docket::read(self.store(), Book::Reports, id).await
    }

    /// Closes a report, or opens it again; `false` where somebody else has changed it meanwhile.
    pub(crate) async fn close_report(
        &self,
        known: &mut Known<Report>,
        closed: Option<Closed>,
    ) -> Result<bool, StoreError> {
        known.what.closed = closed;
        docket::replace(self.store(), Book::Reports, known).await
    }

    /// Returns whom a report is about: the user that it names, or else the author of its message.
    pub(crate) async fn reported_user(&self, about: &About) -> Result<Option<UserId>, StoreError> {
        if about.user.is_some() {
            return Ok(about.user);
        }
        let (Some(room), Some(seq)) = (about.room, about.seq) else { return Ok(None) };
        let events = self.store().read(room, Range::After(Seq(seq.0.saturating_sub(1))), 1).await?;
        let author = events.first().filter(|event| event.seq == seq && !event.by.0.is_nil());
        Ok(author.map(|event| event.by))
    }

    /// Returns what a report is about.
    pub(crate) async fn context(&self, about: &About) -> Result<Context, StoreError> {
        let room = match about.room {
            Some(room) => self.store().room(room).await?,
            None => None,
        };
        let messages = match (about.room, about.seq) {
            (Some(room), Some(seq)) => self.around(room, seq).await?,
            _ => Vec::new(),
        };
        let user = match self.reported_user(about).await? {
            Some(user) => self.person(user).await?,
            None => None,
        };
        Ok(Context { room, messages, user })
    }

    async fn around(&self, room: RoomId, seq: Seq) -> Result<Vec<Message>, StoreError> {
        let entries = usize::try_from(AROUND).unwrap_or(usize::MAX);
        // As nobody sees it, whose own no reaction is.
        let nobody = UserId(Uuid::nil());
        let store = self.store();
        let after = Range::After(Seq(seq.0.saturating_sub(1)));
        let mut messages = store.page(room, Range::Before(seq), entries, nobody).await?;
        messages.extend(store.page(room, after, entries + 1, nobody).await?);
        Ok(messages)
    }
}
