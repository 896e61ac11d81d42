//! What an e-mail address, a handle, a name and a password may look like.

use rookery_protocol::{UserId, display_name, is_handle};
use secrecy::{ExposeSecret, SecretString};
use std::ops::RangeInclusive;

/// Bytes of an address (RFC 5321, section 4.5.3.1, and its erratum 1690).
const EMAIL_BYTES: usize = 254;

/// Bytes of the part before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES: usize = 64;

/// Bytes of a password.
///
/// 8 is what OWASP and NIST SP 800-63B allow where a second factor may be added, and what people
/// accept; length is the only rule, since rules of composition make passwords worse (NIST SP 800-63B,
/// section 3.1.1.2). 1024 bounds what hashing reads; nothing is ever cut off.
pub(super) const PASSWORD_BYTES: RangeInclusive<usize> = 8..=1024;

/// What domains end with in which nobody has an address (RFC 2606, section 2).
const NOWHERE: &str = ".invalid";

/// A field that is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use {field}: {rule}")]
pub struct BadField {
    /// Which field.
    pub field: &'static str,
    /// What it must be, as a fragment.
    pub rule: &'static str,
}

/// Normalises an address: spaces around it go and the domain becomes lower case. Nothing else is
/// folded, because only the receiving server knows which local parts are the same.
pub(super) fn email(text: &str) -> Result<String, BadField> {
    let bad = BadField { field: "email", rule: "an e-mail address such as name@example.org" };
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@').ok_or(bad)?;
    let fits = text.len() <= EMAIL_BYTES && (1..=LOCAL_BYTES).contains(&local.len());
    let email = format!("{local}@{}", domain.to_ascii_lowercase());
    if fits && is_local(local) && is_domain(domain) && !is_nobodys(&email) {
        return Ok(email);
    }
    Err(bad)
}

/// Returns what an account has in the place of an address where it has none: no mail and no password leads there.
pub(super) fn nobodys(user: UserId) -> String {
    format!("{user}@identity{NOWHERE}")
}

/// Returns whether an account's address is none.
pub(super) fn is_nobodys(email: &str) -> bool {
    email.ends_with(NOWHERE)
}

/// Checks a handle.
pub(super) fn handle(text: &str) -> Result<(), BadField> {
    if is_handle(text) { Ok(()) } else { Err(BadField { field: "handle", rule: "3 to 32 of a-z 0-9 _ ." }) }
}

/// Checks a display name and takes the spaces around it away.
pub(super) fn name(text: &str) -> Result<String, BadField> {
    let bad = BadField { field: "name", rule: "1 to 64 characters" };
    display_name(text).map(str::to_owned).ok_or(bad)
}

/// Checks the length of a password that may be somebody's.
pub(super) fn password(password: &SecretString) -> Result<(), BadField> {
    if PASSWORD_BYTES.contains(&password.expose_secret().len()) {
        return Ok(());
    }
    Err(BadField { field: "password", rule: "8 to 1024 bytes" })
}

/// What people's addresses are made of: no quotes, no comments, no spaces.
fn is_local(text: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !c.is_whitespace() && !"@,;:<>()[]\\\"".contains(c);
    text.chars().all(allowed) && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..")
}

/// Labels of letters, digits and hyphens (RFC 1035, section 2.3.1); other scripts come as `xn--`.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_local_part_and_lowers_its_domain() {
        assert_eq!(email(" Al.Ice+tea@Example.ORG ").unwrap(), "Al.Ice+tea@example.org");
        assert_eq!(email("zoë@example.org").unwrap(), "zoë@example.org");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long_domain = format!("a@{}.org", "b.".repeat(130));
        let bad = ["", "@", "a@", "@b.org", "a@b", "a b@c.org", "a@b@c.org", "a..b@c.org", ".a@b.org"];
        let nobodys = nobodys(UserId(uuid::Uuid::nil())).to_uppercase();
        let worse = [
            "a@-b.org",
            "a@b..org",
            "a@b.org.",
            "\"a\"@b.org",
            "a\n@b.org",
            &long_local,
            &long_domain,
            &nobodys,
        ];
        for text in bad.iter().chain(&worse) {
            assert_eq!(email(text).unwrap_err().field, "email", "{text:?}");
        }
    }

    #[test]
    fn a_password_is_measured_in_bytes_and_nothing_else() {
        let check = |text: &str| password(&SecretString::from(text));
        assert!(check("aaaaaaaa").is_ok() && check(&"x".repeat(1024)).is_ok());
        assert!(check("aaaaaaa").is_err() && check(&"x".repeat(1025)).is_err());
    }
}
