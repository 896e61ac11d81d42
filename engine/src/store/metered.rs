//! A store whose calls are counted and timed: any store, from outside.

mod credentials;
mod docket;

use super::{
    Account, AccountCreated, Accounts, Activation, Answer, Append, AppendError, AvatarOf, Begun, BlockSet,
    Commits, Completed, CursorKind, Cursors, FileContent, FileRecord, Files, Health, Invite, InviteCreated,
    InviteUsed, Invites, LastSeen, Log, Login, LoginSession, Mark, MemberCursor, Membership, Notice, Notices,
    Opening, People, ProfileChange, ProfileChanged, Range, Reached, Receipt, RefreshToken, RoomRecord,
    RoomState, Rooms, RoomsCursor, Rotation, SettingsChange, SignIn, SignIns, Store, StoreError, Ticket,
    TokenHash, Upload,
};
use crate::clock::Clock;
use crate::metrics::{CallOutcome, StoreCall, StoreMetrics};
use rookery_protocol::{
    ClientId, Event, FileId, Head, Message, RoomId, Seq, SessionId, Timestamp, User, UserId,
};
use std::sync::Arc;
use uuid::Uuid;

/// Any store, whose calls are counted.
#[derive(Debug)]
pub struct MeteredStore {
    inner: Arc<dyn Store>,
    metrics: StoreMetrics,
    clock: Arc<dyn Clock>,
}

impl MeteredStore {
    /// Counts the calls of `inner` with `metrics`, and times them by `clock`.
    pub fn over(inner: Arc<dyn Store>, metrics: StoreMetrics, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { inner, metrics, clock })
    }

    /// Counts a call once it has ended; one that nobody waits for any more does not count.
    fn count<'a, T: Send + 'a, E: Ended + Send + 'a>(
        &'a self,
        call: StoreCall,
        answer: Answer<'a, T, E>,
    ) -> Answer<'a, T, E> {
        Box::pin(async move {
            let begun = self.clock.elapsed();
            let answer = answer.await;
            let took = self.clock.elapsed().saturating_sub(begun);
            let outcome = answer.as_ref().err().map_or(CallOutcome::Answered, Ended::outcome);
            self.metrics.called(call, outcome, took.as_secs_f64());
            answer
        })
    }
}

/// How a call ended that was not answered with what it asked for.
trait Ended {
    fn outcome(&self) -> CallOutcome;
}

impl Ended for StoreError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Refused(_) => CallOutcome::Refused,
            Self::Unknown(_) => CallOutcome::Unknown,
            Self::Fatal(_) => CallOutcome::Fatal,
        }
    }
}

impl Ended for AppendError {
    fn outcome(&self) -> CallOutcome {
        match self {
            // The store did its work.
            Self::Stale { .. } | Self::Duplicate { .. } => CallOutcome::Answered,
            Self::Store(error) => error.outcome(),
        }
    }
}

impl Store for MeteredStore {
    fn activation(&self, room: RoomId, members: usize, events: usize) -> Answer<'_, Option<Activation>> {
        self.count(StoreCall::Activation, self.inner.activation(room, members, events))
    }

    fn opening(&self, room: RoomId, user: UserId, cursors: usize) -> Answer<'_, Option<Opening>> {
        self.count(StoreCall::Opening, self.inner.opening(room, user, cursors))
    }

    fn login(&self, session: SessionId) -> Answer<'_, Option<Login>> {
        self.count(StoreCall::Login, self.inner.login(session))
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn commits(&self) -> Commits {
        self.inner.commits()
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.count(StoreCall::Probe, self.inner.probe())
    }

    fn close(&self) -> Answer<'_, ()> {
        self.count(StoreCall::Close, self.inner.close())
    }
}

impl Log for MeteredStore {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        self.count(StoreCall::Append, self.inner.append(append))
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        self.count(StoreCall::Read, self.inner.read(room, range, limit))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        self.count(StoreCall::Page, self.inner.page(room, range, limit, reader))
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        self.count(StoreCall::Messages, self.inner.messages(room, seqs, reader))
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        self.count(StoreCall::Find, self.inner.find(room, by, client_id))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        self.count(StoreCall::Head, self.inner.head(room))
    }
}

impl Rooms for MeteredStore {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.count(StoreCall::Room, self.inner.room(room))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        self.count(StoreCall::RoomState, self.inner.room_state(room, user))
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        self.count(StoreCall::RoomStates, self.inner.room_states(room, users))
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        self.count(StoreCall::ChangeSettings, self.inner.change_settings(room, user, change))
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        self.count(StoreCall::RoomsOf, self.inner.rooms_of(user, cursor, limit))
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        self.count(StoreCall::TotalUnread, self.inner.total_unread(user))
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        self.count(StoreCall::Members, self.inner.members(room, after, limit))
    }
}

impl Cursors for MeteredStore {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        self.count(StoreCall::Mark, self.inner.mark(room, marks))
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        self.count(StoreCall::Cursors, self.inner.cursors(room, limit))
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        self.count(StoreCall::Reached, self.inner.reached(room, kind, seq, limit))
    }
}

impl Notices for MeteredStore {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        self.count(StoreCall::Notices, self.inner.notices(after, limit))
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        self.count(StoreCall::ForgetNotices, self.inner.forget_notices(notices))
    }
}

impl Accounts for MeteredStore {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        self.count(StoreCall::CreateAccount, self.inner.create_account(account))
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        self.count(StoreCall::AccountByEmail, self.inner.account_by_email(email))
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        self.count(StoreCall::ReplacePassword, self.inner.replace_password(user, old, new))
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        self.count(StoreCall::Users, self.inner.users(ids))
    }

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        self.count(StoreCall::BeginSession, self.inner.begin_session(session, token))
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        self.count(StoreCall::Session, self.inner.session(session))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        self.count(StoreCall::Rotate, self.inner.rotate(old, new, now))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        self.count(StoreCall::Revoke, self.inner.revoke(session, now))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        self.count(StoreCall::PutTicket, self.inner.put_ticket(ticket))
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        self.count(StoreCall::TakeTicket, self.inner.take_ticket(hash, now))
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        self.count(StoreCall::Purge, self.inner.purge(before))
    }
}

impl SignIns for MeteredStore {
    fn sign_in(&self, key: TokenHash, now: Timestamp) -> Answer<'_, Option<SignIn>> {
        self.count(StoreCall::SignIn, self.inner.sign_in(key, now))
    }

    fn put_sign_in(&self, old: Option<Uuid>, new: SignIn, now: Timestamp) -> Answer<'_, bool> {
        self.count(StoreCall::PutSignIn, self.inner.put_sign_in(old, new, now))
    }
}

impl LastSeen for MeteredStore {
    fn seen<'a>(&'a self, seen: &'a [(UserId, Timestamp)]) -> Answer<'a, ()> {
        self.count(StoreCall::Seen, self.inner.seen(seen))
    }

    fn last_seen<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Timestamp)>> {
        self.count(StoreCall::LastSeen, self.inner.last_seen(users))
    }
}

impl People for MeteredStore {
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged> {
        self.count(StoreCall::ChangeProfile, self.inner.change_profile(user, change, now))
    }

    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>> {
        self.count(StoreCall::UsersByHandle, self.inner.users_by_handle(by, prefix, limit))
    }

    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet> {
        self.count(StoreCall::Block, self.inner.block(user, other, at))
    }

    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()> {
        self.count(StoreCall::Unblock, self.inner.unblock(user, other))
    }

    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>> {
        self.count(StoreCall::BlocksBetween, self.inner.blocks_between(user, others))
    }
}

impl Invites for MeteredStore {
    fn create_invite(&self, invite: Invite) -> Answer<'_, InviteCreated> {
        self.count(StoreCall::CreateInvite, self.inner.create_invite(invite))
    }

    fn invite(&self, hash: TokenHash) -> Answer<'_, Option<Invite>> {
        self.count(StoreCall::Invite, self.inner.invite(hash))
    }

    fn revoke_invite(&self, room: RoomId, hash: TokenHash, at: Timestamp) -> Answer<'_, bool> {
        self.count(StoreCall::RevokeInvite, self.inner.revoke_invite(room, hash, at))
    }

    fn use_invite(&self, hash: TokenHash, user: UserId, at: Timestamp) -> Answer<'_, InviteUsed> {
        self.count(StoreCall::UseInvite, self.inner.use_invite(hash, user, at))
    }
}

impl Files for MeteredStore {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        self.count(StoreCall::BeginUpload, self.inner.begin_upload(upload, quota))
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        self.count(StoreCall::CompleteUpload, self.inner.complete_upload(file, content, now))
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        self.count(StoreCall::File, self.inner.file(file, now))
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        self.count(StoreCall::ReadableFiles, self.inner.readable_files(user, ids, now))
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        self.count(StoreCall::HoldAvatar, self.inner.hold_avatar(of, file, now))
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        self.count(StoreCall::DoomFiles, self.inner.doom_files(now, limit))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        self.count(StoreCall::ForgetFiles, self.inner.forget_files(ids))
    }
}
