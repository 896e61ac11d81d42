//! The part of the store port about how somebody gets into an account and what is in it already: secrets
//! sent by mail, addresses, and the logins of one user.

use super::{Account, Answer, LoginSession, TokenHash};
use rookery_protocol::{Timestamp, UserId};

/// What the bearer of a proof may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofOf {
    /// Say that the account's address is the one that the proof was sent to.
    Address,
    /// Choose another password.
    Password,
}

impl ProofOf {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Address, Self::Password];

    /// Returns its name, as stores keep it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Password => "password",
        }
    }
}

/// A secret that was sent to an address: whoever brings it reads mail there. Good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its hash.
    pub hash: TokenHash,
    /// Whose account.
    pub user: UserId,
    /// What it is good for.
    pub of: ProofOf,
    /// The account's address when the proof was made.
    pub email: String,
    /// Where it was sent: another address where the account is to get that one.
    pub sent_to: String,
    /// Good before then.
    pub expires_at: Timestamp,
}

/// What became of an address that its owner has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressConfirmed {
    /// It is the account's, and confirmed.
    Confirmed,
    /// Another account has it.
    Taken,
    /// The account is gone, or has had another address since.
    Moved,
}

/// Proofs, addresses and the logins of a user. Every write is a compare-and-set.
pub trait Credentials {
    /// Finds the account of `user`.
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>>;

    /// Returns the logins of `user` that are live at `now`, the ones begun last first, at most `limit`.
    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>>;

    /// Gives the account of `user` the second address of `change` in place of the first, if it still is that,
    /// and notes that it was confirmed at `at`; the two may be the same. Sent again it answers as the first time.
    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed>;

    /// Keeps a proof until it is taken or expires.
    fn put_proof(&self, proof: Proof) -> Answer<'_, ()>;

    /// Takes a proof of `of` if it is good at `now`; at most one of any number of callers gets it. One of
    /// something else stays. After [`StoreError::Unknown`](super::StoreError::Unknown) it may be gone without
    /// anybody having it.
    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>>;
}
