//! An archive of everything about a user: lines of JSON, each with a `part`, in one blob.
//!
//! It is made as it is written, a page of the store at a time, so that its length costs no memory.

use super::Office;
use super::jobs::Trouble;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rookery_engine::blobs::{BlobError, BlobKey, BlobPart, BlobStream};
use rookery_engine::store::{FileRecord, Range, StoreError};
use rookery_protocol::{FileId, RoomId, Seq, UserId};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Rows of one page.
const PAGE: usize = 200;

/// Lines that wait to be written.
const WAITING: usize = 64;

/// Why no more lines come.
enum Ended {
    Store(StoreError),
    Blobs(BlobError),
    /// Nobody writes them any more.
    Unheard,
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<BlobError> for Ended {
    fn from(error: BlobError) -> Self {
        Self::Blobs(error)
    }
}

type Lines = mpsc::Sender<Result<Bytes, BlobError>>;

async fn say(lines: &Lines, line: &Value) -> Result<(), Ended> {
    lines.send(Ok(Bytes::from(format!("{line}\n")))).await.map_err(|_| Ended::Unheard)
}

impl Office {
    /// Returns under which name an archive is kept.
    const fn archive_of(job: Uuid) -> BlobKey {
        BlobKey { file: FileId(job), part: BlobPart::Content }
    }

    /// Returns the bytes of an archive, `length` of them.
    pub(crate) async fn archive(&self, job: Uuid, length: u64) -> Result<BlobStream, BlobError> {
        self.blobs.get(Self::archive_of(job), 0..length).await
    }

    /// Writes everything about `user` into the archive of `job`, in place of what is there. Returns its bytes.
    pub(super) async fn write_archive(&self, job: Uuid, user: UserId) -> Result<u64, Trouble> {
        let (lines, written) = mpsc::channel(WAITING);
        let next = async |mut written: mpsc::Receiver<_>| Some((written.recv().await?, written));
        let put = self.blobs.put(Self::archive_of(job), Box::pin(stream::unfold(written, next)));
        let tell = async {
            let told = self.tell_all(user, &lines).await;
            if let Err(ended) = told {
                // The archive is not kept then.
                drop(lines.send(Err(BlobError::Broken)).await);
                drop(lines);
                return Err(ended);
            }
            drop(lines);
            Ok(())
        };
        let (bytes, told) = tokio::join!(put, tell);
        match told {
            Err(Ended::Store(error)) => Err(error.into()),
            Err(Ended::Blobs(error)) => Err(error.into()),
            Ok(()) | Err(Ended::Unheard) => Ok(bytes?),
        }
    }

    async fn tell_all(&self, user: UserId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        say(lines, &json!({ "part": "archive", "version": 1, "user": user, "at": self.now() })).await?;
        if let Some(person) = self.person(user).await? {
            say(lines, &json!({ "part": "account", "account": person })).await?;
        }
        for login in self.logins(user).await? {
            say(lines, &json!({ "part": "login", "login": login })).await?;
        }
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

    /// Tells how the user is in a room, and what it wrote there.
    async fn tell_room(&self, user: UserId, room: RoomId, lines: &Lines) -> Result<(), Ended> {
        let store = self.store();
        let record = store.room(room).await?;
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
            for event in events.iter().filter(|event| event.by == user) {
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
            say(lines, &json!({ "part": "bytes", "file": file.upload.file, "base64": piece })).await?;
        }
        Ok(())
    }
}
