//! The cases of search that are about whom and how far: rooms, filters, pages.

use super::super::fixture::{append, batch, body, client_id, open_room, room, second, user};
use super::{about, all, delete, edit, query, say, tea};
use crate::search::{Hit, Search, SearchError, SearchQuery};
use crate::store::Store;
use rookery_protocol::{Role, RoomId, RoomKind, Seq};
use serde_json::json;

pub(super) async fn only_one_s_own_rooms_are_searched(store: &dyn Store, search: &dyn Search) {
    let mut pens = [tea(store).await, open_room(store, room(2), RoomKind::Direct, &[user(2), user(3)]).await];
    for pen in &mut pens {
        say(store, pen, user(2), "a secret").await;
    }
    let hit = |number, seq| Hit { room: room(number), seq: Seq(seq) };
    let search_as =
        |number, room: Option<RoomId>| all(search, SearchQuery { room, ..query(user(number), "secret") });
    assert_eq!(search_as(1, None).await, [hit(1, 4)]);
    assert_eq!(search_as(2, None).await, [hit(2, 4), hit(1, 4)]);
    assert_eq!(search_as(3, None).await, [hit(2, 4)]);
    assert_eq!(search_as(4, None).await, []);
    assert_eq!(search_as(1, Some(room(2))).await, []);
    assert_eq!(search_as(2, Some(room(1))).await, [hit(1, 4)]);
    assert_eq!(search_as(2, Some(room(9))).await, []);
}

pub(super) async fn a_room_left_is_not_searched_until_one_is_back(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    let change =
        |change: &str| body(&json!({ "type": "member", "body": { "user": user(3), "change": change } }));
    let search_as = |number| all(search, query(user(number), "word"));
    let seqs = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.seq.0).collect::<Vec<_>>();
    say(store, &mut pen, user(1), "word before").await;
    let joined = pen.event(user(1), None, change("added"));
    append(store, vec![joined], vec![pen.membership(user(3), Some(Role::Member))]).await;
    say(store, &mut pen, user(1), "word within").await;
    assert_eq!(seqs(search_as(3).await), [6], "nothing from before the joining");
    // What was said before is not found for having been edited since.
    let edited = about(&mut pen, Seq(4), edit("word before, edited"));
    append(store, vec![edited], vec![]).await;
    assert_eq!(seqs(search_as(3).await), [6]);

    let left = pen.event(user(3), None, change("left"));
    append(store, vec![left], vec![pen.membership(user(3), None)]).await;
    assert_eq!(search_as(3).await, []);
    say(store, &mut pen, user(1), "word without").await;
    let back = pen.event(user(1), None, change("added"));
    append(store, vec![back], vec![pen.membership(user(3), Some(Role::Reader))]).await;
    assert_eq!(search_as(3).await, [], "the time between, and before, stays the others'");
    say(store, &mut pen, user(1), "word again").await;
    assert_eq!(seqs(search_as(3).await), [11]);
    assert_eq!(seqs(search_as(1).await), [11, 9, 6, 4]);
}

pub(super) async fn room_author_time_and_kind_narrow_it_down(store: &dyn Store, search: &dyn Search) {
    let mut pens = [tea(store).await, open_room(store, room(2), RoomKind::Group, &[user(1), user(2)]).await];
    for pen in &mut pens {
        say(store, pen, user(1), "tea by one").await;
        say(store, pen, user(2), "tea by two").await;
        let name = Some(client_id((2 << 90) | pen.room.0.as_u128()));
        let place = json!({ "type": "message", "body": { "kind": "location", "text": "tea house" } });
        let event = pen.event(user(2), name, body(&place));
        append(store, vec![event], vec![]).await;
    }
    let hit = |number, seq| Hit { room: room(number), seq: Seq(seq) };
    let tea = query(user(1), "tea");
    let both = |seqs: &[u64]| {
        let hits = |number| seqs.iter().map(move |seq| hit(number, *seq));
        hits(2).chain(hits(1)).collect::<Vec<_>>()
    };
    let in_any_order = |mut hits: Vec<Hit>| {
        hits.sort_unstable_by_key(|hit| (std::cmp::Reverse(hit.room), std::cmp::Reverse(hit.seq)));
        hits
    };
    let found = async |query: SearchQuery| in_any_order(all(search, query).await);
    assert_eq!(found(tea.clone()).await, both(&[6, 5, 4]));
    let room_2 = Some(room(2));
    assert_eq!(found(SearchQuery { room: room_2, ..tea.clone() }).await, [hit(2, 6), hit(2, 5), hit(2, 4)]);
    assert_eq!(found(SearchQuery { from: Some(user(1)), ..tea.clone() }).await, both(&[4]));
    assert_eq!(found(SearchQuery { from: Some(user(9)), ..tea.clone() }).await, []);
    assert_eq!(found(SearchQuery { kind: "location".parse().ok(), ..tea.clone() }).await, both(&[6]));
    // Each event is a second after the one before; the message at 5 was written at second 5.
    assert_eq!(found(SearchQuery { before: Some(second(5)), ..tea.clone() }).await, both(&[4]));
    assert_eq!(found(SearchQuery { before: Some(second(6)), ..tea.clone() }).await, both(&[5, 4]));
    assert_eq!(found(SearchQuery { before: Some(second(-1_000_000)), ..tea.clone() }).await, []);
    let all_of_it = SearchQuery {
        room: room_2,
        from: Some(user(2)),
        before: Some(second(6)),
        kind: "text".parse().ok(),
        ..tea
    };
    assert_eq!(found(all_of_it).await, [hit(2, 5)]);
}

pub(super) async fn pages_have_no_gap_and_nothing_twice_while_messages_arrive(
    store: &dyn Store,
    search: &dyn Search,
) {
    let mut pens = [tea(store).await, open_room(store, room(2), RoomKind::Group, &[user(1)]).await];
    for number in 0..25 {
        // Rooms are mixed, and every third message is another.
        say(store, &mut pens[number % 2], user(1), if number % 3 == 0 { "milk" } else { "tea" }).await;
    }
    let expected = all(search, query(user(1), "tea")).await;
    assert_eq!(expected.len(), 16);
    for limit in [1, 3, 16, 17] {
        let mut query = SearchQuery { limit, ..query(user(1), "tea") };
        let mut found = Vec::new();
        loop {
            let page = search.search(query.clone()).await.expect("search");
            found.extend(page.hits);
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
            let pen = &mut pens[limit % 2];
            let event = pen.message(user(1), "a later tea, found by no page but a first");
            store.append(batch(vec![event], vec![])).await.expect("append");
        }
        let later = found.len() - expected.len();
        assert_eq!(found[later..], expected, "{limit} at a time");
        // The next round begins without them.
        for pen in &mut pens {
            for seq in 1..=pen.seq.0 {
                let hit = Hit { room: pen.room, seq: Seq(seq) };
                if !expected.contains(&hit) {
                    let change = about(pen, Seq(seq), delete());
                    append(store, vec![change], vec![]).await;
                }
            }
        }
    }
}

pub(super) async fn a_cursor_of_somewhere_else_is_refused(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    say(store, &mut pen, user(1), "tea").await;
    for cursor in ["", "x", "-1", "1.2", "99999999999999999999", "0x1", "1.2.3.4"] {
        let query = SearchQuery { cursor: Some(cursor.to_owned()), ..query(user(1), "tea") };
        assert_eq!(search.search(query).await, Err(SearchError::Cursor), "{cursor:?}");
    }
}

pub(super) async fn many_rooms_of_others_do_not_hide_one_s_own(store: &dyn Store, search: &dyn Search) {
    let mut first = tea(store).await;
    let oldest = say(store, &mut first, user(1), "common").await;
    for number in 2..40 {
        let mut pen = open_room(store, room(number), RoomKind::Group, &[user(9)]).await;
        let events = (0..20).map(|_| pen.message(user(9), "common"));
        let events: Vec<_> = events.collect();
        append(store, events, vec![]).await;
    }
    // A user of many rooms, more than an index would name one by one.
    for number in 100..400 {
        open_room(store, room(number), RoomKind::Group, &[user(2)]).await;
    }
    for number in [1, 2] {
        let hits = all(search, SearchQuery { limit: 5, ..query(user(number), "common") }).await;
        assert_eq!(hits, [Hit { room: room(1), seq: oldest }]);
    }
    assert_eq!(all(search, SearchQuery { limit: 7, ..query(user(9), "common") }).await.len(), 38 * 20);
}
