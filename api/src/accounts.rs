//! Accounts: who somebody is and how it proves so.
//!
//! One file per operation, each with its own errors. Passwords are hashed on threads of their own,
//! access tokens are signed and short, refresh tokens and tickets are random, kept as hashes and
//! spent once; a token that was just found good is remembered for seconds. It knows nothing of HTTP; closing the sockets of a revoked login is the caller's.

mod address;
mod asker;
mod authenticate;
mod change_password;
mod factor;
mod identities;
mod key;
mod keys;
mod login;
mod logout;
mod names;
mod outside;
mod password;
mod places;
mod post;
mod postman;
mod provider;
mod purge;
mod recent;
mod recover;
mod refresh;
mod register;
mod ring;
mod seal;
mod secret;
mod sessions;
mod settle;
mod sign_in;
mod standing;
mod strength;
mod successor;
mod throttle;
mod ticket;
mod token;

pub use address::{AddressError, VerifyError};
pub use asker::Asker;
pub use change_password::ChangePasswordError;
pub use factor::{Challenge, ChallengeError, Enrolment, FactorError, FactorStanding};
pub use identities::{LinkError, LinkedIdentity};
pub use key::SigningKey;
pub use keys::{KeyError, KeyPhase, KeyStanding, SigningKeys, signing_key_path};
pub use login::{Device, LoggedIn, Login, LoginError, Tokens};
pub use logout::{Credential, LogoutError};
pub use names::BadField;
pub use password::PoolFull;
pub use recover::{AskError, ResetError};
pub use refresh::RefreshError;
pub use register::{Register, RegisterError};
pub use sign_in::{Answer, Attempt, Registering, SignInError, SignedIn};
pub use ticket::{IssuedTicket, TicketError};
pub use token::{KeySet, PublicKey};

pub(crate) use authenticate::{Found, unavailable};
pub(crate) use outside::ReadsTokens;
pub(crate) use postman::run as run_postman;
pub(crate) use settle::settle;
pub(crate) use standing::{Ban, Standing};

use crate::config::{Config, ProviderConfig};
use crate::mail::Mailer;
use crate::outbound::Outbound;
use metrics::Counter;
use password::PasswordPool;
use provider::Provider;
use recent::Recent;
use rookery_engine::bus::Bus;
use rookery_engine::metrics::By;
use rookery_engine::store::Store;
use rookery_engine::{Clock, Metrics, Random, uuid_v7};
use rookery_protocol::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use strength::Strength;
use throttle::Throttles;
use token::AccessTokens;
use tokio::sync::Notify;
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
    pub keys: SigningKeys,
    /// The other nodes, with which tries are counted together.
    pub bus: Arc<dyn Bus>,
    /// What it counts with.
    pub metrics: Metrics,
    /// What writes letters.
    pub mailer: Arc<Mailer>,
}

/// Those whose identities log in here, by their names in the configuration.
type Providers = BTreeMap<String, Provider>;

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
    /// After so long without a refresh a login is over.
    login_idle: Duration,
    strength: Strength,
    mailer: Arc<Mailer>,
    /// Somebody is to be written to.
    has_mail: Notify,
    verifies_email: bool,
    mails: By<Counter>,
    providers: RwLock<Arc<Providers>>,
}

impl Accounts {
    /// Starts the password threads and returns the accounts.
    ///
    /// # Panics
    /// When the system cannot start a thread.
    pub fn new(parts: AccountsParts, config: &Config) -> Self {
        let tokens = AccessTokens::new(&parts.keys, config.auth.access_token, parts.clock.now());
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
            login_idle: config.auth.login_idle,
            strength: Strength::new(),
            mailer: parts.mailer,
            has_mail: Notify::new(),
            verifies_email: config.auth.verify_email,
            mails: parts.metrics.accounts.mails.clone(),
            providers: RwLock::new(Arc::new(providers(config, &parts.clock))),
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
        }
    }

    /// Signs and verifies with these keys from now on. What they do not verify is good no longer, and what
    /// was remembered of tokens is looked at again.
    pub fn use_keys(&self, keys: &SigningKeys) {
        if self.tokens.use_keys(keys, self.now()) {
            self.recent.forget(|_| true);
        }
    }

    /// Has the identities of these providers log in from now on. A login that was begun at one that is still there
    /// goes on; accounts that were linked with one that is not keep that for when it comes back.
    pub(crate) fn use_providers(&self, config: &Config) {
        let providers = Arc::new(providers(config, &self.clock));
        *self.providers.write().unwrap_or_else(PoisonError::into_inner) = providers;
    }

    /// Returns the keys by which others can verify access tokens.
    pub fn key_set(&self) -> KeySet {
        self.tokens.key_set(self.now())
    }

    /// Returns whether `token` is an operator's.
    pub(crate) fn is_operator(&self, token: &str) -> bool {
        self.tokens.is_operator(token)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn new_id(&self) -> Uuid {
        uuid_v7(self.now(), self.random.as_ref())
    }
}

fn providers(config: &Config, clock: &Arc<dyn Clock>) -> Providers {
    let providers = &config.auth.providers;
    if providers.is_empty() {
        return BTreeMap::new();
    }
    let client = Outbound::new(providers.values().flat_map(ProviderConfig::hosts));
    let provider = |(id, config): (&String, &ProviderConfig)| {
        (id.clone(), Provider::new(config.clone(), client.clone(), Arc::clone(clock)))
    };
    providers.iter().map(provider).collect()
}

/// Returns the moment `lasts` after `from`.
fn after(from: Timestamp, lasts: Duration) -> Timestamp {
    from.plus_millis(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX / 2))
}

#[cfg(test)]
mod tests;
