//! Statistics: what the docket tells of how the server is used.

use super::Office;
use super::tally::{Active, Day, Happened, after_day, day_of};
use crate::docket;
use rookery_engine::store::{Book, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;

/// Entries of one page.
const PAGE: usize = 500;

/// Days that are told one by one.
const DAYS: i64 = 30;

/// Weeks of which cohorts are told, and how long each is followed.
const WEEKS: i64 = 12;

/// How a server is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Statistics {
    /// The day that it is of, counted from the first of January 1970.
    pub(crate) day: Day,
    /// Users who were there that day, in the 7 and in the 30 days up to it.
    pub(crate) daily_active: u64,
    pub(crate) weekly_active: u64,
    pub(crate) monthly_active: u64,
    /// Users who were ever there.
    pub(crate) ever_active: u64,
    /// What happened, the newest day first, at most 30.
    pub(crate) days: Vec<Happened>,
    /// Users by the week in which they were there first, the newest week first, at most 12.
    pub(crate) cohorts: Vec<Cohort>,
}

/// The users who came in one week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Cohort {
    /// Weeks ago.
    pub(crate) weeks_ago: i64,
    /// How many of them were there in their first week, which is all, in the second, and so on.
    pub(crate) back: Vec<u64>,
}

impl Office {
    /// Returns how the server is used, up to today. Reads one entry a user.
    pub(crate) async fn statistics(&self) -> Result<Statistics, StoreError> {
        let today = day_of(self.now());
        let mut told = Statistics { day: today, ..Statistics::default() };
        let mut cohorts: BTreeMap<i64, Cohort> = BTreeMap::new();
        let mut before = None;
        loop {
            let page = docket::page::<Active>(self.store(), Book::Activity, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for known in page {
                told.count(&known.what, &mut cohorts);
            }
        }
        told.cohorts = cohorts.into_values().collect();
        told.days = self.happened(today).await?;
        Ok(told)
    }

    /// Shows how the server is used in the node's metrics.
    pub(super) async fn show(&self) -> Result<(), StoreError> {
        let told = self.statistics().await?;
        let usage = &self.node.metrics().usage;
        let actives =
            [("day", told.daily_active), ("week", told.weekly_active), ("month", told.monthly_active)];
        for (window, count) in actives {
            usage.active.of(window).set(float(count));
        }
        for (name, weeks_ago) in [("1", 1), ("2", 2), ("4", 4), ("8", 8)] {
            let cohort = told.cohorts.iter().find(|cohort| cohort.weeks_ago == weeks_ago);
            let back =
                cohort.and_then(|cohort| Some(float(*cohort.back.last()?) / float(*cohort.back.first()?)));
            usage.back.of(name).set(back.unwrap_or(0.0));
        }
        let today = told.days.first().filter(|happened| happened.day == told.day);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and cents are exact in it")]
        usage.revenue.set(today.map_or(0, |happened| happened.revenue) as f64);
        Ok(())
    }

    /// Returns what happened in the days up to `today`, added up over all processes.
    async fn happened(&self, today: Day) -> Result<Vec<Happened>, StoreError> {
        let mut days: BTreeMap<Day, Happened> = BTreeMap::new();
        let mut before = Some(after_day(today));
        'days: loop {
            let page = docket::page::<Happened>(self.store(), Book::Days, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for known in page {
                let one = known.what;
                if one.day <= today - DAYS {
                    break 'days;
                }
                let sum =
                    days.entry(one.day).or_insert_with(|| Happened { day: one.day, ..Happened::default() });
                sum.registrations += one.registrations;
                sum.messages += one.messages;
                sum.calls += one.calls;
                sum.revenue_events += one.revenue_events;
                sum.revenue += one.revenue;
                sum.errors += one.errors;
            }
        }
        Ok(days.into_values().rev().collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 users")]
fn float(count: u64) -> f64 {
    count as f64
}

impl Statistics {
    fn count(&mut self, active: &Active, cohorts: &mut BTreeMap<i64, Cohort>) {
        self.ever_active += 1;
        self.daily_active += u64::from(active.was_there(self.day, 1));
        self.weekly_active += u64::from(active.was_there(self.day, 7));
        self.monthly_active += u64::from(active.was_there(self.day, 30));
        let weeks_ago = (self.day - active.first).div_euclid(7);
        if !(0..WEEKS).contains(&weeks_ago) {
            return;
        }
        let cohort = cohorts.entry(weeks_ago).or_insert_with(|| Cohort { weeks_ago, back: Vec::new() });
        for week in 0..=weeks_ago {
            let index = usize::try_from(week).unwrap_or(0);
            if cohort.back.len() <= index {
                cohort.back.push(0);
            }
            cohort.back[index] += u64::from(active.was_back(week));
        }
    }
}
