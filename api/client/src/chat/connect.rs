//! Getting a connection: fresh tokens first, then the socket.

use super::{Chat, Closed, GaveUp, News, Phase};
use crate::account::{Login, Tokens};
use crate::connection::{Connection, Credential, OpenError};
use crate::http::{HttpClient, HttpError};
use crate::server_url::ServerUrl;
use rookery_protocol::{CloseCode, Codec, ErrorCode};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long before their end tokens are replaced.
///
/// A tenth of the access token's 10 minutes: time for a server to come back.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

/// What proves who one is, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    tokens: Tokens,
    login: Option<Login>,
    good_until: Instant,
}

impl Keys {
    pub(super) fn new(tokens: Tokens, login: Option<Login>) -> Self {
        let good_until = Instant::now() + Duration::from_secs(tokens.expires_in);
        Self { tokens, login, good_until }
    }

    /// Returns when to get fresh tokens.
    pub(super) fn refresh_at(&self) -> Instant {
        self.good_until.checked_sub(REFRESH_BEFORE).unwrap_or(self.good_until)
    }

    pub(super) fn access_token(&self) -> &str {
        &self.tokens.access_token
    }

    /// Has the next connection begin with fresh tokens.
    fn expire(&mut self) {
        self.good_until = Instant::now();
    }
}

/// Why there is no connection.
pub(super) enum NoConnection {
    /// It may be there later.
    Open(OpenError),
    /// It may be there later: the tokens could not be replaced.
    Http(HttpError),
    /// The server does not accept who one is.
    Login(HttpError),
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connection that is being made.
pub(super) struct Connecting(Work<Result<Made, NoConnection>>);

/// Tokens that are being replaced.
pub(super) struct Refreshing(Work<Result<Tokens, NoConnection>>);

/// A connection that was made.
pub(super) struct Made {
    connection: Connection,
    fresh: Option<Tokens>,
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connecting")
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refreshing")
    }
}

impl Connecting {
    pub(super) fn begin(server: &ServerUrl, codec: Codec, keys: &Keys) -> Self {
        let (server, keys) = (server.clone(), keys.clone());
        Self(Box::pin(async move {
            let is_due = keys.refresh_at() <= Instant::now();
            let fresh = if is_due { Some(renew(&server, &keys).await?) } else { None };
            let token = fresh.as_ref().unwrap_or(&keys.tokens).access_token.clone();
            let connection = Connection::open(&server, codec, Credential::Token(token)).await;
            Ok(Made { connection: connection.map_err(NoConnection::Open)?, fresh })
        }))
    }

    /// # Cancel safety
    /// Safe.
    pub(super) async fn finish(&mut self) -> Result<Made, NoConnection> {
        self.0.as_mut().await
    }
}

impl Refreshing {
    pub(super) fn begin(server: &ServerUrl, keys: &Keys) -> Self {
        let (server, keys) = (server.clone(), keys.clone());
        Self(Box::pin(async move { renew(&server, &keys).await }))
    }

    /// # Cancel safety
    /// Safe.
    pub(super) async fn finish(&mut self) -> Result<Tokens, NoConnection> {
        self.0.as_mut().await
    }
}

/// Gets fresh tokens by the refresh token, else by the password.
async fn renew(server: &ServerUrl, keys: &Keys) -> Result<Tokens, NoConnection> {
    let mut http = HttpClient::new(server.clone());
    let sort = |error: HttpError| match &error {
        HttpError::Refused(refused) if matches!(refused.status, 400 | 401 | 403 | 422) => {
            NoConnection::Login(error)
        }
        _ => NoConnection::Http(error),
    };
    if let Some(refresh_token) = &keys.tokens.refresh_token {
        match http.refresh(refresh_token).await.map_err(sort) {
            // An answer that was lost has spent the token: the password is what is left.
            Err(NoConnection::Login(_)) if keys.login.is_some() => {}
            outcome => return outcome,
        }
    }
    match &keys.login {
        Some(login) => http.login(login).await.map_err(sort),
        None => Err(NoConnection::Open(OpenError::Greeting("there is nothing to log in with".to_owned()))),
    }
}

impl Chat {
    /// Takes the outcome of a try to connect.
    pub(super) fn connected(&mut self, made: Result<Made, NoConnection>) -> Result<(), GaveUp> {
        let error = match made {
            Ok(Made { connection, fresh }) => {
                if let Some(tokens) = fresh {
                    self.renewed(tokens);
                }
                self.backoff.succeeded();
                self.totals.connections += 1;
                let who = connection.who().cloned().map(Box::new);
                if let Some(who) = who {
                    self.news.push_back(News::Connected { number: self.totals.connections, who });
                }
                self.phase = Phase::Live(Box::new(connection));
                return Ok(());
            }
            Err(NoConnection::Login(error)) => return self.give_up(error.into()),
            Err(NoConnection::Http(error)) => OpenError::Greeting(error.to_string()),
            Err(NoConnection::Open(error)) => error,
        };
        match &error {
            OpenError::Auth(refused)
                if matches!(refused.code, ErrorCode::TokenExpired | ErrorCode::Unauthenticated) =>
            {
                self.keys.expire();
            }
            OpenError::Closed(closed) if !may_come_back(closed) => {
                return self.give_up(closed.clone().into());
            }
            _ => {}
        }
        self.news.push_back(News::Failed(Arc::new(error)));
        self.wait();
        Ok(())
    }

    /// Takes fresh tokens.
    pub(super) fn renewed(&mut self, tokens: Tokens) {
        self.keys = Keys::new(tokens.clone(), self.keys.login.clone());
        self.news.push_back(News::Refreshed(Box::new(tokens)));
    }

    /// Takes the end of the connection.
    pub(super) fn disconnected(&mut self, closed: Closed) -> Result<(), GaveUp> {
        self.totals = self.totals();
        self.asked.clear();
        self.refreshing = None;
        self.outbox.disconnected();
        self.rooms.values_mut().for_each(super::Followed::disconnected);
        if closed.code == Some(CloseCode::TokenExpired.as_u16()) {
            self.keys.expire();
        }
        let is_over = !may_come_back(&closed);
        self.news.push_back(News::Closed(closed.clone()));
        if is_over {
            return self.give_up(closed.into());
        }
        self.wait();
        Ok(())
    }

    fn wait(&mut self) {
        let delay = self.backoff.failed(self.come_back_after.take());
        self.phase = Phase::Waiting(Box::pin(tokio::time::sleep(delay)));
    }

    fn give_up(&mut self, why: GaveUp) -> Result<(), GaveUp> {
        self.phase = Phase::Off;
        Err(why)
    }
}

/// Returns whether a connection that ended so may be made again: without a code it just broke.
fn may_come_back(closed: &Closed) -> bool {
    match closed.code.map(CloseCode::from_u16) {
        Some(Some(code)) => code.reconnect(),
        // Going away, abnormal, service restart (RFC 6455, section 7.4.1), or unknown.
        None | Some(None) => true,
    }
}
