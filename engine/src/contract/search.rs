//! The cases of search: what is found by which words, and what never is.

mod scope;

use super::fixture::{Pen, append, body, client_id, open_room, room, user};
use crate::search::{Hit, Hits, Search, SearchQuery, Terms};
use crate::store::Store;
use rookery_protocol::{Event, EventBody, RoomKind, Seq, UserId};
use scope::{
    a_cursor_of_somewhere_else_is_refused, a_room_left_is_not_searched_until_one_is_back,
    many_rooms_of_others_do_not_hide_one_s_own, only_one_s_own_rooms_are_searched,
    pages_have_no_gap_and_nothing_twice_while_messages_arrive, room_author_time_and_kind_narrow_it_down,
};
use serde_json::json;
use std::future::Future;
use std::pin::Pin;

/// One case of the contract of search; its name is the fact that it shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: Run,
}

type Run = for<'a> fn(&'a dyn Store, &'a dyn Search) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[Case] =
            &[$(Case { name: stringify!($case), run: |store, search| Box::pin($case(store, search)) }),+];
    };
}

cases![
    a_message_is_found_as_soon_as_it_is_acked,
    all_words_must_match_and_the_last_may_go_on,
    a_phrase_is_words_in_a_row,
    case_and_marks_do_not_matter_in_any_script,
    what_is_written_without_spaces_is_found_inside,
    nothing_typed_is_an_operator,
    an_edited_message_is_found_by_its_present_text_only,
    a_deleted_message_is_not_found,
    changes_to_what_is_no_message_change_nothing,
    only_one_s_own_rooms_are_searched,
    a_room_left_is_not_searched_until_one_is_back,
    room_author_time_and_kind_narrow_it_down,
    files_are_found_by_their_names,
    pages_have_no_gap_and_nothing_twice_while_messages_arrive,
    a_cursor_of_somewhere_else_is_refused,
    many_rooms_of_others_do_not_hide_one_s_own,
];

/// Returns the query of `user` for `words`, everywhere.
fn query(user: UserId, words: &str) -> SearchQuery {
    SearchQuery {
        user,
        terms: Terms::parse(words).expect("it has words"),
        room: None,
        from: None,
        before: None,
        kind: None,
        limit: 100,
        cursor: None,
    }
}

/// Searches to the end and returns what was found, page after page.
async fn all(search: &dyn Search, mut query: SearchQuery) -> Vec<Hit> {
    let mut found = Vec::new();
    loop {
        let Hits { hits, next } = search.search(query.clone()).await.expect("search");
        assert!(hits.len() <= query.limit);
        found.extend(hits);
        if next.is_none() {
            return found;
        }
        assert_ne!(next, query.cursor, "each page goes on");
        query.cursor = next;
    }
}

/// Returns the positions in room 1 that user 1 finds.
async fn found(search: &dyn Search, words: &str) -> Vec<u64> {
    let hits = all(search, query(user(1), words)).await;
    assert!(hits.iter().all(|hit| hit.room == room(1)), "{hits:?}");
    hits.into_iter().map(|hit| hit.seq.0).collect()
}

async fn say(store: &dyn Store, pen: &mut Pen, by: UserId, words: &str) -> Seq {
    let event = pen.message(by, words);
    append(store, vec![event], vec![]).await;
    pen.seq
}

/// Returns the room's next event, about the one at `target`.
fn about(pen: &mut Pen, target: Seq, body: EventBody) -> Event {
    let name = client_id((1 << 90) | u128::from(pen.seq.0) | (pen.room.0.as_u128() << 32));
    Event { target: Some(target), ..pen.event(user(1), Some(name), body) }
}

fn edit(words: &str) -> EventBody {
    body(&json!({ "type": "edit", "body": { "body": { "kind": "text", "text": words } } }))
}

fn delete() -> EventBody {
    body(&json!({ "type": "delete", "body": {} }))
}

/// Opens room 1 of users 1 and 2; its first message is at 4.
async fn tea(store: &dyn Store) -> Pen {
    open_room(store, room(1), RoomKind::Group, &[user(1), user(2)]).await
}

async fn a_message_is_found_as_soon_as_it_is_acked(store: &dyn Store, search: &dyn Search) {
    assert_eq!(found(search, "tea").await, [0; 0], "an empty store");
    let mut pen = tea(store).await;
    for number in 0..20 {
        let seq = say(store, &mut pen, user(1), &format!("cup number{number} of tea")).await;
        assert_eq!(found(search, &format!("\"number{number}\"")).await, [seq.0]);
    }
    assert_eq!(found(search, "tea").await, (4..24).rev().collect::<Vec<_>>(), "newest first");
    assert_eq!(found(search, "coffee").await, [0; 0]);
    assert_eq!(search.progress().behind, 0);
}

async fn all_words_must_match_and_the_last_may_go_on(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    for words in ["the kettle is on", "the kettledrum", "is the kettle off?", "on"] {
        say(store, &mut pen, user(1), words).await;
    }
    for (words, positions) in [
        ("kettle", &[6, 5, 4][..]),
        ("kettle ", &[6, 5, 4]),
        ("kettle the", &[6, 4]),
        ("the kettle", &[6, 5, 4]),
        ("\"kettle\"", &[6, 4]),
        ("kettle on", &[4]),
        ("ket the", &[]),
        ("the ket", &[6, 5, 4]),
        ("k", &[]),
        ("kettle spoon", &[]),
    ] {
        assert_eq!(found(search, words).await, positions, "{words:?}");
    }
}

async fn a_phrase_is_words_in_a_row(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    for words in ["two sugars, please", "sugars: two", "two brown sugars", "don't", "t don"] {
        say(store, &mut pen, user(1), words).await;
    }
    assert_eq!(found(search, "\"two sugars\"").await, [4]);
    assert_eq!(found(search, "two sugars").await, [6, 5, 4]);
    assert_eq!(found(search, "\"two sugars").await, [4], "a quote that is not closed");
    assert_eq!(found(search, "please \"two sugars\"").await, [4]);
    assert_eq!(found(search, "DON'T").await, [7]);
}

async fn case_and_marks_do_not_matter_in_any_script(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    for words in ["Un CAFÉ crème", "Чайник КИПИТ, ёлка", "ΤΟ ΤΣΆΙ", "Tiếng Việt", "мой чай"]
    {
        say(store, &mut pen, user(1), words).await;
    }
    for (words, positions) in [
        ("cafe", &[4][..]),
        ("Café creme", &[4]),
        ("cafe\u{301}", &[4]),
        ("чайник", &[5]),
        ("ЧАЙ", &[8, 5]),
        ("кипит елка", &[5]),
        ("Ёлка", &[5]),
        ("мои", &[]),
        ("τσαι", &[6]),
        ("tieng viet", &[7]),
    ] {
        assert_eq!(found(search, words).await, positions, "{words:?}");
    }
}

async fn what_is_written_without_spaces_is_found_inside(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    for words in ["東京大学で会いましょう", "京東", "고등학교에서 만나요", "great 👍🏽👨\u{200d}👩"]
    {
        say(store, &mut pen, user(1), words).await;
    }
    for (words, positions) in [
        ("大学", &[4][..]),
        ("東京", &[4]),
        ("京", &[5, 4]),
        ("학교", &[6]),
        ("👍", &[7]),
        ("👩", &[7]),
        ("👎", &[]),
    ] {
        assert_eq!(found(search, words).await, positions, "{words:?}");
    }
}

async fn nothing_typed_is_an_operator(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    say(store, &mut pen, user(1), "a NEAR miss OR not, text: 100% \"quoted\" it's {x} a*b a\u{0}c").await;
    say(store, &mut pen, user(1), "miss").await;
    for (words, positions) in [
        ("NEAR", &[4][..]),
        ("miss OR nothing", &[]),
        ("miss AND near", &[]),
        ("NOT miss", &[4]),
        ("miss NOT near", &[4]),
        ("NEAR(miss)", &[4]),
        ("near miss", &[4]),
        ("text:miss", &[]),
        ("- miss", &[5, 4]),
        ("^miss", &[5, 4]),
        ("miss*", &[5, 4]),
        ("mis* a", &[]),
        ("text : 100", &[4]),
        ("\"quoted\" it's", &[4]),
        ("'; DROP TABLE messages", &[]),
        ("a\u{0}c", &[4]),
        ("{x} : miss", &[4]),
        ("log : \"1\"", &[]),
        ("\" miss \"\" \"", &[5, 4]),
        ("\u{e000}miss", &[5, 4]),
    ] {
        assert_eq!(found(search, words).await, positions, "{words:?}");
    }
}

async fn an_edited_message_is_found_by_its_present_text_only(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    let first = say(store, &mut pen, user(1), "green tea").await;
    let second = say(store, &mut pen, user(1), "other tea").await;
    assert_eq!(found(search, "green").await, [4]);
    let change = about(&mut pen, first, edit("black tea"));
    append(store, vec![change], vec![]).await;
    assert_eq!(found(search, "green").await, [0; 0]);
    assert_eq!(found(search, "black").await, [4]);
    assert_eq!(found(search, "tea").await, [second.0, first.0], "it stays where it was");
    // Written and changed twice in one batch.
    let message = pen.message(user(1), "one");
    let target = pen.seq;
    let changes = [about(&mut pen, target, edit("two")), about(&mut pen, target, edit("three"))];
    append(store, [vec![message], changes.to_vec()].concat(), vec![]).await;
    assert_eq!(found(search, "one").await, [0; 0]);
    assert_eq!(found(search, "two").await, [0; 0]);
    assert_eq!(found(search, "three").await, [target.0]);
    // The kind is the present one, too.
    let picture = json!({ "type": "edit", "body": { "body": { "kind": "x.tea.cup", "text": "three" } } });
    let change = about(&mut pen, target, body(&picture));
    append(store, vec![change], vec![]).await;
    let kind = |kind: &str| SearchQuery { kind: kind.parse().ok(), ..query(user(1), "three") };
    assert_eq!(all(search, kind("x.tea.cup")).await, [Hit { room: room(1), seq: target }]);
    assert_eq!(all(search, kind("text")).await, []);
    assert_eq!(all(search, kind("x.tea")).await, []);
}

async fn a_deleted_message_is_not_found(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    let kept = say(store, &mut pen, user(1), "kept secret").await;
    let gone = say(store, &mut pen, user(1), "gone secret").await;
    let edited = say(store, &mut pen, user(1), "edited secret").await;
    let changes = [about(&mut pen, edited, edit("changed secret")), about(&mut pen, edited, delete())];
    append(store, changes.to_vec(), vec![]).await;
    assert_eq!(found(search, "secret").await, [gone.0, kept.0]);
    let change = about(&mut pen, gone, delete());
    append(store, vec![change], vec![]).await;
    assert_eq!(found(search, "secret").await, [kept.0]);
    // An edit that comes later brings nothing back.
    let change = about(&mut pen, gone, edit("back with the secret"));
    append(store, vec![change], vec![]).await;
    assert_eq!(found(search, "secret").await, [kept.0]);
    // Written and deleted before anybody has looked; and deleted again.
    let message = pen.message(user(1), "brief secret");
    let target = pen.seq;
    let changes = [about(&mut pen, target, delete()), about(&mut pen, target, delete())];
    append(store, [vec![message], changes.to_vec()].concat(), vec![]).await;
    assert_eq!(found(search, "secret").await, [kept.0]);
}

async fn changes_to_what_is_no_message_change_nothing(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    let first = say(store, &mut pen, user(1), "tea").await;
    for target in [Seq(1), Seq(2), Seq(0), Seq(77), pen.seq.next()] {
        let changes = [about(&mut pen, target, edit("coffee")), about(&mut pen, target, delete())];
        append(store, changes.to_vec(), vec![]).await;
    }
    let reaction = body(&json!({ "type": "reaction", "body": { "emoji": "☕", "on": true } }));
    let event = about(&mut pen, first, reaction);
    append(store, vec![event], vec![]).await;
    assert_eq!(found(search, "tea").await, [first.0]);
    assert_eq!(found(search, "coffee").await, [0; 0]);
    assert_eq!(found(search, "☕").await, [0; 0], "only messages are found");
    assert_eq!(found(search, "room").await, [0; 0], "only messages are found");
}

async fn files_are_found_by_their_names(store: &dyn Store, search: &dyn Search) {
    let mut pen = tea(store).await;
    let file = |name: &str| json!({ "id": user(1), "name": name, "mime": "application/pdf", "size": 1 });
    let files = json!({
        "kind": "document", "text": "for you", "attachments": [file("invoice_2026-03.pdf"), file("photo.png")],
    });
    let event = pen.event(user(1), None, body(&json!({ "type": "message", "body": files })));
    append(store, vec![event], vec![]).await;
    for words in ["invoice", "invoice_2026", "photo.png", "for photo", "\"2026 03 pdf\""] {
        assert_eq!(found(search, words).await, [4], "{words}");
    }
    assert_eq!(found(search, "\"you invoice\"").await, [0; 0], "no phrase spans text and name");
    let change = about(&mut pen, Seq(4), edit("..."));
    append(store, vec![change], vec![]).await;
    assert_eq!(found(search, "invoice").await, [0; 0], "no words are left");
    let change = about(&mut pen, Seq(4), edit("words again"));
    append(store, vec![change], vec![]).await;
    assert_eq!(found(search, "again").await, [4]);
}
