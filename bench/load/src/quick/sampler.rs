//! The server's CPU and memory, every second, beside the run.

use crate::clock;
use crate::usage::Usage;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// CPU as a share of a core, and resident bytes, by the second of the monotonic clock.
type Samples = BTreeMap<u64, (f64, u64)>;

/// Looks at a process until it is dropped.
#[derive(Debug)]
pub(super) struct Sampler {
    samples: Arc<Mutex<Samples>>,
    pid: Arc<Mutex<Option<u32>>>,
}

impl Sampler {
    /// Begins to look at `pid`.
    pub(super) fn start(pid: Option<u32>) -> Self {
        let sampler = Self { samples: Arc::default(), pid: Arc::new(Mutex::new(pid)) };
        let (kept, pid) = (Arc::clone(&sampler.samples), Arc::clone(&sampler.pid));
        std::thread::spawn(move || {
            let mut before: Option<(u32, Usage)> = None;
            // Nobody else holds the samples once the run is over.
            while Arc::strong_count(&kept) > 1 {
                let second = clock::now() / clock::SECOND + 1;
                clock::sleep_until(second * clock::SECOND);
                let Some(pid) = *pid.lock().expect("nobody panics with it") else { continue };
                let now = Usage::of(pid);
                if let Some((_, before)) = before.filter(|(of, _)| *of == pid) {
                    let cpu = (now.cpu - before.cpu).total_s();
                    let mut kept = kept.lock().expect("nobody panics with it");
                    kept.insert(second - 1, (cpu, now.rss_bytes));
                }
                before = Some((pid, now));
            }
        });
        sampler
    }

    /// Looks at another process from now on.
    pub(super) fn look_at(&self, pid: Option<u32>) {
        *self.pid.lock().expect("nobody panics with it") = pid;
    }

    pub(super) fn samples(&self) -> Samples {
        self.samples.lock().expect("nobody panics with it").clone()
    }
}
