//! What passes for an access token, and the many things that do not.

use super::*;
use crate::accounts::key::SigningKey;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
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
    let key = SigningKey::generate(&random, Timestamp(0));
    let tokens = tokens(&key);
    Fixture { key, tokens, random }
}

fn tokens(key: &SigningKey) -> AccessTokens {
    AccessTokens::new(&SigningKeys::one(key.clone()), Duration::from_secs(600), NOW)
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
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.key_id()})
    }

    fn key_id(&self) -> String {
        self.tokens.ring().signs(NOW).id.clone()
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
    let key = SigningKey::generate(&SeededRandom::new(8), Timestamp(0));
    let other = tokens(&key);
    let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let (token, _) = other.issue(user, session, (NOW, FAR), &fixture.random);
    assert_eq!(fixture.verify(&token), Err(TokenError::Invalid));
    // Even when it claims to be ours.
    let stolen_name = with(json!({"typ": "at+jwt", "alg": "EdDSA"}), "kid", json!(fixture.key_id()));
    let theirs = Fixture { key, tokens: other, random: SeededRandom::new(9) };
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
    let header =
        Header { typ: Some(TYPE.to_owned()), kid: Some(fixture.key_id()), ..Header::new(Algorithm::HS256) };
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

/// Returns a token of user 1 that is issued at `now`, and the name of the key that signed it.
fn signed(tokens: &AccessTokens, now: Timestamp) -> (String, String) {
    let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
    let (token, _) = tokens.issue(user, session, (now, FAR), &SeededRandom::new(3));
    let by = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    (token, by)
}

/// Names the keys that are published.
fn published(tokens: &AccessTokens, now: Timestamp) -> Vec<String> {
    tokens.key_set(now).keys.into_iter().map(|key| key.kid).collect()
}

#[test]
fn no_token_is_refused_while_keys_change() {
    let at = |minutes: i64| NOW.plus_millis(minutes * 60_000);
    let [a, b, c] = [(1, Timestamp(0)), (2, at(10)), (3, at(20))]
        .map(|(seed, from)| SigningKey::generate(&SeededRandom::new(seed), from));
    let lasts = Duration::from_secs(600);
    let keys = |keys: &[&SigningKey]| {
        let mut all = SigningKeys::one(keys[0].clone());
        keys[1..].iter().for_each(|key| all.add((*key).clone()).unwrap());
        all
    };
    let tokens = AccessTokens::new(&keys(&[&a]), lasts, NOW);
    // Every minute a token is issued, and every token is looked at in each minute of its life.
    let mut alive: Vec<(i64, String)> = Vec::new();
    let mut by = Vec::new();
    for minute in 0..120 {
        match minute {
            5 => assert!(tokens.use_keys(&keys(&[&a, &b]), at(minute))),
            // Too late: the key should have signed for half an hour.
            50 => assert!(tokens.use_keys(&keys(&[&a, &b, &c]), at(minute))),
            51 => assert!(!tokens.use_keys(&keys(&[&a, &b, &c]), at(minute)), "they are the same"),
            _ => {}
        }
        let (token, key) = signed(&tokens, at(minute));
        alive.push((minute, token));
        by.push(key);
        alive.retain(|(issued, _)| minute < issued + 10);
        for (issued, token) in &alive {
            assert!(tokens.verify(token, at(minute)).is_ok(), "issued at {issued}, looked at at {minute}");
        }
    }
    let id = |key: &SigningKey| crate::accounts::ring::key_id_of(key);
    assert_eq!((&by[9], &by[10], &by[49], &by[50]), (&id(&a), &id(&b), &id(&b), &id(&c)));
    // Keys that came with others are kept as if they had signed until then: who knows who heard of it when.
    assert_eq!(published(&tokens, at(50)), [id(&c), id(&a), id(&b)]);
    assert_eq!(published(&tokens, at(110)), [id(&c), id(&a), id(&b)]);
    assert_eq!(published(&tokens, at(111)), [id(&c)]);
}

#[test]
fn a_next_key_is_published_and_verifies_before_it_signs() {
    let [a, b] = [(1, Timestamp(0)), (2, NOW.plus_millis(60_000))]
        .map(|(seed, from)| SigningKey::generate(&SeededRandom::new(seed), from));
    let mut keys = SigningKeys::one(a);
    keys.add(b.clone()).unwrap();
    let here = AccessTokens::new(&keys, Duration::from_secs(600), NOW);
    assert_eq!(published(&here, NOW).len(), 2);
    // A node whose clock is ahead signs with it already.
    let ahead = tokens(&b);
    assert!(here.verify(&signed(&ahead, NOW).0, NOW).is_ok());
}

#[test]
fn a_key_that_is_taken_away_verifies_nothing() {
    let fixture = fixture();
    let (token, _) = fixture.issue();
    let other = SigningKey::generate(&SeededRandom::new(8), Timestamp(0));
    fixture.tokens.use_keys(&SigningKeys::one(other), NOW);
    assert_eq!(fixture.verify(&token), Err(TokenError::Invalid));
    assert_eq!(published(&fixture.tokens, NOW).len(), 1);
}

#[test]
fn a_key_in_the_header_is_not_used() {
    let fixture = fixture();
    let foreign = SigningKey::generate(&SeededRandom::new(8), Timestamp(0));
    let theirs = Fixture { tokens: tokens(&foreign), key: foreign, random: SeededRandom::new(9) };
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": theirs.tokens.key_set(NOW).keys[0].x});
    for (field, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/chain.pem")),
    ] {
        for header in [fixture.header(), theirs.header()] {
            let token = theirs.sign(&with(header, field, value.clone()), &claims());
            assert_eq!(fixture.verify(&token), Err(TokenError::Invalid), "{field}");
        }
    }
}
