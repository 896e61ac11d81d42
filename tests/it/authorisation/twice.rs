//! What the owner of a room asks twice is answered twice and done once.

use super::rows::ops;
use super::scene::{Cast, Who};
use rookery_tests::node::TestNode;

#[tokio::test]
async fn what_the_owner_asks_twice_is_answered_twice_and_done_once() {
    let node = TestNode::start().await;
    let mut cast = Cast::new(&node).await;
    let of_rooms =
        ops().into_iter().filter(|row| row.told(Who::Owner) == "ok" && row.text().contains("$room"));
    for row in of_rooms {
        let mut scene = cast.scene(&row, Who::Owner).await;
        let d = scene.filled(row.ask.as_deref().unwrap_or("{}"));
        let first = scene.wire.ok(&row.name, d.clone()).await;
        let head = scene.head().await;
        let again = scene.wire.call(&row.name, d).await;
        let since = scene.head().await;
        match row.name.as_str() {
            // The member has gone; an update is an event each time; an invite is another each time.
            "member.remove" => assert_eq!(again.unwrap_err()["code"], "not_found"),
            "room.update" => assert_eq!(since, head + 1, "{again:?}"),
            "invite.create" => assert_ne!(again.unwrap()["invite"], first["invite"]),
            _ => {
                let again = again.unwrap();
                assert_eq!((&again["seq"], since), (&first["seq"], head), "{}: {first} {again}", row.name);
            }
        }
    }
}
