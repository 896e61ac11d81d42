//! How often an address or an account may try, on all nodes together.

use super::secret;
use metrics::Counter;
use rookery_engine::bus::Bus;
use rookery_engine::metrics::By;
use rookery_engine::{ClusterThrottle, Rule, Throttled};
use rookery_protocol::{Timestamp, UserId};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

/// Registrations from one address: 10 at once, then 10 an hour.
const REGISTER_ADDRESS: Rule = Rule { name: "register-address", burst: 10, every_ms: 360_000 };

/// Registrations of one e-mail address: 3 at once, then 3 an hour, since each will send a mail.
const REGISTER_ACCOUNT: Rule = Rule { name: "register-account", burst: 3, every_ms: 1_200_000 };

/// Logins from one address: 20 at once, then 10 a minute, for offices behind one address.
const LOGIN_ADDRESS: Rule = Rule { name: "login-address", burst: 20, every_ms: 6_000 };

/// Logins to one account: 10 at once, then 2 a minute, so that guessing gets 3000 tries a day from
/// everywhere together.
const LOGIN_ACCOUNT: Rule = Rule { name: "login-account", burst: 10, every_ms: 30_000 };

/// Mails that anybody may ask for, by address: 10 at once, then 10 an hour.
const MAIL_ADDRESS: Rule = Rule { name: "mail-address", burst: 10, every_ms: 360_000 };

/// Mails to one e-mail address that anybody may ask for: 3 at once, then 3 an hour.
const MAIL_ACCOUNT: Rule = Rule { name: "mail-account", burst: 3, every_ms: 1_200_000 };

/// Codes from mails brought from one address, each of which may cost a hash: as logins.
const PROOF_ADDRESS: Rule = Rule { name: "proof-address", burst: 20, every_ms: 6_000 };
/// Codes of a second factor of one account: 5 at once, then one every two minutes, so that whoever knows the
/// password has one chance in 400 a day: three codes of a million are good at a time.
const FACTOR_ACCOUNT: Rule = Rule { name: "factor-account", burst: 5, every_ms: 120_000 };

/// The rules of the account operations.
#[derive(Debug)]
pub(super) struct Throttles(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    register_address: ClusterThrottle,
    register_account: ClusterThrottle,
    login_address: ClusterThrottle,
    login_account: ClusterThrottle,
    mail_address: ClusterThrottle,
    mail_account: ClusterThrottle,
    proof_address: ClusterThrottle,
    factor_account: ClusterThrottle,
}

impl Throttles {
    /// Returns throttles that count over the nodes of `bus`.
    pub(super) fn strict(bus: &Arc<dyn Bus>, limits: &By<Counter>) -> Self {
        let of = |rule| ClusterThrottle::new(rule, Arc::clone(bus)).counted_by(limits);
        Self(Some(Buckets {
            register_address: of(REGISTER_ADDRESS),
            register_account: of(REGISTER_ACCOUNT),
            login_address: of(LOGIN_ADDRESS),
            login_account: of(LOGIN_ACCOUNT),
            mail_address: of(MAIL_ADDRESS),
            mail_account: of(MAIL_ACCOUNT),
            proof_address: of(PROOF_ADDRESS),
            factor_account: of(FACTOR_ACCOUNT),
        }))
    }

    /// Returns throttles that let everything pass.
    pub(super) const fn relaxed() -> Self {
        Self(None)
    }

    pub(super) async fn register(&self, from: IpAddr, email: &str, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.register_address.take(&network(from), now).await?;
        buckets.register_account.take(&account(email), now).await
    }

    pub(super) async fn mail(&self, from: IpAddr, email: &str, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.mail_address.take(&network(from), now).await?;
        buckets.mail_account.take(&account(email), now).await
    }

    pub(super) async fn proof(&self, from: IpAddr, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.proof_address.take(&network(from), now).await
    }

    /// `email` is an address as an account has it; what cannot be one is kept by nobody, since it
    /// may be as long as a request.
    pub(super) async fn login(
        &self,
        from: IpAddr,
        email: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.login_address.take(&network(from), now).await?;
        match email {
            Some(email) => buckets.login_account.take(&account(email), now).await,
            None => Ok(()),
        }
    }

    pub(super) async fn factor(&self, user: UserId, now: Timestamp) -> Result<(), Throttled> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        buckets.factor_account.take(&user.to_string(), now).await
    }
}

/// Names an account without saying its e-mail address, since the name leaves this process.
fn account(email: &str) -> String {
    secret::hash(email).iter().take(16).fold(String::new(), |mut name, byte| {
        write!(name, "{byte:02x}").expect("a string takes every write");
        name
    })
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
    use rookery_engine::Metrics;

    fn at(millis: i64) -> Timestamp {
        Timestamp(1_700_000_000_000 + millis)
    }

    #[tokio::test]
    async fn what_is_no_address_of_an_account_has_no_bucket() {
        let throttles = Throttles::strict(&super::super::tests::alone(), &Metrics::none().commands.limits);
        let from = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(throttles.login(from, None, at(0)).await, Ok(()));
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
