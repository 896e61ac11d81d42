//! Accounts: who somebody is and how it proves so.
//!
//! One file per operation, each with its own errors. Passwords are hashed on threads of their own,
//! access tokens are signed and short, refresh tokens and tickets are random, kept as hashes and
//! spent once; a token that was just found good is remembered for seconds. It knows nothing of HTTP; closing the sockets of a revoked login is the caller's.

mod authenticate;
mod key;
mod login;
mod logout;
mod names;
mod outside;
mod password;
mod purge;
mod recent;
mod refresh;
mod register;
mod secret;
mod settle;
mod throttle;
mod ticket;
mod token;

pub use key::{KeyError, SigningKey, signing_key_path};
pub use login::{Device, Login, LoginError, Tokens};
pub use logout::{Credential, LogoutError};
pub use names::BadField;
pub use password::PoolFull;
pub use refresh::RefreshError;
pub use register::{Register, RegisterError};
pub use ticket::{IssuedTicket, TicketError};

pub(crate) use authenticate::{Found, unavailable};
pub(crate) use key::parse_seed;
pub(crate) use outside::ReadsTokens;
pub(crate) use settle::settle;

use crate::config::Config;
use password::PasswordPool;
use recent::Recent;
use rookery_engine::bus::Bus;
use rookery_engine::store::Store;
use rookery_engine::{Clock, Metrics, Random, uuid_v7};
use rookery_protocol::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use throttle::Throttles;
use token::AccessTokens;
use uuid::Uuid;

/// What accounts need of the node they serve.
#[derive(Clone, Debug)]
pub struct AccountsParts {
    /// Where accounts are kept.
    pub store: Arc<dyn Store>,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// Where secrets come from.
    pub random: Arc<dyn Random>,
    /// What signs access tokens.
    pub key: SigningKey,
    /// The other nodes, with which tries are counted together.
    pub bus: Arc<dyn Bus>,
    /// What it counts with.
    pub metrics: Metrics,
}

/// Accounts, logins and tokens over a store.
#[derive(Debug)]
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: PasswordPool,
    tokens: AccessTokens,
    throttles: Throttles,
    recent: Recent,
    login_lasts: Duration,
}

impl Accounts {
    /// Starts the password threads and returns the accounts.
    ///
    /// # Panics
    /// When the system cannot start a thread.
    pub fn new(parts: AccountsParts, config: &Config) -> Self {
        let tokens = AccessTokens::new(&parts.key, config.auth.access_token);
        Self {
            passwords: PasswordPool::start(&config.auth, parts.random.as_ref(), &parts.metrics),
            tokens,
            throttles: if config.limits.relaxed {
                Throttles::relaxed()
            } else {
                Throttles::strict(&parts.bus, &parts.metrics.commands.limits)
            },
            recent: Recent::default(),
            login_lasts: config.auth.refresh_token,
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn new_id(&self) -> Uuid {
        uuid_v7(self.now(), self.random.as_ref())
    }
}

/// Returns the moment `lasts` after `from`.
fn after(from: Timestamp, lasts: Duration) -> Timestamp {
    from.plus_millis(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX / 2))
}

#[cfg(test)]
mod tests;
