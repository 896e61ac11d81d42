//! What the log says, as it is set where nobody has set it, of those who come in and of those who are refused.

use super::until;
use crate::folder::Folder;
use crate::http::call;
use crate::rooms::group;
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Returns the lines of a server with this message.
fn lines(server: &Server, message: &str) -> Vec<Value> {
    let lines = server.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

async fn log_in(server: &Server, email: &str, password: &str) -> u16 {
    let body = json!({ "email": email, "password": password });
    call(server.http, "POST", "/v1/auth/login", &[], &body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_and_who_is_refused_is_in_the_log() {
    let folder = Folder::new("refusals");
    let server = Server::start(&folder.0, &[("ROOKERY_LOG__FORMAT", "json")]);
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let mut a = Wire::log_in(server.http, &alice).await;
    let mut b = Wire::log_in(server.http, &bob).await;
    let id = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let me = call(server.http, "GET", "/v1/me", &[("authorization", &bearer)], &Value::Null).await;
        me.json()["id"].take()
    };
    let (alice_id, bob_id) = (id(&alice).await, id(&bob).await);

    let entered = lines(&server, "logged in");
    assert_eq!(entered.len(), 2, "{entered:#?}");
    assert_eq!((&entered[0]["user"], &entered[0]["way"]), (&alice_id, &json!("password")));
    assert!(entered[0]["session"].is_string() && entered[0]["level"] == "INFO");

    // A wrong password: whose login it would have been, and not with what; and an address that nobody has.
    assert_eq!(log_in(&server, "alice@example.org", "guess guess").await, 401);
    assert_eq!(log_in(&server, "nobody@example.org", "guess guess").await, 401);
    // What is not allowed, over both ways; and what others' rooms are to a stranger.
    let room = group(&mut a, "Tea", &[]).await;
    let path = format!("/v1/rooms/{}", room.as_str().unwrap());
    let bearer = format!("Bearer {bob}");
    let stranger = call(server.http, "GET", &path, &[("authorization", &bearer)], &Value::Null).await;
    assert_eq!(stranger.status, 404);
    a.ok("member.add", json!({ "room": room, "users": [bob_id] })).await;
    assert_eq!(b.refused("room.update", json!({ "room": room, "title": "Mine" })).await, "forbidden");
    let body = json!({ "title": "Mine" });
    let refused = call(server.http, "PATCH", &path, &[("authorization", &bearer)], &body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(call(server.http, "GET", "/v1/me", &[], &Value::Null).await.status, 401);

    let mut broken = Wire::log_in(server.http, &bob).await;
    broken.raw(Message::text("{\"id\":1,\"op\":\"guess")).await;
    broken.closed().await;

    until("all is logged", || lines(&server, "refused").len() >= 6).await;
    let said = lines(&server, "refused");
    let found = |name: &str, value: &str, code: &str| {
        let is_it = |line: &&Value| line[name] == value && line["code"] == code;
        said.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let logins = found("route", "/v1/auth/login", "unauthenticated");
    let users: Vec<_> = logins.iter().map(|line| &line["span"]["user"]).collect();
    assert_eq!(users, [&alice_id, &json!("unknown")], "{said:#?}");
    let by_socket = found("op", "room.update", "forbidden");
    assert_eq!((by_socket.len(), &by_socket[0]["user"]), (1, &bob_id));
    for code in ["forbidden", "not_found"] {
        let by_request = found("route", "/v1/rooms/{room}", code);
        assert_eq!((by_request.len(), &by_request[0]["span"]["user"]), (1, &bob_id), "{code}");
    }
    until("it is logged", || !lines(&server, "closed for what it sent").is_empty()).await;
    let closed = lines(&server, "closed for what it sent");
    assert_eq!((&closed[0]["user"], &closed[0]["code"]), (&bob_id, &json!(4500)));
    let nobodys = found("route", "/v1/me", "unauthenticated");
    assert_eq!((nobodys.len(), nobodys[0]["span"].get("user")), (1, None));
    for line in server.log() {
        for secret in [alice.as_str(), &bob, "guess guess", "Tea", "Mine"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_is_some_lines_that_say_how_many_there_were() {
    let folder = Folder::new("refusals-flood");
    let server = Server::start(&folder.0, &[("ROOKERY_LOG__FORMAT", "json")]);
    let token = server.user("alice");
    let mut wire = Wire::log_in(server.http, &token).await;
    let nowhere = json!({ "room": uuid::Uuid::from_u128(1) });
    for _ in 0..200 {
        assert_eq!(wire.refused("room.get", nowhere.clone()).await, "not_found");
    }
    // Somebody else's is said nevertheless, and how many were not.
    assert_eq!(log_in(&server, "nobody@example.org", "guess guess").await, 401);
    until("the other's is logged", || lines(&server, "refused").iter().any(|line| line["route"].is_string()))
        .await;
    let said = lines(&server, "refused");
    let unsaid: u64 = said.iter().map(|line| line["unsaid"].as_u64().unwrap()).sum();
    assert!((21..60).contains(&said.len()), "{}", said.len());
    assert_eq!(said.len() as u64 + unsaid, 201);
}
