//! Codes: six digits that follow from a secret and the time (RFC 6238), and recovery codes.

use crate::accounts::secret;
use rookery_engine::Random;
use rookery_engine::store::TokenHash;
use rookery_protocol::Timestamp;
use secrecy::SecretString;
use totp_rs::{Builder, Secret, Totp};

/// Bytes of a secret: as many as the hash has (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;

/// Steps of 30 seconds that a code may be early or late: one each way (RFC 6238, section 5.2).
const SKEW: u16 = 1;

/// Recovery codes of a factor.
const RECOVERY_CODES: usize = 10;

/// Bytes of a recovery code: 136 bits, so that it cannot be guessed (ASVS 5.0, 11.5.1 asks for 128) and a plain hash
/// is enough at rest (6.5.2 asks for 112). They are 28 characters, four groups of the same length.
const RECOVERY_BYTES: usize = 17;

/// Characters between two hyphens of a recovery code.
const GROUP: usize = 7;

/// Who issues the codes, as the app shows it.
const ISSUER: &str = "Rookery";

/// The codes of one secret.
pub(super) struct Codes(Totp);

impl Codes {
    /// Returns the codes of a secret in base32, or `None` where it is none.
    pub(super) fn of(secret: &str) -> Option<Self> {
        Self::named(secret, "")
    }

    fn named(secret: &str, account: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(secret).ok()?;
        let codes = Builder::new().with_secret(secret).with_skew(SKEW).with_issuer(Some(ISSUER));
        codes.with_account_name(account).build().ok().map(Self)
    }

    /// Returns the step whose code this is, of those that are good at `now`.
    pub(super) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0.check(&digits, u64::try_from(now.0 / 1000).ok()?)
    }
}

/// Makes a secret: base32 as people type it where they cannot show a picture to their app.
pub(super) fn make_secret(random: &dyn Random) -> String {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    Secret::new(Box::new(bytes)).to_base32()
}

/// Returns the address that an app reads from a picture.
pub(super) fn address(secret: &str, account: &str) -> Option<String> {
    // The colon parts issuer and account.
    Codes::named(secret, &account.replace(':', "_"))?.0.to_url().ok()
}

/// Makes recovery codes, and what the store knows them by.
pub(super) fn make_recovery(random: &dyn Random) -> (Vec<SecretString>, Vec<TokenHash>) {
    let make = |_| {
        let mut bytes = [0; RECOVERY_BYTES];
        random.fill(&mut bytes);
        let text = Secret::new(Box::new(bytes)).to_base32().to_ascii_lowercase();
        let groups: Vec<_> = text.as_bytes().chunks(GROUP).map(String::from_utf8_lossy).collect();
        let code = groups.join("-");
        let hash = recovery_hash(&code);
        (SecretString::from(code), hash)
    };
    (0..RECOVERY_CODES).map(make).unzip()
}

/// Returns what the store knows a recovery code by; hyphens, spaces and case do not matter.
pub(super) fn recovery_hash(code: &str) -> TokenHash {
    let plain = |c: &char| c.is_ascii_alphanumeric();
    let code: String = code.chars().filter(plain).map(|c| c.to_ascii_lowercase()).collect();
    secret::hash(&format!("recovery {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_engine::SeededRandom;
    use secrecy::ExposeSecret;
    use totp_rs::Algorithm;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B: eight digits of SHA-1 and this secret, of which an app shows the last six.
        let secret = Secret::new(Box::from(&b"12345678901234567890"[..]));
        let eight = Builder::new().with_secret(secret.clone()).with_digits(8);
        let eight = eight.with_algorithm(Algorithm::SHA1).build().unwrap();
        let codes = Codes::of(&secret.to_base32()).unwrap();
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(eight.generate(seconds).to_string(), code);
            let at = |late: i64| Timestamp((i64::try_from(seconds).unwrap() + late) * 1000);
            let step = Some(seconds / 30);
            assert_eq!(codes.step_of(&code[2..], at(0)), step);
            assert_eq!(codes.step_of(&code[2..], at(30)), step, "one step late");
            assert_eq!(codes.step_of(&code[2..], at(-30)), step, "one step early");
            assert_eq!(codes.step_of(&code[2..], at(60)), None, "two steps late");
            assert_eq!(codes.step_of(&code[2..], at(-60)), None, "two steps early");
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let codes = Codes::of(&make_secret(&SeededRandom::new(1))).unwrap();
        let now = Timestamp(1_800_000_000_000);
        let code = codes.0.generate(1_800_000_000).to_string();
        assert!(codes.step_of(&format!(" {} {} ", &code[..3], &code[3..]), now).is_some());
        for wrong in
            ["", "12345", "1234567", "12345a", "１２３４５６", &format!("{code}0"), &format!("-{code}")]
        {
            assert_eq!(codes.step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let (codes, hashes) = make_recovery(&SeededRandom::new(1));
        assert_eq!((codes.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let code = codes[0].expose_secret();
        assert_eq!((code.len(), code.matches('-').count()), (31, 3));
        for typed in [code.to_owned(), code.to_uppercase(), code.replace('-', " "), code.replace('-', "")] {
            assert_eq!(recovery_hash(&typed), hashes[0]);
        }
        assert_ne!(hashes[0], hashes[1]);
        // Codes had 24 characters once: those that people keep are known by the same hash.
        assert_eq!(
            recovery_hash("abcdef-ghijkl-mnopqr-stuvwx"),
            secret::hash("recovery abcdefghijklmnopqrstuvwx")
        );
    }

    #[test]
    fn the_address_names_server_account_and_secret() {
        let address = address("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "al:ice").unwrap();
        assert_eq!(
            address,
            "otpauth://totp/Rookery:al_ice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Rookery"
        );
    }
}
