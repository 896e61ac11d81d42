//! What passes for an access token, and the many things that do not.

use super::*;
use rookery_engine::SeededRandom;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const FAR: Timestamp = Timestamp(1_900_000_000_000);

struct Fixture {
    key: SigningKey,
    tokens: AccessTokens,
    random: SeededRandom,
}

fn fixture() -> Fixture {
    let random = SeededRandom::new(7);
    let key = SigningKey::generate(&random);
    let tokens = AccessTokens::new(&key, Duration::from_secs(600));
    Fixture { key, tokens, random }
}

impl Fixture {
    fn issue(&self) -> (String, Claims) {
        let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        self.tokens.issue(user, session, (NOW, FAR), &self.random)
    }

    /// Signs any header and claims with the right key.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.key.seed()).unwrap();
        let message = format!("{}.{}", encode(header), encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.tokens.key_id})
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.tokens.verify(token, NOW)
    }
}

fn claims() -> Value {
    let seconds = NOW.0 / 1000;
    json!({
        "iss": "rookery", "aud": "rookery", "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
        "iat": seconds, "nbf": seconds, "exp": seconds + 600, "jti": Uuid::from_u128(3),
    })
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn with(mut value: Value, key: &str, replacement: Value) -> Value {
    value[key] = replacement;
    value
}

#[test]
fn a_token_is_good_for_its_time_and_the_leeway() {
    let fixture = fixture();
    let (token, claims) = fixture.issue();
    assert_eq!(claims.expires_at, NOW.plus_millis(600_000));
    let at = |millis: i64| fixture.tokens.verify(&token, NOW.plus_millis(millis));
    assert_eq!(at(0), Ok(claims));
    assert_eq!(at(604_999), Ok(claims));
    assert_eq!(at(605_000), Err(TokenError::Expired));
    assert_eq!(at(-5_000), Ok(claims));
    assert_eq!(at(-6_000), Err(TokenError::Invalid));
}

#[test]
fn a_token_does_not_outlive_its_login() {
    let fixture = fixture();
    let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let ends = NOW.plus_millis(60_000);
    let (_, claims) = fixture.tokens.issue(user, session, (NOW, ends), &fixture.random);
    assert_eq!(claims.expires_at, ends);
}

#[test]
fn the_hand_made_token_of_these_tests_is_good() {
    let fixture = fixture();
    assert!(fixture.verify(&fixture.sign(&fixture.header(), &claims())).is_ok());
}

#[test]
fn another_key_does_not_sign_for_us() {
    let fixture = fixture();
    let other = AccessTokens::new(&SigningKey::generate(&SeededRandom::new(8)), Duration::from_secs(600));
    let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let (token, _) = other.issue(user, session, (NOW, FAR), &fixture.random);
    assert_eq!(fixture.verify(&token), Err(TokenError::Invalid));
    // Even when it claims to be ours.
    let stolen_name = with(json!({"typ": "at+jwt", "alg": "EdDSA"}), "kid", json!(fixture.tokens.key_id));
    let theirs =
        Fixture { key: SigningKey::generate(&SeededRandom::new(8)), tokens: other, random: fixture.random };
    let forged = theirs.sign(&stolen_name, &claims());
    assert_eq!(fixture.tokens.verify(&forged, NOW), Err(TokenError::Invalid));
}

#[test]
fn no_other_algorithm_is_tried() {
    let fixture = fixture();
    let unsigned = |alg: &str| {
        let header = with(fixture.header(), "alg", json!(alg));
        format!("{}.{}.", encode(&header), encode(&claims()))
    };
    assert_eq!(fixture.verify(&unsigned("none")), Err(TokenError::Invalid));
    assert_eq!(fixture.verify(&unsigned("EdDSA")), Err(TokenError::Invalid));
    // The public key as the secret of a MAC: the classic confusion.
    let pair = Ed25519KeyPair::from_seed_unchecked(fixture.key.seed()).unwrap();
    let mac = EncodingKey::from_secret(pair.public_key().as_ref());
    let header = Header {
        typ: Some(TYPE.to_owned()),
        kid: Some(fixture.tokens.key_id.clone()),
        ..Header::new(Algorithm::HS256)
    };
    let confused = jsonwebtoken::encode(&header, &claims(), &mac).unwrap();
    assert_eq!(fixture.verify(&confused), Err(TokenError::Invalid));
}

#[test]
fn every_claim_is_required_and_checked() {
    let fixture = fixture();
    let seconds = NOW.0 / 1000;
    for missing in ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(missing);
        assert_eq!(
            fixture.verify(&fixture.sign(&fixture.header(), &without)),
            Err(TokenError::Invalid),
            "{missing}"
        );
    }
    let wrong = [
        ("iss", json!("somebody")),
        ("iss", json!(["rookery", "somebody"])),
        ("aud", json!("somebody")),
        ("aud", json!(["rookery"])),
        ("sub", json!("alice")),
        ("sid", json!(2)),
        ("exp", json!("never")),
        ("exp", json!(1e300)),
        ("nbf", json!(seconds + 6)),
    ];
    for (claim, value) in wrong {
        let token = fixture.sign(&fixture.header(), &with(claims(), claim, value.clone()));
        assert_eq!(fixture.verify(&token), Err(TokenError::Invalid), "{claim} {value}");
    }
    let expired = fixture.sign(&fixture.header(), &with(claims(), "exp", json!(seconds - 5)));
    assert_eq!(fixture.verify(&expired), Err(TokenError::Expired));
}

#[test]
fn the_header_says_what_and_whose_it_is() {
    let fixture = fixture();
    let wrong = [
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("kid", json!("another")),
        ("kid", Value::Null),
        ("crit", json!(["b64"])),
    ];
    for (field, value) in wrong {
        let token = fixture.sign(&with(fixture.header(), field, value.clone()), &claims());
        assert_eq!(fixture.verify(&token), Err(TokenError::Invalid), "{field} {value}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let fixture = fixture();
    let (token, _) = fixture.issue();
    let padded = format!("{token}{}", "A".repeat(TOKEN_BYTES));
    let mut changed = token.clone().into_bytes();
    let middle = token.find('.').unwrap() + 5;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    for text in ["", ".", "..", "a.b.c", &token[..token.len() - 4], &changed, &padded] {
        assert_eq!(fixture.verify(text), Err(TokenError::Invalid), "{text:.40}");
    }
}
