//! Whoever owns an account is told by mail of every change of what protects it, and of logins from elsewhere.

use super::people::{PASSWORD, Person, register};
use crate::http::{call, with};
use crate::servers::{Mail, Smtp};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::time::Duration;
use totp_rs::{Builder, Secret};

async fn node_with(smtp: &Smtp, more: &[(&'static str, &'static str)]) -> TestNode {
    with(&[smtp.settings(), more.to_vec()].concat()).await
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

#[tokio::test]
async fn a_second_factor_is_told_of_when_it_is_switched_on_renewed_and_off() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[]).await;
    let alice = Person::fresh(&node, "alice").await;
    let post = async |path: &str, body: Value| alice.call(node.http(), "POST", path, body).await;
    let begun = post("/v1/me/factor", json!({ "password": PASSWORD })).await.json();
    let secret = Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
    let app = Builder::new().with_secret(secret).build().unwrap();
    let code = || {
        node.advance(Duration::from_secs(30));
        app.generate(u64::try_from(node.now().0 / 1000).unwrap()).to_string()
    };
    assert_eq!(smtp.mails().await.len(), 0, "it is not on yet");
    assert_eq!(post("/v1/me/factor/confirm", json!({ "code": code() })).await.status, 200);
    let on = smtp.until(1).await;
    assert_eq!(subjects(&on), ["A second factor was switched on"]);
    let renewed = post("/v1/me/factor/recovery", json!({ "password": PASSWORD, "code": code() })).await;
    assert_eq!(subjects(&smtp.until(2).await)[1], "You have new recovery codes");
    let wrong = post("/v1/me/factor/disable", json!({ "password": PASSWORD, "code": "000000" })).await;
    assert_eq!((renewed.status, wrong.status), (200, 403));
    let off = post("/v1/me/factor/disable", json!({ "password": PASSWORD, "code": code() })).await;
    assert_eq!(off.status, 204);
    let told = smtp.until(3).await;
    assert_eq!(subjects(&told)[2], "Your second factor was switched off");
    // What a letter tells of is no secret: neither of these is in any.
    let secret = begun["secret"].as_str().unwrap();
    let codes = renewed.json()["recovery_codes"].as_array().unwrap().clone();
    let leaks = |mail: &Mail| {
        mail.text.contains(secret) || codes.iter().any(|code| mail.text.contains(code.as_str().unwrap()))
    };
    assert!(!told.iter().any(leaks));
}

#[tokio::test]
async fn a_login_from_a_device_or_a_place_that_is_new_is_told_and_one_that_is_known_is_not() {
    let smtp = Smtp::start();
    let node = node_with(&smtp, &[("ROOKERY_SERVER__TRUSTED_PROXIES", "127.0.0.1")]).await;
    assert_eq!(register(&node, "alice").await.status, 201);
    let (phone, laptop) = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b");
    let log_in = async |from: &str, device: Value, password: &str| {
        let headers = [("x-forwarded-for", from), ("accept-language", "ru")];
        let body = json!({ "email": "alice@example.org", "password": password, "device": device });
        call(node.http(), "POST", "/v1/auth/login", &headers, &body).await.status
    };
    let (home, cafe, abroad) = ("198.51.100.7", "203.0.113.9", "192.0.2.200");
    for (from, device, told) in [
        (home, json!({ "id": phone }), 0),
        (cafe, json!({ "id": phone, "name": "renamed" }), 0),
        (home, json!({ "id": laptop }), 1),
        (home, json!({ "id": laptop }), 1),
        // Who names no device is known by where it is.
        (abroad, json!({ "name": "curl" }), 2),
        (abroad, Value::Null, 2),
        (home, Value::Null, 3),
        (cafe, json!({ "id": phone }), 3),
    ] {
        assert_eq!(log_in(from, device.clone(), PASSWORD).await, 200);
        assert_eq!(smtp.until(told).await.len(), told, "{from} {device}");
    }
    // A password that is wrong gets nobody in, and nobody is told of it.
    assert_eq!(log_in("192.0.2.1", Value::Null, "wrong horse").await, 401);
    assert_eq!(log_in("192.0.2.2", Value::Null, PASSWORD).await, 200);
    let mails = smtp.until(4).await;
    assert!(mails.iter().all(|mail| mail.subject == "Вход в вашу учётную запись с нового устройства"));
    assert!(mails.iter().all(|mail| mail.to == ["alice@example.org"] && !mail.text.contains('#')));
}
