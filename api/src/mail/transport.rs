//! The ways a letter takes: a mail server, files, or nowhere.

use super::MailError;
use crate::config::{MailPlace, SmtpConfig, SmtpEncryption};
use lettre::message::Message;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// How long the mail server may take for each step; half of what SMTP allows the slowest (RFC 5321, 4.5.3.2),
/// since the letter is tried again.
const SMTP_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It will not be taken later either.
    #[error("have the letter taken: {0}")]
    Refused(String),
    /// It may be taken later.
    #[error("hand the letter on: {0}")]
    Later(String),
}

/// Where letters go.
#[derive(Debug)]
pub(super) enum Transport {
    Nowhere,
    Folder(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Transport {
    pub(super) fn open(place: &MailPlace) -> Result<Self, MailError> {
        Ok(match place {
            MailPlace::Nowhere => Self::Nowhere,
            MailPlace::Folder(dir) => Self::Folder(dir.clone()),
            MailPlace::Smtp(smtp) => Self::Smtp(connect(smtp)?),
        })
    }

    pub(super) async fn send(&self, id: Uuid, message: Message) -> Result<(), SendError> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Folder(dir) => {
                let dir = dir.clone();
                let written =
                    tokio::task::spawn_blocking(move || write(&dir, id, &message.formatted())).await;
                let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
                written.map_err(|error| SendError::Later(error.to_string()))
            }
            Self::Smtp(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(SendError::Refused(said(&error))),
                Err(error) => Err(SendError::Later(said(&error))),
            },
        }
    }

    /// Deletes what was written into files for one of `addresses`.
    pub(super) async fn delete(&self, addresses: &[String]) -> io::Result<()> {
        let Self::Folder(dir) = self else { return Ok(()) };
        let (dir, addresses) = (dir.clone(), addresses.to_vec());
        let deleted = tokio::task::spawn_blocking(move || delete(&dir, &addresses)).await;
        deleted.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Deletes the letters to one of `addresses`.
fn delete(dir: &Path, addresses: &[String]) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        // Whoever looks at letters may take them away meanwhile.
        let Ok(letter) = fs::read(&path) else { continue };
        let to = recipient(&String::from_utf8_lossy(&letter));
        if addresses.iter().any(|address| to.as_ref().is_some_and(|to| to.eq_ignore_ascii_case(address))) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Returns whom a letter of ours is to: one address, without a name. A long line may be folded (RFC 5322, 2.2.3).
fn recipient(letter: &str) -> Option<String> {
    let head = letter.split("\r\n\r\n").next()?.replace("\r\n ", " ");
    let to = head.split("\r\n").find_map(|line| line.strip_prefix("To:"))?;
    Some(to.trim().trim_matches(['<', '>']).to_owned())
}

/// Returns what may be logged of an error: a server's own words may have the address in them.
fn said(error: &lettre::transport::smtp::Error) -> String {
    error.status().map_or_else(|| error.to_string(), |code| format!("the server said {code}"))
}

fn connect(smtp: &SmtpConfig) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let server = |error: lettre::transport::smtp::Error| MailError::Server(error.to_string());
    let tls = || {
        let mut parameters = TlsParameters::builder(smtp.host.clone());
        if let Some(path) = &smtp.ca {
            let pem = std::fs::read(path).map_err(|error| MailError::Io(path.clone(), error))?;
            parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(server)?);
        }
        parameters.build_rustls().map_err(server)
    };
    let tls = match smtp.encryption {
        SmtpEncryption::Tls => Tls::Wrapper(tls()?),
        SmtpEncryption::StartTls => Tls::Required(tls()?),
        SmtpEncryption::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(SMTP_TIMEOUT));
    if let Some((user, password)) = &smtp.login {
        let password = password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}

/// Writes beside the place and renames, so that whoever looks finds whole letters.
fn write(dir: &Path, id: Uuid, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let beside = dir.join(format!("{id}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, dir.join(format!("{id}.eml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_deleted_by_their_whole_address_and_others_stay() {
        let dir = std::env::temp_dir().join(format!("rookery-letters-{}", std::process::id()));
        let long = format!("{}@example.org", "a".repeat(60));
        for (number, to) in (0..).zip(["mia@example.org", "ia@example.org", long.as_str()]) {
            let message = Message::builder()
                .from("rookery@localhost".parse().unwrap())
                .to(lettre::message::Mailbox::new(None, to.parse().unwrap()))
                .subject("ia@example.org")
                .body("To: ia@example.org\r\n".to_owned())
                .unwrap();
            write(&dir, Uuid::from_u128(number), &message.formatted()).unwrap();
        }
        let left = || {
            let mut left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
            left.sort_unstable();
            left.iter().map(|path| recipient(&fs::read_to_string(path).unwrap()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(left(), ["mia@example.org", "ia@example.org", long.as_str()]);
        delete(&dir, &[]).unwrap();
        delete(&dir, &["IA@example.org".to_owned()]).unwrap();
        assert_eq!(left(), ["mia@example.org", long.as_str()]);
        delete(&dir, std::slice::from_ref(&long)).unwrap();
        assert_eq!(left(), ["mia@example.org"]);
        fs::remove_dir_all(&dir).unwrap();
        delete(&dir, &[long]).unwrap();
    }
}
