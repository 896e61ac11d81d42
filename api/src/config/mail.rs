//! `[mail]`: where mails go, and what they look like.

use super::error::Problems;
use super::layer::hidden;
use lettre::message::Mailbox;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where mails go, and what they look like.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Where they go.
    pub place: MailPlace,
    /// Whom they are from.
    pub from: Mailbox,
    /// Templates of the operator's own: a folder with one for each language.
    pub templates: Option<PathBuf>,
    /// The language for those who ask for none that there is.
    pub language: String,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum MailPlace {
    /// Nowhere: for tests and benches.
    Nowhere,
    /// Into files of a folder.
    Folder(PathBuf),
    /// To a mail server.
    Smtp(Box<SmtpConfig>),
}

/// A mail server that takes mails to everybody.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub encryption: SmtpEncryption,
    /// Who we are there and the proof, where it asks.
    pub login: Option<(String, SecretString)>,
    /// Who has signed its certificate, as a file, beside those whom the system trusts.
    pub ca: Option<PathBuf>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpEncryption {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after a word in the clear (RFC 3207), and never without.
    StartTls,
    /// In the clear.
    None,
}

/// Where mails go, and what they look like.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMail {
    /// Where mails go: `files` of a folder, `smtp`, or `none`.
    transport: RawTransport,
    /// The folder of mails that go into files; empty: `outbox` in the data dir.
    dir: String,
    /// Whom mails are from, such as `Rookery <chat@example.org>`.
    from: String,
    /// The name of the mail server.
    smtp_host: String,
    /// Its port; 0 is what goes with the encryption: 465, 587 or 25.
    smtp_port: u16,
    /// How it is spoken to: `tls` from the first byte, `starttls`, or `none`, in the clear.
    smtp_encryption: SmtpEncryption,
    /// The user there; empty: none is asked for.
    smtp_user: String,
    /// The user's password.
    #[serde(serialize_with = "hidden")]
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    smtp_password: Option<SecretString>,
    /// A file of certificates in PEM, one of which has signed that of the mail server; empty: what the system trusts.
    smtp_ca: String,
    /// A folder of templates of one's own, as `LANGUAGE/KIND.txt`; empty: those that are built in.
    templates_dir: String,
    /// The language for those who ask for none that there is: `en`, `ru`, or a folder of `mail.templates_dir`.
    language: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RawTransport {
    Files,
    Smtp,
    None,
}

impl Default for RawMail {
    fn default() -> Self {
        Self {
            transport: RawTransport::Files,
            dir: String::new(),
            from: "Rookery <rookery@localhost>".to_owned(),
            smtp_host: String::new(),
            smtp_port: 0,
            smtp_encryption: SmtpEncryption::Tls,
            smtp_user: String::new(),
            smtp_password: None,
            smtp_ca: String::new(),
            templates_dir: String::new(),
            language: "en".to_owned(),
        }
    }
}

impl RawMail {
    pub(super) fn check(&self, data_dir: &Path, problems: &mut Problems<'_>) -> MailConfig {
        let from = self.from.parse().unwrap_or_else(|_| {
            problems.value("mail.from", &self.from, "an address such as `Rookery <chat@example.org>`");
            Mailbox::new(None, "rookery@localhost".parse().expect("it is an address"))
        });
        let place = match self.transport {
            RawTransport::None => MailPlace::Nowhere,
            RawTransport::Files if self.dir.is_empty() => MailPlace::Folder(data_dir.join("outbox")),
            RawTransport::Files => MailPlace::Folder(PathBuf::from(&self.dir)),
            RawTransport::Smtp => MailPlace::Smtp(Box::new(self.smtp(problems))),
        };
        MailConfig { place, from, templates: path(&self.templates_dir), language: self.language.clone() }
    }

    fn smtp(&self, problems: &mut Problems<'_>) -> SmtpConfig {
        if self.smtp_host.is_empty() {
            problems.value("mail.smtp_host", &self.smtp_host, "the name of a mail server");
        }
        let port = match (self.smtp_port, self.smtp_encryption) {
            (0, SmtpEncryption::Tls) => 465,
            (0, SmtpEncryption::StartTls) => 587,
            (0, SmtpEncryption::None) => 25,
            (port, _) => port,
        };
        let login = match (&self.smtp_password, self.smtp_user.is_empty()) {
            (Some(password), false) => Some((self.smtp_user.clone(), password.clone())),
            (None, true) => None,
            _ => {
                problems.value(
                    "mail.smtp_user",
                    &self.smtp_user,
                    "a user with mail.smtp_password, or neither",
                );
                None
            }
        };
        SmtpConfig {
            host: self.smtp_host.clone(),
            port,
            encryption: self.smtp_encryption,
            login,
            ca: path(&self.smtp_ca),
        }
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}
