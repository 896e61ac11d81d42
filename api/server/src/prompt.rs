//! Asking for a password or a code: without echo on a terminal, one line otherwise.

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, BufRead, IsTerminal, Write};

/// Reads the password of `ROOKERY_PASSWORD`, or asks for it.
pub(crate) fn password() -> Result<SecretString> {
    match from_environment() {
        Some(password) => Ok(password),
        None if io::stdin().is_terminal() => ask("Password: "),
        None => line(),
    }
}

/// Reads a new password; at a terminal twice, since it is not seen.
pub(crate) fn new_password() -> Result<SecretString> {
    let password = password()?;
    if from_environment().is_none() && io::stdin().is_terminal() {
        let again = ask("Again:    ")?;
        if again.expose_secret() != password.expose_secret() {
            bail!("take the password: the two differ");
        }
    }
    Ok(password)
}

/// Reads a code of the second factor.
pub(crate) fn code() -> Result<SecretString> {
    if io::stdin().is_terminal() { ask("Code: ") } else { line() }
}

fn from_environment() -> Option<SecretString> {
    std::env::var_os("ROOKERY_PASSWORD")?.into_string().ok().map(SecretString::from)
}

fn ask(prompt: &str) -> Result<SecretString> {
    let mut terminal = io::stderr();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let silence = Silence::begin()?;
    let password = line();
    drop(silence);
    writeln!(terminal)?;
    password
}

fn line() -> Result<SecretString> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text).context("read the password")?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}

/// The terminal without echo, until dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("ask the terminal")?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("silence the terminal")?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
