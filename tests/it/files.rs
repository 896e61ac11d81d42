//! Files over the wire: announced, sent, carried by messages, fetched by those who may, and gone when
//! nothing refers to them.

mod bytes;
mod garbage;
mod hostile;
mod picture;
mod rights;

use crate::http::{Raw, RawAnswer, call};
use crate::rooms::{fresh, group, two};
use rookery_engine::blobs::{BlobKey, MemoryBlobs};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;

/// A node whose places for rows and bytes a test can look into and break.
struct House {
    node: TestNode,
    store: Arc<FaultStore<MemoryStore>>,
    blobs: Arc<MemoryBlobs>,
}

impl House {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&'static str, &'static str)]) -> Self {
        let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
        let blobs = Arc::new(MemoryBlobs::new());
        let node = TestNode::with(TestNodeOptions {
            store: Arc::clone(&store) as Arc<dyn Store>,
            blobs: blobs.clone(),
            settings: settings.to_vec(),
            ..TestNodeOptions::default()
        })
        .await;
        Self { node, store, blobs }
    }

    /// Returns the names of all bytes that are kept.
    fn kept(&self) -> Vec<BlobKey> {
        self.blobs.keys()
    }

    /// Announces a file.
    async fn announce(&self, who: &TestUser, body: Value) -> RawAnswer {
        let token = format!("Bearer {}", who.token());
        call(self.node.http(), "POST", "/v1/uploads", &[("authorization", &token)], &body).await
    }

    /// Announces a file that must be taken, and returns its id.
    async fn begin(&self, who: &TestUser, name: &str, size: usize) -> String {
        let begun = self.announce(who, json!({ "name": name, "size": size })).await;
        assert_eq!(begun.status, 201, "{}", begun.text());
        let begun = begun.json();
        let id = begun["id"].as_str().unwrap().to_owned();
        assert_eq!(begun["upload_url"], format!("/v1/uploads/{id}"));
        id
    }

    /// Sends the bytes of a file.
    async fn put(&self, who: &TestUser, id: &str, content: &[u8]) -> RawAnswer {
        let mut raw = Raw::connect(self.node.http()).await;
        raw.send(put_head(who, id, &format!("content-length: {}", content.len()))).await;
        raw.send(content).await;
        raw.answer().await.expect("an answer")
    }

    /// Announces and sends a file that must be taken, and returns its attachment.
    async fn upload(&self, who: &TestUser, name: &str, content: &[u8]) -> Value {
        let id = self.begin(who, name, content.len()).await;
        let answer = self.put(who, &id, content).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Asks for a file or its small picture.
    async fn get(&self, who: &TestUser, path: &str, headers: &[(&str, &str)]) -> RawAnswer {
        self.ask("GET", who, path, headers).await
    }

    async fn ask(&self, method: &str, who: &TestUser, path: &str, headers: &[(&str, &str)]) -> RawAnswer {
        let token = format!("Bearer {}", who.token());
        let headers = [&[("authorization", token.as_str())], headers].concat();
        call(self.node.http(), method, &format!("/v1/files/{path}"), &headers, &Value::Null).await
    }
}

/// Returns the head of a request that sends a file.
fn put_head(who: &TestUser, id: &str, length: &str) -> String {
    let token = who.token();
    format!("PUT /v1/uploads/{id} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {token}\r\n{length}\r\n\r\n")
}

fn id(attachment: &Value) -> &str {
    attachment["id"].as_str().expect("an attachment has an id")
}

/// Says something that carries files; returns the reply.
async fn say(wire: &mut Wire, room: &Value, attachments: &[&Value]) -> Result<Value, Value> {
    let body = json!({ "kind": "document", "attachments": attachments });
    let send = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": body });
    wire.call("message.send", send).await
}

#[tokio::test]
async fn a_file_is_announced_sent_said_and_fetched() {
    let house = House::start().await;
    let (alice, mut a, bob, mut b) = two(&house.node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let text = "the kettle is on\n".repeat(10_000);
    let attachment = house.upload(&alice, "../recipes/tea.txt", text.as_bytes()).await;
    let shown = json!({
        "id": attachment["id"], "name": "tea.txt", "mime": "text/plain; charset=utf-8", "size": text.len(),
    });
    assert_eq!(attachment, shown);

    b.ok("room.open", json!({ "room": room })).await;
    // What a client says of a file counts for nothing, but for how long it lasts.
    let lie = json!({
        "id": attachment["id"], "name": "x.exe", "mime": "image/png", "size": 1, "width": 9,
        "thumb": "https://evil.example/", "duration_ms": 7,
    });
    let sent = say(&mut a, &room, &[&lie]).await.unwrap();
    let mut told = shown.clone();
    told["duration_ms"] = json!(7);
    let event = b.room_event().await;
    assert_eq!((&event["seq"], &event["body"]["attachments"]), (&sent["seq"], &json!([told])));

    let fetched = house.get(&bob, id(&attachment), &[]).await;
    assert_eq!((fetched.status, fetched.text()), (200, text));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", "attachment; filename*=UTF-8''tea.txt"),
        (
            "content-security-policy",
            "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, no-cache"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(fetched.header(name), Some(value));
    }
    assert_eq!(house.get(&bob, &format!("{}/thumb", id(&attachment)), &[]).await.problem().0, 404);
}

#[tokio::test]
async fn a_part_is_fetched_and_what_is_known_is_not_sent_again() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let content: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let file = house.upload(&alice, "a.bin", &content).await;
    let file = id(&file);
    let whole = house.get(&alice, file, &[]).await;
    let tag = whole.header("etag").unwrap();
    assert!(tag.starts_with('"') && tag.len() == 66, "{tag}");

    for (asked, bounds, range) in [
        ("bytes=0-9", "bytes 0-9/100000", 0..10),
        ("bytes=99990-", "bytes 99990-99999/100000", 99_990..100_000),
        ("bytes=-5", "bytes 99995-99999/100000", 99_995..100_000),
    ] {
        let part = house.get(&alice, file, &[("range", asked)]).await;
        assert_eq!((part.status, part.header("content-range")), (206, Some(bounds)));
        assert_eq!(part.body, content[range]);
    }
    let beyond = house.get(&alice, file, &[("range", "bytes=100000-")]).await;
    assert_eq!((beyond.problem().0, beyond.header("content-range")), (416, Some("bytes */100000")));
    let several = house.get(&alice, file, &[("range", "bytes=0-1,5-6")]).await;
    assert_eq!((several.status, several.body.len()), (200, 100_000));
    let other = house.get(&alice, file, &[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, other.body.len()), (200, 100_000));

    let known = house.get(&alice, file, &[("if-none-match", tag)]).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(tag)));
    let head = house.ask("HEAD", &alice, file, &[]).await;
    assert_eq!(
        (head.status, head.header("content-length"), head.header("etag")),
        (200, Some("100000"), Some(tag))
    );
}

#[tokio::test]
async fn a_picture_is_drawn_anew_and_has_a_small_one() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let sent = bytes::png(640, 400);
    let picture = house.upload(&alice, "tea.gif", &sent).await;
    let thumb = format!("/v1/files/{}/thumb", id(&picture));
    assert_eq!(
        (&picture["mime"], &picture["width"], &picture["height"]),
        (&json!("image/png"), &json!(640), &json!(400))
    );
    assert_eq!(picture["thumb"], thumb);
    let stored = house.get(&alice, id(&picture), &[]).await;
    assert_eq!(
        (stored.header("content-type"), json!(stored.body.len())),
        (Some("image/png"), picture["size"].clone())
    );
    let small = house.get(&alice, &format!("{}/thumb", id(&picture)), &[]).await;
    assert_eq!((small.status, small.header("content-type")), (200, Some("image/jpeg")));
    assert!(small.header("etag") != stored.header("etag") && !small.body.is_empty());
    assert_eq!(house.kept().len(), 2, "what was sent is not kept beside it");
}

#[tokio::test]
async fn the_same_upload_again_gets_the_same_answer_and_another_is_a_conflict() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let sent = bytes::png(50, 50);
    let first = house.upload(&alice, "a.png", &sent).await;
    let again = house.put(&alice, id(&first), &sent).await;
    assert_eq!((again.status, again.json()), (200, first.clone()));
    let mut other = sent.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(house.put(&alice, id(&first), &other).await.problem(), (409, "conflict".to_owned()));
    assert_eq!(house.get(&alice, id(&first), &[]).await.status, 200);

    // Without a length, in pieces.
    let file = house.begin(&alice, "b.png", sent.len()).await;
    let mut raw = Raw::connect(house.node.http()).await;
    raw.send(put_head(&alice, &file, "transfer-encoding: chunked")).await;
    for piece in sent.chunks(1000) {
        raw.send([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()).await;
    }
    raw.send("0\r\n\r\n").await;
    assert_eq!(raw.answer().await.unwrap().status, 200);
}
