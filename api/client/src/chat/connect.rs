//! Getting a connection: fresh tokens first, then the socket.

use super::{Chat, Closed, GaveUp, News, Phase};
use crate::account::{Login, Tokens};
use crate::connection::{Connection, Credential, OpenError};
use crate::http::{HttpClient, HttpError};
use crate::server_url::ServerUrl;
use rookery_protocol::{CloseCode, Codec, ErrorCode, WireError};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long before their end tokens are replaced; at half their life where that is later.
///
/// A tenth of the access token's 10 minutes: time for a server to come back.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

/// What proves who one is, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    tokens: Tokens,
    login: Option<Login>,
    renew_at: Instant,
}

impl Keys {
    pub(super) fn new(tokens: Tokens, login: Option<Login>) -> Self {
        let lifetime = Duration::from_secs(tokens.expires_in);
        let renew_at = Instant::now() + lifetime.saturating_sub(REFRESH_BEFORE).max(lifetime / 2);
        Self { tokens, login, renew_at }
    }

    /// Returns when to get fresh tokens; `None` where there is nothing to get them with.
    pub(super) fn renew_at(&self) -> Option<Instant> {
        let can_renew = self.tokens.refresh_token.is_some() || self.login.is_some();
        can_renew.then_some(self.renew_at)
    }

    pub(super) fn access_token(&self) -> &str {
        &self.tokens.access_token
    }

    /// Has the next connection begin with fresh tokens.
    fn expire(&mut self) {
        self.renew_at = Instant::now();
    }

    /// Lets the tokens be for now; they are still good for a while.
    fn put_off(&mut self, delay: Duration) {
        self.renew_at = Instant::now() + delay;
    }
}

/// Why there are no fresh tokens.
pub(super) enum NotRenewed {
    /// There may be some later.
    Later(HttpError),
    /// The server does not accept who one is.
    Login(HttpError),
}

impl From<HttpError> for NotRenewed {
    fn from(error: HttpError) -> Self {
        match &error {
            HttpError::Refused(refused) if matches!(refused.status, 400 | 401 | 403 | 422) => {
                Self::Login(error)
            }
            _ => Self::Later(error),
        }
    }
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connection that is being made.
pub(super) struct Connecting(Work<Result<Connection, OpenError>>);

/// Tokens that are being replaced. Its answer is the only copy of the next refresh token: whatever
/// becomes of a connection meanwhile, it is waited for.
pub(super) struct Refreshing(Work<Result<Tokens, NotRenewed>>);

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
    fn begin(server: &ServerUrl, codec: Codec, keys: &Keys) -> Self {
        let (server, token) = (server.clone(), keys.tokens.access_token.clone());
        Self(Box::pin(async move { Connection::open(&server, codec, Credential::Token(token)).await }))
    }

    /// # Cancel safety
    /// Safe.
    pub(super) async fn finish(&mut self) -> Result<Connection, OpenError> {
        self.0.as_mut().await
    }
}

impl Refreshing {
    fn begin(server: &ServerUrl, keys: &Keys) -> Self {
        let (server, keys) = (server.clone(), keys.clone());
        Self(Box::pin(async move { renew(server, &keys).await }))
    }

    /// Never returns where nothing is under way.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn finish(under_way: Option<&mut Self>) -> Result<Tokens, NotRenewed> {
        match under_way {
            Some(refreshing) => refreshing.0.as_mut().await,
            None => std::future::pending().await,
        }
    }
}

/// Gets fresh tokens by the refresh token, else by the password.
async fn renew(server: ServerUrl, keys: &Keys) -> Result<Tokens, NotRenewed> {
    let mut http = HttpClient::new(server);
    if let Some(refresh_token) = &keys.tokens.refresh_token {
        match http.refresh(refresh_token).await.map_err(NotRenewed::from) {
            // An answer that was lost has spent the token: the password is what is left.
            Err(NotRenewed::Login(_)) if keys.login.is_some() => {}
            outcome => return outcome,
        }
    }
    match &keys.login {
        Some(login) => Ok(http.login(login).await?),
        None => Err(HttpError::Unwritable("there is nothing to log in with".to_owned()).into()),
    }
}

impl Chat {
    /// Makes a connection, with fresh tokens where it is time for them.
    pub(super) fn connect(&mut self) {
        self.refresh_if_due();
        if self.refreshing.is_some() {
            self.phase = Phase::Renewing;
        } else {
            self.open();
        }
    }

    fn open(&mut self) {
        self.auth_due = None;
        self.phase = Phase::Connecting(Connecting::begin(self.servers.current(), self.codec, &self.keys));
    }

    /// Begins to replace the tokens when it is time, unless that is under way.
    pub(super) fn refresh_if_due(&mut self) {
        let is_due = self.keys.renew_at().is_some_and(|time| time <= Instant::now());
        if is_due && self.refreshing.is_none() {
            self.refreshing = Some(Refreshing::begin(self.servers.current(), &self.keys));
        }
    }

    /// Takes the outcome of a refresh.
    pub(super) fn refreshed(&mut self, outcome: Result<Tokens, NotRenewed>) -> Result<(), GaveUp> {
        self.refreshing = None;
        match outcome {
            Ok(tokens) => self.renewed(tokens),
            Err(NotRenewed::Login(error)) => return self.give_up(error.into()),
            Err(NotRenewed::Later(error)) => self.not_renewed(&error),
        }
        Ok(())
    }

    fn not_renewed(&mut self, error: &HttpError) {
        let asked = match error {
            HttpError::Refused(refused) => refused.retry_after_ms.map(Duration::from_millis),
            _ => None,
        };
        if let Phase::Renewing = self.phase {
            self.news.push_back(News::Failed(Arc::new(OpenError::Greeting(error.to_string()))));
            self.come_back_after = self.come_back_after.max(asked);
            self.servers.gone();
            self.wait();
        } else {
            let delay = self.backoff.failed(None).max(asked.unwrap_or_default());
            self.keys.put_off(delay);
        }
    }

    /// Goes on with fresh tokens.
    pub(super) fn renewed(&mut self, tokens: Tokens) {
        self.keys = Keys::new(tokens.clone(), self.keys.login.clone());
        self.news.push_back(News::Refreshed(Box::new(tokens)));
        match self.phase {
            Phase::Renewing => self.open(),
            Phase::Connecting(_) => self.auth_due = Some(Instant::now()),
            Phase::Live(_) => {
                self.backoff.succeeded();
                self.auth_due = Some(Instant::now());
            }
            Phase::Waiting(_) | Phase::Off => {}
        }
    }

    /// Takes the refusal of the fresh token by the live connection: unless it is only for now, the
    /// next connection takes it.
    pub(super) fn not_extended(&mut self, error: &WireError) -> Result<(), GaveUp> {
        if error.retryable {
            self.auth_due = Some(super::arrive::later(error));
            return Ok(());
        }
        self.expire_if_refused(error);
        self.disconnected(Closed::broken(error.to_string()))
    }

    fn expire_if_refused(&mut self, error: &WireError) {
        if matches!(error.code, ErrorCode::TokenExpired | ErrorCode::Unauthenticated) {
            self.keys.expire();
        }
    }

    /// Takes the outcome of a try to connect.
    pub(super) fn connected(&mut self, made: Result<Connection, OpenError>) -> Result<(), GaveUp> {
        let error = match made {
            Ok(connection) => {
                self.backoff.succeeded();
                self.totals.connections += 1;
                let who = connection.who().cloned().map(Box::new);
                if let Some(who) = who {
                    self.news.push_back(News::Connected { number: self.totals.connections, who });
                }
                self.phase = Phase::Live(Box::new(connection));
                return Ok(());
            }
            Err(error) => error,
        };
        match &error {
            OpenError::Auth(refused) => self.expire_if_refused(refused),
            OpenError::Closed(closed) if !may_come_back(closed) => {
                return self.give_up(closed.clone().into());
            }
            _ => {}
        }
        self.news.push_back(News::Failed(Arc::new(error)));
        self.servers.gone();
        self.wait();
        Ok(())
    }

    /// Takes the end of the connection.
    pub(super) fn disconnected(&mut self, closed: Closed) -> Result<(), GaveUp> {
        self.totals = self.totals();
        self.asked.clear();
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
        match self.come_back_to.take() {
            Some(url) => self.servers.go_to(url),
            None => self.servers.gone(),
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
