//! The postman: it takes letters that are due and hands them to the mailer.
//!
//! Whoever takes a letter moves it into the future first, so that no other node takes it too, and it is there
//! again then if it was not sent: a node may die over it. So a letter may arrive twice, as the same message; it
//! is lost only where nobody takes it for a day. The secret of a letter is made anew each time.

use super::settle::settle;
use super::{Accounts, after, secret};
use crate::edge::Edge;
use crate::mail::{About, Letter, SendError, Words};
use futures_util::{FutureExt, StreamExt, stream};
use rookery_engine::store::{Account, Mail, Proof, ProofOf, StoreError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How long a secret is good that was sent by mail (ASVS 6.5.5).
const PROOF_LASTS: Duration = Duration::from_secs(10 * 60);

/// How often it looks for letters of which nobody has told it: another node's, and those to be tried again.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// How long letters are let come together: by then whoever has asked for one has its answer, and how long that took
/// says nothing of whether there is a letter.
const GATHER: Duration = Duration::from_millis(200);

/// Letters that are read at a time.
const PAGE: usize = 32;

/// Letters on their way at once: a mail server seldom takes more connections of one client.
const AT_ONCE: usize = 4;

/// The first pause before a letter is tried again, longer than one try takes; each further one doubles.
const PAUSE: Duration = Duration::from_secs(60);

/// The longest pause.
const PAUSE_AT_MOST: Duration = Duration::from_secs(15 * 60);

/// A letter that nobody has taken for so long is given up.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Sends letters until the node's tasks are stopped.
pub(crate) async fn run(edge: Arc<Edge>) {
    if !edge.accounts.mailer.is_on() {
        return;
    }
    let site = edge.node.config().public_url.clone();
    let mut ticks = interval(LOOKS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            () = edge.accounts.has_mail.notified() => sleep(GATHER).await,
            _ = ticks.tick() => {}
        }
        // A panic is a try that failed; what it was over is due again.
        let round = AssertUnwindSafe(edge.accounts.send_mails(&site)).catch_unwind();
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            sent = round => if sent.is_err() {
                tracing::error!("the postman panicked");
            },
        }
    }
}

/// What becomes of a letter.
enum Sent {
    /// It is on its way, or will never be.
    Done(&'static str),
    /// It is tried again.
    Later,
}

impl Accounts {
    /// Sends every letter that is due.
    async fn send_mails(&self, site: &str) {
        loop {
            let due = match self.store.mails_due(self.now(), PAGE).await {
                Ok(due) => due,
                Err(error) => return tracing::warn!(%error, "letters were not read"),
            };
            let is_last = due.len() < PAGE;
            let sending = stream::iter(due).map(|mail| self.send_mail(mail, site)).buffer_unordered(AT_ONCE);
            let taken = sending.filter(|taken| std::future::ready(*taken)).count().await;
            if is_last || taken == 0 {
                return;
            }
        }
    }

    /// Sends one letter. Returns whether it was for this node to send.
    async fn send_mail(&self, mail: Mail, site: &str) -> bool {
        let pause = PAUSE.saturating_mul(1 << mail.tries.min(8)).min(PAUSE_AT_MOST);
        let until = after(self.now(), pause);
        match settle(|| self.store.delay_mail(&mail, until)).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::warn!(%error, "a letter was not taken");
                return false;
            }
        }
        let result = match self.deliver(&mail, site).await {
            Sent::Done(result) => {
                if let Err(error) = settle(|| self.store.forget_mail(mail.id)).await {
                    tracing::warn!(%error, id = %mail.id, "a letter that was sent is kept, and sent again");
                }
                result
            }
            Sent::Later => "later",
        };
        self.mails.of(result).increment(1);
        true
    }

    async fn deliver(&self, mail: &Mail, site: &str) -> Sent {
        let Ok(letter) = serde_json::from_str::<Letter>(&mail.letter) else {
            // Of a newer version, which may still run on another node.
            tracing::warn!(id = %mail.id, "a letter is not understood");
            return Sent::Later;
        };
        if after(letter.at, KEPT_FOR) <= self.now() {
            tracing::error!(id = %mail.id, about = letter.about.template(), "a letter was given up");
            return Sent::Done("given_up");
        }
        let sent = match self.compose(&letter).await {
            Ok(None) => return Sent::Done("not_needed"),
            Ok(Some((about, code))) => {
                let page = if matches!(about, About::Reset) { "reset" } else { "verify" };
                let link = format!("{site}/{page}#{code}");
                let minutes = PROOF_LASTS.as_secs() / 60;
                let words = Words { site, link: &link, code: &code, minutes };
                let letter = Letter { about, ..letter };
                self.mailer.send(mail.id, &letter, &words, self.now()).await
            }
            Err(error) => Err(SendError::Later(error.to_string())),
        };
        match sent {
            Ok(()) => Sent::Done("sent"),
            Err(error @ SendError::Refused(_)) => {
                tracing::error!(%error, id = %mail.id, "a letter was refused");
                Sent::Done("refused")
            }
            Err(error @ SendError::Later(_)) => {
                tracing::warn!(%error, id = %mail.id, tries = mail.tries, "a letter was not sent");
                Sent::Later
            }
        }
    }

    /// Finds out what there is to say, and makes the secret that goes with it; `None` where there is nothing.
    async fn compose(&self, letter: &Letter) -> Result<Option<(About, String)>, StoreError> {
        let by_address = || self.store.account_by_email(&letter.to);
        let said = match letter.about {
            About::Confirm => match by_address().await? {
                Some(account) if account.confirmed_at.is_none() => {
                    self.prove(&account, ProofOf::Address, &letter.to).await?
                }
                _ => return Ok(None),
            },
            About::Reset => match by_address().await? {
                Some(account) => self.prove(&account, ProofOf::Password, &letter.to).await?,
                None => return Ok(None),
            },
            About::ChangeAddress { user } => match (by_address().await?, self.store.account(user).await?) {
                (Some(other), _) if other.user.id != user => {
                    return Ok(Some((About::AddressTaken, String::new())));
                }
                (_, Some(account)) => self.prove(&account, ProofOf::Address, &letter.to).await?,
                (_, None) => return Ok(None),
            },
            _ => String::new(),
        };
        Ok(Some((letter.about, said)))
    }

    async fn prove(&self, account: &Account, of: ProofOf, sent_to: &str) -> Result<String, StoreError> {
        let (text, hash) = secret::make(self.random.as_ref());
        let proof = Proof {
            hash,
            user: account.user.id,
            of,
            email: account.email.clone(),
            sent_to: sent_to.to_owned(),
            expires_at: after(self.now(), PROOF_LASTS),
        };
        settle(|| self.store.put_proof(proof.clone())).await?;
        Ok(secrecy::ExposeSecret::expose_secret(&text).to_owned())
    }
}
