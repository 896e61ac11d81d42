//! Handles and addresses: whose each is.
//!
//! A row of a name says who claims it, by which change of its account; the account's own record says whether
//! that holds. A change has a name that nothing else ever has, so a claim that was void once is void for
//! ever, and whoever finds it may put its own in its place.

use super::record::Record;
use crate::CqlStore;
use crate::turns::{Tries, unique};
use rookery_engine::store::StoreError;
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

/// What is one account's only.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Name<'a> {
    Handle(&'a str),
    Email(&'a str),
}

/// Who asks for a name, for which change of its account, as of when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimant {
    pub(super) user: UserId,
    pub(super) claim: Uuid,
    pub(super) now: Timestamp,
}

impl Claimant {
    pub(super) const fn of(record: &Record) -> Self {
        Self { user: record.user, claim: record.turn, now: record.next_at }
    }
}

/// How a name stands to somebody who wants it.
#[derive(Debug)]
pub(super) enum Held {
    /// It is nobody's, though there may be a void claim.
    Free(Option<Uuid>),
    /// It is claimed for this very change.
    Mine,
    /// It is somebody else's, or was not long ago.
    Taken,
    /// This account is being changed to it.
    Busy(Box<Record>),
}

impl Name<'_> {
    /// Whether it is `record`'s own, by `claim`.
    fn is_of(self, record: &Record, claim: Uuid) -> bool {
        match self {
            Self::Handle(handle) => record.handle() == Some(handle) && record.claim == claim,
            Self::Email(email) => record.is_made() && record.email == email,
        }
    }

    /// Whether `record` is being changed to it, by `claim`.
    fn is_next_of(self, record: &Record, claim: Uuid) -> bool {
        let next = match self {
            Self::Handle(handle) => record.next_handle() == Some(handle),
            Self::Email(email) => record.next_email() == Some(email),
        };
        next && record.is_changing() && record.turn == claim
    }
}

impl CqlStore {
    /// Returns how `name` stands to `who`.
    pub(super) async fn look(&self, name: Name<'_>, who: Claimant) -> Result<Held, StoreError> {
        let row = match name {
            Name::Handle(handle) => {
                self.cql.row::<(Uuid, Uuid, i64)>(&self.accounts.handle, (handle,)).await?
            }
            Name::Email(email) => {
                let row = self.cql.row::<(Uuid, Uuid)>(&self.accounts.settled_email, (email,)).await?;
                row.map(|(user, claim)| (user, claim, 0))
            }
        };
        let Some((user, claim, until)) = row else { return Ok(Held::Free(None)) };
        let user = UserId(user);
        if (user, claim) == (who.user, who.claim) {
            return Ok(Held::Mine);
        }
        let is_kept = user != who.user && who.now.0 < until;
        Ok(match self.record(user).await? {
            Some(record) if name.is_of(&record, claim) => Held::Taken,
            Some(record) if name.is_next_of(&record, claim) => Held::Busy(Box::new(record)),
            _ if is_kept => Held::Taken,
            _ => Held::Free(Some(claim)),
        })
    }

    /// Returns whether the handle of the change in `record` is somebody else's.
    pub(crate) async fn is_taken(&self, record: &Record) -> Result<bool, StoreError> {
        let Some(handle) = record.next_handle() else { return Ok(false) };
        Ok(matches!(self.look(Name::Handle(handle), Claimant::of(record)).await?, Held::Taken))
    }

    /// Has `name` claimed by `who` unless it is somebody else's; never [`Held::Free`].
    pub(super) async fn claim(
        &self,
        name: Name<'_>,
        who: Claimant,
        tries: &mut Tries,
    ) -> Result<Held, StoreError> {
        let _turn = self.turns.at(&name).await;
        loop {
            let void = match self.look(name, who).await? {
                Held::Free(void) => void,
                held => return Ok(held),
            };
            let Claimant { user, claim, .. } = who;
            let sent = match name {
                Name::Handle(handle) => {
                    self.cql.decide(&self.accounts.claim_handle, (user.0, claim, 0_i64, handle, void)).await
                }
                Name::Email(email) => {
                    self.cql.decide(&self.accounts.claim_email, (user.0, claim, email, void)).await
                }
            };
            if tries.is_applied(sent).await? {
                return Ok(Held::Mine);
            }
        }
    }

    /// Has a handle be kept for its former owner, unless there is a claim of it.
    pub(crate) async fn import_kept_handle(
        &self,
        handle: &str,
        user: UserId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        loop {
            // A claim that no account knows, as that of a change which is over.
            let values = (user.0, unique(), until.0, handle, None::<Uuid>);
            let sent = self.cql.decide(&self.accounts.claim_handle, values).await;
            let known = tries.known(sent).await;
            if tries.settle(known)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Returns whether a handle that was claimed is `user`'s by this claim, or will be.
    pub(crate) async fn has_handle(
        &self,
        user: UserId,
        handle: &str,
        claim: Uuid,
    ) -> Result<bool, StoreError> {
        let name = Name::Handle(handle);
        let record = self.record(user).await?;
        Ok(record.is_some_and(|record| name.is_of(&record, claim) || name.is_next_of(&record, claim)))
    }

    /// Keeps a handle no longer for `user`, its former owner, if it is kept.
    pub(crate) async fn release_kept_handle(&self, user: UserId, handle: &str) -> Result<(), StoreError> {
        let row = self.cql.row::<(Uuid, Uuid, i64)>(&self.accounts.handle, (handle,)).await?;
        let Some((_, claim, _)) = row.filter(|(of, ..)| *of == user.0) else { return Ok(()) };
        if self.has_handle(user, handle, claim).await? {
            return Ok(());
        }
        let values = (handle, claim);
        let release = || self.cql.decide(&self.accounts.release_handle, values);
        self.cql.settled(release).await.map(drop)
    }

    /// Takes a claim back that is void, which spares the next one a look.
    pub(super) async fn release(&self, handle: &str, claim: Uuid) {
        if let Err(error) = self.cql.decide(&self.accounts.release_handle, (handle, claim)).await {
            tracing::debug!(%error, "a void claim is left");
        }
    }

    /// Takes back what `user` claims of an address that is its own no more: nobody is to find it here.
    pub(super) async fn release_email(&self, email: &str, user: UserId) -> Result<(), StoreError> {
        let row = self.cql.row::<(Uuid, Uuid)>(&self.accounts.settled_email, (email,)).await?;
        let Some((_, claim)) = row.filter(|(of, _)| *of == user.0) else { return Ok(()) };
        // It may be the account's again meanwhile.
        if self.record(user).await?.is_none_or(|record| record.email != email && !record.is_changing()) {
            self.cql.decide(&self.accounts.release_email, (email, claim)).await?;
        }
        Ok(())
    }
}
