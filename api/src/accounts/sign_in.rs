//! Signing in by an identity elsewhere: begun here, proven at the provider, ended here.
//!
//! What a login is bound to never leaves with it: the provider and the browser carry the state, the client that
//! began keeps the attempt, and the two have to meet. So a login that somebody else began ends nowhere.

use super::factor::Challenge;
use super::identities::LinkError;
use super::login::BeginError;
use super::login::{Device, Tokens, device_name};
use super::names::{self, BadField};
use super::provider::{Binding, Known, Provider, ProviderError};
use super::{Accounts, Asker, Providers, after, secret};
use crate::mail::About;
use rookery_engine::Throttled;
use rookery_engine::store::{Account, AccountCreated, StoreError};
use rookery_protocol::{User, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long somebody may take at the provider.
const ATTEMPT_LASTS: Duration = Duration::from_secs(600);

/// How long somebody may take to choose a handle.
const REGISTRATION_LASTS: Duration = Duration::from_secs(900);

/// Characters of a code, a state or an issuer that are looked at.
const PARAMETER_CHARS: usize = 4096;

/// A login that was begun.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Where the person goes.
    pub url: String,
    /// What the client keeps and brings in the end.
    pub attempt: SecretString,
    /// How long it waits.
    pub expires_in: Duration,
}

/// What the provider has sent a person back with, and what the client has kept.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the login was begun with.
    pub attempt: SecretString,
    /// What is bound to it.
    pub state: String,
    /// What the provider gives its word for.
    pub code: SecretString,
    /// Who it says that it is.
    pub issuer: Option<String>,
}

/// What a proven identity gets.
#[derive(Clone, Debug)]
pub enum SignedIn {
    /// Tokens.
    Tokens(Box<Tokens>),
    /// The question for a second factor.
    Challenged(Challenge),
    /// The question who to be here.
    Registering(Registering),
}

/// Somebody who has no account yet.
#[derive(Clone, Debug)]
pub struct Registering {
    /// Names the registration, and is a secret.
    pub registration: SecretString,
    /// How long it waits.
    pub expires_in: Duration,
    /// A handle to suggest.
    pub handle: Option<String>,
    /// A name to suggest.
    pub name: Option<String>,
}

/// Why nobody was signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// There is no such provider.
    #[error("find the provider")]
    NoSuchProvider,
    /// Nothing was begun with this, or it is over or used.
    #[error("find what was begun")]
    Gone,
    /// What came back is not to be believed.
    #[error("believe what came back")]
    Refused,
    /// The provider does not answer.
    #[error("have the provider answer")]
    Away,
    /// The account is barred from the server.
    #[error("log in: the account is barred from the server")]
    Barred,
    /// No account has this identity, and the provider makes none.
    #[error("find an account with this identity")]
    NotLinked,
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Another account has the handle.
    #[error("take the handle: another account has it")]
    HandleTaken,
    /// The identity was not linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Too often from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BeginError> for SignInError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Barred => Self::Barred,
            BeginError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ProviderError> for SignInError {
    fn from(error: ProviderError) -> Self {
        tracing::warn!(%error, "a provider of identities");
        match error {
            ProviderError::Away(_) => Self::Away,
            ProviderError::Refused(_) => Self::Refused,
        }
    }
}

/// What waits for somebody to come back.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Begun {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    /// Who links an identity; `None` is a login.
    link: Option<UserId>,
}

/// What waits for a handle.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    provider: String,
    issuer: String,
    subject: String,
    user: UserId,
}

impl Accounts {
    /// Lists the providers: their names in the configuration, and for people.
    pub fn providers(&self) -> Vec<(String, String)> {
        let name = |(id, provider): (&String, &Provider)| (id.clone(), provider.config.name.clone());
        self.known_providers().iter().map(name).collect()
    }

    /// Begins a login at `provider`, or a link with the account of `link`.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn begin_sign_in(
        &self,
        provider: &str,
        link: Option<UserId>,
        from: IpAddr,
    ) -> Result<Attempt, SignInError> {
        self.throttles.login(from, None, self.now()).await?;
        let providers = self.known_providers();
        let (id, provider) = find(&providers, provider)?;
        let [(attempt, key), (state, _), (nonce, _), (verifier, _)] =
            [(); 4].map(|()| secret::make(self.random.as_ref()));
        let begun = Begun {
            provider: id.to_owned(),
            state: state.expose_secret().to_owned(),
            nonce: nonce.expose_secret().to_owned(),
            verifier: verifier.expose_secret().to_owned(),
            link,
        };
        let url = provider.address(&begun.binding()).await?;
        self.keep(key, None, &begun, Some(after(self.now(), ATTEMPT_LASTS))).await?;
        Ok(Attempt { url, attempt, expires_in: ATTEMPT_LASTS })
    }

    /// Ends a login that was begun at `provider`.
    ///
    /// # Errors
    /// [`SignInError`]; the attempt is used up whatever comes of it, unless it was not found.
    pub async fn end_sign_in(
        &self,
        provider: &str,
        answer: Answer,
        device: Option<Device>,
        asker: &Asker,
    ) -> Result<SignedIn, SignInError> {
        self.throttles.login(asker.address, None, self.now()).await?;
        let device = device.unwrap_or_default();
        let device = (device.id, device.name.as_deref().map(device_name).transpose()?);
        let known = self.proven(provider, answer, None).await?;
        let owner = self.owner(&known.issuer, &known.subject).await?.map(|owner| owner.what.user);
        let account = match owner {
            Some(user) => self.store.account(user).await?,
            None => None,
        };
        let Some(account) = account else { return self.begin_registration(provider, known, owner).await };
        if self.asks_for_factor(account.user.id).await? {
            return Ok(SignedIn::Challenged(self.challenge(&account, device).await?));
        }
        let tokens = self.begin_login(account, None, device, asker).await?.ok_or(SignInError::Gone)?;
        Ok(SignedIn::Tokens(Box::new(tokens)))
    }

    /// Ends a link that `user` has begun at `provider`, and tells its address.
    ///
    /// # Errors
    /// [`SignInError`]; as [`Accounts::end_sign_in`].
    pub async fn end_link(
        &self,
        provider: &str,
        answer: Answer,
        user: UserId,
        asker: &Asker,
    ) -> Result<(), SignInError> {
        let known = self.proven(provider, answer, Some(user)).await?;
        if self.link(user, provider, &known).await? {
            self.tell_owner(user, About::IdentityLinked, asker).await;
        }
        Ok(())
    }

    /// Makes an account for an identity that has none, and logs it in. It has no password and no address.
    ///
    /// # Errors
    /// [`SignInError`]; with another handle it may be tried again.
    pub async fn register_identity(
        &self,
        registration: &str,
        (handle, name): (String, String),
        device: Option<Device>,
        asker: &Asker,
    ) -> Result<Tokens, SignInError> {
        self.throttles.login(asker.address, None, self.now()).await?;
        let device = device.unwrap_or_default();
        let device = (device.id, device.name.as_deref().map(device_name).transpose()?);
        names::handle(&handle)?;
        let name = names::name(&name)?;
        let key = secret::hash(registration);
        let kept = self.kept::<Waiting>(key).await?.ok_or(SignInError::Gone)?;
        let Waiting { provider, issuer, subject, user: id } = kept.what;
        // The identity first: should this break off, whoever proves it again goes on as the same user.
        self.link(id, &provider, &Known { issuer, subject, name: None, handle: None }).await?;
        let user = User { id, handle, name, avatar: None, about: None };
        let account = Account {
            user,
            email: names::nobodys(id),
            password: String::new(),
            created_at: self.now(),
            confirmed_at: None,
        };
        match super::settle(|| self.store.create_account(account.clone())).await? {
            AccountCreated::Created => {}
            AccountCreated::HandleTaken => return Err(SignInError::HandleTaken),
            AccountCreated::EmailTaken => return Err(SignInError::Gone),
        }
        if !self.take_away(key, kept.version).await? {
            return Err(SignInError::Gone);
        }
        self.begin_login(account, None, device, asker).await?.ok_or(SignInError::Gone)
    }

    /// Returns whom the provider says that somebody is who came back to what was begun by `link`.
    async fn proven(
        &self,
        provider: &str,
        answer: Answer,
        link: Option<UserId>,
    ) -> Result<Known, SignInError> {
        let providers = self.known_providers();
        let (id, provider) = find(&providers, provider)?;
        let key = secret::hash(answer.attempt.expose_secret());
        let begun = self.kept::<Begun>(key).await?.ok_or(SignInError::Gone)?;
        // Once, whatever comes of it: a code that comes back twice is somebody else's the second time.
        if !self.take_away(key, begun.version).await? {
            return Err(SignInError::Gone);
        }
        let begun = begun.what;
        // Compared by their hashes, which takes as long whatever is in them.
        let is_bound = secret::hash(&begun.state) == secret::hash(&answer.state);
        let issuer = answer.issuer.as_deref();
        let fits = answer.code.expose_secret().len() <= PARAMETER_CHARS;
        if !is_bound
            || begun.provider != id
            || begun.link != link
            || !fits
            || !provider.is_from(issuer).await?
        {
            tracing::warn!(provider = id, "what came back is not bound to what was begun");
            return Err(SignInError::Refused);
        }
        Ok(provider.redeem(answer.code.expose_secret(), &begun.binding()).await?)
    }

    async fn begin_registration(
        &self,
        provider: &str,
        known: Known,
        user: Option<UserId>,
    ) -> Result<SignedIn, SignInError> {
        let providers = self.known_providers();
        let (id, config) = find(&providers, provider)?;
        if !config.config.registration {
            return Err(SignInError::NotLinked);
        }
        let (registration, key) = secret::make(self.random.as_ref());
        let user = user.unwrap_or_else(|| UserId(self.new_id()));
        let waiting = Waiting { provider: id.to_owned(), issuer: known.issuer, subject: known.subject, user };
        self.keep(key, None, &waiting, Some(after(self.now(), REGISTRATION_LASTS))).await?;
        Ok(SignedIn::Registering(Registering {
            registration,
            expires_in: REGISTRATION_LASTS,
            handle: known.handle.map(|text| text.to_lowercase()).filter(|text| names::handle(text).is_ok()),
            name: known.name.and_then(|text| names::name(&text).ok()),
        }))
    }

    fn known_providers(&self) -> Arc<Providers> {
        Arc::clone(&self.providers.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn find<'a>(providers: &'a Providers, id: &str) -> Result<(&'a str, &'a Provider), SignInError> {
    let (id, provider) = providers.get_key_value(id).ok_or(SignInError::NoSuchProvider)?;
    Ok((id, provider))
}

impl Begun {
    fn binding(&self) -> Binding<'_> {
        Binding { state: &self.state, nonce: &self.nonce, verifier: &self.verifier }
    }
}
