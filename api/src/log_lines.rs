//! Which lines the log has, while the server runs.
//!
//! The log is the process's, so what changes it comes from the binary ([`ChooseLines`]). Here is what was
//! chosen: by the configuration, or by an operator for a while.

use crate::config::is_filter;
use rookery_engine::Tasks;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Chooses the lines of the process's log.
pub trait ChooseLines: Debug + Send + Sync {
    /// Has the log show what `filter` names from now on: levels and targets with theirs, as `log.filter`.
    ///
    /// # Errors
    /// Why not, for people; nothing has changed then.
    fn choose(&self, filter: &str) -> Result<(), String>;
}

/// Which lines the log has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStanding {
    /// What chooses them now.
    pub filter: String,
    /// What the configuration says.
    pub configured: String,
    /// Seconds until the configuration counts again; without them it is as configured, or stays as it is.
    pub for_seconds: Option<u64>,
}

/// Why the lines were not chosen anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChooseError {
    #[error(
        "levels (error, warn, info, debug, trace, off) and targets with theirs, as in info,rookery_api=debug"
    )]
    NoFilter,
    #[error("the log did not take it: {0}")]
    Refused(String),
}

/// The log's lines, and who chose them last.
#[derive(Debug)]
pub(crate) struct LogLines {
    log: Arc<dyn ChooseLines>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    configured: String,
    by_hand: Option<ByHand>,
    /// Counts what was chosen, so that the end of one choice does not end a later one.
    choices: u64,
}

#[derive(Debug)]
struct ByHand {
    filter: String,
    until: Option<Instant>,
}

impl LogLines {
    pub(crate) fn new(log: Arc<dyn ChooseLines>, configured: String) -> Self {
        Self { log, state: Mutex::new(State { configured, by_hand: None, choices: 0 }) }
    }

    /// Returns what is chosen.
    pub(crate) fn standing(&self) -> LogStanding {
        let state = self.lock();
        let left = |by_hand: &ByHand| {
            by_hand.until.map(|until| until.saturating_duration_since(Instant::now()).as_secs())
        };
        LogStanding {
            filter: state.by_hand.as_ref().map_or(&state.configured, |by_hand| &by_hand.filter).clone(),
            configured: state.configured.clone(),
            for_seconds: state.by_hand.as_ref().and_then(left),
        }
    }

    /// Has `filter` choose, for so long; without an end until something else is chosen.
    pub(crate) fn choose(
        self: &Arc<Self>,
        filter: String,
        time: Option<Duration>,
        tasks: &Tasks,
    ) -> Result<(), ChooseError> {
        if !is_filter(&filter) {
            return Err(ChooseError::NoFilter);
        }
        let mut state = self.lock();
        self.log.choose(&filter).map_err(ChooseError::Refused)?;
        tracing::warn!(filter, ?time, "an operator chooses what is logged");
        state.choices += 1;
        let until = time.map(|time| Instant::now() + time);
        state.by_hand = Some(ByHand { filter, until });
        if let Some(until) = until {
            let (lines, choice, tasks_end) = (Arc::clone(self), state.choices, tasks.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = sleep_until(until) => lines.end(choice),
                    () = tasks_end.stopped() => {}
                }
            });
        }
        Ok(())
    }

    /// Has the configuration choose, from now on with `configured` where there is one.
    pub(crate) fn as_configured(&self, configured: Option<String>) -> Result<(), ChooseError> {
        let mut state = self.lock();
        let filter = configured.unwrap_or_else(|| state.configured.clone());
        self.log.choose(&filter).map_err(ChooseError::Refused)?;
        *state = State { configured: filter, by_hand: None, choices: state.choices + 1 };
        Ok(())
    }

    /// Ends a choice whose time is over, where it is still the last one.
    fn end(&self, choice: u64) {
        let is_last = self.lock().choices == choice;
        if is_last {
            match self.as_configured(None) {
                Ok(()) => tracing::info!("what is logged is as configured again"),
                Err(error) => tracing::error!(%error, "what is logged is not as configured again"),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
