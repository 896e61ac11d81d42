//! A caller that does not give up: it sends again until it knows what became of its write.

mod credentials;
mod docket;
mod files;
mod people;
mod sign_ins;

use crate::store::{
    Account, AccountCreated, Accounts, Activation, Answer, Append, AppendError, Commits, CursorKind, Cursors,
    Health, LastSeen, Log, Login, LoginSession, Mark, MemberCursor, Membership, Notice, Notices, Opening,
    Range, Reached, Receipt, RefreshToken, RoomRecord, RoomState, Rooms, RoomsCursor, Rotation,
    SettingsChange, Store, StoreError, Ticket, TokenHash,
};
use rookery_protocol::{ClientId, Event, Head, Message, RoomId, Seq, SessionId, Timestamp, User, UserId};

/// How often a call is sent before its error is handed on; a fault of one in two passes 100 tries with
/// a chance of 2^-100.
const TRIES: usize = 100;

/// A store whose refused and unknown outcomes are settled by sending the same call again.
///
/// Only [`Accounts::take_ticket`] and [`Credentials::take_proof`](crate::store::Credentials::take_proof) can end
/// unknown here: who has it cannot be asked.
#[derive(Debug)]
pub struct Settled<S>(pub S);

/// Whether an error is worth sending the call again for.
fn is_open(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(_) | StoreError::Unknown(_))
}

/// Sends `call` until its answer is certain.
fn settle<'a, T: Send + 'a>(call: impl Fn() -> Answer<'a, T> + Send + 'a) -> Answer<'a, T> {
    Box::pin(async move {
        let mut answer = call().await;
        for _ in 1..TRIES {
            if !answer.as_ref().is_err_and(is_open) {
                break;
            }
            answer = call().await;
        }
        answer
    })
}

/// Takes what is there once: that it is gone does not say who has it.
fn take<'a, T: Send + 'a>(call: impl Fn() -> Answer<'a, Option<T>> + Send + 'a) -> Answer<'a, Option<T>> {
    Box::pin(async move {
        let mut unknown = None;
        for _ in 1..TRIES {
            match (call().await, unknown.take()) {
                (Err(error @ StoreError::Unknown(_)), _) => unknown = Some(error),
                (Err(StoreError::Refused(_)), earlier) => unknown = earlier,
                // Gone: perhaps by the call whose answer was not heard.
                (Ok(None), Some(error)) => return Err(error),
                (answer, _) => return answer,
            }
        }
        call().await
    })
}

impl<S: Store> Settled<S> {
    /// Returns whether the log holds exactly this batch. What a delete of the batch itself, or one
    /// since, has emptied is held too.
    async fn holds(&self, append: &Append) -> Result<bool, StoreError> {
        let found = self.read(append.room, Range::After(append.expected), append.events.len()).await?;
        let is_held = |(found, sent): (&Event, &Event)| {
            found == sent || *found == Event { body: sent.body.clone().emptied(), ..sent.clone() }
        };
        Ok(found.len() == append.events.len() && found.iter().zip(append.events.iter()).all(is_held))
    }
}

impl<S: Store> Store for Settled<S> {
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
        self.0.health()
    }

    fn commits(&self) -> Commits {
        self.0.commits()
    }

    fn probe(&self) -> Answer<'_, ()> {
        settle(|| self.0.probe())
    }

    fn close(&self) -> Answer<'_, ()> {
        settle(|| self.0.close())
    }
}

impl<S: Store> Log for Settled<S> {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        Box::pin(async move {
            // Refused for what it is, not for what the store can do at the moment.
            append.check()?;
            let mut is_unsure = false;
            for _ in 1..TRIES {
                match self.0.append(append.clone()).await {
                    Err(AppendError::Store(StoreError::Unknown(_))) => is_unsure = true,
                    Err(AppendError::Store(StoreError::Refused(_))) => {}
                    Err(AppendError::Stale { .. }) if is_unsure && self.holds(&append).await? => {
                        return Ok(());
                    }
                    answer => return answer,
                }
            }
            self.0.append(append).await
        })
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        settle(move || self.0.read(room, range, limit))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        settle(move || self.0.page(room, range, limit, reader))
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        settle(move || self.0.messages(room, seqs, reader))
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        settle(move || self.0.find(room, by, client_id))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        settle(move || self.0.head(room))
    }
}

impl<S: Store> Rooms for Settled<S> {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        settle(move || self.0.room(room))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        settle(move || self.0.room_state(room, user))
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        settle(move || self.0.room_states(room, users))
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        settle(move || self.0.change_settings(room, user, change))
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        settle(move || self.0.rooms_of(user, cursor, limit))
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        settle(move || self.0.total_unread(user))
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        settle(move || self.0.members(room, after, limit))
    }
}

impl<S: Store> Cursors for Settled<S> {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        settle(move || self.0.mark(room, marks))
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        settle(move || self.0.cursors(room, limit))
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        settle(move || self.0.reached(room, kind, seq, limit))
    }
}

impl<S: Store> Notices for Settled<S> {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        settle(move || self.0.notices(after, limit))
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        settle(move || self.0.forget_notices(notices))
    }
}

impl<S: Store> LastSeen for Settled<S> {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        settle(move || self.0.seen(seen))
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        settle(move || self.0.last_seen(users))
    }
}

impl<S: Store> Accounts for Settled<S> {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        settle(move || self.0.create_account(account.clone()))
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        settle(move || self.0.account_by_email(email))
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        settle(move || self.0.replace_password(user, old, new))
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        settle(move || self.0.users(ids))
    }

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        settle(move || self.0.begin_session(session.clone(), token))
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        settle(move || self.0.session(session))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        settle(move || self.0.rotate(old, new, now))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        settle(move || self.0.revoke(session, now))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        settle(move || self.0.put_ticket(ticket))
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        take(move || self.0.take_ticket(hash, now))
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        settle(move || self.0.purge(before))
    }
}
