//! Who may read a file, and who may send it on.

use super::{House, call, group, id, json, say, two};
use serde_json::Value;

#[tokio::test]
async fn a_file_is_read_by_those_who_can_read_the_message() {
    let house = House::start().await;
    let (alice, mut a, bob, mut b) = two(&house.node).await;
    let (carol, eve) = (house.node.user("carol").await, house.node.user("eve").await);
    let room = group(&mut a, "Tea", &[&bob]).await;
    let file = house.upload(&alice, "a.txt", b"the recipe").await;
    let reads = async |who| house.get(who, id(&file), &[]).await.status;
    assert_eq!([reads(&alice).await, reads(&bob).await], [200, 404], "not said yet");
    say(&mut a, &room, &[&file]).await.unwrap();
    assert_eq!([reads(&bob).await, reads(&eve).await], [200, 404]);

    // Carol joins later, and reads what was said before her no more than its file.
    a.ok("member.add", json!({ "room": room, "users": [carol.id()] })).await;
    assert_eq!(reads(&carol).await, 404);
    say(&mut a, &room, &[&file]).await.unwrap();
    assert_eq!(reads(&carol).await, 200);
    a.ok("member.remove", json!({ "room": room, "user": carol.id() })).await;
    b.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    assert_eq!([reads(&bob).await, reads(&carol).await, reads(&alice).await], [404, 404, 200]);

    let nobody = call(house.node.http(), "GET", &format!("/v1/files/{}", id(&file)), &[], &Value::Null).await;
    assert_eq!(nobody.problem().0, 401);
    assert_eq!(house.get(&alice, "not-an-id", &[]).await.problem().0, 404);
    assert_eq!(house.get(&alice, &uuid::Uuid::from_u128(9).to_string(), &[]).await.problem().0, 404);
}

#[tokio::test]
async fn a_file_is_said_by_its_owner_and_sent_on_by_its_readers() {
    let house = House::start().await;
    let (alice, mut a, bob, mut b) = two(&house.node).await;
    let tea = group(&mut a, "Tea", &[&bob]).await;
    let own = group(&mut b, "Bob's", &[]).await;
    let file = house.upload(&alice, "a.txt", b"the recipe").await;
    let refused = say(&mut b, &own, &[&file]).await.unwrap_err();
    assert_eq!(
        (&refused["code"], &refused["details"]["field"]),
        (&json!("not_found"), &json!("body.attachments"))
    );
    say(&mut a, &tea, &[&file]).await.unwrap();
    say(&mut b, &own, &[&file]).await.unwrap();
    // He keeps what he has sent on.
    a.ok("member.remove", json!({ "room": tea, "user": bob.id() })).await;
    assert_eq!(house.get(&bob, id(&file), &[]).await.status, 200);

    let announced = house.begin(&alice, "b.txt", 10).await;
    let unsent = json!({ "id": announced, "name": "b.txt", "mime": "text/plain", "size": 10 });
    assert_eq!(say(&mut a, &tea, &[&unsent]).await.unwrap_err()["code"], "not_found", "nothing was sent");
    let unknown =
        json!({ "id": uuid::Uuid::from_u128(9), "name": "b.txt", "mime": "text/plain", "size": 10 });
    assert_eq!(say(&mut a, &tea, &[&file, &unknown]).await.unwrap_err()["code"], "not_found");
    assert_eq!(house.put(&bob, &announced, b"0123456789").await.problem().0, 404, "another's upload");
}

#[tokio::test]
async fn messages_with_and_without_files_keep_their_order() {
    let house = House::start().await;
    let (alice, mut a, ..) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let file = house.upload(&alice, "a.txt", b"the recipe").await;
    let mut ids = Vec::new();
    for number in 0..20_u32 {
        let mut body = json!({ "kind": "text", "text": number.to_string() });
        if number % 3 == 0 {
            body["attachments"] = json!([file]);
        }
        let client_id = uuid::Uuid::from_u128(super::fresh());
        ids.push(a.send("message.send", json!({ "room": room, "client_id": client_id, "body": body })).await);
    }
    let mut places = Vec::new();
    for id in ids {
        places.push(a.reply(id).await.unwrap()["seq"].as_u64().unwrap());
    }
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test]
async fn a_message_that_was_written_is_a_duplicate_also_when_its_files_are_gone() {
    let house = House::start().await;
    let (alice, mut a, ..) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let file = house.upload(&alice, "a.txt", b"the recipe").await;
    let body = json!({ "kind": "document", "attachments": [file] });
    let send = json!({ "room": room, "client_id": uuid::Uuid::from_u128(super::fresh()), "body": body });
    let first = a.ok("message.send", send.clone()).await;
    super::garbage::take_away(&house, &alice, (&room, &first["seq"])).await;
    let again = a.ok("message.send", send).await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&first["seq"], &json!(true)));
}
