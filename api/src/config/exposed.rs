//! What is not let out onto an address that others reach: secrets that anybody can guess, limits that are lifted, and
//! what people say, in the clear.

use super::Config;
use super::error::Problems;
use super::files::FilesPlace;
use super::storage::StoragePlace;
use crate::inside::is_public;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;

/// What databases, buckets and guides come with.
const DEFAULTS: &[&str] = &[
    "admin",
    "cassandra",
    "changeme",
    "default",
    "minioadmin",
    "password",
    "redis",
    "rookery",
    "scylla",
    "secret",
];

/// Different bytes that a key of 32 random ones has at least, but for one in 10^17.
const DIFFERENT_BYTES: usize = 16;

/// Notes everything for which `config` must not be served to others.
pub(super) fn check(config: &Config, problems: &mut Problems<'_>) {
    let address = config.server.listen.ip().to_canonical();
    if address.is_loopback() {
        return;
    }
    check_tls(config, address, problems);
    let mut refuse = |key: &str, is_wrong: bool, allowed: &str| {
        if is_wrong {
            problems.value(key, "(set)", allowed);
        }
    };
    refuse(
        "limits.relaxed",
        config.limits.relaxed,
        "off where `server.listen` is an address that others reach: passwords could be guessed without limit",
    );
    let random =
        "a random secret where `server.listen` is an address that others reach: `openssl rand -base64 32`";
    let is = |secret: Option<&SecretString>, weak: fn(&str) -> bool| {
        secret.is_some_and(|secret| weak(secret.expose_secret()))
    };
    refuse("auth.signing_key", is(config.auth.signing_key.as_ref(), has_weak_key), random);
    if let StoragePlace::Cql(cql) = &config.storage.place {
        refuse(
            "storage.cql_password",
            is(cql.login.as_ref().map(|(_, password)| password), is_default),
            random,
        );
    }
    if let FilesPlace::Bucket(bucket) = &config.files.place {
        refuse("files.s3_secret_key", is(Some(&bucket.secret_key), is_default), random);
    }
}

/// Refuses to listen in the clear where the internet may come from, unless somebody in front ends TLS or the operator
/// says so. Without an address of its own it listens on all that the machine has.
fn check_tls(config: &Config, address: IpAddr, problems: &mut Problems<'_>) {
    let server = &config.server;
    let is_reached = address.is_unspecified() || is_public(address);
    if is_reached && server.tls.is_none() && server.trusted_proxies.is_empty() && !server.is_without_tls {
        let allowed = "one of this machine or of a private network, unless `server.tls_certificate` is set, or \
                       `server.trusted_proxies` names the proxy that ends TLS, or `server.without_tls` says that \
                       something else does";
        problems.value("server.listen", server.listen, allowed);
    }
}

fn is_default(secret: &str) -> bool {
    DEFAULTS.iter().any(|default| secret.eq_ignore_ascii_case(default))
}

/// Whether one of the keys, each the first word of a line, was not drawn by chance.
fn has_weak_key(text: &str) -> bool {
    text.lines().filter_map(|line| line.split_whitespace().next()).any(is_weak_key)
}

fn is_weak_key(word: &str) -> bool {
    let lenient = PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if word.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let Ok(bytes) = GeneralPurpose::new(alphabet, lenient).decode(word) else { return false };
    let mut different = bytes.clone();
    different.sort_unstable();
    different.dedup();
    // Typed by somebody, counted up, or the same again and again.
    let is_text = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    let is_counted = bytes.windows(2).all(|two| two[1] == two[0].wrapping_add(1));
    is_text || is_counted || different.len() < DIFFERENT_BYTES
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{env, errors};

    /// In a private network.
    const OUT: (&str, &str) = ("ROOKERY_SERVER__LISTEN", "10.0.0.1:7080");
    const IN: (&str, &str) = ("ROOKERY_SERVER__LISTEN", "127.0.0.1:7080");

    #[test]
    fn what_anybody_can_guess_is_not_served_to_others() {
        for (setting, value) in [
            ("LIMITS__RELAXED", "true"),
            ("AUTH__SIGNING_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ("AUTH__SIGNING_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("AUTH__SIGNING_KEY", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSAhISE="),
        ] {
            let variable = format!("ROOKERY_{setting}");
            let told = errors(&env(&[OUT, (&variable, value)]));
            assert!(told.contains(&setting.to_lowercase().replace("__", ".")), "{setting}={value}: {told:?}");
            assert!(!told.contains(value) || value == "true", "{told}");
            assert_eq!(errors(&env(&[IN, (&variable, value)])), "", "{setting}={value}");
        }
        let drawn = "q3Zp0n8mXl5Wc1Rk9uYtB7vHs2DfGj4EaQxNiOoLdTM=";
        assert_eq!(errors(&env(&[OUT, ("ROOKERY_AUTH__SIGNING_KEY", drawn)])), "");
        assert_eq!(errors(&env(&[OUT])), "");
    }

    #[test]
    fn nobody_is_served_in_the_clear_where_the_internet_comes_from() {
        let listening = |address: &str, settings: &[(&str, &str)]| {
            let listen = ("ROOKERY_SERVER__LISTEN", address);
            errors(&env(&[&[listen], settings].concat()))
        };
        for open in
            ["0.0.0.0:7080", "[::]:7080", "203.0.114.5:7080", "[2a00:1450::1]:443", "[::ffff:8.8.8.8]:80"]
        {
            let told = listening(open, &[]);
            assert!(
                told.contains("server.listen") && told.contains("server.without_tls"),
                "{open}: {told:?}"
            );
            for said in [
                &[("ROOKERY_SERVER__WITHOUT_TLS", "true")][..],
                &[("ROOKERY_SERVER__TRUSTED_PROXIES", "192.0.2.1")],
                &[("ROOKERY_SERVER__TLS_CERTIFICATE", "a.pem"), ("ROOKERY_SERVER__TLS_KEY", "a.key")],
            ] {
                assert_eq!(listening(open, said), "", "{open} {said:?}");
            }
        }
        for own in ["127.0.0.1:0", "[::1]:7080", "10.1.2.3:7080", "192.168.1.2:7080", "[fd00::1]:7080"] {
            assert_eq!(listening(own, &[]), "", "{own}");
        }
    }

    #[test]
    fn nor_are_the_passwords_that_others_come_with() {
        let told = errors(&env(&[
            OUT,
            ("ROOKERY_STORAGE__CQL_NODES", "192.0.2.1:9042"),
            ("ROOKERY_STORAGE__CQL_USER", "cassandra"),
            ("ROOKERY_STORAGE__CQL_PASSWORD", "Cassandra"),
            ("ROOKERY_FILES__S3_BUCKET", "files"),
            ("ROOKERY_FILES__S3_ACCESS_KEY", "minioadmin"),
            ("ROOKERY_FILES__S3_SECRET_KEY", "minioadmin"),
        ]));
        assert!(told.contains("storage.cql_password") && told.contains("files.s3_secret_key"), "{told}");
    }
}
