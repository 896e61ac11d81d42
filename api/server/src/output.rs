//! What commands print: text for people, or one JSON value a line.

use crate::cli::Output;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line and flushes it. `println!` would panic where whoever reads has gone.
pub(crate) fn line(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

impl Output {
    /// Prints one thing and flushes it, so that a reader behind a pipe sees it at once.
    pub(crate) fn print(self, value: &impl Serialize, text: impl Display) -> Result<()> {
        match self {
            Self::Text => line(text),
            Self::Json => line(serde_json::to_string(value)?),
        }
    }
}

/// Takes what could move a terminal's cursor or colours out of somebody else's text.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31mb\nc\u{9b}d"), "a [31mb c d");
        assert_eq!(harmless("grüße 🐦"), "grüße 🐦");
    }
}
