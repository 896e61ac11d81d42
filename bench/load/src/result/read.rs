//! A result from a file, and into one.

use super::{FORMAT, RunResult};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file is not a result.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no JSON, or not of this shape.
    #[error("{path} is no result of a run: {error}")]
    Shape {
        /// Which.
        path: PathBuf,
        /// What is wrong, with its line and column.
        error: serde_json::Error,
    },
    /// It was written by a later build.
    #[error("{path} has format {format}; this build reads up to {FORMAT}")]
    TooNew {
        /// Which.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// A histogram in it cannot be decoded.
    #[error("{path}: latencies of {name}: {reason}")]
    Histogram {
        /// Which.
        path: PathBuf,
        /// Which latencies.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// What is read first: the rest of a later format may have any shape.
#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

impl RunResult {
    /// Reads a result and looks through it, so that whoever has one can use all of it.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is not the result of a run of this format.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Err(ReadError::File { path, error }),
        };
        Self::parse(path, &text)
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self, ReadError> {
        match serde_json::from_str::<Format>(text) {
            Ok(Format { format }) if format > FORMAT => return Err(ReadError::TooNew { path, format }),
            Ok(_) => {}
            Err(error) => return Err(ReadError::Shape { path, error }),
        }
        let run: Self = match serde_json::from_str(text) {
            Ok(run) => run,
            Err(error) => return Err(ReadError::Shape { path, error }),
        };
        let all = run.phases.iter().map(|phase| &phase.latencies).chain([&run.latencies]);
        let broken = all
            .flat_map(super::Latencies::named)
            .find_map(|(name, latency)| Some((name, latency.histogram().err()?)));
        match broken {
            Some((name, reason)) => Err(ReadError::Histogram { path, name, reason }),
            None => Ok(run),
        }
    }

    /// Returns the document, as it is written.
    ///
    /// # Errors
    ///
    /// Never: there is nothing in it that JSON cannot say.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Writes it: whole or not at all.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.tmp");
        fs::write(&beside, self.to_json()?)?;
        fs::rename(&beside, path)
    }
}
