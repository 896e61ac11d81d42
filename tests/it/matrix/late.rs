//! Writes that come again: days late, in another order, from two devices at once.

use super::{again, log, pipeline, said};
use crate::chat::{draft, passivate, text};
use crate::rooms::{group, two};
use rookery_engine::MemoryStore;
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// As long as somebody's phone may be off.
const DAYS: Duration = Duration::from_secs(9 * 24 * 60 * 60);

#[tokio::test]
async fn retries_that_come_days_late_and_in_another_order_get_their_first_places() {
    let store = MemoryStore::new();
    let node = TestNode::over(Arc::new(store.again())).await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let mut places = Vec::new();
    for (id, draft) in pipeline(&mut a, &room, (0..20).map(|number| number.to_string())).await {
        places.push((a.reply(id).await.unwrap()["seq"].clone(), draft));
    }
    let before = log(&mut a, &room).await;
    passivate(&node).await;
    drop((a, node));
    // Nothing of it is in anybody's memory any more.
    let node = TestNode::over(Arc::new(store)).await;
    node.pass(DAYS);
    let alice = node.login("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    for (seq, draft) in places.into_iter().rev() {
        let (id, draft) = again(&mut a, vec![draft]).await.remove(0);
        let sent = a.reply(id).await.unwrap();
        assert_eq!((&sent["seq"], &sent["duplicate"]), (&seq, &json!(true)), "{}", said(&draft));
    }
    assert_eq!(log(&mut a, &room).await, before);
}

#[tokio::test]
async fn a_write_that_two_devices_send_at_once_is_one_and_another_user_s_of_that_name_is_another() {
    let node = TestNode::start().await;
    let (alice, mut phone, bob, mut b) = two(&node).await;
    let mut laptop = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut phone, "Tea", &[&bob]).await;
    for round in 0..50 {
        let draft = draft(&room, &text(&round.to_string()));
        let on_phone = phone.send("message.send", draft.clone()).await;
        let on_laptop = laptop.send("message.send", draft.clone()).await;
        let of_bob = b.send("message.send", draft).await;
        let (on_phone, on_laptop) =
            (phone.reply(on_phone).await.unwrap(), laptop.reply(on_laptop).await.unwrap());
        assert_eq!(on_phone["seq"], on_laptop["seq"], "round {round}");
        assert_ne!(on_phone["duplicate"], on_laptop["duplicate"], "one of them was first");
        assert_ne!(b.reply(of_bob).await.unwrap()["seq"], on_phone["seq"], "round {round}");
    }
    assert_eq!(log(&mut phone, &room).await.len(), 100);
}
