//! What the model's node stands on: a store, and the switches of its faults.

use super::step::Weather;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The faults of a raging store.
pub(super) const RAGE: Faults =
    Faults { delayed: 0.0, longest_delay: Duration::ZERO, refused: 0.15, lost: 0.2, unheard: 0.2 };

/// The switches of a store that fails, whatever it is over.
pub(super) trait Faulty: Debug + Send + Sync {
    fn set(&self, weather: Weather);
}

impl<S: Store> Faulty for FaultStore<S> {
    fn set(&self, weather: Weather) {
        self.calm();
        self.heal();
        match weather {
            Weather::Refusing => self.refuse_all("the disk is full"),
            Weather::Lost => self.lose_next(),
            Weather::Unheard => self.unhear_next(),
            Weather::Raging => self.rage(),
            Weather::Calm | Weather::Panic | Weather::Cut => {}
        }
    }
}

/// A store and its switches.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) store: Arc<dyn Store>,
    pub(super) faults: Arc<dyn Faulty>,
    /// A folder to be removed afterwards.
    pub(super) folder: Option<PathBuf>,
}
