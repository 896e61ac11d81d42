//! A store that fails on purpose: the faults that a disk and a network have, by seed or by hand.
//!
//! It wraps any store. What it answers obeys the port: a refused write was not applied, an
//! unknown one was or was not, and reads only ever see what the store inside holds.

mod credentials;
mod docket;
mod files;
mod people;
mod presence;
mod sign_ins;
mod switch;

use crate::store::{
    Account, AccountCreated, Accounts, Activation, Answer, Append, AppendError, Commits, CursorKind, Cursors,
    Health, Log, Login, LoginSession, Mark, MemberCursor, Membership, Notice, Notices, Opening, Range,
    Reached, Receipt, RefreshToken, RoomRecord, RoomState, Rooms, RoomsCursor, Rotation, SettingsChange,
    Store, StoreError, Ticket, TokenHash,
};
use rookery_protocol::{ClientId, Event, Head, Message, RoomId, Seq, SessionId, Timestamp, User, UserId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switch::Switch;

/// How often which fault happens, each a probability from 0 to 1, drawn once a call in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A call takes longer, by up to `longest_delay`, whatever else becomes of it.
    pub delayed: f64,
    /// The longest delay.
    pub longest_delay: Duration,
    /// A call is refused and not applied.
    pub refused: f64,
    /// A write is answered "unknown" and not applied.
    pub lost: f64,
    /// A write is applied and answered "unknown".
    pub unheard: f64,
}

/// Any store, with faults.
#[derive(Debug)]
pub struct FaultStore<S> {
    inner: S,
    faults: Faults,
    random: Mutex<fastrand::Rng>,
    switch: Switch,
    reads: AtomicU64,
    is_calm: AtomicBool,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    Refused,
    Lost,
    Unheard,
}

impl<S> FaultStore<S> {
    /// Returns a store that fails only by hand.
    pub fn by_hand(inner: S) -> Self {
        Self::by_seed(inner, 0, Faults::default())
    }

    /// Returns a store that draws its faults from `seed`. The same calls in the same order meet the
    /// same faults.
    pub fn by_seed(inner: S, seed: u64, faults: Faults) -> Self {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let (reads, is_calm) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { inner, faults, random, switch: Switch::default(), reads, is_calm }
    }

    /// Draws no faults from now on: a test makes its scene.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
    }

    /// Draws faults again.
    pub fn rage(&self) {
        self.is_calm.store(false, Ordering::SeqCst);
    }

    /// Returns the store inside.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// Returns how often something was read, so that a test can show that nothing was.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Refuses every write from now on.
    pub fn refuse_all(&self, reason: &str) {
        self.switch.set(Health::Refusing(reason.to_owned()));
    }

    /// Fails every write from now on, as a store does whose disk cannot be trusted any more.
    pub fn fatal(&self, reason: &str) {
        self.switch.set(Health::Failed(reason.to_owned()));
    }

    /// Does not apply the next write, and answers that its outcome is not known.
    pub fn lose_next(&self) {
        self.switch.set_next(Some(Fate::Lost));
    }

    /// Applies the next write, and answers that its outcome is not known.
    pub fn unhear_next(&self) {
        self.switch.set_next(Some(Fate::Unheard));
    }

    /// Takes writes again.
    pub fn heal(&self) {
        self.switch.set_next(None);
        self.switch.set(Health::Ready);
    }

    /// Keeps appends waiting from now on, before they are applied, and probes and the close with
    /// them: what a disk does that has stopped to answer.
    pub fn hold(&self) {
        self.switch.hold(true);
    }

    /// Lets the calls go on that wait, and those to come.
    pub fn release(&self) {
        self.switch.hold(false);
    }

    /// Returns how many calls wait.
    pub fn held(&self) -> usize {
        self.switch.held()
    }

    fn draw(&self) -> (Duration, Fate) {
        if self.is_calm.load(Ordering::SeqCst) {
            return (Duration::ZERO, Fate::Done);
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut happens = |probability: f64| random.f64() < probability;
        let is_delayed = happens(self.faults.delayed);
        let fate = if happens(self.faults.refused) {
            Fate::Refused
        } else if happens(self.faults.lost) {
            Fate::Lost
        } else if happens(self.faults.unheard) {
            Fate::Unheard
        } else {
            Fate::Done
        };
        let delay = if is_delayed { self.faults.longest_delay.mul_f64(random.f64()) } else { Duration::ZERO };
        (delay, fate)
    }

    fn write<'a, T, E>(&'a self, work: impl FnOnce(&'a S) -> Answer<'a, T, E> + Send + 'a) -> Answer<'a, T, E>
    where
        S: Sync,
        T: Send + 'a,
        E: From<StoreError> + Send + 'a,
    {
        Box::pin(async move {
            let (delay, fate) = self.draw();
            wait(delay).await;
            self.switch.check()?;
            match self.switch.take_next().unwrap_or(fate) {
                Fate::Done => work(&self.inner).await,
                Fate::Refused => Err(StoreError::Refused("a fault".to_owned()).into()),
                Fate::Lost => Err(StoreError::Unknown("a fault before".to_owned()).into()),
                Fate::Unheard => {
                    // Applied or not, and why not, is what the caller does not hear.
                    drop(work(&self.inner).await);
                    Err(StoreError::Unknown("a fault after".to_owned()).into())
                }
            }
        })
    }

    fn read<'a, T>(&'a self, work: impl FnOnce(&'a S) -> Answer<'a, T> + Send + 'a) -> Answer<'a, T>
    where
        S: Sync,
        T: Send + 'a,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let (delay, fate) = self.draw();
            wait(delay).await;
            match fate {
                Fate::Refused => Err(StoreError::Refused("a fault".to_owned())),
                Fate::Done | Fate::Lost | Fate::Unheard => work(&self.inner).await,
            }
        })
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

impl<S: Store> Store for FaultStore<S> {
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
        match self.switch.health() {
            Health::Ready => self.inner.health(),
            switched => switched,
        }
    }

    fn commits(&self) -> Commits {
        self.inner.commits()
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.switch.pass().await;
            self.write(|store| store.probe()).await
        })
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.switch.pass().await;
            self.inner.close().await
        })
    }
}

impl<S: Store> Log for FaultStore<S> {
    fn append(&self, append: Append) -> Answer<'_, (), AppendError> {
        Box::pin(async move {
            self.switch.pass().await;
            self.write(|store| store.append(append)).await
        })
    }

    fn read(&self, room: RoomId, range: Range, limit: usize) -> Answer<'_, Vec<Event>> {
        self.read(move |store| store.read(room, range, limit))
    }

    fn page(&self, room: RoomId, range: Range, limit: usize, reader: UserId) -> Answer<'_, Vec<Message>> {
        self.read(move |store| store.page(room, range, limit, reader))
    }

    fn messages<'a>(&'a self, room: RoomId, seqs: &'a [Seq], reader: UserId) -> Answer<'a, Vec<Message>> {
        self.read(move |store| store.messages(room, seqs, reader))
    }

    fn find(&self, room: RoomId, by: UserId, client_id: ClientId) -> Answer<'_, Option<Receipt>> {
        self.read(move |store| store.find(room, by, client_id))
    }

    fn head(&self, room: RoomId) -> Answer<'_, Option<Head>> {
        self.read(move |store| store.head(room))
    }
}

impl<S: Store> Rooms for FaultStore<S> {
    fn room(&self, room: RoomId) -> Answer<'_, Option<RoomRecord>> {
        self.read(move |store| store.room(room))
    }

    fn room_state(&self, room: RoomId, user: UserId) -> Answer<'_, Option<RoomState>> {
        self.read(move |store| store.room_state(room, user))
    }

    fn room_states<'a>(&'a self, room: RoomId, users: &'a [UserId]) -> Answer<'a, Vec<RoomState>> {
        self.read(move |store| store.room_states(room, users))
    }

    fn change_settings(&self, room: RoomId, user: UserId, change: SettingsChange) -> Answer<'_, ()> {
        self.write(move |store| store.change_settings(room, user, change))
    }

    fn rooms_of(
        &self,
        user: UserId,
        cursor: Option<RoomsCursor>,
        limit: usize,
    ) -> Answer<'_, Vec<RoomState>> {
        self.read(move |store| store.rooms_of(user, cursor, limit))
    }

    fn total_unread(&self, user: UserId) -> Answer<'_, u64> {
        self.read(move |store| store.total_unread(user))
    }

    fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Answer<'_, Vec<Membership>> {
        self.read(move |store| store.members(room, after, limit))
    }
}

impl<S: Store> Cursors for FaultStore<S> {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        self.write(move |store| store.mark(room, marks))
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        self.read(move |store| store.cursors(room, limit))
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        self.read(move |store| store.reached(room, kind, seq, limit))
    }
}

impl<S: Store> Notices for FaultStore<S> {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        self.read(move |store| store.notices(after, limit))
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        self.write(move |store| store.forget_notices(notices))
    }
}

impl<S: Store> Accounts for FaultStore<S> {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        self.write(|store| store.create_account(account))
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        self.read(move |store| store.account_by_email(email))
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        self.write(move |store| store.replace_password(user, old, new))
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        self.read(move |store| store.users(ids))
    }

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        self.write(move |store| store.begin_session(session, token))
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        self.read(move |store| store.session(session))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        self.write(move |store| store.rotate(old, new, now))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        self.write(move |store| store.revoke(session, now))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        self.write(move |store| store.put_ticket(ticket))
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        self.write(move |store| store.take_ticket(hash, now))
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        self.write(move |store| store.purge(before))
    }
}
