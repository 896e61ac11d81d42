//! How the server is used, as the office tells it: of all nodes together, so each node shows the same.

use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::Count;
use metrics::{Counter, Gauge};

/// The days up to now in which a user was there.
const WINDOWS: &[&str] = &["day", "week", "month"];

/// How many weeks ago users came first.
const WEEKS: &[&str] = &["1", "2", "4", "8"];

/// What the office forgets once it was kept long enough.
const KEPT: &[&str] = &["archives", "jobs", "reports"];

subject! {
    /// Shows how the server is used.
    UsageMetrics {
        active: By<Gauge> = Row::of("rookery_active_users", Count, "Users who were there, by the time up to now; of all servers together, looked at every ten minutes.").by(&["window"], Each(WINDOWS));
        back: By<Gauge> = Row::of("rookery_users_back_ratio", Count, "Of the users who came first so many weeks ago, the part that was there this week.").by(&["weeks_ago"], Each(WEEKS));
        revenue: Gauge = Row::of("rookery_revenue", Count, "What was paid today, in the smallest unit of the currency; of all servers together.");
        forgotten: By<Counter> = Row::of("rookery_office_forgotten_total", Count, "What administration kept long enough and this server has forgotten.").by(&["what"], Each(KEPT));
    }
}
