//! What users report: listed, looked at, and closed with what is done about it.

use super::{ask, grant, login, operate};
use crate::chat::{say, shown};
use crate::folder::Folder;
use crate::http::{RawAnswer, call};
use crate::rooms::{group, two};
use rookery_protocol::CloseCode;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Stdio;

async fn report_to(http: SocketAddr, token: &str, body: Value) -> RawAnswer {
    let header = format!("Bearer {token}");
    call(http, "POST", "/v1/reports", &[("authorization", &header)], &body).await
}

/// Reports something and returns the report's path.
async fn reported(node: &TestNode, by: &TestUser, body: Value) -> String {
    let taken = report_to(node.http(), by.token(), body).await;
    assert_eq!(taken.status, 201, "{}", taken.text());
    format!("/admin/reports/{}", taken.json()["id"].as_str().unwrap())
}

/// Returns the reasons of the reports of a list.
fn reasons(list: &Value) -> Vec<&str> {
    list["reports"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_report_is_of_what_its_reporter_may_see() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let seq = say(&mut b, &room, "buy my tea").await;
    reported(&node, &alice, json!({ "room": room, "seq": seq, "user": bob.id(), "reason": "spam" })).await;
    for (body, status) in [
        (json!({ "reason": "nothing" }), 422),
        (json!({ "seq": 1, "user": bob.id(), "reason": "of no room" }), 422),
        (json!({ "room": uuid::Uuid::from_u128(9), "reason": "not mine" }), 404),
        (json!({ "user": uuid::Uuid::from_u128(9), "reason": "nobody" }), 404),
    ] {
        let answer = report_to(node.http(), alice.token(), body.clone()).await;
        assert_eq!(answer.problem().0, status, "{body}");
    }
    let list = operate(&node, "GET", "/admin/reports", Value::Null).await;
    assert_eq!(reasons(&list), ["spam"]);
    let one = &list["reports"][0];
    assert_eq!((&one["by"], &one["about"]["seq"]), (&json!(alice.id()), &json!(seq)));
    assert!(one["closed"].is_null());
}

#[tokio::test]
async fn an_admin_sees_what_was_said_around_it_takes_it_down_and_closes_the_report_once() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    grant(&node, &alice).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut said = Vec::new();
    for number in 0..20 {
        said.push(say(&mut b, &room, &format!("tea {number}")).await);
    }
    let path = reported(&node, &alice, json!({ "room": room, "seq": said[9], "reason": "spam" })).await;

    let mut shown_to = operate(&node, "GET", &path, Value::Null).await;
    let context = shown_to["context"].take();
    let texts: Vec<_> =
        context["messages"].as_array().unwrap().iter().map(|one| &one["body"]["text"]).collect();
    let wanted: Vec<_> = (4..=14).map(|number| json!(format!("tea {number}"))).collect();
    assert_eq!(texts, wanted.iter().collect::<Vec<_>>());
    assert_eq!(
        (&context["room"]["title"], &context["user"]["user"]["id"]),
        (&json!("Tea"), &json!(bob.id()))
    );
    assert_eq!(shown_to["report"]["reason"], "spam");

    let decision = json!({ "action": "remove_message", "reason": "it is" });
    let closed = ask(&node, alice.token(), "PUT", &path, decision.clone()).await.json();
    let told = ["by", "action", "reason"].map(|name| closed["closed"][name].clone());
    assert_eq!(told, [json!(alice.id()), json!("remove_message"), json!("it is")]);
    assert_eq!(shown(&mut a, &room, said[9]).await["body"], json!({}));
    assert_eq!(ask(&node, alice.token(), "PUT", &path, decision).await.problem(), (409, "conflict".into()));

    let audit = operate(&node, "GET", "/admin/audit?limit=2", Value::Null).await;
    let (close, read) = (&audit["entries"][0], &audit["entries"][1]);
    assert_eq!((&close["did"], &close["outcome"]), (&json!("report.close"), &json!("done")));
    let whom =
        format!("{} remove_message {} {}", &path["/admin/reports/".len()..], room.as_str().unwrap(), said[9]);
    assert_eq!((&close["who"], &close["whom"]), (&json!(alice.id()), &json!(whom)));
    assert_eq!((&read["did"], &read["who"]), (&json!("report.read"), &json!("operator")));
}

#[tokio::test]
async fn a_user_is_barred_or_removed_by_a_report_and_what_does_not_fit_changes_nothing() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let seq = say(&mut b, &room, "a threat").await;
    let of_room = reported(&node, &alice, json!({ "room": room, "reason": "the room" })).await;
    for action in ["remove_message", "remove_member", "ban", "burn"] {
        let answer =
            ask(&node, node.operator(), "PUT", &of_room, json!({ "action": action, "reason": "x" })).await;
        assert_eq!(answer.problem().0, 422, "{action}");
    }
    assert!(operate(&node, "GET", &of_room, Value::Null).await["report"]["closed"].is_null());

    let of_message = json!({ "room": room, "seq": seq, "reason": "the message" });
    let removed = reported(&node, &alice, of_message.clone()).await;
    operate(&node, "PUT", &removed, json!({ "action": "remove_member", "reason": "x" })).await;
    assert_eq!(b.refused("room.get", json!({ "room": room })).await, "not_found");
    // Its author is whom it is about, although it is not named, and has gone from the room.
    let barred = reported(&node, &alice, of_message).await;
    let until = node.node().clock().now().plus_millis(60_000);
    operate(&node, "PUT", &barred, json!({ "action": "ban", "reason": "x", "until": until })).await;
    assert_eq!(b.closed().await, CloseCode::AccountDisabled.as_u16());
    assert_eq!(login(&node, "bob").await.status, 403);
    node.pass(std::time::Duration::from_secs(61));
    assert_eq!(login(&node, "bob").await.status, 200);
}

#[tokio::test]
async fn open_and_closed_reports_are_listed_apart_in_pages() {
    let node = TestNode::start().await;
    let (alice, _, bob, _) = two(&node).await;
    for number in 0..7 {
        let path = reported(&node, &alice, json!({ "user": bob.id(), "reason": number.to_string() })).await;
        if number % 2 == 1 {
            operate(&node, "PUT", &path, json!({ "action": "dismiss", "reason": "x" })).await;
        }
    }
    for (state, wanted) in [("open", "6420"), ("closed", "531")] {
        let (mut found, mut before) = (String::new(), String::new());
        loop {
            let path = format!("/admin/reports?limit=2&state={state}{before}");
            let list = operate(&node, "GET", &path, Value::Null).await;
            found.extend(reasons(&list));
            let Some(next) = list["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(found, wanted, "{state}");
    }
    let answer = ask(&node, node.operator(), "GET", "/admin/reports?state=lost", Value::Null).await;
    assert_eq!(answer.problem().0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_works_through_reports_from_a_terminal() {
    let folder = Folder::new("reports");
    let server = Server::start(&folder.0, &[]);
    let alice = server.user("alice");
    let mut a = Wire::log_in(server.http, &alice).await;
    let bob = server.user("bob");
    let mut b = Wire::log_in(server.http, &bob).await;
    let header = format!("Bearer {bob}");
    let me = call(server.http, "GET", "/v1/me", &[("authorization", &header)], &Value::Null).await;
    let bob = me.json()["id"].take();
    let room = a.ok("room.direct", json!({ "user": bob })).await["id"].take();
    let seq = say(&mut b, &room, "a threat").await;
    let taken = report_to(server.http, &alice, json!({ "room": room, "seq": seq, "reason": "fear" })).await;
    let id = taken.json()["id"].as_str().unwrap().to_owned();
    let (admin, key) = (format!("http://{}", server.admin), folder.0.join("signing.key"));
    let operator = async |args: &[&str]| {
        let mut command = rookery();
        command.args(["admin", "reports"]).args(args).args(["--admin", &admin, "--output", "json", "--key"]);
        command.arg(&key).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(operator(&["list", "--state", "open"]).await["reports"][0]["id"], *id);
    let told = operator(&["show", &id]).await;
    assert!(told["context"]["messages"].to_string().contains("a threat"), "{told}");
    let closed = operator(&["close", &id, "--action", "remove-message", "--reason", "it is one"]).await;
    assert_eq!(closed["closed"]["by"], "operator");
    assert_eq!(operator(&["list", "--state", "open"]).await["reports"], json!([]));
    assert_eq!(shown(&mut a, &room, seq).await["body"], json!({}));
}
