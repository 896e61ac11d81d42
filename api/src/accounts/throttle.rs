//! How often an address or an account may try.

use rookery_engine::{Rule, Throttle, Throttled};
use rookery_protocol::Timestamp;
use std::net::IpAddr;

/// Registrations from one address: 10 at once, then 10 an hour.
const REGISTER_ADDRESS: Rule = Rule { name: "register-address", burst: 10, every_ms: 360_000 };

/// Registrations of one e-mail address: 3 at once, then 3 an hour, since each will send a mail.
const REGISTER_ACCOUNT: Rule = Rule { name: "register-account", burst: 3, every_ms: 1_200_000 };

/// Logins from one address: 20 at once, then 10 a minute, for offices behind one address.
const LOGIN_ADDRESS: Rule = Rule { name: "login-address", burst: 20, every_ms: 6_000 };

/// Logins to one account: 10 at once, then 2 a minute, so that guessing gets 3000 tries a day from
/// everywhere together.
const LOGIN_ACCOUNT: Rule = Rule { name: "login-account", burst: 10, every_ms: 30_000 };

/// The rules of the account operations.
#[derive(Debug)]
pub(super) struct Throttles(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    register_address: Throttle<String>,
    register_account: Throttle<String>,
    login_address: Throttle<String>,
    login_account: Throttle<String>,
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

    fn at(millis: i64) -> Timestamp {
        Timestamp(1_700_000_000_000 + millis)
    }

    #[test]
    fn what_is_no_address_of_an_account_has_no_bucket() {
        let throttles = Throttles::strict();
        let from = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(throttles.login(from, None, at(0)), Ok(()));
        let Throttles(Some(buckets)) = &throttles else { panic!("it is strict") };
        assert_eq!((buckets.login_address.len(), buckets.login_account.len()), (1, 0));
    }

    #[test]
    fn an_ipv6_party_is_its_64() {
        let name = |text: &str| network(text.parse().unwrap());
        assert_eq!(name("2001:db8::1"), name("2001:db8::ffff:2"));
        assert_ne!(name("2001:db8::1"), name("2001:db8:0:1::1"));
        assert_eq!(name("::ffff:192.0.2.7"), name("192.0.2.7"));
    }
}
