//! What operators ask a node over its own listener, and that nobody else can.

use crate::chat::say;
use crate::folder::Folder;
use crate::http::{Raw, call};
use crate::rooms::group;
use rookery_protocol::CloseCode;
use rookery_tests::node::TestNode;
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

pub(crate) async fn get(admin: SocketAddr, path: &str) -> Value {
    let answer = call(admin, "GET", path, &[], &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn the_rooms_with_the_most_listeners_come_first() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let (quiet, busy) = (group(&mut a, "Quiet", &[]).await, group(&mut a, "Busy", &[&bob]).await);
    a.ok("room.open", json!({ "room": quiet })).await;
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": busy })).await;
    }

    let standing = get(node.admin(), "/admin/rooms").await;
    let rooms: Vec<_> = standing["rooms"].as_array().unwrap().iter().collect();
    let listeners: Vec<_> = rooms.iter().map(|room| room["listeners"].as_u64().unwrap()).collect();
    assert!(listeners.is_sorted_by(|one, other| one >= other), "{standing}");
    assert_eq!((rooms[0]["room"].clone(), listeners[0]), (busy.clone(), 2), "{standing}");
    assert_eq!(standing["heard"], rooms.len());
    let of_quiet = rooms.iter().find(|room| room["room"] == quiet).unwrap();
    assert_eq!((&of_quiet["listeners"], &of_quiet["is_active"]), (&json!(1), &json!(true)));
    assert_eq!(of_quiet["home_name"], rooms[0]["home_name"]);

    let one = get(node.admin(), "/admin/rooms?limit=1").await;
    assert_eq!(one["rooms"], json!([rooms[0]]));
    assert_eq!(one["heard"], standing["heard"], "all are counted");
    let alone = get(node.admin(), &format!("/admin/rooms/{}", quiet.as_str().unwrap())).await;
    assert_eq!(&alone, *of_quiet);

    drop(b);
    let path = format!("/admin/rooms/{}", busy.as_str().unwrap());
    while get(node.admin(), &path).await["listeners"] != 1 {
        tokio::task::yield_now().await;
    }
    for limit in ["0", "1001", "many"] {
        let path = format!("/admin/rooms?limit={limit}");
        let refused = call(node.admin(), "GET", &path, &[], &Value::Null).await;
        assert_eq!(refused.problem().0, 422, "{limit}");
    }
    let nobody = call(node.admin(), "GET", "/admin/rooms/tea", &[], &Value::Null).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn the_rooms_in_which_the_most_goes_on_come_first_and_cool_down() {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let (calm, hot) = (group(&mut a, "Calm", &[]).await, group(&mut a, "Hot", &[&bob]).await);
    for wire in [&mut a, &mut b] {
        wire.ok("room.open", json!({ "room": hot })).await;
    }
    // What made them is over.
    node.pass(Duration::from_secs(120));
    say(&mut a, &calm, "hm").await;
    for _ in 0..6 {
        say(&mut a, &hot, "tea!").await;
    }
    let standing = get(node.admin(), "/admin/rooms/hot").await;
    let rooms = standing["rooms"].as_array().unwrap();
    assert_eq!([&rooms[0]["room"], &rooms[1]["room"]], [&hot, &calm], "{standing}");
    let paces = |room: &Value| {
        [&room["events_per_second"], &room["deliveries_per_second"]]
            .map(|pace| (pace.as_f64().unwrap() * 60.0).round())
    };
    assert_eq!([paces(&rooms[0]), paces(&rooms[1])], [[6.0, 12.0], [1.0, 0.0]], "{standing}");
    assert_eq!(rooms[0]["listeners"], 2);
    let one = get(node.admin(), "/admin/rooms/hot?limit=1").await;
    assert_eq!(one["rooms"].as_array().unwrap().len(), 1);
    for limit in ["0", "1001", "many"] {
        let path = format!("/admin/rooms/hot?limit={limit}");
        assert_eq!(call(node.admin(), "GET", &path, &[], &Value::Null).await.problem().0, 422, "{limit}");
    }
    node.pass(Duration::from_secs(121));
    assert_eq!(get(node.admin(), "/admin/rooms/hot").await["rooms"], json!([]));
}

#[tokio::test]
async fn one_machine_is_a_cluster_of_one() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let _wire = Wire::log_in(node.http(), alice.token()).await;
    let standing = get(node.admin(), "/admin/nodes").await;
    assert_eq!(standing["is_connected"], true);
    let [itself] = standing["nodes"].as_array().unwrap().as_slice() else { panic!("{standing}") };
    assert_eq!((&itself["link"], &itself["connections"]), (&json!("itself"), &json!(1)), "{standing}");
    assert_eq!(itself["is_draining"], false);
}

#[tokio::test]
async fn they_are_not_served_to_the_public_and_no_page_of_another_site_drains() {
    let node = TestNode::start().await;
    for (method, path) in [("GET", "/admin/nodes"), ("GET", "/admin/rooms"), ("POST", "/admin/drain")] {
        let answer = call(node.http(), method, path, &[], &json!({})).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    // What a form, or a script without leave, can send to an address on the operator's own machine.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let mut page = Raw::connect(node.admin()).await;
        let head = format!(
            "POST /admin/drain HTTP/1.1\r\nhost: test\r\ncontent-type: {content_type}\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        page.send(head).await;
        assert_eq!(page.answer().await.unwrap().status, 415, "{content_type}");
    }
    for body in [json!({ "force": true }), json!([])] {
        assert_eq!(call(node.admin(), "POST", "/admin/drain", &[], &body).await.status, 422, "{body}");
    }
    assert_eq!(call(node.admin(), "GET", "/readyz", &[], &Value::Null).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_drains_the_real_server_and_waits_for_its_end() {
    let folder = Folder::new("drained");
    let server = Server::start(&folder.0, &[]);
    let mut wire = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut wire, "Tea", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    let admin = format!("http://{}", server.admin);
    let operator = |arguments: &'static [&'static str]| {
        let mut command = rookery();
        command.arg("admin").args(arguments).args(["--admin", &admin]).stdin(Stdio::null());
        tokio::task::spawn_blocking(move || {
            let output = command.output().unwrap();
            let told = |bytes| String::from_utf8_lossy(bytes).into_owned();
            (output.status.code(), told(&output.stdout), told(&output.stderr))
        })
    };
    let (code, told, _) = operator(&["nodes"]).await.unwrap();
    assert_eq!(code, Some(0));
    assert!(told.contains("serving  link itself  1 of "), "{told}");
    let (_, told, _) = operator(&["rooms", "--output", "json"]).await.unwrap();
    let rooms: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rooms.iter().any(|heard| heard["room"] == room), "{told}");
    let (code, told, _) = operator(&["rooms", "--hot", "--limit", "1"]).await.unwrap();
    assert!(code == Some(0) && told.contains("events/s"), "{told}");

    let drained = operator(&["drain"]);
    assert_eq!(wire.closed().await, CloseCode::Draining.as_u16(), "the client is told to come back");
    let (code, told, error) = drained.await.unwrap();
    assert_eq!(code, Some(0), "{told}{error}");
    assert!(told.starts_with("draining 1 connections\n"), "{told}");
    assert_eq!(server.ended(), Some(0), "the process has ended in good order");
    let (code, _, error) = operator(&["nodes"]).await.unwrap();
    assert_eq!(code, Some(4), "nobody is there any more: {error}");
}
