//! The memory store: the port in its plainest form, and the model that other stores are compared with.
//!
//! It keeps nothing over a restart. Every method is one turn under one lock, so every answer is
//! the state between two writes.

mod accounts;
mod credentials;
mod cursors;
mod docket;
mod files;
mod invites;
mod log;
mod messages;
mod notices;
mod people;
mod presence;
mod rooms;
mod sign_ins;
mod traces;
mod transfer;

use crate::store::{
    Activation, Answer, Commits, Health, Login, Mail, Notice, NoticeKind, Opening, Progress, Store,
    StoreError,
};
use accounts::AccountTables;
use docket::DocketTable;
use files::FileTables;
use invites::InviteTables;
use log::LogTables;
use messages::MessageTables;
use people::PeopleTables;
use presence::LastSeenTable;
use rookery_protocol::{RoomId, Seq, SessionId, UserId};
use rooms::RoomTables;
use sign_ins::SignInTable;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    is_closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    log: LogTables,
    messages: MessageTables,
    rooms: RoomTables,
    notices: BTreeMap<(UserId, RoomId, Seq, NoticeKind), Notice>,
    accounts: AccountTables,
    mails: BTreeMap<Uuid, Mail>,
    people: PeopleTables,
    invites: InviteTables,
    last_seen: LastSeenTable,
    sign_ins: SignInTable,
    files: FileTables,
    docket: DocketTable,
    importing: Option<Progress>,
}

impl MemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns one more store over the same tables, as another node has it. Each is closed by itself.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { state: Arc::clone(&self.state), is_closed: AtomicBool::new(false) }
    }

    /// Does `turn` in one piece and answers with what it returned.
    fn answer<'a, T, E>(
        &'a self,
        turn: impl FnOnce(&mut State) -> Result<T, E> + Send + 'a,
    ) -> Answer<'a, T, E>
    where
        T: 'a,
        E: From<StoreError> + 'a,
    {
        Box::pin(async move {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if self.is_closed.load(Ordering::Acquire) {
                return Err(StoreError::Refused("the store is closed".to_owned()).into());
            }
            turn(&mut state)
        })
    }
}

impl Store for MemoryStore {
    fn activation(&self, room: RoomId, members: usize, events: usize) -> Answer<'_, Option<Activation>> {
        Box::pin(Activation::in_parts(self, room, (members, events)))
    }

    fn opening(&self, room: RoomId, user: UserId, cursors: usize) -> Answer<'_, Option<Opening>> {
        Box::pin(Opening::in_parts(self, (room, user), cursors))
    }

    fn login(&self, session: SessionId) -> Answer<'_, Option<Login>> {
        Box::pin(Login::in_parts(self, session))
    }

    fn health(&self) -> Health {
        Health::Ready
    }

    fn commits(&self) -> Commits {
        Commits::default()
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.answer(|_| Ok(()))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async {
            // Within a turn, so that none that has begun is cut.
            let _turn = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_closed.store(true, Ordering::Release);
            Ok(())
        })
    }
}
