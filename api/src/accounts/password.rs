//! Passwords: hashed with argon2id on a few threads that do nothing else.
//!
//! One hash takes 19 MiB and about 50 ms of a core, so an unbounded number of them would be the
//! cheapest way to stop the server. What does not fit the queue is refused.

use crate::config::AuthConfig;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use metrics::Counter;
use rookery_engine::metrics::AccountMetrics;
use rookery_engine::{Metrics, Random};
use secrecy::{ExposeSecret, SecretString};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Passwords that wait for a thread.
///
/// At about 18 hashes a second on two cores the last of 64 waits 3.5 s, about as long as a person
/// at a login form does.
const QUEUE: usize = 64;

/// Bytes of salt (RFC 9106, section 3.1).
const SALT_BYTES: usize = 16;

/// As many passwords wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue the password: too many logins at once")]
pub struct PoolFull;

impl PoolFull {
    /// How long a refused client is asked to wait, in milliseconds: half of a full queue's time.
    pub const RETRY_AFTER_MS: u32 = 2000;
}

/// What a password proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the one, and its hash is as strong as new ones.
    Matches,
    /// It is the one, but its hash was made with other parameters than new ones.
    MatchesOutdated,
    /// It is another one.
    Differs,
}

/// The threads, and the way to them.
#[derive(Debug)]
pub(super) struct PasswordPool {
    jobs: SyncSender<Job>,
    /// The hash of nobody's password, so that an unknown address costs the time of a known one.
    nobody: String,
    metrics: AccountMetrics,
    /// Counts passwords that found no place.
    refused: Counter,
}

enum Job {
    Hash { password: SecretString, salt: [u8; SALT_BYTES], answer: oneshot::Sender<String> },
    Verify { password: SecretString, hash: String, answer: oneshot::Sender<Verdict> },
}

impl PasswordPool {
    /// Starts the threads; they end when the pool is dropped.
    pub(super) fn start(config: &AuthConfig, random: &dyn Random, metrics: &Metrics) -> Self {
        let params = Params::new(config.argon2_memory_kib, config.argon2_passes, 1, None)
            .expect("the configuration keeps within argon2's bounds");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let (jobs, queue) = sync_channel(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for index in 0..config.argon2_threads {
            let (queue, argon2) = (Arc::clone(&queue), argon2.clone());
            std::thread::Builder::new()
                .name(format!("argon2-{index}"))
                .spawn(move || work(&queue, &argon2))
                .expect("the system starts a thread");
        }
        let mut unknown = [0; 32];
        random.fill(&mut unknown);
        let nobody = hash(&argon2, &unknown, &salt(random));
        let refused = metrics.commands.limits.of("passwords").clone();
        Self { jobs, nobody, metrics: metrics.accounts.clone(), refused }
    }

    /// Hashes a new password into a PHC string.
    pub(super) async fn hash(&self, password: SecretString, random: &dyn Random) -> Result<String, PoolFull> {
        let (answer, hashed) = oneshot::channel();
        let _waiting = self.queue(Job::Hash { password, salt: salt(random), answer })?;
        hashed.await.map_err(|_| PoolFull)
    }

    /// Compares a password with a hash; `None` costs the same time and never matches.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        hash: Option<&str>,
    ) -> Result<Verdict, PoolFull> {
        let (answer, verdict) = oneshot::channel();
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let _waiting = self.queue(Job::Verify { password, hash, answer })?;
        let verdict = verdict.await.map_err(|_| PoolFull)?;
        Ok(if known { verdict } else { Verdict::Differs })
    }

    fn queue(&self, job: Job) -> Result<Waits<'_>, PoolFull> {
        let waits = Waits::begin(&self.metrics);
        self.jobs.try_send(job).map_err(|_| {
            self.refused.increment(1);
            PoolFull
        })?;
        Ok(waits)
    }
}

/// A password that waits, or is being hashed. Dropped, it does not any more.
struct Waits<'a> {
    metrics: &'a AccountMetrics,
    begun: Instant,
}

impl<'a> Waits<'a> {
    fn begin(metrics: &'a AccountMetrics) -> Self {
        metrics.passwords_waiting.increment(1.0);
        Self { metrics, begun: Instant::now() }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.metrics.passwords_waiting.decrement(1.0);
        self.metrics.password_seconds.record(self.begun.elapsed().as_secs_f64());
    }
}

/// Works off the queue until the pool is gone. A caller that has gone away is not worked for.
fn work(queue: &Mutex<Receiver<Job>>, argon2: &Argon2<'_>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(Job::Hash { answer, .. }) if answer.is_closed() => {}
            Ok(Job::Verify { answer, .. }) if answer.is_closed() => {}
            Ok(Job::Hash { password, salt, answer }) => {
                let _ = answer.send(hash(argon2, password.expose_secret().as_bytes(), &salt));
            }
            Ok(Job::Verify { password, hash, answer }) => {
                let _ = answer.send(verify(argon2, password.expose_secret().as_bytes(), &hash));
            }
            Err(_) => return,
        }
    }
}

fn salt(random: &dyn Random) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt);
    salt
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> String {
    let hash = argon2.hash_password_with_salt(password, salt);
    hash.expect("the password's and the salt's lengths are within argon2's bounds").to_string()
}

/// The parameters are the stored hash's own, so that hashes outlive a change of the configuration.
fn verify(argon2: &Argon2<'_>, password: &[u8], hash: &str) -> Verdict {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return Verdict::Differs;
    };
    if argon2.verify_password(password, &parsed).is_err() {
        return Verdict::Differs;
    }
    let (of_hash, ours) = (Params::try_from(&parsed), argon2.params());
    let same = |theirs: Params| {
        (theirs.m_cost(), theirs.t_cost(), theirs.p_cost()) == (ours.m_cost(), ours.t_cost(), ours.p_cost())
    };
    if of_hash.is_ok_and(same) { Verdict::Matches } else { Verdict::MatchesOutdated }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::config::Sources;
    use futures_util::future::join_all;
    use rookery_engine::SeededRandom;

    fn pool(memory_kib: &str) -> PasswordPool {
        let env = [
            ("ROOKERY_LIMITS__RELAXED", "true"),
            ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", memory_kib),
            ("ROOKERY_AUTH__ARGON2_PASSES", "1"),
            ("ROOKERY_AUTH__ARGON2_THREADS", "1"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = Config::load(&Sources { env, ..Sources::default() }).unwrap();
        PasswordPool::start(&config.auth, &SeededRandom::new(1), &Metrics::none())
    }

    #[tokio::test]
    async fn what_does_not_fit_the_queue_is_refused_and_the_rest_is_served() {
        let pool = pool("4096");
        let tries = (0..1000).map(|_| pool.verify(SecretString::from("guess guess"), None));
        let answers = join_all(tries).await;
        let served = answers.iter().filter(|answer| **answer == Ok(Verdict::Differs)).count();
        let refused = answers.iter().filter(|answer| **answer == Err(PoolFull)).count();
        assert_eq!(served + refused, 1000);
        assert!(served >= QUEUE && refused > 0, "{served} served, {refused} refused");
        assert_eq!(pool.verify(SecretString::from("guess guess"), None).await, Ok(Verdict::Differs));
    }

    #[tokio::test]
    async fn a_hash_is_salted_and_proves_its_password_only() {
        let (pool, random) = (pool("8"), SeededRandom::new(2));
        let hash = async || pool.hash(SecretString::from("correct horse"), &random).await.unwrap();
        let (one, two) = (hash().await, hash().await);
        assert_ne!(one, two);
        let verify = async |password: &str| pool.verify(SecretString::from(password), Some(&one)).await;
        assert_eq!(verify("correct horse").await, Ok(Verdict::Matches));
        assert_eq!(verify("correct horses").await, Ok(Verdict::Differs));
        assert_eq!(pool.verify(SecretString::from("x"), Some("not a hash")).await, Ok(Verdict::Differs));
    }
}
