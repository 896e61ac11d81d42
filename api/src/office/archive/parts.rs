//! What an archive tells of a user, part by part. `docs/OPERATING.md` says which table each comes from.

use super::{Ended, Lines, say};
use crate::accounts::FactorError;
use crate::docket;
use crate::office::job::Job;
use crate::office::reports::Report;
use crate::office::{Active, Office};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use rookery_engine::blobs::{BlobError, BlobKey, BlobPart};
use rookery_engine::store::{Book, FileRecord, Range, StoreError};
use rookery_protocol::{RoomId, RoomKind, Seq, UserId};
use serde_json::{Value, json};

/// Rows of one page.
const PAGE: usize = 200;

/// Logins that are told: far more than anybody has in the 30 days that one lasts.
const LOGINS: usize = 100_000;

impl Office {
    /// Tells everything about a user.
    pub(super) async fn tell_all(&self, user: UserId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        // The shape of what follows: another number where something is told otherwise.
        say(lines, &json!({ "part": "archive", "version": 2, "user": user, "at": self.now() })).await?;
        self.tell_account(user, lines).await?;
        self.tell_desk(user, lines).await?;
        let mut after = None;
        loop {
            let rooms = store.rooms_ever(user, after, PAGE).await?;
            let Some(last) = rooms.last() else { break };
            after = Some(*last);
            for room in rooms {
                self.tell_room(user, room, lines).await?;
            }
        }
        let mut after = None;
        loop {
            let files = store.files_of(user, after, PAGE).await?;
            let Some(last) = files.last() else { break };
            after = Some(last.upload.file);
            for file in files {
                self.tell_file(&file, lines).await?;
            }
        }
        say(lines, &json!({ "part": "end" })).await
    }

    /// Tells who the user is, how it gets in, and whom it blocks.
    async fn tell_account(&self, user: UserId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        if let Some(person) = self.person(user).await? {
            say(lines, &json!({ "part": "account", "account": person })).await?;
        }
        let factor = self.accounts.factor_standing(user).await.map_err(|error| match error {
            FactorError::Store(error) => error,
            error => StoreError::Refused(error.to_string()),
        })?;
        let told = json!({ "on_since": factor.on_since, "recovery_codes": factor.recovery_codes });
        say(lines, &json!({ "part": "factor", "factor": told })).await?;
        for identity in self.accounts.identities(user).await? {
            say(lines, &json!({ "part": "identity", "identity": identity })).await?;
        }
        for login in store.sessions_of(user, self.now(), LOGINS).await? {
            say(lines, &json!({ "part": "login", "login": login })).await?;
        }
        let mut after = None;
        loop {
            let blocks = store.blocks_of(user, after, PAGE).await?;
            let Some((last, _)) = blocks.last() else { return Ok(()) };
            after = Some(*last);
            for (other, at) in blocks {
                say(lines, &json!({ "part": "block", "block": { "user": other, "at": at } })).await?;
            }
        }
    }

    /// Tells what the office has of the user: on which days it was there, what it has reported, and what was done
    /// with what is told here.
    async fn tell_desk(&self, user: UserId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        if let Some(active) = docket::read::<Active>(store, Book::Activity, user.0).await? {
            say(lines, &json!({ "part": "activity", "activity": active.what })).await?;
        }
        let mut before = None;
        loop {
            let reports = docket::page::<Report>(store, Book::Reports, before, PAGE).await?;
            let Some(last) = reports.last() else { break };
            before = Some(last.id);
            for known in reports.iter().filter(|known| known.what.by == user) {
                let Report { at, about, reason, .. } = &known.what;
                let told = json!({ "at": at, "about": about, "reason": reason });
                say(lines, &json!({ "part": "report", "report": told })).await?;
            }
        }
        let mut before = None;
        loop {
            let jobs = docket::page::<Job>(store, Book::Jobs, before, PAGE).await?;
            let Some(last) = jobs.last() else { return Ok(()) };
            before = Some(last.id);
            for known in jobs.iter().filter(|known| known.what.user == user) {
                let Job { at, kind, done_at, .. } = &known.what;
                let told = json!({ "at": at, "kind": kind, "done_at": done_at });
                say(lines, &json!({ "part": "job", "job": told })).await?;
            }
        }
    }

    /// Tells how the user is in a room, and what it did there; of its inbox all.
    async fn tell_room(&self, user: UserId, room: RoomId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        let record = store.room(room).await?;
        let is_inbox = record.as_ref().is_some_and(|record| record.kind == RoomKind::Inbox);
        let state = store.room_state(room, user).await?;
        let as_member = state.map(|state| {
            json!({
                "role": state.membership.role, "joined_seq": state.membership.joined, "read": state.read,
                "delivered": state.delivered, "settings": state.settings,
            })
        });
        say(lines, &json!({ "part": "room", "room": record, "member": as_member })).await?;
        let mut seq = Seq::ZERO;
        loop {
            let events = store.read(room, Range::After(seq), PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            seq = last.seq;
            for event in events.iter().filter(|event| is_inbox || event.by == user) {
                say(lines, &json!({ "part": "event", "event": event })).await?;
            }
        }
    }

    /// Tells what is known of a file, and its bytes.
    async fn tell_file(&self, file: &FileRecord, lines: &Lines) -> Result<(), Ended> {
        say(lines, &json!({ "part": "file", "file": file })).await?;
        let Some(content) = &file.content else { return Ok(()) };
        let key = BlobKey { file: file.upload.file, part: BlobPart::Content };
        let mut bytes = match self.blobs.get(key, 0..content.size).await {
            Ok(bytes) => bytes,
            // It went while this was written.
            Err(BlobError::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        while let Some(piece) = bytes.next().await {
            let piece = STANDARD.encode(piece?);
            let told: Value = json!({ "part": "bytes", "file": file.upload.file, "base64": piece });
            say(lines, &told).await?;
        }
        Ok(())
    }
}
