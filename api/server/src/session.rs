//! A kept login in use: who one is, whom one speaks to, and a token that is good.

use crate::cli::Connection;
use crate::context::{ContextFile, KeptLogin};
use anyhow::{Context, Result};
use http::Method;
use rookery_client::HttpClient;
use rookery_engine::{Clock, SystemClock};
use rookery_protocol::{SessionId, User};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long an access token must still be good to be used, in milliseconds: a slow request's time.
const SPARE_MS: i64 = 30_000;

/// One kept login.
#[derive(Debug)]
pub(crate) struct Session {
    name: String,
    pub(crate) http: HttpClient,
    pub(crate) user: User,
    pub(crate) id: SessionId,
}

/// Runs a command's conversation.
pub(crate) fn block_on<T>(conversation: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("start the runtime")?.block_on(conversation)
}

impl Session {
    /// Finds the login to act under.
    pub(crate) fn open(connection: &Connection) -> Result<Self> {
        let file = ContextFile::lock()?;
        let name = file.contexts.name(connection.name.as_deref())?;
        let login = &file.contexts.logins[&name];
        Ok(Self {
            http: HttpClient::new(login.url.parse()?),
            user: login.user.clone(),
            id: login.session,
            name,
        })
    }

    /// Returns an access token that is good for a while. The file stays locked while it is
    /// refreshed: another process would spend the same refresh token, and end the login with it.
    pub(crate) async fn token(&mut self) -> Result<String> {
        let mut file = ContextFile::lock()?;
        let login =
            file.contexts.logins.get(&self.name).context("find the login: it was forgotten meanwhile")?;
        if login.access_expires_at > SystemClock::new().now().plus_millis(SPARE_MS) {
            return Ok(login.access_token.clone());
        }
        let tokens = self.http.refresh(&login.refresh_token).await.context("refresh the login")?;
        let login = KeptLogin::new(login.url.clone(), tokens)?;
        let token = login.access_token.clone();
        file.contexts.logins.insert(self.name.clone(), login);
        file.save()?;
        Ok(token)
    }

    /// Asks the server, and reads its answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let token = self.token().await?;
        Ok(self.http.request(method, path, Some(&token), body).await?.json()?)
    }

    /// Gets an answer without a body.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, None::<&()>).await
    }

    /// Forgets the login.
    pub(crate) fn forget(self) -> Result<()> {
        let mut file = ContextFile::lock()?;
        file.contexts.forget(&self.name);
        file.save()
    }
}
