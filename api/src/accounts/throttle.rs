//! How often an address or an account may try: token buckets, bounded in number.
//!
//! A bucket is one moment, as in the generic cell rate algorithm (ITU-T I.371, annex A): the time
//! at which it will be full again. Buckets that are full are forgotten.

use rookery_protocol::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Buckets of one rule at a time: about 1 MiB of addresses or accounts.
const BUCKETS: usize = 10_000;

/// One rule: at most `burst` at once, then one every `every_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the `RateLimit-Policy` header.
    pub name: &'static str,
    /// Tries that a full bucket holds.
    pub burst: u32,
    /// Milliseconds until one comes back.
    pub every_ms: u32,
}

/// Registrations from one address: 10 at once, then 10 an hour.
const REGISTER_ADDRESS: Rule = Rule { name: "register-address", burst: 10, every_ms: 360_000 };

/// Registrations of one e-mail address: 3 at once, then 3 an hour, since each will send a mail.
const REGISTER_ACCOUNT: Rule = Rule { name: "register-account", burst: 3, every_ms: 1_200_000 };

/// Logins from one address: 20 at once, then 10 a minute, for offices behind one address.
const LOGIN_ADDRESS: Rule = Rule { name: "login-address", burst: 20, every_ms: 6_000 };

/// Logins to one account: 10 at once, then 2 a minute, so that guessing gets 3000 tries a day from
/// everywhere together.
const LOGIN_ACCOUNT: Rule = Rule { name: "login-account", burst: 10, every_ms: 30_000 };

/// Refused: the bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("let another try pass: {} of {} are used", .rule.burst, .rule.burst)]
pub struct Throttled {
    /// Which rule.
    pub rule: Rule,
    /// Milliseconds until the next try passes; at least 1.
    pub retry_after_ms: u32,
}

/// The rules of the account operations.
#[derive(Debug)]
pub(super) struct Throttles(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    register_address: Throttle,
    register_account: Throttle,
    login_address: Throttle,
    login_account: Throttle,
}

/// The buckets of one rule.
#[derive(Debug)]
struct Throttle {
    rule: Rule,
    /// When each bucket is full again, in milliseconds since the epoch.
    full_at: Mutex<HashMap<String, i64>>,
}

impl Throttles {
    pub(super) fn strict() -> Self {
        Self(Some(Buckets {
            register_address: Throttle::new(REGISTER_ADDRESS),
            register_account: Throttle::new(REGISTER_ACCOUNT),
            login_address: Throttle::new(LOGIN_ADDRESS),
            login_account: Throttle::new(LOGIN_ACCOUNT),
        }))
    }

    /// Returns throttles that let everything pass.
    pub(super) const fn relaxed() -> Self {
        Self(None)
    }

    pub(super) fn register(&self, from: IpAddr, email: &str, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.register_address.take(network(from), now)?;
        buckets.register_account.take(email.to_owned(), now)
    }

    /// `email` is an address as an account has it; what cannot be one is kept by nobody, since it
    /// may be as long as a request.
    pub(super) fn login(&self, from: IpAddr, email: Option<&str>, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.login_address.take(network(from), now)?;
        email.map_or(Ok(()), |email| buckets.login_account.take(email.to_owned(), now))
    }
}

impl Throttle {
    fn new(rule: Rule) -> Self {
        Self { rule, full_at: Mutex::default() }
    }

    fn take(&self, who: String, now: Timestamp) -> Result<(), Throttled> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= BUCKETS && !full_at.contains_key(&who) {
            make_room(&mut full_at, now);
        }
        let every = i64::from(self.rule.every_ms);
        let full = full_at.get(&who).copied().unwrap_or(now.0).max(now.0) + every;
        let over = full - now.0 - every * i64::from(self.rule.burst);
        if over > 0 {
            let retry_after_ms = u32::try_from(over).unwrap_or(u32::MAX);
            return Err(Throttled { rule: self.rule, retry_after_ms });
        }
        full_at.insert(who, full);
        Ok(())
    }
}

/// Forgets the full buckets; when there are none, the fullest one.
fn make_room(full_at: &mut HashMap<String, i64>, now: Timestamp) {
    full_at.retain(|_, full| *full > now.0);
    if full_at.len() >= BUCKETS
        && let Some(fullest) = full_at.iter().min_by_key(|(_, full)| **full).map(|(who, _)| who.clone())
    {
        full_at.remove(&fullest);
    }
}

/// Names the network that one party holds: an IPv4 address, or the /64 of an IPv6 one.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { name: "test", burst: 3, every_ms: 1000 };

    fn at(millis: i64) -> Timestamp {
        Timestamp(1_700_000_000_000 + millis)
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let throttle = Throttle::new(RULE);
        let take =
            |millis| throttle.take("a".to_owned(), at(millis)).map_err(|refused| refused.retry_after_ms);
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(1000));
        assert_eq!(take(999), Err(1));
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Err(1000));
        assert_eq!([take(10_000), take(10_000), take(10_000)], [Ok(()); 3]);
        assert_eq!(take(10_000), Err(1000));
    }

    #[test]
    fn buckets_are_apart_and_bounded() {
        let throttle = Throttle::new(RULE);
        for who in 0..BUCKETS * 2 {
            assert_eq!(throttle.take(who.to_string(), at(0)), Ok(()));
        }
        assert_eq!(throttle.full_at.lock().unwrap().len(), BUCKETS);
        assert_eq!(throttle.take("later".to_owned(), at(60_000)), Ok(()));
        assert_eq!(throttle.full_at.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_address_of_an_account_has_no_bucket() {
        let throttles = Throttles::strict();
        let from = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(throttles.login(from, None, at(0)), Ok(()));
        let Throttles(Some(buckets)) = &throttles else { panic!("it is strict") };
        let count = |throttle: &Throttle| throttle.full_at.lock().unwrap().len();
        assert_eq!((count(&buckets.login_address), count(&buckets.login_account)), (1, 0));
    }

    #[test]
    fn an_ipv6_party_is_its_64() {
        let name = |text: &str| network(text.parse().unwrap());
        assert_eq!(name("2001:db8::1"), name("2001:db8::ffff:2"));
        assert_ne!(name("2001:db8::1"), name("2001:db8:0:1::1"));
        assert_eq!(name("::ffff:192.0.2.7"), name("192.0.2.7"));
    }
}
