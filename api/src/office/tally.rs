//! The tally: what happened since it was last written down, and who was there. It is in memory for seconds, and a
//! process that dies loses those.

use super::Office;
use crate::docket;
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How often it is written down.
const EVERY: Duration = Duration::from_secs(30);

/// How many times it is written down until statistics are shown anew: every ten minutes.
const SHOWN_EVERY: u64 = 20;

/// Users of a day that are remembered as written down; those above it are just written again. 16 MiB.
const REMEMBERED: usize = 1 << 20;

/// A day, counted from the first of January 1970, in UTC.
pub(crate) type Day = i64;

/// Returns the day of a moment.
pub(crate) const fn day_of(at: Timestamp) -> Day {
    at.0.div_euclid(DAY_MS)
}

/// On which days a user was there. Times of registration are not known of every user, so the first day that it
/// was there is where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Active {
    /// The first day.
    pub(crate) first: Day,
    /// The last day.
    pub(crate) last: Day,
    /// The last day and those before it, a bit each, the last one lowest.
    pub(crate) days: u64,
    /// The week of the last day and those before it, likewise; weeks begin at `first`.
    pub(crate) weeks: u64,
}

impl Active {
    /// Notes a day. One that is long past changes nothing.
    pub(crate) fn note(&mut self, day: Day) {
        if self.days == 0 {
            *self = Self { first: day, last: day, days: 1, weeks: 1 };
            return;
        }
        let (moved, weeks) =
            (day - self.last, (day - self.first).div_euclid(7) - (self.last - self.first).div_euclid(7));
        if moved < 0 {
            self.days |= 1_u64.checked_shl(u32::try_from(-moved).unwrap_or(u32::MAX)).unwrap_or(0);
            return;
        }
        let shift = |bits: u64, by: i64| bits.checked_shl(u32::try_from(by).unwrap_or(u32::MAX)).unwrap_or(0);
        (self.days, self.weeks) = (shift(self.days, moved) | 1, shift(self.weeks, weeks) | 1);
        self.last = day;
    }

    /// Returns whether it was there on one of the `count` days (1 to 64) that end with `day`.
    pub(crate) fn was_there(&self, day: Day, count: u32) -> bool {
        let ago = day - self.last;
        if ago < 0 {
            // The days after `day` do not count.
            let later = u32::try_from(-ago).unwrap_or(u32::MAX);
            return self.days.checked_shr(later).unwrap_or(0) & mask(count) != 0;
        }
        u32::try_from(ago).is_ok_and(|ago| ago < count)
            && self.days & mask(count - u32::try_from(ago).unwrap_or(0)) != 0
    }

    /// Returns whether it was there in the `week`th week after the one of its first day.
    pub(crate) fn was_back(&self, week: i64) -> bool {
        let last = (self.last - self.first).div_euclid(7);
        u32::try_from(last - week).is_ok_and(|ago| self.weeks.checked_shr(ago).unwrap_or(0) & 1 == 1)
    }
}

/// Returns the lowest `count` bits.
fn mask(count: u32) -> u64 {
    1_u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1)
}

/// What happened on a day, as one process counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Happened {
    pub(crate) day: Day,
    /// Accounts that were made.
    pub(crate) registrations: u64,
    /// Messages that were acked.
    pub(crate) messages: u64,
    /// Calls that began.
    pub(crate) calls: u64,
    /// Events of revenue that were told.
    pub(crate) revenue_events: u64,
    /// What they came to, in the smallest unit of the currency that the operator counts in.
    pub(crate) revenue: i64,
    /// Answers with a status of 5xx.
    pub(crate) errors: u64,
}

/// What is not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    happened: Happened,
    is_changed: bool,
    /// Users who were there, to be written down.
    seen: HashSet<UserId>,
    /// Those of `day` that are.
    written: HashSet<UserId>,
    day: Day,
    /// Messages that the node had taken when it was looked the last time.
    messages: u64,
}

impl Tally {
    /// Counts what happened at `now`.
    pub(crate) fn count(&self, now: Timestamp, what: impl FnOnce(&mut Happened)) {
        let mut state = self.turned(day_of(now));
        what(&mut state.happened);
        state.is_changed = true;
    }

    /// Notes that a user is there.
    pub(crate) fn see(&self, now: Timestamp, user: UserId) {
        let mut state = self.turned(day_of(now));
        if !state.written.contains(&user) && state.seen.len() < REMEMBERED {
            state.seen.insert(user);
        }
    }

    /// Returns the state of `day`; what was left of the day before counts for this one.
    fn turned(&self, day: Day) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        if state.day != day {
            state.day = day;
            state.written.clear();
            state.happened = Happened { day, ..Happened::default() };
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the tally down until the node's tasks are stopped, and once more then.
pub(crate) async fn run(office: Arc<Office>) {
    let tasks = office.node.tasks().clone();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked = 0_u64;
    loop {
        let is_over = tokio::select! {
            () = tasks.stopped() => true,
            _ = ticks.tick() => false,
        };
        if let Err(error) = office.write_tally().await {
            tracing::debug!(%error, "what happened is not written down yet");
        }
        if looked % SHOWN_EVERY == 0
            && !is_over
            && let Err(error) = office.show().await
        {
            tracing::debug!(%error, "how the server is used is not shown");
        }
        looked += 1;
        if is_over {
            return;
        }
    }
}

impl Office {
    /// Writes down what happened and who was there.
    pub(crate) async fn write_tally(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.node.users().each(|user| self.tally.see(now, user));
        let (seen, day, happened) = {
            let mut state = self.tally.turned(day_of(now));
            let messages = self.node.messages();
            let since = messages - mem::replace(&mut state.messages, messages);
            state.happened.messages += since;
            state.is_changed |= since > 0;
            let happened = mem::take(&mut state.is_changed).then(|| state.happened.clone());
            (mem::take(&mut state.seen), state.day, happened)
        };
        if let Some(happened) = happened {
            // One entry a day and process, with all that it has counted: writing it again adds nothing.
            let id = day_id(happened.day, self.me);
            docket::change(self.store(), Book::Days, id, |entry: &mut Happened| *entry = happened.clone())
                .await?;
        }
        for user in seen {
            docket::change(self.store(), Book::Activity, user.0, |active: &mut Active| active.note(day))
                .await?;
            let mut state = self.tally.lock();
            if state.day == day && state.written.len() < REMEMBERED {
                state.written.insert(user);
            }
        }
        Ok(())
    }
}

/// Returns the id of what a process counts on a day: ordered by the day.
fn day_id(day: Day, process: Uuid) -> Uuid {
    let millis = u128::try_from(day * DAY_MS).unwrap_or(0) << 80;
    Uuid::from_u128(millis | (process.as_u128() & ((1 << 80) - 1)))
}

/// Returns the id before which the days up to `day` are.
pub(super) fn after_day(day: Day) -> Uuid {
    day_id(day + 1, Uuid::nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_remembered_from_the_last_one_back() {
        let mut active = Active::default();
        for day in [100, 101, 107, 121] {
            active.note(day);
        }
        assert_eq!((active.first, active.last), (100, 121));
        assert!(active.was_there(121, 1) && !active.was_there(120, 1));
        assert!(active.was_there(120, 14) && !active.was_there(120, 13));
        assert!(active.was_there(123, 3) && !active.was_there(123, 2));
        assert!(active.was_there(100, 1) && active.was_there(101, 1) && !active.was_there(102, 1));
        assert_eq!([0, 1, 2, 3, 4].map(|week| active.was_back(week)), [true, true, false, true, false]);
        active.note(500);
        assert!(active.was_there(500, 64) && !active.was_there(499, 64));
    }
}
