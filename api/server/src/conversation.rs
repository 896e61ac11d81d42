//! A conversation under a kept login: the client's [`Chat`], with its tokens replaced through the
//! file of kept logins, because other processes use the same refresh token.

use crate::context::LASTS_FOR_EVER;
use crate::exit::is_refusal;
use crate::session::Session;
use anyhow::Result;
use rookery_client::{Chat, News, Tokens};
use rookery_engine::{Random, SystemRandom};
use rookery_protocol::Codec;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often it is looked whether the access token is still good for a while: more often than the
/// least that one lasts.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// A conversation that outlives its connections and its tokens.
#[derive(Debug)]
pub(crate) struct Conversation {
    session: Session,
    pub(crate) chat: Chat,
    token: String,
    look_at: Instant,
}

impl Conversation {
    /// Begins one.
    pub(crate) async fn begin(mut session: Session) -> Result<Self> {
        let token = session.token().await?;
        let mut seed = [0; 8];
        SystemRandom.fill(&mut seed);
        let random = fastrand::Rng::with_seed(u64::from_ne_bytes(seed));
        let server = session.http.server().clone();
        let chat = Chat::new(server, Codec::MessagePack, tokens(&session, &token), None, random);
        Ok(Self { session, chat, token, look_at: Instant::now() + LOOK_EVERY })
    }

    /// Returns the login.
    pub(crate) const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Waits for what happens next.
    ///
    /// # Cancel safety
    /// Safe, but for a refresh, which runs to its end on the next call.
    pub(crate) async fn next(&mut self) -> Result<News> {
        loop {
            let news = tokio::select! {
                news = self.chat.next() => news?,
                () = sleep_until(self.look_at) => {
                    self.renew().await?;
                    continue;
                }
            };
            // It may be the token that is not accepted any more.
            if let News::Failed(_) = &news {
                self.renew().await?;
            }
            return Ok(news);
        }
    }

    /// Takes a fresh token where there is one. A server that cannot be reached is tried again; one
    /// that refuses is not.
    async fn renew(&mut self) -> Result<()> {
        self.look_at = Instant::now() + LOOK_EVERY;
        match self.session.token().await {
            Ok(token) if token == self.token => {}
            Ok(token) => {
                self.chat.use_tokens(tokens(&self.session, &token));
                self.token = token;
            }
            Err(error) if is_refusal(&error) => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }
}

/// Gives the client an access token and nothing to refresh it with.
fn tokens(session: &Session, token: &str) -> Tokens {
    Tokens {
        access_token: token.to_owned(),
        expires_in: LASTS_FOR_EVER,
        refresh_token: None,
        session: session.id,
        user: session.user.clone(),
    }
}
