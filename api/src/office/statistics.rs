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
                let sum = days.entry(one.day).or_insert_with(|| Happened { day: one.day, ..Happened::default() });
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
