//! The cases of messages as they are now: what changes make of them, and the pages that show it.

use super::fixture::{
    Change::{self, Delete, Edit, Pin, React, Unpin, Unreact},
    Pen, append, batch, body, change, client_id, open_room, room, text, user,
};
use crate::store::{Projection, Range, Receipt, Store};
use rookery_protocol::{Emptied, Event, EventBody, Message, MessageBody, Preview, Reaction, RoomKind, Seq};
use serde_json::json;

super::case_list![
    a_page_shows_messages_as_they_are_now,
    a_page_skips_changes_both_ways,
    reactions_are_counted_once_a_user_in_the_order_of_their_bytes,
    a_delete_takes_the_content_away_wherever_it_is,
    nothing_changes_a_deleted_message,
    a_change_that_is_out_of_date_changes_nothing,
    a_change_may_come_with_its_message,
    an_edit_replaces_mentions_and_a_delete_ends_them,
    messages_are_found_by_their_positions,
    a_preview_is_the_newest_message_as_it_is_now,
];

const EVERYTHING: Range = Range::After(Seq::ZERO);

fn reaction(emoji: &str, count: u64, mine: bool) -> Reaction {
    Reaction { emoji: emoji.to_owned(), count, mine }
}

fn says(words: &str) -> EventBody {
    EventBody::Message(MessageBody::text(words))
}

/// Returns the message at `seq` as user 1 sees it.
async fn one(store: &dyn Store, seq: Seq) -> Message {
    let found = store.messages(room(1), &[seq], user(1)).await.expect("read");
    found.into_iter().next().expect("it is there")
}

/// Returns room 1 with a message of each of users 1 and 2 at the positions 4 and 5.
async fn two_messages(store: &dyn Store) -> (Pen, [Event; 2]) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await;
    let messages = [pen.message(user(1), "first"), pen.message(user(2), "second")];
    append(store, messages.to_vec(), vec![]).await;
    (pen, messages)
}

async fn a_page_shows_messages_as_they_are_now(store: &dyn Store) {
    let (mut pen, [first, second]) = two_messages(store).await;
    let shown = |reader| store.page(room(1), Range::After(Seq(3)), 10, user(reader));
    assert_eq!(shown(1).await, Ok(vec![Message::new(first.clone()), Message::new(second.clone())]));

    change(store, &mut pen, (user(1), Seq(4)), Edit("first, better")).await;
    let edited_at = pen.at;
    change(store, &mut pen, (user(2), Seq(4)), React("+1")).await;
    change(store, &mut pen, (user(1), Seq(5)), Pin).await;
    let edited = Message {
        event: Event { body: says("first, better"), ..first.clone() },
        rev: Seq(7),
        edited_at: Some(edited_at),
        reactions: vec![reaction("+1", 1, false)],
        ..Message::new(first.clone())
    };
    let pinned = Message { rev: Seq(8), pinned: true, ..Message::new(second.clone()) };
    assert_eq!(shown(1).await, Ok(vec![edited.clone(), pinned]));
    let [mine, _] = shown(2).await.expect("read").try_into().expect("two");
    assert_eq!(mine, Message { reactions: vec![reaction("+1", 1, true)], ..edited.clone() });

    change(store, &mut pen, (user(1), Seq(5)), Unpin).await;
    change(store, &mut pen, (user(1), Seq(4)), Edit("first, best")).await;
    let event = Event { body: says("first, best"), ..first.clone() };
    let edited = Message { event, rev: Seq(10), edited_at: Some(pen.at), ..edited };
    let unpinned = Message { rev: Seq(9), ..Message::new(second.clone()) };
    assert_eq!(shown(1).await, Ok(vec![edited, unpinned]));

    let log = store.read(room(1), Range::After(Seq(3)), 2).await;
    assert_eq!(log, Ok(vec![first, second]), "the log is as it was written");
    assert_eq!(store.page(room(2), EVERYTHING, 10, user(1)).await, Ok(vec![]), "another room");
}

async fn a_page_skips_changes_both_ways(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    // Changes before, between and after, more than a page of them; a batch has both kinds.
    let mut entries = vec![1, 2];
    for round in 0..12_u64 {
        let message = pen.message(user(1), "hello");
        entries.push(pen.seq.0);
        let (mut events, mut projections, target) = (vec![message], vec![], pen.seq);
        for number in 0..round * 2 {
            let what =
                [Edit("so"), React("a"), Unreact("a"), Pin][usize::try_from(number % 4).expect("small")];
            let (event, projection) = pen.change(user(1), target, &what);
            events.push(event);
            projections.push(projection);
        }
        append(store, events, projections).await;
    }
    let head = pen.seq.0;
    for at in 0..=head + 2 {
        for limit in [0, 1, 2, 3, 7, 100, usize::MAX] {
            let after: Vec<u64> = entries.iter().copied().filter(|seq| *seq > at).take(limit).collect();
            let before: Vec<u64> = entries.iter().copied().filter(|seq| *seq < at).collect();
            let before = before[before.len().saturating_sub(limit)..].to_vec();
            for (range, expected) in [(Range::After(Seq(at)), after), (Range::Before(Seq(at)), before)] {
                let page = store.page(room(1), range, limit, user(1)).await.expect("read");
                let found: Vec<_> = page.iter().map(|message| message.event.seq.0).collect();
                assert_eq!(found, expected, "{range:?}, at most {limit}");
            }
        }
    }
    let log = store.read(room(1), EVERYTHING, usize::MAX).await.expect("read");
    assert_eq!(log.len() as u64, head, "the log has the changes too");
}

async fn reactions_are_counted_once_a_user_in_the_order_of_their_bytes(store: &dyn Store) {
    let (mut pen, _) = two_messages(store).await;
    // By characters as people sort them it would be another order, and in UTF-16 units too.
    let emoji = ["\u{1f426}", "\u{fb01}", "\u{2764}\u{fe0f}", "\u{2764}", "b", "B", "\u{e9}"];
    for kind in emoji {
        for by in [1, 2, 2] {
            change(store, &mut pen, (user(by), Seq(4)), React(kind)).await;
        }
    }
    let told = |mine: &'static [&'static str], count: u64| {
        ["B", "b", "\u{e9}", "\u{2764}", "\u{2764}\u{fe0f}", "\u{fb01}", "\u{1f426}"]
            .map(|kind| reaction(kind, count, mine.contains(&kind)))
            .to_vec()
    };
    assert_eq!(
        one(store, Seq(4)).await.reactions,
        told(&["B", "b", "\u{e9}", "\u{2764}", "\u{2764}\u{fe0f}", "\u{fb01}", "\u{1f426}"], 2)
    );

    for kind in emoji {
        for _ in 0..2 {
            change(store, &mut pen, (user(1), Seq(4)), Unreact(kind)).await;
        }
    }
    assert_eq!(one(store, Seq(4)).await.reactions, told(&[], 1));
    change(store, &mut pen, (user(3), Seq(4)), Unreact("b")).await;
    for kind in ["b", "never set"] {
        change(store, &mut pen, (user(2), Seq(4)), Unreact(kind)).await;
    }
    let left = one(store, Seq(4)).await;
    assert_eq!(left.rev, pen.seq, "also of a change that found nothing to do");
    assert_eq!(left.reactions.len(), 6, "none is told that nobody has set");
    assert_eq!(one(store, Seq(5)).await.reactions, [], "the other message");
}

async fn a_delete_takes_the_content_away_wherever_it_is(store: &dyn Store) {
    let (mut pen, [first, second]) = two_messages(store).await;
    change(store, &mut pen, (user(1), Seq(4)), Edit("secret")).await;
    change(store, &mut pen, (user(2), Seq(5)), Edit("stays")).await;
    change(store, &mut pen, (user(2), Seq(4)), React("+1")).await;
    change(store, &mut pen, (user(2), Seq(4)), Pin).await;
    change(store, &mut pen, (user(1), Seq(4)), Edit("more secret")).await;
    let before = store.read(room(1), EVERYTHING, 100).await.expect("read");
    let rev = change(store, &mut pen, (user(1), Seq(4)), Delete).await;

    let emptied = Event { body: EventBody::Emptied(Emptied::Message), ..first.clone() };
    let deleted = Message { rev, deleted: true, ..Message::new(emptied.clone()) };
    assert_eq!(one(store, Seq(4)).await, deleted);
    let page = store.page(room(1), Range::Before(Seq(5)), 1, user(1)).await;
    assert_eq!(page, Ok(vec![deleted]), "it keeps its place");

    let mut expected = before;
    expected[3] = emptied;
    for edit in [5, 9] {
        expected[edit].body = EventBody::Emptied(Emptied::Edit);
    }
    let mut log = store.read(room(1), EVERYTHING, 100).await.expect("read");
    assert_eq!(log.pop().map(|event| (event.seq, event.body.kind())), Some((rev, "delete")));
    assert_eq!(log, expected, "its content is in the log no more, and everything else is");

    let name = first.client_id.expect("it has one");
    let receipt = Receipt { seq: first.seq, ord: first.ord, at: first.at };
    assert_eq!(store.find(room(1), user(1), name).await, Ok(Some(receipt)), "it is not sent twice");
    assert_eq!(one(store, Seq(5)).await.event.body, says("stays"));
    assert_eq!(store.head(room(1)).await.map(|head| head.map(|head| head.ord)), Ok(Some(second.ord)));
}

async fn nothing_changes_a_deleted_message(store: &dyn Store) {
    let (mut pen, _) = two_messages(store).await;
    change(store, &mut pen, (user(1), Seq(4)), Delete).await;
    let deleted = one(store, Seq(4)).await;
    for what in [Edit("back"), React("+1"), Pin, Unpin, Unreact("+1"), Delete] {
        change(store, &mut pen, (user(2), Seq(4)), what).await;
        assert_eq!(one(store, Seq(4)).await, deleted, "{what:?}");
    }
    let mention = Projection::Mention { user: None, seq: Seq(4) };
    append(store, vec![pen.message(user(1), "go on")], vec![mention]).await;
    let state = store.room_state(room(1), user(2)).await.expect("read").expect("a member");
    assert_eq!((state.mentions, state.unread()), (0, 3), "what was deleted still counts as unread");
}

async fn a_change_that_is_out_of_date_changes_nothing(store: &dyn Store) {
    let (mut pen, _) = two_messages(store).await;
    let (older, _) = pen.change(user(2), Seq(4), &React("x"));
    append(store, vec![older.clone()], vec![]).await;
    change(store, &mut pen, (user(1), Seq(4)), Edit("newest")).await;
    let mention = Projection::Mention { user: Some(user(2)), seq: Seq(4) };
    append(store, vec![pen.message(user(1), "more")], vec![mention]).await;
    let before = one(store, Seq(4)).await;
    let newest = Event { seq: before.rev, ..older.clone() };
    let late: Vec<_> = [older, newest]
        .iter()
        .flat_map(|event| {
            [Edit("old"), Delete, React("x"), Pin].map(|what: Change<'_>| what.of(Seq(4), event))
        })
        .collect();
    append(store, vec![pen.message(user(1), "late")], late).await;
    assert_eq!(one(store, Seq(4)).await, before);
    let state = store.room_state(room(1), user(2)).await.expect("read").expect("a member");
    assert_eq!(state.mentions, 1, "nor does it forget a mention");
}

async fn a_change_may_come_with_its_message(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    let (mut events, mut projections) = (vec![], vec![]);
    for what in [Edit("edited"), Delete, React("+1"), Pin] {
        events.push(pen.message(user(1), "hello"));
        projections.push(Projection::Mention { user: Some(user(1)), seq: pen.seq });
        let target = pen.seq;
        for what in [Edit("so"), what] {
            let (event, projection) = pen.change(user(1), target, &what);
            events.push(event);
            projections.push(projection);
        }
    }
    append(store, events.clone(), projections).await;
    let page = store.page(room(1), Range::After(Seq(2)), 10, user(1)).await.expect("read");
    let [edited, deleted, reacted, pinned] = page.try_into().expect("four");
    assert_eq!((edited.rev, edited.event.body), (Seq(5), says("edited")));
    assert_eq!((deleted.rev, deleted.event.body), (Seq(8), EventBody::Emptied(Emptied::Message)));
    assert_eq!((reacted.rev, reacted.reactions), (Seq(11), vec![reaction("+1", 1, true)]));
    assert_eq!((pinned.rev, pinned.pinned, pinned.event.body), (Seq(14), true, says("so")));
    let log = store.read(room(1), Range::After(Seq(5)), 2).await.expect("read");
    let bodies: Vec<_> = log.into_iter().map(|event| event.body).collect();
    assert_eq!(bodies, [EventBody::Emptied(Emptied::Message), EventBody::Emptied(Emptied::Edit)]);
}

async fn an_edit_replaces_mentions_and_a_delete_ends_them(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1), user(2), user(3)]).await;
    let mention = |number: Option<u128>, seq| Projection::Mention { user: number.map(user), seq };
    let (first, second) = (pen.message(user(1), "to 2 and all"), pen.message(user(1), "to 2"));
    let (at, other) = (first.seq, second.seq);
    let mentions = vec![mention(Some(2), at), mention(None, at), mention(Some(2), other)];
    append(store, vec![first, second], mentions).await;
    let counts = || async {
        let states = store.room_states(room(1), &[user(2), user(3)]).await.expect("read");
        states.iter().map(|state| (state.mentions, state.unread())).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [(2, 2), (1, 2)]);

    let (event, projection) = pen.change(user(1), at, &Edit("to 3"));
    append(store, vec![event], vec![projection, mention(Some(3), at)]).await;
    assert_eq!(counts().await, [(1, 2), (1, 2)], "whom it mentions now");
    change(store, &mut pen, (user(1), at), Edit("to nobody")).await;
    assert_eq!(counts().await, [(1, 2), (0, 2)]);
    change(store, &mut pen, (user(3), other), React("+1")).await;
    change(store, &mut pen, (user(3), other), Pin).await;
    assert_eq!(counts().await, [(1, 2), (0, 2)], "these say nothing of mentions");
    change(store, &mut pen, (user(1), other), Delete).await;
    assert_eq!(counts().await, [(0, 2), (0, 2)]);
    assert_eq!(store.total_unread(user(2)).await, Ok(2));
}

async fn messages_are_found_by_their_positions(store: &dyn Store) {
    let (mut pen, [first, second]) = two_messages(store).await;
    let rev = change(store, &mut pen, (user(2), Seq(4)), React("+1")).await;
    let mut other = open_room(store, room(2), RoomKind::Group, &[user(1)]).await;
    append(store, other.messages(user(1), 20), vec![]).await;

    let reacted = Message { rev, reactions: vec![reaction("+1", 1, true)], ..Message::new(first) };
    let seqs = [5, 4, 99, 0, 6, 5, 7, 4].map(Seq);
    let found = store.messages(room(1), &seqs, user(2)).await;
    assert_eq!(found, Ok(vec![reacted, Message::new(second)]), "each once, and what is an entry only");
    let log = store.read(room(1), EVERYTHING, 3).await.expect("read");
    let found = store.messages(room(1), &[3, 1, 2].map(Seq), user(2)).await;
    assert_eq!(found, Ok(log.into_iter().map(Message::new).collect()), "of any type");
    assert_eq!(store.messages(room(1), &[], user(2)).await, Ok(vec![]));
    assert_eq!(store.messages(room(3), &[Seq(1)], user(2)).await, Ok(vec![]), "a room without events");
}

async fn a_preview_is_the_newest_message_as_it_is_now(store: &dyn Store) {
    let mut pen = open_room(store, room(1), RoomKind::Group, &[user(1)]).await;
    let preview = |number| async move {
        let state = store.room_state(room(1), user(number)).await.expect("read").expect("a member");
        let listed = store.rooms_of(user(number), None, 1).await.expect("read");
        assert_eq!(listed, std::slice::from_ref(&state));
        state.preview.map(|Preview { by, text }| (by, text))
    };
    assert_eq!(preview(1).await, None, "nobody has said anything");
    let long = "\u{1f426}".repeat(200);
    append(store, vec![pen.message(user(1), &long)], vec![]).await;
    let at = pen.seq;
    assert_eq!(preview(1).await, Some((user(1), "\u{1f426}".repeat(140))));

    // What is no message, and whoever joins with it.
    let added = json!({ "type": "member", "body": { "user": user(2), "change": "added", "role": "member" } });
    let event = pen.event(user(1), Some(client_id(77)), body(&added));
    let joins = pen.membership(user(2), Some(rookery_protocol::Role::Member));
    append(store, vec![event], vec![joins]).await;
    assert_eq!(preview(2).await, None, "from before it joined");
    change(store, &mut pen, (user(1), at), Edit("shorter")).await;
    assert_eq!(preview(1).await, Some((user(1), "shorter".to_owned())));
    assert_eq!(preview(2).await, None);
    append(store, vec![pen.event(user(2), None, text("hello"))], vec![]).await;
    let newest = pen.seq;
    change(store, &mut pen, (user(1), at), Edit("it is not the newest")).await;
    for number in [1, 2] {
        assert_eq!(preview(number).await, Some((user(2), "hello".to_owned())));
    }
    change(store, &mut pen, (user(2), newest), Delete).await;
    for number in [1, 2] {
        assert_eq!(preview(number).await, Some((user(2), String::new())), "it is deleted, not gone");
    }
    // A batch that repeats something leaves the newest message as it was.
    let again = pen.clone().event(user(1), Some(client_id(77)), text("again"));
    let first = Event { client_id: None, ..again.clone() };
    let second = Event { seq: again.seq.next(), ..again };
    assert!(store.append(batch(vec![first, second], vec![])).await.is_err());
    assert_eq!(preview(1).await, Some((user(2), String::new())));
}
