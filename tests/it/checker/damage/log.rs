//! Damage to the log itself: holes, losses, repetitions, other contents, memberships.

use super::{At, choose_logged, is_acked};
use crate::checker::model::Run;
use fastrand::Rng;
use rookery_tests::journal::{Act, ContentHash, Entry, Logged, LoggedKind, RoomLog};
use uuid::Uuid;

pub(super) fn hole(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) =
        choose_logged(run, rng, |log, event| event.seq < log.events[log.events.len() - 1].seq)?;
    run.logs[room].events.remove(index);
    Some(())
}

pub(super) fn place_twice(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, _| true)?;
    let event = run.logs[room].events[index].clone();
    run.logs[room].events.insert(index, event);
    Some(())
}

pub(super) fn miscount(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, _| true)?;
    run.logs[room].events[index].ord += 1;
    Some(())
}

pub(super) fn lose_newest(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let acked = |log: &RoomLog| {
        log.events.iter().rposition(|event| event.kind == LoggedKind::Message && is_acked(run, event))
    };
    let newest: Vec<At> =
        run.logs.iter().enumerate().filter_map(|(room, log)| Some((room, acked(log)?))).collect();
    let (room, index) = rng.choice(newest)?;
    run.logs[room].events.truncate(index);
    Some(())
}

pub(super) fn lose_and_close_up(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn write_again(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let last = run.logs[room].events.last()?;
    let (seq, ord) = (last.seq.next(), last.ord + 1);
    let event = Logged { seq, ord, ..run.logs[room].events[index].clone() };
    run.logs[room].events.push(event);
    Some(())
}

pub(super) fn swap_logged(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn change_everywhere(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let (id, seq) = (run.logs[room].room, run.logs[room].events[index].seq);
    let hash = ContentHash(Uuid::from_u128(rng.u128(..)));
    run.logs[room].events[index].hash = hash;
    for entry in run.journals.iter_mut().flat_map(|(_, entries)| entries) {
        let seen = match &mut entry.act {
            Act::Recv(seen) => seen,
            Act::Read(shown) => &mut shown.seen,
            _ => continue,
        };
        if (seen.room, seen.seq) == (id, seq) {
            seen.hash = hash;
        }
    }
    Some(())
}

/// Turns a change of membership that `fits` into nothing.
pub(super) fn unmake(run: &mut Run, rng: &mut Rng, fits: fn(&Run, &RoomLog, &Logged) -> bool) -> Option<()> {
    let history = run.clone();
    let (room, index) = choose_logged(run, rng, |log, event| fits(&history, log, event))?;
    run.logs[room].events[index].kind = LoggedKind::Other;
    Some(())
}

pub(super) fn is_writer(_: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Added { user } = event.kind else { return false };
    let mut after = log.events.iter().filter(|after| after.seq > event.seq);
    let next = after.find(|after| {
        after.by == user && after.kind == LoggedKind::Message || after.kind == LoggedKind::Added { user }
    });
    next.is_some_and(|next| next.kind == LoggedKind::Message)
}

pub(super) fn is_joined(run: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Added { user: added } = event.kind else { return false };
    let answered = |entry: &Entry| matches!(entry.act, Act::Join { room, user, seq } if room == log.room && user == added && seq == event.seq);
    run.journals.iter().any(|(_, entries)| entries.iter().any(answered))
}

pub(super) fn is_left(run: &Run, log: &RoomLog, event: &Logged) -> bool {
    let LoggedKind::Removed { user: removed } = event.kind else { return false };
    let answered = |entry: &Entry| matches!(entry.act, Act::Leave { room, user, seq } if room == log.room && user == removed && seq == event.seq);
    run.journals.iter().any(|(_, entries)| entries.iter().any(answered))
}
