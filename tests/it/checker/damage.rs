//! Ways to break a good history, each with the rule that must catch it.

mod change;
mod delivery;
mod log;
mod send;
mod told;

use super::model::{Run, sighting_of};
use fastrand::Rng;
use rookery_protocol::{RoomId, Seq, UserId};
use rookery_tests::checker::Rule;
use rookery_tests::journal::{Act, Entry, Logged, LoggedKind, RoomLog, Shown, Sighting};

/// Damages a history somewhere; `None` where it offers no place for it.
pub(crate) type Damage = fn(&mut Run, &mut Rng) -> Option<()>;

pub(crate) const ALL: &[(&str, Rule, Damage)] = &[
    ("a delivery is dropped", Rule::Stream, delivery::drop_delivery),
    ("the last delivery is dropped", Rule::Unseen, delivery::drop_last_delivery),
    ("a delivery comes twice", Rule::Stream, delivery::double_delivery),
    ("two deliveries are swapped", Rule::Stream, delivery::swap_deliveries),
    ("a delivery has another content", Rule::Differs, |run, rng| {
        delivery::change_sighting(run, rng, recv, delivery::other_hash)
    }),
    ("a page has another content", Rule::Differs, |run, rng| {
        delivery::change_sighting(run, rng, read, delivery::other_hash)
    }),
    ("a delivery has another ord", Rule::Differs, |run, rng| {
        delivery::change_sighting(run, rng, recv, delivery::other_ord)
    }),
    ("a delivery has another name", Rule::Differs, |run, rng| {
        delivery::change_sighting(run, rng, recv, delivery::other_name)
    }),
    ("an event leaks to somebody else", Rule::Outside, delivery::leak),
    ("an event comes after the removal", Rule::Outside, delivery::deliver_after_removal),
    ("an event comes after lagged", Rule::Stream, delivery::deliver_after_lagged),
    ("an event comes before the room is open", Rule::Stream, delivery::deliver_before_open),
    ("an event nobody sent is delivered", Rule::NeverSent, delivery::deliver_invention),
    ("a resume skips one", Rule::Stream, delivery::skip_at_resume),
    ("a resume is reset without need", Rule::Stream, delivery::reset_without_need),
    ("a page after a reset is missing", Rule::Unseen, delivery::drop_page),
    ("the removal is not told", Rule::Unseen, delivery::hide_removal),
    ("the log has a hole", Rule::Gap, log::hole),
    ("the log has a place twice", Rule::Gap, log::place_twice),
    ("the log counts wrong", Rule::Gap, log::miscount),
    ("the newest acked event is gone", Rule::Lost, log::lose_newest),
    ("an acked event is gone and the log closed up", Rule::Lost, log::lose_and_close_up),
    ("an event is in the log again", Rule::Duplicate, log::write_again),
    ("two events of the log are swapped", Rule::Differs, log::swap_logged),
    ("the log has another content than was sent", Rule::Differs, log::change_everywhere),
    ("an ack names another place", Rule::Duplicate, send::ack_elsewhere),
    ("an ack counts wrong", Rule::Differs, send::ack_miscounted),
    ("a second ack names another place", Rule::Duplicate, send::ack_twice),
    ("a refused message is in the log", Rule::NeverSent, send::refuse_logged),
    ("a message in the log was never sent", Rule::NeverSent, send::never_send),
    ("pipelined sends change places", Rule::Order, send::reorder_sender),
    ("a message is before one that was known", Rule::Order, send::reorder_real_time),
    ("somebody who is no member writes", Rule::Outside, |run, rng| log::unmake(run, rng, log::is_writer)),
    ("an acked join is not in the log", Rule::Lost, |run, rng| log::unmake(run, rng, log::is_joined)),
    ("an acked leave is not in the log", Rule::Lost, |run, rng| log::unmake(run, rng, log::is_left)),
    ("an acked change is gone and the log closed up", Rule::Lost, change::lose_change),
    ("a message loses its content undeleted", Rule::Lost, change::lose_content),
    ("a change is in the log again", Rule::Duplicate, change::change_again),
    ("a delivery says something else", Rule::Differs, change::deliver_other_words),
    ("a delivery says nothing undeleted", Rule::Differs, change::empty_unasked),
    ("the log has another edit than was sent", Rule::Differs, change::log_other_words),
    ("a change that was so already is in the log", Rule::NeverSent, change::keep_logged),
    ("somebody types who never did", Rule::NeverSent, told::tell_typing),
    ("the log keeps what was deleted", Rule::Redacted, change::keep_in_log),
    ("a replay gives what was deleted", Rule::Redacted, change::replay_deleted),
    ("a page gives what was deleted", Rule::Redacted, change::show_deleted),
    ("a page quotes what was deleted", Rule::Redacted, change::quote_deleted),
    ("somebody edits another one's message", Rule::Rights, change::edit_for_another),
    ("somebody deletes another one's message", Rule::Rights, |run, rng| {
        change::demote(run, rng, |kind| matches!(kind, LoggedKind::Delete { .. }))
    }),
    ("somebody pins who is no admin", Rule::Rights, |run, rng| {
        change::demote(run, rng, |kind| matches!(kind, LoggedKind::Pin { .. }))
    }),
    ("a change changes nothing", Rule::Rights, change::change_nothing),
    ("a deleted message is changed", Rule::Rights, change::change_deleted),
    ("what is no message is deleted", Rule::Rights, change::change_unseen),
    ("a page says something else", Rule::State, change::other_words),
    ("a page counts a reaction twice", Rule::State, |run, rng| {
        change::show_other(
            run,
            rng,
            |shown| !shown.reactions.is_empty(),
            |shown, _| shown.reactions[0].count += 1,
        )
    }),
    ("a page takes a reaction for the reader's", Rule::State, |run, rng| {
        let turn = |shown: &mut Shown, _: &mut Rng| shown.reactions[0].mine = !shown.reactions[0].mine;
        change::show_other(run, rng, |shown| !shown.reactions.is_empty(), turn)
    }),
    ("a page shows another pin", Rule::State, |run, rng| {
        change::show_other(run, rng, |_| true, |shown, _| shown.pinned = !shown.pinned)
    }),
    ("a page hides an edit", Rule::State, |run, rng| {
        change::show_other(run, rng, |shown| shown.edited_at.is_some(), |shown, _| shown.edited_at = None)
    }),
    ("a page shows what is deleted as not", Rule::State, |run, rng| {
        change::show_other(run, rng, |shown| shown.deleted, |shown, _| shown.deleted = false)
    }),
    ("a page shows a message as before its changes", Rule::State, |run, rng| {
        let forget = |shown: &mut Shown, _: &mut Rng| {
            shown.rev = Seq::ZERO;
            shown.reactions.clear();
            (shown.edited_at, shown.pinned) = (None, false);
        };
        change::show_other(run, rng, |shown| shown.rev > Seq::ZERO && shown.rev <= shown.head, forget)
    }),
    ("an answer counts one unread too many", Rule::Counts, |run, rng| {
        told::miscount(run, rng, |stand| stand.head.is_some(), |counts| counts.1 += 1)
    }),
    ("an answer counts a mention too many", Rule::Counts, |run, rng| {
        told::miscount(run, rng, |stand| stand.head.is_some(), |counts| counts.2 += 1)
    }),
    ("a mark is answered with far too many unread", Rule::Counts, |run, rng| {
        told::miscount(run, rng, |stand| stand.marked.is_some(), |counts| counts.1 += 10_000)
    }),
    ("a cursor goes back", Rule::Cursor, told::go_back),
    ("an acked arrival is forgotten", Rule::Cursor, told::forget_arrival),
    ("a mark moves nothing", Rule::Cursor, told::ignore_mark),
    ("others are told of more than was marked", Rule::Cursor, told::tell_too_far),
    ("a page is of an old head", Rule::Stale, |run, rng| {
        told::tell_old_head(run, rng, |act| matches!(act, Act::Read(_)))
    }),
    ("a room is opened at an old head", Rule::Stale, |run, rng| {
        told::tell_old_head(run, rng, |act| matches!(act, Act::Open { .. }))
    }),
    ("a room is described at an old head", Rule::Stale, |run, rng| {
        told::tell_old_head(run, rng, |act| matches!(act, Act::Stand(_)))
    }),
];

/// A place in the journals: which journal, which entry.
type At = (usize, usize);

fn choose(run: &Run, rng: &mut Rng, fits: impl Fn(&Run, At, &Entry) -> bool) -> Option<At> {
    let mut places = Vec::new();
    for (journal, (_, entries)) in run.journals.iter().enumerate() {
        let here = entries.iter().enumerate().map(|(index, entry)| ((journal, index), entry));
        places.extend(here.filter(|(at, entry)| fits(run, *at, entry)).map(|(at, _)| at));
    }
    rng.choice(places)
}

fn choose_logged(run: &Run, rng: &mut Rng, fits: impl Fn(&RoomLog, &Logged) -> bool) -> Option<At> {
    let mut places = Vec::new();
    for (room, log) in run.logs.iter().enumerate() {
        let here = log.events.iter().enumerate();
        places.extend(here.filter(|(_, event)| fits(log, event)).map(|(index, _)| (room, index)));
    }
    rng.choice(places)
}

fn recv(act: &mut Act) -> Option<&mut Sighting> {
    if let Act::Recv(seen) = act { Some(seen) } else { None }
}

fn read(act: &mut Act) -> Option<&mut Sighting> {
    if let Act::Read(shown) = act { Some(&mut shown.seen) } else { None }
}

fn received(entry: &Entry) -> Option<Sighting> {
    if let Act::Recv(seen) = entry.act { Some(seen) } else { None }
}

fn entries_after(run: &Run, (journal, index): At) -> &[Entry] {
    &run.journals[journal].1[index + 1..]
}

/// The entry that comes next in the same stream, if that is a delivery.
fn next_delivery(run: &Run, at: At) -> Option<At> {
    let (journal, index) = at;
    let entry = &run.journals[journal].1[index];
    let seen = received(entry)?;
    let offset = entries_after(run, at).iter().position(|after| {
        after.conn != entry.conn
            || room_of(&after.act) == Some(seen.room)
            || matches!(after.act, Act::Closed { .. })
    })?;
    let next = index + 1 + offset;
    let is_next = received(&run.journals[journal].1[next]).is_some_and(|after| after.room == seen.room);
    is_next.then_some((journal, next))
}

/// The room whose stream an entry is about.
fn room_of(act: &Act) -> Option<RoomId> {
    match act {
        Act::Recv(seen) => Some(seen.room),
        Act::Open { room, .. } | Act::Lagged { room } | Act::Removed { room, .. } | Act::Close { room } => {
            Some(*room)
        }
        _ => None,
    }
}

fn log_of(run: &Run, room: RoomId) -> &RoomLog {
    run.logs.iter().find(|log| log.room == room).expect("all rooms are read")
}

fn sighting(log: &RoomLog, seq: Seq) -> Option<Sighting> {
    let event = log.events.iter().find(|event| event.seq == seq)?;
    Some(sighting_of(log.room, event))
}

/// Whether the stream of `room` is still open at the end of the journal, as of the entry at `at`.
fn is_open_to_the_end(run: &Run, at: At, room: RoomId) -> bool {
    let conn = run.journals[at.0].1[at.1].conn;
    entries_after(run, at).iter().all(|after| {
        after.conn == conn
            && !matches!(after.act, Act::Closed { .. })
            && !matches!(&after.act, Act::Lagged { room: of } | Act::Removed { room: of, .. } if *of == room)
    })
}

fn is_member_at_head(log: &RoomLog, user: UserId) -> bool {
    let of_user = |event: &&Logged| matches!(event.kind, LoggedKind::Added { user: of } | LoggedKind::Removed { user: of } if of == user);
    log.events.iter().rfind(of_user).is_some_and(|event| matches!(event.kind, LoggedKind::Added { .. }))
}

fn insert(run: &mut Run, (journal, index): At, act: Act) {
    let entries = &mut run.journals[journal].1;
    let Entry { t, conn, .. } = entries[index.min(entries.len() - 1)];
    entries.insert(index, Entry { t, conn, act });
}

fn is_acked(run: &Run, event: &Logged) -> bool {
    let acked = |entry: &Entry| matches!(entry.act, Act::Ack { cid, .. } if Some(cid) == event.cid);
    run.journals.iter().any(|(_, entries)| entries.iter().any(acked))
}
