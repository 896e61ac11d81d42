//! Accounts over HTTP: register, log in, keep the tokens fresh.

use crate::http::{HttpClient, HttpError};
use http::Method;
use rookery_protocol::{SessionId, User};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a new account is made of.
#[derive(Clone, Serialize)]
pub struct Registration {
    /// Where mail goes; logs in.
    pub email: String,
    /// At least what the server's rules ask for.
    pub password: String,
    /// Unique name.
    pub handle: String,
    /// Display name.
    pub name: String,
}

/// What logs in.
#[derive(Clone, Serialize)]
pub struct Login {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// What a login gives.
#[derive(Clone, Deserialize)]
pub struct Tokens {
    /// Proves who one is, for a short time.
    pub access_token: String,
    /// Seconds for which it does.
    pub expires_in: u64,
    /// Good once, for the next pair.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The login.
    pub session: SessionId,
    /// Who.
    pub user: User,
}

/// What a right password gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum LoggedIn {
    /// Tokens.
    Tokens(Box<Tokens>),
    /// The question for a second factor.
    Challenged(Challenge),
}

/// A login that waits for its second factor.
#[derive(Clone, Deserialize)]
pub struct Challenge {
    challenge: String,
}

#[derive(Deserialize)]
struct Registered {
    user: User,
}

#[derive(Deserialize)]
struct Ticket {
    ticket: String,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("email", &self.email).finish_non_exhaustive()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("user", &self.user.handle).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Makes an account. An address that has one gets the same answer.
    ///
    /// # Errors
    /// See [`HttpError`]; a taken handle is refused with `conflict`.
    pub async fn register(&mut self, account: &Registration) -> Result<User, HttpError> {
        let answer = self.request(Method::POST, "/v1/auth/register", None, Some(account)).await?;
        answer.json::<Registered>().map(|registered| registered.user)
    }

    /// Logs in, or learns that a second factor is asked for.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn begin_login(&mut self, login: &Login) -> Result<LoggedIn, HttpError> {
        self.request(Method::POST, "/v1/auth/login", None, Some(login)).await?.json()
    }

    /// Goes on with a login by a code of its second factor, or a recovery code.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn meet(&mut self, challenge: &Challenge, code: &str) -> Result<Tokens, HttpError> {
        let body = serde_json::json!({ "challenge": challenge.challenge, "code": code });
        self.request(Method::POST, "/v1/auth/login/factor", None, Some(&body)).await?.json()
    }

    /// Logs in where no second factor is asked for.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn login(&mut self, login: &Login) -> Result<Tokens, HttpError> {
        self.request(Method::POST, "/v1/auth/login", None, Some(login)).await?.json()
    }

    /// Turns a refresh token into the next pair.
    ///
    /// # Errors
    /// See [`HttpError`]. Without an answer the token may be spent, and to use it again ends the
    /// login.
    pub async fn refresh(&mut self, refresh_token: &str) -> Result<Tokens, HttpError> {
        let body = serde_json::json!({ "refresh_token": refresh_token });
        self.request(Method::POST, "/v1/auth/refresh", None, Some(&body)).await?.json()
    }

    /// Ends the login.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn logout(&mut self, access_token: &str) -> Result<(), HttpError> {
        let answer = self.request(Method::POST, "/v1/auth/logout", Some(access_token), None::<&()>).await?;
        if answer.head.status.is_success() { Ok(()) } else { answer.json() }
    }

    /// Gets the ticket for one WebSocket.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn ticket(&mut self, access_token: &str) -> Result<String, HttpError> {
        let answer = self.request(Method::POST, "/v1/auth/ticket", Some(access_token), None::<&()>).await?;
        answer.json::<Ticket>().map(|issued| issued.ticket)
    }
}
