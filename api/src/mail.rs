//! Mail: what letters look like, and the way they take out of the process.
//!
//! A letter is made of a template in the language of whoever it is for; an operator's folder may have others.
//! It goes to a mail server, or into files, or nowhere. It knows nothing of accounts: who is written to, when,
//! and how often it is tried is `accounts`' business.

mod letter;
mod templates;
mod transport;

pub use transport::SendError;

pub(crate) use letter::{About, Letter, Words};

use crate::config::MailConfig;
use lettre::message::Mailbox;
use rookery_protocol::Timestamp;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use templates::Templates;
use transport::Transport;
use uuid::Uuid;

/// Why no mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A folder or a file is not as it must be.
    #[error("read {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// A template of the operator's cannot be used.
    #[error("use the template {0}: {1}")]
    Template(PathBuf, String),
    /// What is said of the mail server cannot be used.
    #[error("reach the mail server: {0}")]
    Server(String),
}

/// Renders letters and hands them on.
#[derive(Debug)]
pub struct Mailer {
    templates: Templates,
    transport: Transport,
    from: Mailbox,
}

impl Mailer {
    /// Reads the templates and makes the way out. Nothing is connected yet.
    ///
    /// # Errors
    /// [`MailError`].
    pub fn open(config: &MailConfig) -> Result<Self, MailError> {
        Ok(Self {
            templates: Templates::load(config.templates.as_deref(), &config.language)?,
            transport: Transport::open(&config.place)?,
            from: config.from.clone(),
        })
    }

    /// Returns whether letters go anywhere.
    pub(crate) const fn is_on(&self) -> bool {
        !matches!(self.transport, Transport::Nowhere)
    }

    /// Returns the language to write in for a request with this `Accept-Language`.
    pub(crate) fn language(&self, accepted: Option<&str>) -> &str {
        self.templates.language(accepted)
    }

    /// Deletes what was written into files for one of `addresses`; what a mail server has taken is gone.
    ///
    /// # Errors
    /// Those of the folder.
    pub(crate) async fn delete(&self, addresses: &[String]) -> io::Result<()> {
        self.transport.delete(addresses).await
    }

    /// Sends a letter. The same `id` again makes the same message for whoever gets it twice.
    ///
    /// # Errors
    /// [`SendError`]: whether it may be tried again.
    pub(crate) async fn send(
        &self,
        id: Uuid,
        letter: &Letter,
        words: &Words<'_>,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let (subject, text) = self.templates.render(letter, words)?;
        let to = letter.to.parse().map_err(|_| SendError::Refused("the address is none".to_owned()))?;
        let domain = self.from.email.domain();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        let message = lettre::Message::builder()
            .message_id(Some(format!("<{id}@{domain}>")))
            .date(now)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            // Nobody's holiday is to answer (RFC 3834, section 5).
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(lettre::message::header::ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| SendError::Refused(error.to_string()))?;
        self.transport.send(id, message).await
    }
}
