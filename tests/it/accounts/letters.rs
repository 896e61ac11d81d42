//! Letters, over SMTP to a real mail server: who is written to, what a code is good for, and what is told.

use super::people::{PASSWORD, Person, login, post, register};
use crate::http::{call, with};
use crate::servers::{Mail, Smtp};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::time::Duration;

async fn node_with(smtp: &Smtp, more: &[(&'static str, &'static str)]) -> TestNode {
    with(&[smtp.settings(), more.to_vec()].concat()).await
}

const VERIFIED: &[(&str, &str)] = &[("ROOKERY_AUTH__VERIFY_EMAIL", "true")];

fn of<'a>(mails: &'a [Mail], handle: &str) -> Vec<&'a Mail> {
    let to = format!("{handle}@example.org");
    mails.iter().filter(|mail| mail.to == [to.as_str()]).collect()
}

#[tokio::test]
async fn an_account_is_used_once_its_address_is_confirmed() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, VERIFIED).await;
    let body = json!({ "email": "alice@example.org", "password": PASSWORD, "handle": "alice", "name": "A" });
    let headers = [("accept-language", "ru-RU,ru;q=0.9"), ("host", "evil.example")];
    assert_eq!(call(node.http(), "POST", "/v1/auth/register", &headers, &body).await.status, 201);
    let early = login(&node, "alice@example.org", PASSWORD).await;
    assert_eq!(early.problem(), (403, "forbidden".to_owned()));
    assert_eq!(
        login(&node, "alice@example.org", "wrong horse").await.status,
        401,
        "only who knows it is told"
    );

    let mail = smtp.until(1).await.remove(0);
    assert_eq!(
        (mail.to.as_slice(), mail.from.as_str()),
        (["alice@example.org".to_owned()].as_slice(), "Rookery <chat@example.org>")
    );
    assert_eq!(mail.subject, "Подтвердите адрес электронной почты");
    assert!(mail.headers.contains(&"auto-submitted".to_owned()) && mail.id.ends_with("@example.org>"));
    assert!(mail.text.contains(&format!("http://{}/verify#", node.http())), "never from Host: {}", mail.text);

    let verify = async |code: &str| post(&node, "/v1/auth/verify", json!({ "token": code })).await;
    assert_eq!(verify("unknown").await.problem(), (422, "invalid".to_owned()));
    assert_eq!(verify(&mail.code()).await.status, 204);
    assert_eq!(verify(&mail.code()).await.status, 422, "it is good once");
    Person::of(&node, "alice", PASSWORD).await;
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_is_sent_again_to_who_asks() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, VERIFIED).await;
    register(&node, "alice").await;
    let first = smtp.until(1).await.remove(0).code();
    node.pass(Duration::from_secs(600));
    assert_eq!(post(&node, "/v1/auth/verify", json!({ "token": first })).await.status, 422);
    let resend = async |email: &str| post(&node, "/v1/auth/verify/resend", json!({ "email": email })).await;
    let answers = [resend("nobody@example.org").await, resend("alice@example.org").await];
    assert!(answers.iter().all(|answer| answer.status == 202 && answer.body.is_empty()));
    let second = smtp.until(2).await.remove(1).code();
    assert_eq!(post(&node, "/v1/auth/verify", json!({ "token": second })).await.status, 204);
    // Nobody is written to whose address is confirmed, or who has no account.
    resend("alice@example.org").await;
    register(&node, "bob").await;
    assert_eq!(of(&smtp.until(3).await, "alice").len(), 2);
}

#[tokio::test]
async fn whose_address_is_taken_is_told_by_mail_and_whoever_asks_is_not() {
    let smtp = Smtp::start();
    for settings in [&[], VERIFIED] {
        let node = node_with(&smtp, settings).await;
        let before = smtp.mails().await.len();
        let first = register(&node, "alice").await;
        let body =
            json!({ "email": "alice@example.org", "password": PASSWORD, "handle": "malle", "name": "malle" });
        let second = post(&node, "/v1/auth/register", body).await;
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!(first.body.len(), second.body.len());
        let mails = smtp.until(before + 1 + settings.len()).await;
        // Letters of one moment leave in any order.
        let told = mails[before..].iter().filter(|mail| mail.subject == "You have an account already");
        assert_eq!(told.count(), 1);
    }
}

#[tokio::test]
async fn who_forgot_its_password_chooses_another_and_is_logged_out_everywhere() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    let alice = Person::fresh(&node, "alice").await;
    let mut wire = alice.wire(&node).await;
    let forgot = async |email: &str| post(&node, "/v1/auth/password/forgot", json!({ "email": email })).await;
    let (missing, there) = (forgot("nobody@example.org").await, forgot("alice@example.org").await);
    assert_eq!((missing.status, there.status), (202, 202));
    assert_eq!((missing.body, missing.headers.len()), (there.body, there.headers.len()));
    let code = smtp.until(1).await.remove(0).code();
    assert!(alice.is_in(&node).await, "asking changes nothing");

    let reset = async |password: &str| {
        post(&node, "/v1/auth/password/reset", json!({ "token": code, "password": password })).await
    };
    for weak in ["password1", "alice2026", "short"] {
        let answer = reset(weak).await;
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["field"]),
            (422, &json!("password")),
            "{weak}"
        );
    }
    let verify = post(&node, "/v1/auth/verify", json!({ "token": code })).await;
    assert_eq!(verify.status, 422, "it is good for a password only");
    let (one, other) = tokio::join!(reset("a better horse"), reset("another horse"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422], "one of two gets it");
    assert_eq!(wire.closed().await, 4503);
    assert!(!alice.is_in(&node).await);
    assert_eq!(reset("a third horse").await.status, 422);
    assert_eq!(login(&node, "alice@example.org", PASSWORD).await.status, 401);
    let new = if one.status == 204 { "a better horse" } else { "another horse" };
    Person::of(&node, "alice", new).await;
    let mails = smtp.until(2).await;
    assert_eq!(mails[1].subject, "You have a new password");
    assert!(!mails[1].text.contains('#') && !mails[1].text.contains(new));
}

#[tokio::test]
async fn a_code_for_a_password_ends_with_its_time_and_with_the_address() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    let alice = Person::fresh(&node, "alice").await;
    let forgot =
        async || post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    let reset = async |code: String| {
        let body = json!({ "token": code, "password": "a better horse" });
        post(&node, "/v1/auth/password/reset", body).await.status
    };
    forgot().await;
    let late = smtp.until(1).await.remove(0).code();
    node.pass(Duration::from_secs(600));
    assert_eq!(reset(late).await, 422);
    drop(alice);
    let alice = Person::of(&node, "alice", PASSWORD).await;
    forgot().await;
    let former = smtp.until(2).await.remove(1).code();
    let body = json!({ "email": "new@example.org", "current": PASSWORD });
    assert_eq!(alice.call(node.http(), "POST", "/v1/auth/email/change", body).await.status, 202);
    let mails = smtp.until(4).await;
    let code = of(&mails, "new")[0].code();
    assert_eq!(post(&node, "/v1/auth/verify", json!({ "token": code })).await.status, 204);
    assert_eq!(reset(former).await, 422, "it was sent to an address that is the account's no more");
}

#[tokio::test]
async fn a_changed_password_ends_the_other_logins_and_is_told() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    let (phone, other) = (Person::fresh(&node, "alice").await, Person::of(&node, "alice", PASSWORD).await);
    let (mut stays, mut goes) = (phone.wire(&node).await, other.wire(&node).await);
    let change = async |current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        phone.call(node.http(), "POST", "/v1/auth/password/change", body).await
    };
    let wrong = change("wrong horse", "a better horse").await;
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["field"]), (422, &json!("current")));
    let weak = change(PASSWORD, "iloveyou").await;
    assert_eq!((weak.status, &weak.json()["errors"][0]["field"]), (422, &json!("password")));
    assert_eq!(change(PASSWORD, "a better horse").await.status, 204);
    assert_eq!(goes.closed().await, 4503);
    stays.settle().await;
    assert_eq!((phone.is_in(&node).await, other.is_in(&node).await), (true, false));
    assert_eq!(login(&node, "alice@example.org", PASSWORD).await.status, 401);
    Person::of(&node, "alice", "a better horse").await;
    assert_eq!(smtp.until(1).await[0].subject, "Your password was changed");
}

#[tokio::test]
async fn an_address_changes_once_the_new_one_is_confirmed_and_the_old_one_is_told() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    let (alice, _bob) = (Person::fresh(&node, "alice").await, Person::fresh(&node, "bob").await);
    let change = async |email: &str, password: &str| {
        let body = json!({ "email": email, "current": password });
        alice.call(node.http(), "POST", "/v1/auth/email/change", body).await
    };
    assert_eq!(change("new@example.org", "wrong horse").await.status, 422);
    let (taken, free) =
        (change("bob@example.org", PASSWORD).await, change("new@example.org", PASSWORD).await);
    assert_eq!((taken.status, free.status), (202, 202));
    assert_eq!((taken.body, taken.headers.len()), (free.body, free.headers.len()));
    let mails = smtp.until(4).await;
    assert_eq!(of(&mails, "bob")[0].subject, "You have an account already");
    assert!(of(&mails, "alice").iter().all(|mail| mail.subject == "Your e-mail address is to be changed"));
    assert_eq!(login(&node, "new@example.org", PASSWORD).await.status, 401, "not yet");

    let code = of(&mails, "new")[0].code();
    assert_eq!(post(&node, "/v1/auth/verify", json!({ "token": code })).await.status, 204);
    assert_eq!(login(&node, "new@example.org", PASSWORD).await.status, 200);
    assert_eq!(login(&node, "alice@example.org", PASSWORD).await.status, 401);
    assert!(alice.is_in(&node).await);
    let told = smtp.until(5).await;
    let subjects: Vec<_> = of(&told, "alice").iter().map(|mail| mail.subject.clone()).collect();
    assert_eq!(subjects[2], "Your e-mail address was changed");
    assert_eq!(register(&node, "alice").await.problem().0, 409, "the handle is still hers");
}

#[tokio::test]
async fn a_refresh_token_that_was_copied_is_told_once() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    register(&node, "alice").await;
    let first = login(&node, "alice@example.org", PASSWORD).await.json();
    let refresh =
        async |token: &Value| post(&node, "/v1/auth/refresh", json!({ "refresh_token": token })).await;
    assert_eq!(refresh(&first["refresh_token"]).await.status, 200);
    node.pass(Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(refresh(&first["refresh_token"]).await.status, 401);
        node.pass(Duration::from_secs(1));
    }
    post(&node, "/v1/auth/password/forgot", json!({ "email": "alice@example.org" })).await;
    let subjects: Vec<_> = smtp.until(2).await.into_iter().map(|mail| mail.subject).collect();
    assert!(subjects.contains(&"One of your devices was logged out".to_owned()), "{subjects:?}");
}
