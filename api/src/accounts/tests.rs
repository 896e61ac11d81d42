//! Accounts over the memory store: the whole life of a login.

use super::*;
use crate::config::Sources;
use rookery_actors::Authenticator;
use rookery_engine::Metrics;
use rookery_engine::bus::{Alone, NodeId, Peer};
use rookery_engine::{FaultStore, Faults, ManualClock, MemoryStore, SeededRandom};
use rookery_protocol::{ErrorCode, Timestamp, User};
use secrecy::{ExposeSecret, SecretString};
use std::net::{IpAddr, Ipv4Addr};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Fixture {
    accounts: Accounts,
    clock: Arc<ManualClock>,
}

/// Returns the bus of a node without others.
pub(super) fn alone() -> Arc<dyn Bus> {
    let (id, text) = (NodeId(uuid::Uuid::nil()), String::new);
    let me = Peer { id, name: text(), url: text(), connections: 0, capacity: 0, is_draining: false };
    Arc::new(Alone::new(me))
}

fn nowhere(config: &Config) -> Arc<Mailer> {
    Arc::new(Mailer::open(&config.mail).unwrap())
}

fn fixture(settings: &[(&str, &str)]) -> Fixture {
    fixture_over(Arc::new(MemoryStore::new()), settings)
}

fn fixture_over(store: Arc<dyn Store>, settings: &[(&str, &str)]) -> Fixture {
    let cheap = [("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "8"), ("ROOKERY_AUTH__ARGON2_PASSES", "1")];
    let env = [("ROOKERY_LIMITS__RELAXED", "true"), ("ROOKERY_MAIL__TRANSPORT", "none")]
        .iter()
        .chain(&cheap)
        .chain(settings);
    let env = env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config::load(&Sources { env, ..Sources::default() }).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_800_000_000_000)));
    let random = Arc::new(SeededRandom::new(1));
    let keys = SigningKeys::one(SigningKey::generate(random.as_ref(), Timestamp(0)));
    let parts = AccountsParts {
        store,
        clock: clock.clone(),
        random,
        keys,
        bus: alone(),
        metrics: Metrics::none(),
        mailer: nowhere(&config),
    };
    Fixture { accounts: Accounts::new(parts, &config), clock }
}

impl Fixture {
    async fn register(&self, email: &str, handle: &str) -> Result<User, RegisterError> {
        let request = Register {
            email: email.to_owned(),
            password: SecretString::from("correct horse"),
            handle: handle.to_owned(),
            name: handle.to_owned(),
        };
        self.accounts.register(request, HERE).await
    }

    async fn login(&self, email: &str, password: &str) -> Result<Tokens, LoginError> {
        let request = Login { email: email.to_owned(), password: SecretString::from(password), device: None };
        match self.accounts.login(request, HERE).await? {
            LoggedIn::Tokens(tokens) => Ok(*tokens),
            LoggedIn::Challenged(_) => panic!("there is no second factor"),
        }
    }

    async fn alice(&self) -> Tokens {
        self.register("alice@example.org", "alice").await.unwrap();
        self.login("alice@EXAMPLE.org", "correct horse").await.unwrap()
    }

    async fn code(&self, token: &str) -> Option<ErrorCode> {
        self.accounts.authenticate(token).await.err().map(|error| error.code)
    }
}

#[tokio::test]
async fn who_registered_logs_in_and_is_known() {
    let fixture = fixture(&[]);
    let tokens = fixture.alice().await;
    let identity = fixture.accounts.authenticate(&tokens.access_token).await.unwrap();
    assert_eq!((identity.user, identity.session), (tokens.user.clone(), tokens.session));
    assert_eq!(tokens.user.handle, "alice");
    assert_eq!(tokens.expires_in, Duration::from_secs(600));
}

#[tokio::test]
async fn an_address_that_is_taken_looks_like_a_free_one() {
    let fixture = fixture(&[]);
    let tokens = fixture.alice().await;
    let again = fixture.register("alice@example.org", "mallory").await.unwrap();
    assert_eq!((again.handle.as_str(), again.name.as_str()), ("mallory", "mallory"));
    assert_ne!(again.id, tokens.user.id);
    // Nothing was created, and the handle is still free.
    assert!(fixture.register("mallory@example.org", "mallory").await.is_ok());
}

#[tokio::test]
async fn a_taken_handle_is_told_whether_or_not_the_address_is_taken() {
    let fixture = fixture(&[]);
    fixture.alice().await;
    assert_eq!(fixture.register("new@example.org", "alice").await, Err(RegisterError::HandleTaken));
    assert_eq!(fixture.register("alice@example.org", "alice").await, Err(RegisterError::HandleTaken));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_refused_alike() {
    let fixture = fixture(&[]);
    fixture.alice().await;
    for (email, password) in [
        ("alice@example.org", "wrong horse"),
        ("alice@example.org", ""),
        ("nobody@example.org", "correct horse"),
        ("no address", "correct horse"),
    ] {
        assert_eq!(
            fixture.login(email, password).await.err(),
            Some(LoginError::Refused),
            "{email} {password}"
        );
    }
    let long = "x".repeat(1025);
    assert_eq!(fixture.login("alice@example.org", &long).await.err(), Some(LoginError::Refused));
}

#[tokio::test]
async fn an_access_token_ends_with_its_time_and_with_its_login() {
    let fixture = fixture(&[]);
    let tokens = fixture.alice().await;
    fixture.clock.advance(Duration::from_secs(605));
    assert_eq!(fixture.code(&tokens.access_token).await, Some(ErrorCode::TokenExpired));

    let tokens = fixture.login("alice@example.org", "correct horse").await.unwrap();
    assert_eq!(fixture.code(&tokens.access_token).await, None);
    let ended = fixture.accounts.logout(Credential::Session(tokens.session)).await.unwrap();
    assert_eq!(ended, Some(tokens.session));
    assert_eq!(fixture.code(&tokens.access_token).await, Some(ErrorCode::Unauthenticated));
    let refreshed = fixture.accounts.refresh(tokens.refresh_token.expose_secret(), HERE).await;
    assert_eq!(refreshed.err(), Some(RefreshError::Refused));
}

#[tokio::test]
async fn a_refresh_token_is_spent_once_and_its_reuse_ends_the_login() {
    let fixture = fixture(&[]);
    let first = fixture.alice().await;
    let second = fixture.accounts.refresh(first.refresh_token.expose_secret(), HERE).await.unwrap();
    assert_eq!((second.session, &second.user), (first.session, &first.user));
    assert_eq!(fixture.code(&second.access_token).await, None);

    let again = fixture.accounts.refresh(first.refresh_token.expose_secret(), HERE).await.unwrap();
    let text = |tokens: &Tokens| tokens.refresh_token.expose_secret().to_owned();
    assert_eq!(text(&again), text(&second), "its answer may have been lost");
    fixture.clock.advance(Duration::from_secs(10));
    let reused = fixture.accounts.refresh(first.refresh_token.expose_secret(), HERE).await;
    assert_eq!(reused.err(), Some(RefreshError::Reused(first.session)));
    assert_eq!(fixture.code(&second.access_token).await, Some(ErrorCode::Unauthenticated));
    let after = fixture.accounts.refresh(second.refresh_token.expose_secret(), HERE).await;
    assert!(after.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_met_a_store_error_does_not_end_the_login_when_it_is_sent_again() {
    let faults = Faults { refused: 0.2, ..Faults::default() };
    let fixture = fixture_over(Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, faults)), &[]);
    while fixture.register("alice@example.org", "alice").await.is_err() {}
    let mut tokens = loop {
        if let Ok(tokens) = fixture.login("alice@example.org", "correct horse").await {
            break tokens;
        }
    };
    let mut refused = 0;
    for refresh in 0..100 {
        tokens = loop {
            match fixture.accounts.refresh(tokens.refresh_token.expose_secret(), HERE).await {
                Ok(next) => break next,
                Err(RefreshError::Store(_)) => refused += 1,
                Err(error) => panic!("refresh {refresh}: {error}"),
            }
        };
    }
    assert!(refused > 0, "the store has failed now and then");
}

#[tokio::test]
async fn a_login_ends_however_often_it_is_refreshed() {
    let fixture = fixture(&[("ROOKERY_AUTH__REFRESH_TOKEN_DAYS", "2")]);
    let first = fixture.alice().await;
    fixture.clock.advance(Duration::from_secs(40 * 3600));
    let second = fixture.accounts.refresh(first.refresh_token.expose_secret(), HERE).await.unwrap();
    assert_eq!(second.refresh_expires_in, Duration::from_secs(8 * 3600));
    fixture.clock.advance(Duration::from_secs(8 * 3600 - 60));
    let third = fixture.accounts.refresh(second.refresh_token.expose_secret(), HERE).await.unwrap();
    assert_eq!(third.expires_in, Duration::from_secs(60));
    fixture.clock.advance(Duration::from_secs(61));
    let late = fixture.accounts.refresh(third.refresh_token.expose_secret(), HERE).await;
    assert_eq!(late.err(), Some(RefreshError::Refused));
}

#[tokio::test]
async fn logging_out_by_refresh_token_ends_that_login_only() {
    let fixture = fixture(&[]);
    let phone = fixture.alice().await;
    let laptop = fixture.login("alice@example.org", "correct horse").await.unwrap();
    let ended =
        fixture.accounts.logout(Credential::Refresh(phone.refresh_token.expose_secret())).await.unwrap();
    assert_eq!(ended, Some(phone.session));
    assert_eq!(fixture.code(&phone.access_token).await, Some(ErrorCode::Unauthenticated));
    assert_eq!(fixture.code(&laptop.access_token).await, None);
    let unknown = fixture.accounts.logout(Credential::Refresh("unknown")).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_for_half_a_minute() {
    let fixture = fixture(&[]);
    let tokens = fixture.alice().await;
    let identity = fixture.accounts.authenticate(&tokens.access_token).await.unwrap();
    let ticket = fixture.accounts.ticket(&identity).await.unwrap().ticket;
    let taken = fixture.accounts.take_ticket(ticket.expose_secret()).await.unwrap();
    assert_eq!((taken.user.id, taken.session), (identity.user.id, identity.session));
    let again = fixture.accounts.take_ticket(ticket.expose_secret()).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::Unauthenticated);

    let late = fixture.accounts.ticket(&identity).await.unwrap().ticket;
    fixture.clock.advance(Duration::from_secs(30));
    assert!(fixture.accounts.take_ticket(late.expose_secret()).await.is_err());

    let end = identity.expires_at.plus_millis(-600_000).plus_millis(30 * 24 * 3_600_000);
    fixture.clock.advance(Duration::from_secs(30 * 24 * 3600 - 31 - 60));
    let last = fixture.accounts.ticket(&identity).await.unwrap().ticket;
    let taken = fixture.accounts.take_ticket(last.expose_secret()).await.unwrap();
    assert_eq!(taken.expires_at, end, "a socket does not outlive its login");

    let revoked = fixture.accounts.ticket(&identity).await.unwrap().ticket;
    fixture.accounts.logout(Credential::Session(identity.session)).await.unwrap();
    assert!(fixture.accounts.take_ticket(revoked.expose_secret()).await.is_err());
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account_and_by_address() {
    let strict = [
        ("ROOKERY_LIMITS__RELAXED", "false"),
        ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "19456"),
        ("ROOKERY_AUTH__ARGON2_PASSES", "2"),
    ];
    let fixture = fixture(&strict);
    let there = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let guess = |from: IpAddr| {
        let request =
            Login { email: "a@example.org".to_owned(), password: SecretString::from("guess"), device: None };
        fixture.accounts.login(request, from)
    };
    for _ in 0..10 {
        assert_eq!(guess(HERE).await.err(), Some(LoginError::Refused));
    }
    let Err(LoginError::Throttled(refused)) = guess(HERE).await else { panic!("not throttled") };
    assert_eq!((refused.rule.name, refused.retry_after_ms), ("login-account", 30_000));
    // Who comes from elsewhere is not kept out by it.
    assert_eq!(guess(there).await.err(), Some(LoginError::Refused));
    fixture.clock.advance(Duration::from_secs(30));
    assert_eq!(guess(HERE).await.err(), Some(LoginError::Refused));
}

#[tokio::test]
async fn a_hash_made_with_other_parameters_is_renewed_at_login() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::at(Timestamp(1_800_000_000_000)));
    let random = Arc::new(SeededRandom::new(1));
    let keys = SigningKeys::one(SigningKey::generate(random.as_ref(), Timestamp(0)));
    let accounts = |memory: &str| {
        let env = [
            ("ROOKERY_LIMITS__RELAXED", "true"),
            ("ROOKERY_MAIL__TRANSPORT", "none"),
            ("ROOKERY_AUTH__ARGON2_PASSES", "1"),
            ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", memory),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = Config::load(&Sources { env, ..Sources::default() }).unwrap();
        let (store, clock, random, keys) = (store.clone(), clock.clone(), random.clone(), keys.clone());
        Fixture {
            accounts: Accounts::new(
                AccountsParts {
                    store,
                    clock: clock.clone(),
                    random,
                    keys,
                    bus: alone(),
                    metrics: Metrics::none(),
                    mailer: nowhere(&config),
                },
                &config,
            ),
            clock,
        }
    };
    let hash = async || store.account_by_email("alice@example.org").await.unwrap().unwrap().password;
    accounts("8").alice().await;
    assert!(hash().await.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    let stronger = accounts("64");
    stronger.login("alice@example.org", "correct horse").await.unwrap();
    assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
    stronger.login("alice@example.org", "correct horse").await.unwrap();
}
