//! Logging in by an identity elsewhere: what a provider says is believed only where everything fits.

mod erased;
mod hostile;
mod letters;
mod proof;
mod real;

use crate::folder::Folder;
use crate::http::{RawAnswer, call};
use hostile::{CLIENT, Hostile, Lie};
use rookery_engine::store::Store;
use rookery_tests::node::{PASSWORD, TestNode, TestNodeOptions};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Where providers send people back to.
const REDIRECT: &str = "https://chat.example/back";

/// A node whose users come from providers of this test.
struct Stage {
    node: TestNode,
    provider: Hostile,
    /// A second one, which is as good as the first.
    other: Hostile,
    /// One that makes no accounts.
    closed: Hostile,
    _folder: Folder,
}

/// One login under way, as its page knows it.
#[derive(Clone)]
struct Page {
    url: String,
    attempt: String,
}

impl Stage {
    async fn new(name: &str) -> Self {
        Self::with(name, Vec::new()).await
    }

    async fn with(name: &str, settings: Vec<(&'static str, &'static str)>) -> Self {
        Self::of(TestNodeOptions { settings, ..TestNodeOptions::default() }, name).await
    }

    async fn over(store: Arc<dyn Store>, name: &str) -> Self {
        Self::of(TestNodeOptions { store, ..TestNodeOptions::default() }, name).await
    }

    async fn of(mut options: TestNodeOptions, name: &str) -> Self {
        let (provider, other) = (Hostile::start().await, Hostile::start().await);
        let folder = Folder::new(name);
        let of = |id: &str, provider: &Hostile, more: &str| {
            format!(
                "[{id}]\nname = \"{id}\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"{}\"\nredirect_uri = \"{REDIRECT}/{id}\"\nscopes = [\"profile\"]\n{more}\n",
                provider.issuer,
                hostile::SECRET,
            )
        };
        let closed = Hostile::start().await;
        let plain = format!(
            "[plain.oauth2]\nauthorize_url = \"{0}/authorize\"\ntoken_url = \"{0}/token\"\nuser_url = \"{0}/user\"\nsubject = \"id\"",
            provider.issuer
        );
        let text = [
            of("one", &provider, ""),
            of("two", &other, "client_auth = \"post\""),
            of("closed", &closed, "registration = false"),
            of("plain", &provider, &plain)
                .replace(&format!("issuer = \"{}\"", provider.issuer), "issuer = \"plain\""),
        ];
        std::fs::write(folder.at("providers.toml"), text.concat()).unwrap();
        let file: &'static str = folder.at("providers.toml").to_str().unwrap().to_owned().leak();
        options.settings.push(("ROOKERY_AUTH__PROVIDERS", file));
        let node = TestNode::with(options).await;
        for provider in [&provider, &other, &closed] {
            provider.set_time(node.now().0 / 1000);
        }
        Self { node, provider, other, closed, _folder: folder }
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> RawAnswer {
        let header = format!("Bearer {token}");
        let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &header)] };
        call(self.node.http(), "POST", path, headers, &body).await
    }

    /// Begins a login, or a link of whom `token` stands for.
    async fn begin(&self, provider: &str, token: &str) -> Page {
        let action = if token.is_empty() { "begin" } else { "link" };
        let proof = if token.is_empty() { Value::Null } else { json!({ "password": PASSWORD }) };
        let answer = self.post(&format!("/v1/auth/providers/{provider}/{action}"), token, proof).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let begun = answer.json();
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        Page { url: text("url"), attempt: text("attempt") }
    }

    /// Ends a login with what came back.
    async fn end(&self, provider: &str, page: &Page, back: &Back) -> RawAnswer {
        self.post(&format!("/v1/auth/providers/{provider}/finish"), "", back.body(page)).await
    }

    /// Logs somebody in at the first provider.
    async fn log_in(&self, subject: &str) -> RawAnswer {
        let page = self.begin("one", "").await;
        let back = self.provider.authorize(&page.url, subject);
        self.end("one", &page, &back).await
    }

    /// Makes an account for somebody of the first provider; returns its token.
    async fn register(&self, subject: &str, handle: &str) -> String {
        let waiting = self.log_in(subject).await;
        assert_eq!(waiting.status, 202, "{}", waiting.text());
        let body = json!({"registration": waiting.json()["registration"], "handle": handle, "name": handle});
        let answer = self.post("/v1/auth/providers/register", "", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Links somebody of the first provider with whom `token` stands for.
    async fn link(&self, subject: &str, token: &str) -> RawAnswer {
        let page = self.begin("one", token).await;
        let back = self.provider.authorize(&page.url, subject);
        self.post("/v1/auth/providers/one/link/finish", token, back.body(&page)).await
    }

    /// Takes an identity off whom `token` stands for.
    async fn unlink(&self, token: &str, id: &Value) -> u16 {
        let header = format!("Bearer {token}");
        let path = format!("/v1/me/identities/{}/unlink", id.as_str().unwrap());
        let proof = json!({ "password": PASSWORD });
        call(self.node.http(), "POST", &path, &[("authorization", &header)], &proof).await.status
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let header = format!("Bearer {token}");
        call(self.node.http(), "GET", path, &[("authorization", &header)], &Value::Null).await.json()
    }
}

/// What somebody on the way makes of it.
type Twist = fn(Back) -> Back;

/// What a provider sends a browser back with.
#[derive(Clone, Debug)]
struct Back {
    code: String,
    state: String,
    issuer: Option<String>,
}

impl Back {
    fn body(&self, page: &Page) -> Value {
        let mut body = json!({"attempt": page.attempt, "state": self.state, "code": self.code});
        if let Some(issuer) = &self.issuer {
            body["iss"] = json!(issuer);
        }
        body
    }
}

#[tokio::test]
async fn who_a_provider_knows_chooses_a_handle_and_comes_back_as_the_same() {
    let stage = Stage::new("providers").await;
    let listed = call(stage.node.http(), "GET", "/v1/auth/providers", &[], &Value::Null).await.json();
    assert_eq!(listed["providers"].as_array().unwrap().len(), 4);
    assert_eq!(listed["providers"][1], json!({"id": "one", "name": "one"}));

    let waiting = stage.log_in("alice-there").await.json();
    assert_eq!(
        (&waiting["handle"], &waiting["name"]),
        (&json!("alice-there".replace('-', ".")), &json!("Alice There"))
    );
    stage.node.user("taken").await;
    let register = async |handle: &str, registration: &Value| {
        let body = json!({"registration": registration, "handle": handle, "name": "Alice"});
        stage.post("/v1/auth/providers/register", "", body).await
    };
    assert_eq!(register("taken", &waiting["registration"]).await.problem().0, 409);
    assert_eq!(register("A!", &waiting["registration"]).await.problem().0, 422);
    // Breaking off there and coming back is no other user.
    let again = stage.log_in("alice-there").await.json();
    let first = register("alice", &again["registration"]).await.json();
    assert_eq!(register("alice2", &again["registration"]).await.problem().0, 404, "it was used");
    let second = stage.log_in("alice-there").await;
    assert_eq!((second.status, &second.json()["user"]), (200, &first["user"]));
    assert_eq!(first["user"]["handle"], "alice");
    // The same name at another provider is somebody else.
    let page = stage.begin("two", "").await;
    let back = stage.other.authorize(&page.url, "alice-there");
    assert_eq!(stage.end("two", &page, &back).await.status, 202);
    // And where no accounts are made, nobody.
    let page = stage.begin("closed", "").await;
    let back = stage.closed.authorize(&page.url, "alice-there");
    assert_eq!(stage.end("closed", &page, &back).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(stage.post("/v1/auth/providers/nobody/begin", "", Value::Null).await.problem().0, 404);
}

#[tokio::test]
async fn what_a_provider_lies_about_is_not_believed() {
    let stage = Stage::new("providers-lies").await;
    stage.register("alice", "alice").await;
    for lie in Lie::ALL {
        let page = stage.begin("one", "").await;
        let back = stage.provider.lie(&page.url, "alice", *lie);
        let answer = stage.end("one", &page, &back).await;
        let wanted =
            if lie.is_silence() { (503, "busy".to_owned()) } else { (401, "unauthenticated".to_owned()) };
        assert_eq!(answer.problem(), wanted, "{lie:?}");
        let again = stage.end("one", &page, &back).await;
        assert_eq!(again.problem().0, 404, "{lie:?}: the attempt is used up");
    }
    assert_eq!(stage.log_in("alice").await.status, 200, "and the truth is");
}

#[tokio::test]
async fn what_comes_back_is_bound_to_who_began() {
    let stage = Stage::new("providers-bound").await;
    stage.register("alice", "alice").await;
    let refused = (401, "unauthenticated".to_owned());
    let issuer = Some(stage.provider.issuer.clone());
    let twists: [(&str, Twist); 4] = [
        ("another state", |back| Back { state: "x".repeat(43), ..back }),
        ("no state", |back| Back { state: String::new(), ..back }),
        ("another issuer", |back| Back { issuer: Some("https://elsewhere.example".to_owned()), ..back }),
        ("no issuer, though it says that it names itself", |back| Back { issuer: None, ..back }),
    ];
    for (what, twist) in twists {
        let page = stage.begin("one", "").await;
        let back = stage.provider.authorize(&page.url, "alice");
        assert_eq!(back.issuer, issuer);
        assert_eq!(stage.end("one", &page, &twist(back)).await.problem(), refused, "{what}");
    }
    // A login that somebody else began: mallory's page gets alice's code, and alice's page has another attempt.
    let (mallory, alice) = (stage.begin("one", "").await, stage.begin("one", "").await);
    let back = stage.provider.authorize(&mallory.url, "alice");
    assert_eq!(stage.end("one", &alice, &back).await.problem(), refused);
    // The code of one login in another one: the provider knows by PKCE, whatever the state says.
    let (first, second) = (stage.begin("one", "").await, stage.begin("one", "").await);
    let stolen = stage.provider.authorize(&first.url, "alice");
    let own = stage.provider.authorize(&second.url, "mallory");
    let mixed = Back { code: stolen.code, ..own };
    assert_eq!(stage.end("one", &second, &mixed).await.problem(), refused);
    // Answers of one provider taken to another.
    let page = stage.begin("one", "").await;
    let back = stage.provider.authorize(&page.url, "alice");
    assert_eq!(stage.end("two", &page, &back).await.problem(), refused);
    // A login is no link, and a link no login.
    let token = stage.node.user("bob").await.token().to_owned();
    let page = stage.begin("one", &token).await;
    let back = stage.provider.authorize(&page.url, "alice");
    assert_eq!(stage.end("one", &page, &back).await.problem(), refused);
    let page = stage.begin("one", "").await;
    let body = stage.provider.authorize(&page.url, "stranger").body(&page);
    assert_eq!(stage.post("/v1/auth/providers/one/link/finish", &token, body).await.problem(), refused);
    // Ten minutes, and it is over.
    let page = stage.begin("one", "").await;
    let back = stage.provider.authorize(&page.url, "alice");
    stage.node.advance(Duration::from_secs(600));
    assert_eq!(stage.end("one", &page, &back).await.problem().0, 404);
}

#[tokio::test]
async fn a_code_that_comes_back_twice_is_good_once() {
    let stage = Stage::new("providers-replay").await;
    stage.register("alice", "alice").await;
    let page = stage.begin("one", "").await;
    let back = stage.provider.authorize(&page.url, "alice");
    let tries = (0..10).map(|_| stage.end("one", &page, &back));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(stage.provider.redeemed(), 2, "the provider was asked for this login once");
    // In a login of its own the provider refuses it.
    let other = stage.begin("one", "").await;
    let replayed = Back { code: back.code, ..stage.provider.authorize(&other.url, "alice") };
    assert_eq!(stage.end("one", &other, &replayed).await.problem().0, 401);
}

#[tokio::test]
async fn an_identity_is_linked_by_issuer_and_subject_and_never_by_address() {
    let stage = Stage::new("providers-link").await;
    let alice = stage.node.user("alice").await.token().to_owned();
    // The provider says that this is alice's address, and that it has confirmed it.
    stage.provider.claim_address("alice@example.org");
    assert_eq!(stage.log_in("mallory").await.status, 202, "a stranger all the same");

    let linked = stage.link("alice-there", &alice).await;
    assert_eq!(linked.status, 200, "{}", linked.text());
    let identity = &linked.json()["identities"][0];
    assert_eq!((&identity["provider"], &identity["subject"]), (&json!("one"), &json!("alice-there")));
    assert_eq!(stage.link("alice-there", &alice).await.json()["identities"].as_array().unwrap().len(), 1);
    let signed_in = stage.log_in("alice-there").await;
    assert_eq!((signed_in.status, &signed_in.json()["user"]["handle"]), (200, &json!("alice")));
    // It is alice's, and nobody else's.
    let bob = stage.node.user("bob").await.token().to_owned();
    assert_eq!(stage.link("alice-there", &bob).await.problem(), (409, "conflict".to_owned()));
    assert_eq!(stage.get("/v1/me/identities", &bob).await, json!({"identities": []}));

    let unlink = async |token: &str, id: &Value| stage.unlink(token, id).await;
    assert_eq!(unlink(&bob, &identity["id"]).await, 404);
    assert_eq!(unlink(&alice, &identity["id"]).await, 204);
    assert_eq!(unlink(&alice, &identity["id"]).await, 404);
    assert_eq!(stage.log_in("alice-there").await.status, 202, "it leads nowhere any more");
    assert_eq!(stage.link("alice-there", &bob).await.status, 200, "and may be another's");
    // Somebody with no other way in keeps the last one.
    let carol = stage.register("carol", "carol").await;
    let identities = stage.get("/v1/me/identities", &carol).await;
    assert_eq!(unlink(&carol, &identities["identities"][0]["id"]).await, 409);
}

#[tokio::test]
async fn an_identity_does_not_lead_past_the_second_factor() {
    let stage = Stage::new("providers-factor").await;
    let token = stage.register("alice", "alice").await;
    let begun = stage.post("/v1/me/factor", &token, json!({"password": ""})).await.json();
    let secret = totp_rs::Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let code = || app.generate(u64::try_from(stage.node.now().0 / 1000).unwrap()).to_string();
    assert_eq!(stage.post("/v1/me/factor/confirm", &token, json!({"code": code()})).await.status, 200);
    let waiting = stage.log_in("alice").await;
    assert_eq!(waiting.status, 202);
    stage.node.advance(Duration::from_secs(30));
    let body = json!({"challenge": waiting.json()["challenge"], "code": code()});
    assert_eq!(stage.post("/v1/auth/login/factor", "", body).await.status, 200);
    // Nor does any password lead into an account that has none.
    let id = stage.get("/v1/me", &token).await["id"].as_str().unwrap().to_owned();
    for password in ["", PASSWORD] {
        let body = json!({"email": format!("{id}@identity.invalid"), "password": password});
        assert_eq!(stage.post("/v1/auth/login", "", body).await.problem().0, 401);
    }
}

#[tokio::test]
async fn a_provider_without_openid_connect_is_asked_whose_a_token_is() {
    let stage = Stage::new("providers-plain").await;
    let page = stage.begin("plain", "").await;
    assert!(!page.url.contains("openid") && page.url.contains("code_challenge_method=S256"), "{}", page.url);
    let back = Back { issuer: None, ..stage.provider.authorize(&page.url, "4711") };
    let waiting = stage.end("plain", &page, &back).await;
    assert_eq!(waiting.status, 202, "{}", waiting.text());
    let body = json!({"registration": waiting.json()["registration"], "handle": "alice", "name": "Alice"});
    let token = stage.post("/v1/auth/providers/register", "", body).await.json()["access_token"].clone();
    let identities = stage.get("/v1/me/identities", token.as_str().unwrap()).await;
    let identity = &identities["identities"][0];
    assert_eq!((&identity["issuer"], &identity["subject"]), (&json!("plain"), &json!("4711")));
}

#[tokio::test]
async fn new_keys_of_a_provider_are_found_and_one_that_is_away_is_said_to_be() {
    let stage = Stage::new("providers-away").await;
    stage.register("alice", "alice").await;
    stage.provider.change_key();
    stage.node.advance(Duration::from_secs(11));
    stage.provider.set_time(stage.node.now().0 / 1000);
    assert_eq!(stage.log_in("alice").await.status, 200);
    stage.provider.go_away();
    stage.node.advance(Duration::from_secs(601));
    let answer = stage.post("/v1/auth/providers/one/begin", "", Value::Null).await;
    assert_eq!(answer.problem(), (503, "busy".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("2"));
    // The others go on.
    stage.begin("two", "").await;
}
