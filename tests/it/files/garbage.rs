//! What nothing refers to any more is gone: for everybody at once, and soon from the disk.

use super::{House, Raw, call, group, id, put_head, say, two};
use rookery_blobs_object::ObjectBlobs;
use rookery_engine::blobs::BlobError;
use rookery_engine::store::AvatarOf;
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Has the message of `who` at `seq` carry `files` and no others.
async fn carry(house: &House, who: &TestUser, message: (&Value, &Value), files: &[&Value]) {
    let body = json!({ "body": { "kind": "document", "attachments": files } });
    change(house, who, "PATCH", (message, &body)).await;
}

/// Deletes the message of `who` at `seq`.
pub(super) async fn take_away(house: &House, who: &TestUser, message: (&Value, &Value)) {
    change(house, who, "DELETE", (message, &Value::Null)).await;
}

async fn change(
    house: &House,
    who: &TestUser,
    method: &str,
    ((room, seq), body): ((&Value, &Value), &Value),
) {
    let path = format!("/v1/rooms/{}/messages/{seq}", room.as_str().expect("a room has an id"));
    let token = format!("Bearer {}", who.token());
    let answer = call(house.node.http(), method, &path, &[("authorization", &token)], body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_file_of_a_deleted_message_is_gone_at_once_and_its_bytes_after_it() {
    let house = House::start().await;
    let (alice, mut a, bob, _) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let (one, two) = (
        house.upload(&alice, "1.png", &super::bytes::png(30, 30)).await,
        house.upload(&alice, "2.txt", b"two").await,
    );
    let message = say(&mut a, &room, &[&one, &two]).await.unwrap();
    let other = say(&mut a, &room, &[&two]).await.unwrap();
    house.node.advance(72 * HOUR);
    let (bob, alice) = (house.node.login("bob").await, house.node.login("alice").await);
    let reads = async |file| house.get(&bob, id(file), &[]).await.status;
    house.node.files().clean_up().await;
    assert_eq!([reads(&one).await, reads(&two).await], [200, 200], "however long ago");

    take_away(&house, &alice, (&room, &message["seq"])).await;
    assert_eq!([reads(&one).await, reads(&two).await], [404, 200], "one is carried by another");
    assert_eq!(house.get(&alice, id(&one), &[]).await.status, 404, "its owner's neither");
    house.node.files().clean_up().await;
    assert_eq!(house.kept().len(), 1);
    take_away(&house, &alice, (&room, &other["seq"])).await;
    house.node.files().clean_up().await;
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn an_edit_that_leaves_a_file_out_lets_it_go() {
    let house = House::start().await;
    let (alice, mut a, ..) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let (one, two) = (house.upload(&alice, "1", b"1").await, house.upload(&alice, "2", b"2").await);
    let message = say(&mut a, &room, &[&one]).await.unwrap();
    carry(&house, &alice, (&room, &message["seq"]), &[&two]).await;
    let reads = async |file| house.get(&alice, id(file), &[]).await.status;
    assert_eq!([reads(&one).await, reads(&two).await], [404, 200]);
    house.node.files().clean_up().await;
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn an_upload_that_no_message_carries_expires() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let file = house.upload(&alice, "a.txt", b"never said").await;
    let unsent = house.begin(&alice, "b.txt", 5).await;
    house.node.advance(23 * HOUR);
    let alice = house.node.login("alice").await;
    house.node.files().clean_up().await;
    assert_eq!(house.get(&alice, id(&file), &[]).await.status, 200);
    house.node.advance(HOUR);
    let alice = house.node.login("alice").await;
    assert_eq!(house.get(&alice, id(&file), &[]).await.status, 404);
    assert_eq!(house.put(&alice, &unsent, b"12345").await.problem().0, 404);
    house.node.advance(Duration::from_secs(60));
    house.node.files().clean_up().await;
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn garbage_whose_bytes_cannot_be_deleted_is_tried_again() {
    let house = House::start().await;
    let (alice, mut a, ..) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let file = house.upload(&alice, "a.txt", b"to go").await;
    let message = say(&mut a, &room, &[&file]).await.unwrap();
    take_away(&house, &alice, (&room, &message["seq"])).await;
    house.blobs.fail(Some(BlobError::Refused("not now".to_owned())));
    house.node.files().clean_up().await;
    house.blobs.fail(None);
    assert_eq!(house.kept().len(), 1);
    house.store.refuse_all("not now");
    house.node.files().clean_up().await;
    house.store.heal();
    house.node.files().clean_up().await;
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn an_avatar_is_seen_by_everybody_and_goes_when_it_is_replaced() {
    let house = House::start().await;
    let (alice, bob) = (house.node.user("alice").await, house.node.user("bob").await);
    let one = house.upload(&alice, "me.png", &super::bytes::png(20, 20)).await;
    let two = house.upload(&alice, "me.png", &super::bytes::png(30, 30)).await;
    let now = house.node.node().clock().now();
    let hold = async |file: &Value| {
        let (of, file) = (AvatarOf::User(alice.id()), id(file).parse().unwrap());
        house.node.node().store().hold_avatar(of, Some(file), now).await
    };
    assert_eq!(house.get(&bob, id(&one), &[]).await.status, 404);
    assert_eq!(hold(&one).await, Ok(true));
    assert_eq!(house.get(&bob, &format!("{}/thumb", id(&one)), &[]).await.status, 200);
    assert_eq!(hold(&two).await, Ok(true));
    assert_eq!(house.get(&bob, id(&one), &[]).await.status, 404);
    assert_eq!(house.get(&bob, id(&two), &[]).await.status, 200);
}

/// Lists the files below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn a_file_is_on_the_disk_for_as_long_as_it_lives() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let blobs = Arc::new(ObjectBlobs::on_disk(&dir).unwrap());
    let store = Arc::new(rookery_engine::FaultStore::by_hand(rookery_engine::MemoryStore::new()));
    let options = TestNodeOptions { blobs, store: store.clone(), ..TestNodeOptions::default() };
    let unused = Arc::default();
    let house = House { node: TestNode::with(options).await, store, blobs: unused };
    let (alice, mut a, ..) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let (plain, picture) = (
        house.upload(&alice, "a.bin", &content).await,
        house.upload(&alice, "a.png", &super::bytes::png(60, 60)).await,
    );
    let message = say(&mut a, &room, &[&plain, &picture]).await.unwrap();
    assert_eq!(house.get(&alice, id(&plain), &[]).await.body, content);
    assert_eq!(
        house.get(&alice, id(&plain), &[("range", "bytes=2000000-2000099")]).await.body,
        content[2_000_000..2_000_100]
    );
    assert_eq!(files(&dir).len(), 3, "a file, a picture and its small one");

    let cut = house.begin(&alice, "b.bin", content.len()).await;
    let mut raw = Raw::connect(house.node.http()).await;
    raw.send(put_head(&alice, &cut, &format!("content-length: {}", content.len()))).await;
    raw.send(&content[..2_500_000]).await;
    drop(raw);
    // While it is being cleared away, no other request may send it.
    while house.put(&alice, &cut, b"of another size").await.status == 409 {
        tokio::task::yield_now().await;
    }
    assert_eq!(files(&dir).len(), 3, "nothing of what was cut");

    take_away(&house, &alice, (&room, &message["seq"])).await;
    house.node.files().clean_up().await;
    assert_eq!(files(&dir), [] as [PathBuf; 0]);
    std::fs::remove_dir_all(&dir).unwrap();
}
