//! Damage to changes of messages, in the log and on pages.

use super::{At, choose, choose_logged, is_acked, log_of};
use crate::checker::model::Run;
use fastrand::Rng;
use rookery_protocol::{Role, RoomId, Seq, UserId};
use rookery_tests::journal::{Act, ContentHash, Entry, Logged, LoggedKind, RoomLog, Said, Shown, Sighting};
use uuid::Uuid;

fn hash(rng: &mut Rng) -> ContentHash {
    ContentHash(Uuid::from_u128(rng.u128(..)))
}

fn shown(entry: &Entry) -> Option<&Shown> {
    if let Act::Read(shown) = &entry.act { Some(shown) } else { None }
}

fn shown_at(run: &mut Run, at: At) -> Option<&mut Shown> {
    if let Act::Read(shown) = &mut run.journals[at.0].1[at.1].act { Some(shown) } else { None }
}

fn received_at(run: &mut Run, at: At) -> Option<&mut Sighting> {
    if let Act::Recv(seen) = &mut run.journals[at.0].1[at.1].act { Some(seen) } else { None }
}

fn logged(run: &Run, room: RoomId, seq: Seq) -> Option<&Logged> {
    log_of(run, room).events.iter().find(|event| event.seq == seq)
}

fn says(event: &Logged) -> bool {
    matches!(event.kind, LoggedKind::Message | LoggedKind::Edit { .. })
}

fn is_emptied(event: &Logged) -> bool {
    says(event) && event.said.is_none()
}

pub(super) fn keep_in_log(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| is_emptied(event))?;
    run.logs[room].events[index].said = Some(Said { body: hash(rng), calls: Vec::new() });
    Some(())
}

pub(super) fn replay_deleted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, _, entry| {
        let Act::Recv(seen) = entry.act else { return false };
        seen.body.is_none() && logged(run, seen.room, seen.seq).is_some_and(is_emptied)
    })?;
    received_at(run, at)?.body = Some(hash(rng));
    Some(())
}

pub(super) fn show_deleted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| shown(entry).is_some_and(|shown| shown.deleted))?;
    shown_at(run, at)?.seen.body = Some(hash(rng));
    Some(())
}

pub(super) fn quote_deleted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let deleted = |run: &Run, entry: &Entry| {
        let shown = shown(entry)?;
        let log = log_of(run, shown.seen.room);
        log.events.iter().filter(|event| event.seq <= shown.head).find_map(|event| match event.kind {
            LoggedKind::Delete { target } => Some(target),
            _ => None,
        })
    };
    let at = choose(run, rng, |run, _, entry| deleted(run, entry).is_some())?;
    let quotes = deleted(run, &run.journals[at.0].1[at.1]);
    shown_at(run, at)?.quotes = quotes;
    Some(())
}

pub(super) fn empty_unasked(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, _, entry| {
        let Act::Recv(seen) = entry.act else { return false };
        logged(run, seen.room, seen.seq).is_some_and(|event| event.said.is_some())
    })?;
    received_at(run, at)?.body = None;
    Some(())
}

pub(super) fn lose_content(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.said.is_some())?;
    run.logs[room].events[index].said = None;
    Some(())
}

pub(super) fn deliver_other_words(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Recv(seen) if seen.body.is_some()))?;
    received_at(run, at)?.body = Some(hash(rng));
    Some(())
}

pub(super) fn log_other_words(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let is_edit =
        |_: &RoomLog, event: &Logged| matches!(event.kind, LoggedKind::Edit { .. }) && event.said.is_some();
    let (room, index) = choose_logged(run, rng, is_edit)?;
    run.logs[room].events[index].said = Some(Said { body: hash(rng), calls: Vec::new() });
    Some(())
}

pub(super) fn edit_for_another(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| matches!(event.kind, LoggedKind::Edit { .. }))?;
    let by = run.logs[room].events[index].by;
    let others = run.journals.iter().map(|(owner, _)| owner.user).filter(|user| *user != by);
    let other = rng.choice(others.collect::<Vec<UserId>>())?;
    run.logs[room].events[index].by = other;
    Some(())
}

/// Takes from the owner what it did by its role.
pub(super) fn demote(run: &mut Run, rng: &mut Rng, fits: fn(&LoggedKind) -> bool) -> Option<()> {
    let by_role = |log: &RoomLog, event: &Logged| {
        let target = event.kind.target().and_then(|target| log.events.iter().find(|one| one.seq == target));
        fits(&event.kind) && target.is_some_and(|target| target.by != event.by)
    };
    let (room, _) = choose_logged(run, rng, by_role)?;
    run.logs[room].events[1].role = Some(Role::Member);
    Some(())
}

pub(super) fn change_nothing(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let sets = |_: &RoomLog, event: &Logged| {
        matches!(event.kind, LoggedKind::Reaction { .. } | LoggedKind::Pin { .. })
    };
    let (room, index) = choose_logged(run, rng, sets)?;
    match &mut run.logs[room].events[index].kind {
        LoggedKind::Reaction { on, .. } | LoggedKind::Pin { on, .. } => *on = !*on,
        _ => return None,
    }
    Some(())
}

pub(super) fn change_deleted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |log, event| {
        let target = event.kind.target();
        target.is_some()
            && log.events.iter().any(|later| later.seq > event.seq && later.kind.target() == target)
    })?;
    let target = run.logs[room].events[index].kind.target()?;
    run.logs[room].events[index].kind = LoggedKind::Delete { target };
    Some(())
}

pub(super) fn change_unseen(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| matches!(event.kind, LoggedKind::Delete { .. }))?;
    // The room's first event is no message.
    run.logs[room].events[index].kind = LoggedKind::Delete { target: Seq(1) };
    Some(())
}

pub(super) fn lose_change(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let history = run.clone();
    let (room, index) =
        choose_logged(run, rng, |_, event| event.kind.target().is_some() && is_acked(&history, event))?;
    run.logs[room].events.remove(index);
    for event in &mut run.logs[room].events[index..] {
        event.seq.0 -= 1;
    }
    Some(())
}

pub(super) fn change_again(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind.target().is_some())?;
    let last = run.logs[room].events.last()?;
    let (seq, ord) = (last.seq.next(), last.ord);
    let event = Logged { seq, ord, ..run.logs[room].events[index].clone() };
    run.logs[room].events.push(event);
    Some(())
}

/// Changes what a page shows of a message that `fits`.
pub(super) fn show_other(
    run: &mut Run,
    rng: &mut Rng,
    fits: fn(&Shown) -> bool,
    change: fn(&mut Shown, &mut Rng),
) -> Option<()> {
    let at = choose(run, rng, |run, _, entry| {
        shown(entry).is_some_and(|shown| {
            let event = logged(run, shown.seen.room, shown.seen.seq);
            event.is_some_and(|event| event.kind == LoggedKind::Message) && fits(shown)
        })
    })?;
    change(shown_at(run, at)?, rng);
    Some(())
}

pub(super) fn other_words(run: &mut Run, rng: &mut Rng) -> Option<()> {
    // Of what is deleted later the log does not tell; that is compared with what was sent.
    let at = choose(run, rng, |run, _, entry| {
        shown(entry).is_some_and(|shown| {
            let event = logged(run, shown.seen.room, shown.seen.seq);
            event.is_some_and(|event| event.kind == LoggedKind::Message && event.said.is_some())
        })
    })?;
    shown_at(run, at)?.seen.body = Some(hash(rng));
    Some(())
}

pub(super) fn keep_logged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let history = run.clone();
    let in_log = |entry: &Entry| {
        let Act::Ack { room, cid, ord: None, .. } = entry.act else { return None };
        let sends = history.journals.iter().flat_map(|(_, entries)| entries);
        let about = sends.filter(|one| matches!(one.act, Act::Send { cid: of, .. } | Act::Ack { cid: of, .. } | Act::Nack { cid: of, .. } if of == cid));
        (about.count() == 2).then_some((room, cid))
    };
    let at = choose(run, rng, |_, _, entry| in_log(entry).is_some())?;
    let (room, cid) = in_log(&run.journals[at.0].1[at.1])?;
    run.journals[at.0].1[at.1].act = Act::Kept { room, cid };
    Some(())
}
