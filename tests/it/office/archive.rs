//! Everything about a user, given out: the parts that `docs/OPERATING.md` names, each of them.

use super::erase::{CANARY, done};
use super::operate;
use crate::chat::{name, say};
use crate::docs::kept;
use crate::http::{Raw, call};
use crate::rooms::{group, two};
use rookery_tests::node::{PASSWORD, TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use totp_rs::{Builder, Secret};

/// Logins besides the first: more than one page of them.
const LOGINS: usize = 104;

async fn post(node: &TestNode, who: &TestUser, path: &str, body: Value) -> Value {
    let header = format!("Bearer {}", who.token());
    let answer = call(node.http(), "POST", path, &[("authorization", &header)], &body).await;
    assert!(answer.status < 300, "{path}: {}", answer.text());
    answer.json()
}

/// Sends a file.
pub(super) async fn send_file(http: std::net::SocketAddr, token: &str, name: &str, content: &Value) -> Value {
    let header = format!("Bearer {token}");
    let headers = [("authorization", header.as_str())];
    let announced = json!({ "name": name, "size": content.to_string().len() });
    let begun = call(http, "POST", "/v1/uploads", &headers, &announced).await.json();
    call(http, "PUT", begun["upload_url"].as_str().unwrap(), &headers, content).await.json()
}

/// Has everything about a user written down, and returns it line by line.
async fn archive(node: &TestNode, who: &TestUser) -> Vec<Value> {
    let path = format!("/admin/users/{}/export", who.id());
    let begun = operate(node, "POST", &path, json!({ "reason": "she has asked" })).await;
    let job = done(node.admin(), node.operator(), &begun["id"]).await;
    let path = format!("/admin/jobs/{}/archive", begun["id"].as_str().unwrap());
    let header = format!("Bearer {}", node.operator());
    let mut raw = Raw::connect(node.admin()).await;
    let headers = [("authorization", &*header), ("connection", "close")];
    raw.request("GET", &path, &headers, &Value::Null).await;
    let answer = raw.answer().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut archive = answer.body;
    while let Some(chunk) = raw.chunk().await {
        archive.extend(chunk);
    }
    assert_eq!(job["count"].as_u64().unwrap(), archive.len() as u64);
    String::from_utf8(archive).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sets a second factor up, and returns its secret.
async fn set_up_factor(node: &TestNode, who: &TestUser) -> String {
    let begun = post(node, who, "/v1/me/factor", json!({ "password": PASSWORD })).await;
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let app = Builder::new().with_secret(Secret::try_from_base32(&secret).unwrap()).build().unwrap();
    let code = app.generate(u64::try_from(node.now().0 / 1000).unwrap()).to_string();
    post(node, who, "/v1/me/factor/confirm", json!({ "code": code })).await;
    secret
}

#[tokio::test]
async fn an_archive_has_everything_that_there_is_about_a_user_and_no_secret() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let mut all = vec![alice.session().to_string()];
    for _ in 0..LOGINS {
        all.push(node.login("alice").await.session().to_string());
    }
    let secret = set_up_factor(&node, &alice).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let file = send_file(node.http(), alice.token(), "notes.txt", &json!("what she noted")).await;
    let mut body = crate::chat::text(CANARY);
    body["attachments"] = json!([file]);
    let draft = json!({ "room": room, "client_id": name(), "body": body });
    a.ok("message.send", draft).await;
    let not_hers = say(&mut b, &room, "not hers").await;
    a.ok("user.block", json!({ "user": bob.id(), "on": true })).await;
    post(&node, &alice, "/v1/reports", json!({ "room": room, "seq": not_hers, "reason": "spam" })).await;
    // Whom somebody mentions or adds has a notice in its inbox.
    let mut other = Wire::log_in(node.http(), node.user("carol").await.token()).await;
    group(&mut other, "Coffee", &[&alice]).await;
    // So that it is written down that she was there.
    operate(&node, "GET", "/admin/statistics", Value::Null).await;

    let lines = archive(&node, &alice).await;
    let of = |part: &'static str| lines.iter().filter(move |line| line["part"] == part).collect::<Vec<_>>();
    let one = |part: &'static str| {
        let parts = of(part);
        assert_eq!(parts.len(), 1, "{part}: {parts:?}");
        parts[0][part].clone()
    };
    assert_eq!((of("archive").len(), of("end").len()), (1, 1));
    let account = one("account");
    assert_eq!(
        (&account["email"], &account["user"]["handle"]),
        (&json!("alice@example.org"), &json!("alice"))
    );
    let factor = one("factor");
    assert!(factor["on_since"].is_number() && factor["recovery_codes"].as_u64() > Some(0), "{factor}");
    assert_eq!(one("block")["user"], json!(bob.id()));
    assert_eq!((&one("report")["reason"], &one("job")["kind"]), (&json!("spam"), &json!("export")));
    assert_eq!(one("activity")["days"], 1);
    assert_eq!((&one("file")["upload"]["name"], of("bytes").len()), (&json!("notes.txt"), 1));
    let logins: BTreeSet<_> =
        of("login").iter().map(|line| line["login"]["session"].as_str().unwrap().to_owned()).collect();
    assert_eq!(logins, all.into_iter().collect(), "each of them");
    let events = of("event");
    let texts: Vec<_> = events.iter().filter_map(|line| line["event"]["body"]["text"].as_str()).collect();
    assert!(texts.contains(&CANARY) && !texts.contains(&"not hers"), "{texts:?}");
    assert!(texts.contains(&"You were added to a room."), "her inbox: {texts:?}");
    assert!(!format!("{lines:?}").contains(&secret), "what lets somebody in is not given out");

    // What the page says is what there is; an identity needs a provider, see `providers/erased.rs`.
    let there: BTreeSet<_> = lines.iter().map(|line| line["part"].as_str().unwrap().to_owned()).collect();
    let mut written = kept::parts_of_an_archive();
    written.remove("identity");
    assert_eq!(there, written);
}
