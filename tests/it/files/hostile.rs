//! Uploads that are meant to harm, and those that just go wrong: refused clearly or stored safely, and
//! nothing is left behind.

use super::{House, Raw, bytes, id, json, put_head};
use rookery_engine::blobs::BlobError;

/// What must not be found in a picture.
const SCRIPT: &[u8] = b"<script>alert(document.cookie)</script>";

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_picture_of_ten_thousand_pixels_each_way_is_refused() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let bomb = bytes::bomb(10_000);
    assert!(bomb.len() < 1_000_000, "a hundred megabytes in {}", bomb.len());
    let file = house.begin(&alice, "black.png", bomb.len()).await;
    let refused = house.put(&alice, &file, &bomb).await;
    assert_eq!(refused.problem(), (413, "too_large".to_owned()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("10000 x 10000"), "{}", refused.text());
    assert_eq!(house.kept(), []);
    // Of a size that is decoded, it is a picture like any other.
    assert_eq!(house.upload(&alice, "black.png", &bytes::bomb(500)).await["width"], 500);
}

#[tokio::test]
async fn a_picture_that_is_a_page_as_well_is_only_the_picture_afterwards() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let sent = bytes::png_with_words(SCRIPT);
    assert!(holds(&sent, SCRIPT));
    let picture = house.upload(&alice, "a.html", &sent).await;
    let stored = house.get(&alice, id(&picture), &[]).await;
    assert_eq!((stored.header("content-type"), holds(&stored.body, SCRIPT)), (Some("image/png"), false));
    assert_eq!(house.kept().len(), 2);
}

#[tokio::test]
async fn what_a_browser_could_run_is_given_as_text_to_be_saved() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    for (name, mime, content) in [
        (
            "a.svg",
            "image/svg+xml",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        ),
        ("a.html", "text/html", "<!doctype html><script>alert(1)</script>"),
        ("a.js", "text/javascript", "alert(1)"),
        // A type that is claimed and not so.
        ("a.png", "image/png", "not a picture at all"),
    ] {
        let announced = json!({ "name": name, "size": content.len(), "mime": mime });
        let file = house.announce(&alice, announced).await.json()["id"].take();
        let file = file.as_str().unwrap();
        let taken = house.put(&alice, file, content.as_bytes()).await;
        assert_eq!(
            (taken.status, &taken.json()["mime"]),
            (200, &json!("text/plain; charset=utf-8")),
            "{name}"
        );
        assert!(taken.json().get("width").is_none() && taken.json().get("thumb").is_none());
        let given = house.get(&alice, file, &[]).await;
        assert_eq!(given.text(), content);
        assert_eq!(given.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(given.header("content-disposition").unwrap().starts_with("attachment;"));
        assert!(given.header("content-security-policy").unwrap().starts_with("sandbox;"));
        assert_eq!(given.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn what_only_begins_like_a_picture_is_refused() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let whole = bytes::png(200, 200);
    for content in [&whole[..whole.len() / 2], b"GIF89a/*\0\0\0*/=1;alert(1)", b"\xff\xd8\xff\xe0rubbish"] {
        let file = house.begin(&alice, "a.png", content.len()).await;
        let refused = house.put(&alice, &file, content).await;
        assert_eq!(refused.problem(), (422, "invalid".to_owned()));
        assert_eq!(refused.json()["errors"][0]["field"], "content");
    }
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing_and_the_upload_can_be_sent_again() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let content = vec![b'a'; 400_000];
    for head in ["content-length: 400000", "transfer-encoding: chunked"] {
        let file = house.begin(&alice, "a.txt", content.len()).await;
        let mut raw = Raw::connect(house.node.http()).await;
        raw.send(put_head(&alice, &file, head)).await;
        let half = &content[..200_000];
        let piece = if head.starts_with('c') { half.to_vec() } else { [b"30d40\r\n", half].concat() };
        raw.send(piece).await;
        drop(raw);
        // The next one waits until the cut one has been cleared away.
        let taken = loop {
            let answer = house.put(&alice, &file, &content).await;
            if answer.status != 409 {
                break answer;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(taken.status, 200, "{}", taken.text());
        assert_eq!(house.get(&alice, &file, &[]).await.body, content);
    }
    assert_eq!(house.kept().len(), 2);
}

#[tokio::test]
async fn an_upload_that_stalls_is_given_up() {
    let house = House::with(&[("ROOKERY_SERVER__BODY_TIMEOUT_SECONDS", "1")]).await;
    let alice = house.node.user("alice").await;
    let file = house.begin(&alice, "a.txt", 100).await;
    let mut raw = Raw::connect(house.node.http()).await;
    raw.send(put_head(&alice, &file, "content-length: 100")).await;
    raw.send("half of it").await;
    assert_eq!(raw.answer().await.unwrap().problem(), (408, "bad_request".to_owned()));
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn other_bytes_than_announced_are_refused_also_without_a_length() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let file = house.begin(&alice, "a.txt", 10).await;
    for content in [&b"short"[..], b"much too long"] {
        let refused = house.put(&alice, &file, content).await;
        assert_eq!(refused.problem(), (422, "invalid".to_owned()));
        assert_eq!(refused.json()["errors"][0]["field"], "size");
        let mut raw = Raw::connect(house.node.http()).await;
        raw.send(put_head(&alice, &file, "transfer-encoding: chunked")).await;
        let piece = [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n0\r\n\r\n"].concat();
        raw.send(piece).await;
        assert_eq!(raw.answer().await.unwrap().problem(), (422, "invalid".to_owned()));
    }
    assert_eq!(house.kept(), []);
    assert_eq!(house.put(&alice, &file, b"0123456789").await.status, 200, "it can still be sent");
}

#[tokio::test]
async fn a_full_disk_refuses_and_takes_files_again_when_there_is_room() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let (text, picture) = (vec![b'a'; 300_000], bytes::png(100, 100));
    house.blobs.limit_to(20_000);
    for content in [&text, &picture] {
        let file = house.begin(&alice, "a", content.len()).await;
        let refused = house.put(&alice, &file, content).await;
        assert_eq!(refused.problem(), (503, "store_unavailable".to_owned()));
        assert!(refused.header("retry-after").is_some());
        assert_eq!(house.kept(), [], "not even half of it");
        house.blobs.limit_to(usize::MAX);
        assert_eq!(house.put(&alice, &file, content).await.status, 200);
        clear(&house).await;
        house.blobs.limit_to(20_000);
    }
}

/// Takes all bytes away, as an operator would who deletes files by hand.
async fn clear(house: &House) {
    use rookery_engine::blobs::Blobs;
    for key in house.kept() {
        house.blobs.delete(key.file).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_does_not_say_so_keeps_no_bytes_of_what_it_refused() {
    let house = House::start().await;
    let alice = house.node.user("alice").await;
    let file = house.begin(&alice, "a.txt", 5).await;
    house.store.refuse_all("the disk is full");
    assert_eq!(house.put(&alice, &file, b"12345").await.problem(), (503, "store_unavailable".to_owned()));
    assert_eq!(house.announce(&alice, json!({ "name": "b", "size": 1 })).await.problem().0, 503);
    house.store.heal();
    assert_eq!(house.kept(), []);
    assert_eq!(house.put(&alice, &file, b"12345").await.status, 200);
    house.blobs.fail(Some(BlobError::Refused("unplugged".to_owned())));
    assert_eq!(house.get(&alice, &file, &[]).await.problem(), (503, "store_unavailable".to_owned()));
    house.blobs.fail(None);
    assert_eq!(house.get(&alice, &file, &[]).await.status, 200);
}

#[tokio::test]
async fn files_are_within_their_size_and_their_owner_s_quota() {
    let house =
        House::with(&[("ROOKERY_FILES__MAX_BYTES", "50000"), ("ROOKERY_FILES__QUOTA_BYTES", "100000")]).await;
    let (alice, bob) = (house.node.user("alice").await, house.node.user("bob").await);
    let announce = async |who, size: u32| house.announce(who, json!({ "name": "a", "size": size })).await;
    let over = announce(&alice, 50_001).await;
    assert_eq!(
        (over.problem(), &over.json()["errors"][0]["field"]),
        ((413, "too_large".to_owned()), &json!("size"))
    );
    for _ in 0..2 {
        assert_eq!(announce(&alice, 48_000).await.status, 201);
    }
    assert_eq!(announce(&alice, 10_000).await.problem(), (413, "too_large".to_owned()));
    assert_eq!(announce(&bob, 48_000).await.status, 201, "another's quota");
    for bad in [
        json!({ "name": "a" }),
        json!({ "size": 1 }),
        json!({ "name": "a", "size": -1 }),
        json!({ "name": "a", "size": "1" }),
    ] {
        assert_eq!(house.announce(&alice, bad.clone()).await.problem(), (422, "invalid".to_owned()), "{bad}");
    }
    let long = json!({ "name": "a", "size": 1, "mime": "a/".repeat(200) });
    assert_eq!(house.announce(&bob, long).await.json()["errors"][0]["field"], "mime");
}

#[tokio::test]
async fn one_request_at_a_time_sends_an_upload_and_few_are_of_one_user() {
    let house = House::start().await;
    let (alice, bob) = (house.node.user("alice").await, house.node.user("bob").await);
    let mut open = Vec::new();
    for number in 0..4 {
        let file = house.begin(&alice, "a", 10).await;
        let mut raw = Raw::connect(house.node.http()).await;
        // The answer to the expectation says that the bytes are waited for.
        raw.send(put_head(&alice, &file, "content-length: 10\r\nexpect: 100-continue")).await;
        assert_eq!(raw.answer().await.unwrap().status, 100, "{number}");
        open.push((file, raw));
    }
    let (file, first) = &mut open[0];
    assert_eq!(house.put(&alice, file, b"0123456789").await.problem(), (409, "conflict".to_owned()));
    let fifth = house.begin(&alice, "a", 10).await;
    assert_eq!(house.put(&alice, &fifth, b"0123456789").await.problem(), (503, "busy".to_owned()));
    house.upload(&bob, "b", b"another's").await;
    first.send(b"0123456789").await;
    assert_eq!(first.answer().await.unwrap().status, 200);
    assert_eq!(house.put(&alice, &fifth, b"0123456789").await.status, 200);
}
