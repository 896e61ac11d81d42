//! A room's picture: a file that its admin can read, kept for as long as the room has it, read by its members.

use super::bytes::png;
use super::{House, call, group, id, json, say, two};
use rookery_tests::wire::Wire;
use serde_json::Value;

async fn refusal(wire: &mut Wire, room: &Value, avatar: &str) -> (Value, Value) {
    let refused = wire.call("room.update", json!({ "room": room, "title": "Other", "avatar": avatar })).await;
    let mut refused = refused.unwrap_err();
    (refused["code"].take(), refused["details"]["field"].take())
}

#[tokio::test]
async fn a_room_s_picture_is_a_file_that_its_members_read_until_it_is_another() {
    let house = House::start().await;
    let (alice, mut a, bob, mut b) = two(&house.node).await;
    let (carol, eve) = (house.node.user("carol").await, house.node.user("eve").await);
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let one = house.upload(&alice, "one.png", &png(20, 20)).await;
    let updated = a.ok("room.update", json!({ "room": room, "avatar": id(&one) })).await;
    assert_eq!((&updated["title"], &updated["avatar"]), (&json!("Tea"), &one["thumb"]));
    assert_eq!(b.room_event().await["body"], json!({ "avatar": one["thumb"] }));
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["avatar"], one["thumb"]);

    // Also those who come later; nobody else, and not for longer than the room has it.
    a.ok("member.add", json!({ "room": room, "users": [carol.id()] })).await;
    let reads = async |who, file: &Value| house.get(who, &format!("{}/thumb", id(file)), &[]).await.status;
    assert_eq!(
        [reads(&bob, &one).await, reads(&carol, &one).await, reads(&eve, &one).await],
        [200, 200, 404]
    );
    let two = house.upload(&alice, "two.png", &png(30, 30)).await;
    let header = format!("Bearer {}", alice.token());
    let path = format!("/v1/rooms/{}", room.as_str().unwrap());
    let body = json!({ "avatar": two["thumb"] });
    let patched = call(house.node.http(), "PATCH", &path, &[("authorization", &header)], &body).await;
    assert_eq!((patched.status, &patched.json()["avatar"]), (200, &two["thumb"]));
    assert_eq!([reads(&carol, &one).await, reads(&carol, &two).await], [404, 200]);
    house.node.files().clean_up().await;
    assert_eq!([reads(&alice, &one).await, reads(&carol, &two).await], [404, 200], "what was is gone");

    let cleared = a.ok("room.update", json!({ "room": room, "avatar": "" })).await;
    assert_eq!((&cleared["title"], cleared.get("avatar")), (&json!("Tea"), None));
    assert_eq!(reads(&carol, &two).await, 404);
}

#[tokio::test]
async fn what_is_no_picture_or_not_the_admin_s_to_read_is_no_room_s_picture() {
    let house = House::start().await;
    let (alice, mut a, bob, mut b) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let text = house.upload(&alice, "a.txt", b"no picture").await;
    let bobs = house.upload(&bob, "b.png", &png(20, 20)).await;
    let announced = house.begin(&alice, "c.png", 10).await;
    let unknown = uuid::Uuid::from_u128(9).to_string();
    for (avatar, code) in [
        ("javascript:alert(1)", "invalid"),
        ("https://elsewhere.example/a.png", "invalid"),
        ("//elsewhere.example/a.png", "invalid"),
        (&"x".repeat(60_000), "invalid"),
        (id(&text), "invalid"),
        (id(&bobs), "not_found"),
        (&announced, "not_found"),
        (&unknown, "not_found"),
    ] {
        assert_eq!(refusal(&mut a, &room, avatar).await, (json!(code), json!("avatar")), "{avatar:.50}");
    }
    let kept = a.ok("room.get", json!({ "room": room })).await;
    assert_eq!((&kept["title"], kept.get("avatar")), (&json!("Tea"), None), "nothing of it was done");

    // A member may not, whatever the file; and the picture that there is stays kept.
    let mine = house.upload(&alice, "d.png", &png(30, 30)).await;
    a.ok("room.update", json!({ "room": room, "avatar": id(&mine) })).await;
    assert_eq!(refusal(&mut b, &room, id(&bobs)).await.0, "forbidden");
    assert_eq!(refusal(&mut b, &room, "").await.0, "forbidden");
    house.node.files().clean_up().await;
    assert_eq!(house.get(&bob, id(&mine), &[]).await.status, 200);
    // Said in the room, Bob's picture is Alice's to read, and to take.
    say(&mut b, &room, &[&bobs]).await.unwrap();
    a.ok("room.update", json!({ "room": room, "avatar": id(&bobs) })).await;
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["avatar"], bobs["thumb"]);
}
