//! Identities elsewhere that an account may be entered by: each is an issuer's word for somebody, and never an
//! e-mail address, which an issuer may let anybody claim.
//!
//! Two records a link: the identity's says whose it is and is the truth; the user's lists them, and what it
//! lists wrongly after a crash is not believed.

use super::factor::{Kept, factor_key};
use super::places::places_key;
use super::provider::Known;
use super::{Accounts, Asker, secret};
use crate::mail::About;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_engine::store::{StoreError, TokenHash};
use rookery_protocol::{Timestamp, UserId};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Identities of one account: more than anybody has.
const IDENTITIES: usize = 16;

/// How often a list that changed meanwhile is written again.
const TRIES: u32 = 4;

/// An identity of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedIdentity {
    /// The provider's name in the configuration when it was linked.
    pub provider: String,
    /// Who says so.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// Since when.
    pub linked_at: Timestamp,
}

/// Whose an identity is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) user: UserId,
}

/// Why an identity was not linked, or not taken off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is another account's.
    #[error("link the identity: it is another account's")]
    Taken,
    /// The account has as many as it may.
    #[error("link the identity: the account has {IDENTITIES}")]
    TooMany,
    /// The account has no such identity.
    #[error("find the identity")]
    NotLinked,
    /// Nothing else lets its owner in.
    #[error("take the identity off: the account has no other way in")]
    LastWayIn,
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LinkedIdentity {
    /// Returns its name for clients: what it is known by, without what it is.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&identity_key(&self.issuer, &self.subject)[..16])
    }
}

impl Accounts {
    /// Lists the identities of `user`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn identities(&self, user: UserId) -> Result<Vec<LinkedIdentity>, StoreError> {
        let mut linked = Vec::new();
        for identity in self.listed(user).await?.map(|list| list.what).unwrap_or_default() {
            let owner = self.owner(&identity.issuer, &identity.subject).await?;
            if owner.is_some_and(|owner| owner.what.user == user) {
                linked.push(identity);
            }
        }
        Ok(linked)
    }

    /// Takes an identity off the account of `user`, and tells its address.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn unlink(&self, user: UserId, id: &str, asker: &Asker) -> Result<(), LinkError> {
        let linked = self.identities(user).await?;
        let identity = linked.iter().find(|identity| identity.id() == id).ok_or(LinkError::NotLinked)?;
        let account = self.store.account(user).await?.ok_or(LinkError::NotLinked)?;
        if account.password.is_empty() && linked.len() == 1 {
            return Err(LinkError::LastWayIn);
        }
        if let Some(owner) = self.owner(&identity.issuer, &identity.subject).await? {
            self.take_away(identity_key(&identity.issuer, &identity.subject), owner.version).await?;
        }
        self.list(user, |listed| listed.retain(|other| other.id() != id)).await?;
        self.tell(&account.email, About::IdentityUnlinked, asker).await;
        Ok(())
    }

    /// Forgets the identities of `user`, its second factor and where it logged in from, also where they are the only way in. May be done
    /// twice.
    pub(crate) async fn forget_ways_in(&self, user: UserId) -> Result<(), StoreError> {
        for identity in self.identities(user).await? {
            if let Some(owner) = self.owner(&identity.issuer, &identity.subject).await? {
                self.take_away(identity_key(&identity.issuer, &identity.subject), owner.version).await?;
            }
        }
        for key in [list_key(user), factor_key(user), places_key(user)] {
            if let Some(kept) = self.kept::<IgnoredAny>(key).await? {
                self.take_away(key, kept.version).await?;
            }
        }
        Ok(())
    }

    /// Links who a provider says somebody is with the account of `user`; linked already it stays so. Returns whether
    /// it was not.
    pub(super) async fn link(&self, user: UserId, provider: &str, known: &Known) -> Result<bool, LinkError> {
        let linked = self.identities(user).await?;
        let is_it = |other: &LinkedIdentity| other.issuer == known.issuer && other.subject == known.subject;
        if linked.iter().any(is_it) {
            return Ok(false);
        }
        if linked.len() >= IDENTITIES {
            return Err(LinkError::TooMany);
        }
        let identity = LinkedIdentity {
            provider: provider.to_owned(),
            issuer: known.issuer.clone(),
            subject: known.subject.clone(),
            linked_at: self.now(),
        };
        self.list(user, |listed| {
            listed.retain(|other| !is_it(other));
            listed.push(identity.clone());
        })
        .await?;
        if self.own(user, known).await? {
            return Ok(true);
        }
        self.list(user, |listed| listed.retain(|other| !is_it(other))).await?;
        Err(LinkError::Taken)
    }

    /// Makes an identity the user's. Returns whether it is.
    async fn own(&self, user: UserId, known: &Known) -> Result<bool, StoreError> {
        let key = identity_key(&known.issuer, &known.subject);
        if self.keep(key, None, &Owner { user }, None).await? {
            return Ok(true);
        }
        Ok(self.owner(&known.issuer, &known.subject).await?.is_some_and(|owner| owner.what.user == user))
    }

    /// Finds whose an identity is.
    pub(super) async fn owner(&self, issuer: &str, subject: &str) -> Result<Option<Kept<Owner>>, StoreError> {
        self.kept(identity_key(issuer, subject)).await
    }

    async fn listed(&self, user: UserId) -> Result<Option<Kept<Vec<LinkedIdentity>>>, StoreError> {
        self.kept(list_key(user)).await
    }

    /// Changes what is listed of `user`.
    async fn list(&self, user: UserId, change: impl Fn(&mut Vec<LinkedIdentity>)) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let before = self.listed(user).await?;
            let version = before.as_ref().map(|list| list.version);
            let mut listed = before.map(|list| list.what).unwrap_or_default();
            change(&mut listed);
            if self.keep(list_key(user), version, &listed, None).await? {
                return Ok(());
            }
        }
        Err(StoreError::Refused("the identities change all the time".to_owned()))
    }
}

/// Issuer and subject name somebody only together; neither can hold what parts them.
fn identity_key(issuer: &str, subject: &str) -> TokenHash {
    secret::hash(&format!("identity {} {issuer} {subject}", issuer.len()))
}

fn list_key(user: UserId) -> TokenHash {
    secret::hash(&format!("identities {user}"))
}
