//! Accounts: who comes in, and who is there.

use super::buckets::SECONDS;
use super::handle::By;
use super::row::{Row, Values::Each, subject};
use metrics::Unit::{Count, Seconds};
use metrics::{Counter, Gauge, Histogram};

const LOGIN_RESULTS: &[&str] = &["ok", "refused"];
const REFRESH_RESULTS: &[&str] = &["ok", "refused"];
const MAILS: &[&str] = &["sent", "later", "not_needed", "refused", "given_up"];
const IDENTIFIED: &[&str] = &["ok", "refused", "expired", "failed"];

subject! {
    /// Counts accounts, logins and tokens.
    AccountMetrics {
        logins: By<Counter> = Row::of("rookery_logins_total", Count, "Logins attempted.").by(&["result"], Each(LOGIN_RESULTS));
        registrations: By<Counter> = Row::of("rookery_registrations_total", Count, "Accounts asked for.").by(&["result"], Each(LOGIN_RESULTS));
        refreshes: By<Counter> = Row::of("rookery_token_refreshes_total", Count, "Refresh tokens used.").by(&["result"], Each(REFRESH_RESULTS));
        identified: By<Counter> = Row::of("rookery_authentications_total", Count, "Access tokens and tickets of connections looked at.").by(&["result"], Each(IDENTIFIED));
        mails: By<Counter> = Row::of("rookery_mails_total", Count, "Letters that were taken to be sent.").by(&["result"], Each(MAILS));
        passwords_waiting: Gauge = Row::of("rookery_passwords_waiting", Count, "Passwords that wait to be hashed, or are being.");
        password_seconds: Histogram = Row::of("rookery_password_duration_seconds", Seconds, "Time to hash a password, its wait included.").over(SECONDS);
    }
}

subject! {
    /// Counts presence.
    PresenceMetrics {
        users: Gauge = Row::of("rookery_presence_users", Count, "Users with a connection, however they are shown.");
        watches: Gauge = Row::of("rookery_presence_watches", Count, "Users on the watch lists of all connections, counted once for each list.");
        events: Counter = Row::of("rookery_presence_events_total", Count, "Presence events queued to watchers.");
        held: Counter = Row::of("rookery_presence_held_total", Count, "Presence events not queued, because too much waited for their watcher; told later.");
    }
}
