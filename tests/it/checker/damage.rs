//! Ways to break a good history, each with the rule that must catch it.

use super::model::Run;
use fastrand::Rng;
use rookery_protocol::{ClientId, ErrorCode, Seq, UserId};
use rookery_tests::checker::Rule;
use rookery_tests::journal::{Act, ContentHash, Entry, Logged, LoggedKind, RoomLog, Sighting};
use uuid::Uuid;

/// Damages a history somewhere; `None` where it offers no place for it.
pub(crate) type Damage = fn(&mut Run, &mut Rng) -> Option<()>;

pub(crate) const ALL: &[(&str, Rule, Damage)] = &[
    ("a delivery is dropped", Rule::Stream, drop_delivery),
    ("the last delivery is dropped", Rule::Unseen, drop_last_delivery),
    ("a delivery comes twice", Rule::Stream, double_delivery),
    ("two deliveries are swapped", Rule::Stream, swap_deliveries),
    ("a delivery has another content", Rule::Differs, |run, rng| change_sighting(run, rng, recv, other_hash)),
    ("a page has another content", Rule::Differs, |run, rng| change_sighting(run, rng, read, other_hash)),
    ("a delivery has another ord", Rule::Differs, |run, rng| change_sighting(run, rng, recv, other_ord)),
    ("a delivery has another name", Rule::Differs, |run, rng| change_sighting(run, rng, recv, other_name)),
    ("an event leaks to somebody else", Rule::Outside, leak),
    ("an event comes after the removal", Rule::Outside, deliver_after_removal),
    ("an event comes after lagged", Rule::Stream, deliver_after_lagged),
    ("an event comes before the room is open", Rule::Stream, deliver_before_open),
    ("an event nobody sent is delivered", Rule::NeverSent, deliver_invention),
    ("a resume skips one", Rule::Stream, skip_at_resume),
    ("a resume is reset without need", Rule::Stream, reset_without_need),
    ("a page after a reset is missing", Rule::Unseen, drop_page),
    ("the removal is not told", Rule::Unseen, hide_removal),
    ("the log has a hole", Rule::Gap, hole),
    ("the log has a place twice", Rule::Gap, place_twice),
    ("the log counts wrong", Rule::Gap, miscount),
    ("the newest acked event is gone", Rule::Lost, lose_newest),
    ("an acked event is gone and the log closed up", Rule::Lost, lose_and_close_up),
    ("an event is in the log again", Rule::Duplicate, write_again),
    ("two events of the log are swapped", Rule::Differs, swap_logged),
    ("the log has another content than was sent", Rule::Differs, change_everywhere),
    ("an ack names another place", Rule::Duplicate, ack_elsewhere),
    ("an ack counts wrong", Rule::Differs, ack_miscounted),
    ("a second ack names another place", Rule::Duplicate, ack_twice),
    ("a refused message is in the log", Rule::NeverSent, refuse_logged),
    ("a message in the log was never sent", Rule::NeverSent, never_send),
    ("pipelined sends change places", Rule::Order, reorder_sender),
    ("a message is before one that was known", Rule::Order, reorder_real_time),
    ("somebody who is no member writes", Rule::Outside, |run, rng| unmake(run, rng, is_writer)),
    ("an acked join is not in the log", Rule::Lost, |run, rng| unmake(run, rng, is_joined)),
    ("an acked leave is not in the log", Rule::Lost, |run, rng| unmake(run, rng, is_left)),
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
    if let Act::Read(seen) = act { Some(seen) } else { None }
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
    let offset = entries_after(run, at).iter().position(|after| after.conn != entry.conn || room_of(&after.act) == Some(seen.room) || matches!(after.act, Act::Closed { .. }))?;
    let next = index + 1 + offset;
    let is_next = received(&run.journals[journal].1[next]).is_some_and(|after| after.room == seen.room);
    is_next.then_some((journal, next))
}

/// The room whose stream an entry is about.
fn room_of(act: &Act) -> Option<rookery_protocol::RoomId> {
    match act {
        Act::Recv(seen) => Some(seen.room),
        Act::Open { room, .. } | Act::Lagged { room } | Act::Removed { room, .. } | Act::Close { room } => Some(*room),
        _ => None,
    }
}

fn log_of(run: &Run, room: rookery_protocol::RoomId) -> &RoomLog {
    run.logs.iter().find(|log| log.room == room).expect("all rooms are read")
}

fn sighting(log: &RoomLog, seq: Seq) -> Option<Sighting> {
    let event = log.events.iter().find(|event| event.seq == seq)?;
    Some(Sighting { room: log.room, seq, ord: event.ord, cid: event.cid, hash: event.hash })
}

/// Whether the stream of `room` is still open at the end of the journal, as of the entry at `at`.
fn is_open_to_the_end(run: &Run, at: At, room: rookery_protocol::RoomId) -> bool {
    let conn = run.journals[at.0].1[at.1].conn;
    entries_after(run, at).iter().all(|after| after.conn == conn && !matches!(after.act, Act::Closed { .. }) && !matches!(&after.act, Act::Lagged { room: of } | Act::Removed { room: of, .. } if *of == room))
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

fn drop_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, _| next_delivery(run, at).is_some())?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

fn drop_last_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        received(entry).is_some_and(|seen| {
            let log = log_of(run, seen.room);
            log.events.last().is_some_and(|last| last.seq == seen.seq)
                && is_open_to_the_end(run, at, seen.room)
                && is_member_at_head(log, run.journals[at.0].0.user)
                && !entries_after(run, at).iter().any(|after| room_of(&after.act) == Some(seen.room))
        })
    })?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

fn double_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| received(entry).is_some())?;
    let act = run.journals[at.0].1[at.1].act.clone();
    insert(run, at, act);
    Some(())
}

fn swap_deliveries(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, _| next_delivery(run, at).is_some())?;
    let next = next_delivery(run, at)?;
    let entries = &mut run.journals[at.0].1;
    let act = entries[at.1].act.clone();
    entries[at.1].act = std::mem::replace(&mut entries[next.1].act, act);
    Some(())
}

fn other_hash(seen: &mut Sighting, rng: &mut Rng) {
    seen.hash = ContentHash(Uuid::from_u128(rng.u128(..)));
}

fn other_ord(seen: &mut Sighting, _: &mut Rng) {
    seen.ord += 1;
}

fn other_name(seen: &mut Sighting, rng: &mut Rng) {
    seen.cid = Some(ClientId(Uuid::from_u128(rng.u128(..))));
}

fn change_sighting(
    run: &mut Run,
    rng: &mut Rng,
    of: fn(&mut Act) -> Option<&mut Sighting>,
    change: fn(&mut Sighting, &mut Rng),
) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| of(&mut entry.act.clone()).is_some())?;
    change(of(&mut run.journals[at.0].1[at.1].act)?, rng);
    Some(())
}

fn leak(run: &mut Run, rng: &mut Rng) -> Option<()> {
    // Nobody but the founders is a member while the room is being made.
    let (room, index) = choose_logged(run, rng, |_, event| event.seq.0 < 4)?;
    let seen = sighting(&run.logs[room], run.logs[room].events[index].seq)?;
    let founders: Vec<UserId> = run.logs[room].events[..4]
        .iter()
        .filter_map(|event| if let LoggedKind::Added { user } = event.kind { Some(user) } else { None })
        .collect();
    let at = choose(run, rng, |run, at, _| !founders.contains(&run.journals[at.0].0.user))?;
    insert(run, at, Act::Recv(seen));
    Some(())
}

fn deliver_after_removal(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let following = |run: &Run, entry: &Entry| {
        let Act::Removed { room, seq } = entry.act else { return None };
        sighting(log_of(run, room), seq.next())
    };
    let at = choose(run, rng, |run, at, entry| {
        let user = run.journals[at.0].0.user;
        following(run, entry).is_some_and(|seen| {
            let event = log_of(run, seen.room).events.iter().find(|event| event.seq == seen.seq);
            event.is_some_and(|event| event.kind != LoggedKind::Added { user })
        })
    })?;
    let seen = following(run, &run.journals[at.0].1[at.1])?;
    insert(run, (at.0, at.1 + 1), Act::Recv(seen));
    Some(())
}

fn deliver_after_lagged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Lagged { .. }))?;
    let Act::Lagged { room } = run.journals[at.0].1[at.1].act else { return None };
    let head = log_of(run, room).events.last()?.seq;
    let seen = sighting(log_of(run, room), Seq(rng.u64(1..=head.0)))?;
    insert(run, (at.0, at.1 + 1), Act::Recv(seen));
    Some(())
}

fn deliver_before_open(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let is_first_of_connection = at.1 == 0 || run.journals[at.0].1[at.1 - 1].conn != entry.conn;
        is_first_of_connection && matches!(entry.act, Act::Open { after: Some(_), .. })
    })?;
    let Act::Open { room, from, .. } = run.journals[at.0].1[at.1].act else { return None };
    let seen = sighting(log_of(run, room), from).or_else(|| sighting(log_of(run, room), Seq(from.0 - 1)))?;
    insert(run, at, Act::Recv(seen));
    Some(())
}

fn deliver_invention(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| received(entry).is_some())?;
    let seen = received(&run.journals[at.0].1[at.1])?;
    let last = log_of(run, seen.room).events.last()?;
    let cid = Some(ClientId(Uuid::from_u128(rng.u128(..))));
    let (seq, ord, hash) = (last.seq.next(), last.ord + 1, ContentHash(Uuid::from_u128(rng.u128(..))));
    let end = run.journals[at.0].1.len();
    insert(run, (at.0, end), Act::Recv(Sighting { room: seen.room, seq, ord, cid, hash }));
    Some(())
}

fn skip_at_resume(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Open { room, after: Some(_), from, .. } = entry.act else { return false };
        let first = entries_after(run, at).iter().find(|after| room_of(&after.act) == Some(room));
        first.is_some_and(|first| first.conn == entry.conn && received(first).is_some_and(|seen| seen.seq == from))
    })?;
    let Act::Open { room, from, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    let room = *room;
    *from = from.next();
    let offset = entries_after(run, at).iter().position(|after| room_of(&after.act) == Some(room))?;
    run.journals[at.0].1.remove(at.1 + 1 + offset);
    Some(())
}

fn reset_without_need(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Open { after: Some(_), reset: false, .. }))?;
    let Act::Open { reset, from, head, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *reset = true;
    *from = head.next();
    Some(())
}

fn drop_page(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Read(seen) = entry.act else { return false };
        let (owner, entries) = &run.journals[at.0];
        let about = |after: &&Entry| room_of(&after.act) == Some(seen.room);
        let Some(last_open) = entries.iter().rposition(|one| matches!(one.act, Act::Open { room, .. } if room == seen.room)) else {
            return false;
        };
        // The first stream that reached beyond it began with a reset.
        let reached = |one: &&Entry| match one.act {
            Act::Open { room, from, .. } => room == seen.room && seen.seq < from,
            Act::Recv(of) => of.room == seen.room && seen.seq <= of.seq,
            _ => false,
        };
        let is_owed = entries.iter().find(reached).is_some_and(|one| {
            matches!(one.act, Act::Open { after: Some(after), reset: true, .. } if after < seen.seq)
        });
        let joined_before = log_of(run, seen.room).events.iter().rfind(|event| event.kind == LoggedKind::Added { user: owner.user });
        is_owed
            && is_open_to_the_end(run, (at.0, last_open), seen.room)
            && is_member_at_head(log_of(run, seen.room), owner.user)
            && joined_before.is_some_and(|joined| joined.seq < seen.seq)
            && !entries.iter().filter(about).any(|one| matches!(one.act, Act::Removed { .. }))
            && entries.iter().filter(|one| one.act == entry.act).count() == 1
    })?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

fn hide_removal(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Removed { room, .. } = entry.act else { return false };
        is_open_to_the_end(run, at, room)
            && !is_member_at_head(log_of(run, room), run.journals[at.0].0.user)
            && !entries_after(run, at).iter().any(|after| room_of(&after.act) == Some(room))
    })?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

fn hole(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |log, event| event.seq < log.events[log.events.len() - 1].seq)?;
    run.logs[room].events.remove(index);
    Some(())
}

fn place_twice(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, _| true)?;
    let event = run.logs[room].events[index].clone();
    run.logs[room].events.insert(index, event);
    Some(())
}

fn miscount(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, _| true)?;
    run.logs[room].events[index].ord += 1;
    Some(())
}

fn is_acked(run: &Run, event: &Logged) -> bool {
    let acked = |entry: &Entry| matches!(entry.act, Act::Ack { cid, .. } if Some(cid) == event.cid);
    run.journals.iter().any(|(_, entries)| entries.iter().any(acked))
}

fn lose_newest(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let acked = |log: &RoomLog| {
        log.events.iter().rposition(|event| event.kind == LoggedKind::Message && is_acked(run, event))
    };
    let newest: Vec<At> =
        run.logs.iter().enumerate().filter_map(|(room, log)| Some((room, acked(log)?))).collect();
    let (room, index) = rng.choice(newest)?;
    run.logs[room].events.truncate(index);
    Some(())
}

fn lose_and_close_up(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let history = run.clone();
    let (room, index) =
        choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message && is_acked(&history, event))?;
    run.logs[room].events.remove(index);
    for event in &mut run.logs[room].events[index..] {
        event.seq.0 -= 1;
        event.ord -= 1;
    }
    Some(())
}

fn write_again(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let last = run.logs[room].events.last()?;
    let (seq, ord) = (last.seq.next(), last.ord + 1);
    let event = Logged { seq, ord, ..run.logs[room].events[index].clone() };
    run.logs[room].events.push(event);
    Some(())
}

fn swap_logged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |log, event| {
        let next = log.events.iter().find(|next| next.seq == event.seq.next());
        event.kind == LoggedKind::Message && next.is_some_and(|next| next.kind == LoggedKind::Message)
    })?;
    let events = &mut run.logs[room].events;
    events.swap(index, index + 1);
    let (seq, ord) = (events[index].seq, events[index].ord);
    (events[index].seq, events[index].ord) = (events[index + 1].seq, events[index + 1].ord);
    (events[index + 1].seq, events[index + 1].ord) = (seq, ord);
    Some(())
}

fn change_everywhere(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let (id, seq) = (run.logs[room].room, run.logs[room].events[index].seq);
    let hash = ContentHash(Uuid::from_u128(rng.u128(..)));
    run.logs[room].events[index].hash = hash;
    for entry in run.journals.iter_mut().flat_map(|(_, entries)| entries) {
        if let Act::Recv(seen) | Act::Read(seen) = &mut entry.act {
            if (seen.room, seen.seq) == (id, seq) {
                seen.hash = hash;
            }
        }
    }
    Some(())
}

fn ack_elsewhere(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Ack { .. }))?;
    let Act::Ack { seq, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *seq = seq.next();
    Some(())
}

fn ack_miscounted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Ack { cid, .. } = entry.act else { return false };
        !entries_after(run, at).iter().any(|after| matches!(after.act, Act::Ack { cid: again, .. } if again == cid))
    })?;
    let Act::Ack { ord, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *ord += 1;
    Some(())
}

fn ack_twice(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Ack { .. }))?;
    let Act::Ack { room, cid, seq, ord, .. } = run.journals[at.0].1[at.1].act else { return None };
    insert(run, at, Act::Ack { room, cid, seq: seq.next(), ord, duplicate: true });
    Some(())
}

/// The name in an entry that was sent once and answered once, with a place.
fn sent_once(run: &Run, (journal, _): At, entry: &Entry) -> Option<ClientId> {
    let Act::Send { cid, attempt: 1, .. } = entry.act else { return None };
    let about = run.journals[journal].1.iter().filter(|one| match one.act {
        Act::Send { cid: of, .. } | Act::Ack { cid: of, .. } | Act::Nack { cid: of, .. } => of == cid,
        _ => false,
    });
    let (sends, rest): (Vec<_>, Vec<_>) = about.partition(|one| matches!(one.act, Act::Send { .. }));
    (sends.len() == 1 && rest.len() == 1 && matches!(rest[0].act, Act::Ack { .. })).then_some(cid)
}

fn refuse_logged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| sent_once(run, at, entry).is_some())?;
    let cid = sent_once(run, at, &run.journals[at.0].1[at.1])?;
    for entry in &mut run.journals[at.0].1 {
        match entry.act {
            Act::Ack { room, cid: of, .. } if of == cid => {
                entry.act = Act::Nack { room, cid, code: ErrorCode::StoreUnavailable };
            }
            _ => {}
        }
    }
    Some(())
}

fn never_send(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let cid = run.logs[room].events[index].cid?;
    for (_, entries) in &mut run.journals {
        entries.retain(|entry| !matches!(entry.act, Act::Send { cid: of, .. } | Act::Ack { cid: of, .. } if of == cid));
    }
    Some(())
}

fn reorder_sender(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let pair = |run: &Run, at: At, entry: &Entry| {
        let Act::Send { room: first, .. } = entry.act else { return None };
        sent_once(run, at, entry)?;
        let offset = entries_after(run, at).iter().enumerate().position(|(offset, after)| {
            matches!(after.act, Act::Send { room, .. } if room == first)
                && after.conn == entry.conn
                && sent_once(run, (at.0, at.1 + 1 + offset), after).is_some()
        })?;
        Some(at.1 + 1 + offset)
    };
    let at = choose(run, rng, |run, at, entry| pair(run, at, entry).is_some())?;
    let other = pair(run, at, &run.journals[at.0].1[at.1])?;
    let entries = &mut run.journals[at.0].1;
    let act = entries[at.1].act.clone();
    entries[at.1].act = std::mem::replace(&mut entries[other].act, act);
    Some(())
}

fn reorder_real_time(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let history = run.clone();
    let (room, index) = choose_logged(run, rng, |log, event| {
        let is_known = |later: &Logged| later.seq > event.seq && is_acked(&history, later);
        event.kind == LoggedKind::Message && log.events.iter().any(is_known)
    })?;
    let cid = run.logs[room].events[index].cid?;
    let end = 1 + run.journals.iter().filter_map(|(_, entries)| Some(entries.last()?.t)).max()?;
    for entry in run.journals.iter_mut().flat_map(|(_, entries)| entries) {
        if matches!(entry.act, Act::Send { cid: of, .. } if of == cid) {
            entry.t = end;
        }
    }
    Some(())
}

/// Turns a change of membership that `fits` into nothing.
fn unmake(run: &mut Run, rng: &mut Rng, fits: fn(&Run, &RoomLog, &Logged) -> bool) -> Option<()> {
    let history = run.clone();
    let (room, index) = choose_logged(run, rng, |log, event| fits(&history, log, event))?;
    run.logs[room].events[index].kind = LoggedKind::Other;
    Some(())
}

fn is_writer(_: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Added { user } = event.kind else { return false };
    let mut after = log.events.iter().filter(|after| after.seq > event.seq);
    let next = after.find(|after| after.by == user && after.kind == LoggedKind::Message || after.kind == LoggedKind::Added { user });
    next.is_some_and(|next| next.kind == LoggedKind::Message)
}

fn is_joined(run: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Added { user: added } = event.kind else { return false };
    let answered = |entry: &Entry| matches!(entry.act, Act::Join { room, user, seq } if room == log.room && user == added && seq == event.seq);
    run.journals.iter().any(|(_, entries)| entries.iter().any(answered))
}

fn is_left(run: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Removed { user: removed } = event.kind else { return false };
    let answered = |entry: &Entry| matches!(entry.act, Act::Leave { room, user, seq } if room == log.room && user == removed && seq == event.seq);
    run.journals.iter().any(|(_, entries)| entries.iter().any(answered))
}
