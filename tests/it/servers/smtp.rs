//! A real mail server that keeps what it takes, which `tests/servers/smtp` starts.

use crate::http::call;
use serde::Deserialize;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The script that starts one.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/smtp");

/// How long mails are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail server that ends with the test.
#[derive(Debug)]
pub(crate) struct Smtp {
    child: Child,
    /// Where it takes mails.
    pub(crate) smtp: SocketAddr,
    asked: SocketAddr,
}

/// A mail as it was taken.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) headers: Vec<String>,
    pub(crate) text: String,
    pub(crate) encrypted: bool,
}

impl Mail {
    /// Returns the code that is in it, which is what its link ends with.
    pub(crate) fn code(&self) -> String {
        let link = self.text.lines().find(|line| line.starts_with("http")).expect("there is a link");
        let code = link.split_once('#').expect("the code is behind the #").1.trim().to_owned();
        assert_eq!(self.text.matches(&code).count(), 2, "it is there to be typed in, too");
        code
    }
}

impl Smtp {
    /// Starts one that takes everything.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one that encrypts, `tls` or `starttls`, and takes mails of a user only.
    pub(crate) fn encrypted(how: &str, certificate: &Path, key: &Path) -> Self {
        Self::with(&[how, certificate.to_str().unwrap(), key.to_str().unwrap()])
    }

    fn with(arguments: &[&str]) -> Self {
        let mut command = Command::new(SCRIPT);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("bash is there");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().and_then(Result::ok).unwrap_or_default();
            let address = line.strip_prefix(name).expect("tests/servers/smtp has said why there is none");
            address.parse().unwrap()
        };
        let (smtp, asked) = (address("SMTP="), address("ADDR="));
        Self { child, smtp, asked }
    }

    /// What is set where mails go here in the clear.
    pub(crate) fn settings(&self) -> Vec<(&'static str, &'static str)> {
        let port = Box::leak(self.smtp.port().to_string().into_boxed_str());
        vec![
            ("ROOKERY_MAIL__TRANSPORT", "smtp"),
            ("ROOKERY_MAIL__SMTP_HOST", "127.0.0.1"),
            ("ROOKERY_MAIL__SMTP_PORT", port),
            ("ROOKERY_MAIL__SMTP_ENCRYPTION", "none"),
            ("ROOKERY_MAIL__FROM", "Rookery <chat@example.org>"),
        ]
    }

    /// Has the next mails answered like this: `status`, `times`.
    pub(crate) async fn answer(&self, query: &str) {
        call(self.asked, "POST", &format!("/answer?{query}"), &[], &Value::Null).await;
    }

    /// Returns whether every answer that was asked for has been given.
    pub(crate) async fn has_answered(&self) -> bool {
        call(self.asked, "GET", "/answers", &[], &Value::Null).await.json() == Value::Array(Vec::new())
    }

    /// Returns every mail that has come.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        let answer = call(self.asked, "GET", "/messages", &[], &Value::Null).await;
        serde_json::from_value(answer.json()).unwrap()
    }

    /// Waits until so many mails have come, and returns them in an order that does not depend on chance: by
    /// whom they are for, then as they came. Fails where there are more.
    pub(crate) async fn until(&self, count: usize) -> Vec<Mail> {
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.mails().await.len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        drop(waited.await);
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), count, "{mails:#?}");
        mails.sort_by(|one, other| one.to.cmp(&other.to));
        mails
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        // Its input ends with it.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
