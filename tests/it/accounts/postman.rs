//! The postman: letters outlast mail servers that are away and nodes that die, and go encrypted where they must.

use super::people::{Person, post, register};
use crate::folder::Folder;
use crate::http::with;
use crate::servers::Smtp;
use rookery_engine::store::{Mails, Store};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test]
async fn a_letter_that_is_not_taken_is_there_for_the_next_node_and_arrives_once() {
    let (smtp, store) = (Smtp::start(), MemoryStore::new());
    let options = |store: Arc<dyn Store>| TestNodeOptions {
        store,
        settings: smtp.settings(),
        ..TestNodeOptions::default()
    };
    let first = TestNode::with(options(Arc::new(store.again()))).await;
    Person::fresh(&first, "alice").await;
    smtp.answer("status=451&times=1").await;
    post(&first, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    let now = rookery_protocol::Timestamp(i64::MAX / 2);
    until("it was tried", async || smtp.has_answered().await).await;
    let waiting = store.mails_due(now, 9).await.unwrap();
    assert_eq!(waiting.iter().map(|mail| mail.tries).collect::<Vec<_>>(), [1]);
    drop(first);
    assert_eq!(smtp.mails().await.len(), 0);

    // A mail server may also be silent, or a node die over the letter: it is due again a minute later.
    let second = TestNode::with(options(Arc::new(store.again()))).await;
    second.pass(Duration::from_secs(60));
    let mail = smtp.until(1).await.remove(0);
    until("it is forgotten", async || store.mails_due(now, 9).await.unwrap().is_empty()).await;
    let body = json!({ "token": mail.code(), "password": "a better horse" });
    assert_eq!(post(&second, "/v1/auth/password/reset", body).await.status, 204);
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_not_tried_again() {
    let (smtp, store) = (Smtp::start(), MemoryStore::new());
    let options = TestNodeOptions {
        store: Arc::new(store.again()),
        settings: smtp.settings(),
        ..TestNodeOptions::default()
    };
    let node = TestNode::with(options).await;
    register(&node, "alice").await;
    smtp.answer("status=550&times=1").await;
    post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    let now = rookery_protocol::Timestamp(i64::MAX / 2);
    until("it was tried", async || store.mails_due(now, 9).await.unwrap().is_empty()).await;
    assert_eq!(smtp.mails().await.len(), 0);
    post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    smtp.until(1).await;
}

#[tokio::test]
async fn of_two_nodes_one_sends_a_letter_also_while_their_store_fails_now_and_then() {
    let (smtp, store) = (Smtp::start(), MemoryStore::new());
    let faults = rookery_engine::Faults { refused: 0.1, lost: 0.05, ..rookery_engine::Faults::default() };
    let node = async |seed| {
        let store = FaultStore::by_seed(store.again(), seed, faults);
        store.calm();
        let store = Arc::new(store);
        let options = TestNodeOptions {
            store: Arc::clone(&store) as Arc<dyn Store>,
            settings: smtp.settings(),
            seed,
            ..TestNodeOptions::default()
        };
        (TestNode::with(options).await, store)
    };
    let ((here, one), (there, other)) = (node(1).await, node(2).await);
    for number in 0..8 {
        register(&here, &format!("user{number}")).await;
    }
    one.rage();
    other.rage();
    for number in 0..8 {
        let body = json!({ "email": format!("user{number}@example.org") });
        while post(&there, "/v1/auth/password/forgot", body.clone()).await.status != 202 {}
    }
    until("all have come", async || {
        here.pass(Duration::from_secs(1));
        there.pass(Duration::from_secs(1));
        let mails = smtp.mails().await;
        (0..8).all(|number| mails.iter().any(|mail| mail.to == [format!("user{number}@example.org")]))
    })
    .await;
    let mut ids: Vec<_> = smtp.mails().await.into_iter().map(|mail| mail.id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    println!("{all} mails of {} letters", ids.len());
}

#[tokio::test]
async fn a_mail_server_is_spoken_to_encrypted_and_by_name() {
    let folder = Folder::new("smtp");
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.at("cert.pem"), folder.at("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    for how in ["tls", "starttls"] {
        let smtp = Smtp::encrypted(how, &certificate, &key);
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let mut settings = smtp.settings();
        settings.extend([
            ("ROOKERY_MAIL__SMTP_HOST", "localhost"),
            ("ROOKERY_MAIL__SMTP_ENCRYPTION", leak(how.to_owned())),
            ("ROOKERY_MAIL__SMTP_CA", leak(certificate.display().to_string())),
            ("ROOKERY_MAIL__SMTP_USER", "rookery"),
            ("ROOKERY_MAIL__SMTP_PASSWORD", "a secret"),
        ]);
        let node = with(&settings).await;
        register(&node, "alice").await;
        post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
        assert!(smtp.until(1).await[0].encrypted, "{how}");
    }
}

#[tokio::test]
async fn without_a_mail_server_letters_are_files() {
    let folder = Folder::new("outbox");
    let outbox = folder.at("outbox");
    let dir: &'static str = Box::leak(outbox.display().to_string().into_boxed_str());
    let node = with(&[("ROOKERY_MAIL__TRANSPORT", "files"), ("ROOKERY_MAIL__DIR", dir)]).await;
    Person::fresh(&node, "alice").await;
    post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    let letters = || -> Vec<String> {
        let entries = std::fs::read_dir(&outbox).into_iter().flatten().flatten();
        let letters = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "eml"));
        letters.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).collect()
    };
    until("it is there", async || letters().len() == 1).await;
    let letter = letters().remove(0);
    assert!(letter.contains("To: alice@example.org") && letter.contains("/reset#"), "{letter}");
}
