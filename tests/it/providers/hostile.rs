//! A provider of identities that does as it is told: tells the truth, or lies in one respect.

use super::Back;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// As what providers know the server.
pub(super) const CLIENT: &str = "rookery-at-test";

/// What providers know it by.
pub(super) const SECRET: &str = "a secret of the client's";

/// In what respect an answer to a code is untrue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    Nonce,
    NoNonce,
    Issuer,
    Audience,
    MoreAudiences,
    Expired,
    NoSubject,
    LongSubject,
    Unsigned,
    SharedSecret,
    OtherKey,
    KeyInHeader,
    AccessTokenHash,
    NoIdToken,
    NoJson,
    Redirect,
    Endless,
    HangUp,
}

impl Lie {
    pub(super) const ALL: &[Self] = &[
        Self::Nonce,
        Self::NoNonce,
        Self::Issuer,
        Self::Audience,
        Self::MoreAudiences,
        Self::Expired,
        Self::NoSubject,
        Self::LongSubject,
        Self::Unsigned,
        Self::SharedSecret,
        Self::OtherKey,
        Self::KeyInHeader,
        Self::AccessTokenHash,
        Self::NoIdToken,
        Self::NoJson,
        Self::Redirect,
        Self::Endless,
        Self::HangUp,
    ];

    /// Returns whether there is no answer that could be believed or not.
    pub(super) fn is_silence(self) -> bool {
        matches!(self, Self::Endless | Self::HangUp)
    }
}

/// A login that waits for its code.
struct Login {
    subject: String,
    nonce: String,
    challenge: String,
    redirect: String,
    lie: Option<Lie>,
}

struct State {
    issuer: String,
    key: Ed25519KeyPair,
    key_id: u32,
    now: i64,
    address: Option<String>,
    logins: HashMap<String, Login>,
    codes: u32,
    redeemed: usize,
    is_away: bool,
}

/// The provider.
pub(super) struct Hostile {
    pub(super) issuer: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Hostile {
    #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            issuer: issuer.clone(),
            key: Ed25519KeyPair::generate().unwrap(),
            key_id: 1,
            now: 0,
            address: None,
            logins: HashMap::new(),
            codes: 0,
            redeemed: 0,
            is_away: false,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One after the other: nobody keeps a connection.
                serve(stream, &shared).await;
            }
        });
        Self { issuer, state, serving }
    }

    pub(super) fn set_time(&self, seconds: i64) {
        self.state.lock().unwrap().now = seconds;
    }

    /// Says of everybody that they have this address, and that it is confirmed.
    pub(super) fn claim_address(&self, address: &str) {
        self.state.lock().unwrap().address = Some(address.to_owned());
    }

    pub(super) fn change_key(&self) {
        let mut state = self.state.lock().unwrap();
        state.key = Ed25519KeyPair::generate().unwrap();
        state.key_id += 1;
    }

    pub(super) fn go_away(&self) {
        self.state.lock().unwrap().is_away = true;
    }

    /// Returns how many codes were redeemed.
    pub(super) fn redeemed(&self) -> usize {
        self.state.lock().unwrap().redeemed
    }

    /// Somebody proves there to be `subject`.
    pub(super) fn authorize(&self, url: &str, subject: &str) -> Back {
        self.begin(url, subject, None)
    }

    /// The same, and the answer to the code will lie.
    pub(super) fn lie(&self, url: &str, subject: &str, lie: Lie) -> Back {
        self.begin(url, subject, Some(lie))
    }

    fn begin(&self, url: &str, subject: &str, lie: Option<Lie>) -> Back {
        let (place, query) = url.split_once('?').unwrap();
        assert_eq!(place, format!("{}/authorize", self.issuer));
        let asked = form(query);
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut state = self.state.lock().unwrap();
        state.codes += 1;
        let code = format!("code-{}", state.codes);
        let login = Login {
            subject: subject.to_owned(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            lie,
        };
        state.logins.insert(code.clone(), login);
        Back { code, state: asked["state"].clone(), issuer: Some(self.issuer.clone()) }
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((head, body)) = request(&mut stream).await else { return };
    let (status, answer) = {
        let mut state = state.lock().unwrap();
        if state.is_away {
            return;
        }
        match head.split(' ').nth(1).unwrap_or_default() {
            "/.well-known/openid-configuration" => (200, state.metadata()),
            "/jwks" => (200, state.keys()),
            "/user" => (200, json!({"id": 4711, "login": "alice.there", "name": "Alice There"}).to_string()),
            "/token" => match state.redeem(&head, &body) {
                Some(answer) => answer,
                None => return,
            },
            _ => (404, String::new()),
        }
    };
    let more = if status == 302 { "location: /elsewhere\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await.ok();
    stream.write_all(answer.as_bytes()).await.ok();
}

async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

impl State {
    fn metadata(&self) -> String {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
            "authorization_response_iss_parameter_supported": true,
        })
        .to_string()
    }

    fn keys(&self) -> String {
        json!({"keys": [self.public_key(&self.key)]}).to_string()
    }

    fn public_key(&self, key: &Ed25519KeyPair) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.key_id.to_string(), "x": URL_SAFE_NO_PAD.encode(key.public_key()),
        })
    }

    /// Answers who brings a code, once, and only who began with it (RFC 7636).
    fn redeem(&mut self, head: &str, body: &str) -> Option<(u16, String)> {
        self.redeemed += 1;
        let sent = form(body);
        let refused = (400, json!({"error": "invalid_grant"}).to_string());
        let basic = base64::engine::general_purpose::STANDARD
            .encode(format!("{CLIENT}:{}", SECRET.replace('\'', "%27").replace(' ', "+")));
        let is_known = head.contains(&format!("Basic {basic}"))
            || sent.get("client_secret").is_some_and(|secret| secret == SECRET);
        assert!(is_known, "the client proves who it is: {head}");
        let Some(login) = self.logins.remove(&sent["code"]) else { return Some(refused) };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sent["code_verifier"].as_bytes());
        if URL_SAFE_NO_PAD.encode(digest) != login.challenge || sent["redirect_uri"] != login.redirect {
            return Some(refused);
        }
        match login.lie {
            Some(Lie::NoIdToken) => {
                Some((200, json!({"access_token": "at", "token_type": "Bearer"}).to_string()))
            }
            Some(Lie::NoJson) => Some((200, "<html>".to_owned())),
            Some(Lie::Redirect) => Some((302, String::new())),
            Some(Lie::Endless) => Some((200, " ".repeat(300 << 10))),
            Some(Lie::HangUp) => None,
            _ => {
                let id_token = self.id_token(&login);
                Some((
                    200,
                    json!({"access_token": "at", "token_type": "Bearer", "id_token": id_token}).to_string(),
                ))
            }
        }
    }

    fn id_token(&self, login: &Login) -> String {
        let mut claims = json!({
            "iss": self.issuer, "sub": login.subject, "aud": CLIENT, "nonce": login.nonce,
            "iat": self.now, "exp": self.now + 300,
            "name": "Alice There", "preferred_username": "Alice.There",
        });
        if let Some(address) = &self.address {
            claims["email"] = json!(address);
            claims["email_verified"] = json!(true);
        }
        let mut header = json!({"alg": "EdDSA", "kid": self.key_id.to_string()});
        let other = Ed25519KeyPair::generate().unwrap();
        let mut key = &self.key;
        match login.lie {
            Some(Lie::Nonce) => claims["nonce"] = json!("another"),
            Some(Lie::NoNonce) => drop(claims.as_object_mut().unwrap().remove("nonce")),
            Some(Lie::Issuer) => claims["iss"] = json!("https://elsewhere.example"),
            Some(Lie::Audience) => claims["aud"] = json!("another-client"),
            Some(Lie::MoreAudiences) => claims["aud"] = json!([CLIENT, "another-client"]),
            Some(Lie::Expired) => claims["exp"] = json!(self.now - 1),
            Some(Lie::NoSubject) => claims["sub"] = json!(""),
            Some(Lie::LongSubject) => claims["sub"] = json!("x".repeat(256)),
            Some(Lie::AccessTokenHash) => claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA"),
            Some(Lie::OtherKey) => key = &other,
            Some(Lie::KeyInHeader) => {
                header["jwk"] = self.public_key(&other);
                key = &other;
            }
            Some(Lie::Unsigned) => header = json!({"alg": "none"}),
            Some(Lie::SharedSecret) => header = json!({"alg": "HS256"}),
            _ => {}
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = match login.lie {
            Some(Lie::Unsigned) => Vec::new(),
            Some(Lie::SharedSecret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
            _ => key.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Reads `a=b&c=d`.
pub(super) fn form(text: &str) -> HashMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
