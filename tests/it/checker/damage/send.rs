//! Damage to sends and their answers.

use super::{At, choose, choose_logged, entries_after, insert, is_acked};
use crate::checker::model::Run;
use fastrand::Rng;
use rookery_protocol::{ClientId, ErrorCode};
use rookery_tests::journal::{Act, Entry, Logged, LoggedKind};

pub(super) fn ack_elsewhere(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Ack { .. }))?;
    let Act::Ack { seq, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *seq = seq.next();
    Some(())
}

pub(super) fn ack_miscounted(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Ack { cid, .. } = entry.act else { return false };
        let Act::Ack { ord: Some(_), .. } = entry.act else { return false };
        !entries_after(run, at)
            .iter()
            .any(|after| matches!(after.act, Act::Ack { cid: again, .. } if again == cid))
    })?;
    let Act::Ack { ord: Some(ord), .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *ord += 1;
    Some(())
}

pub(super) fn ack_twice(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Ack { .. }))?;
    let Act::Ack { room, cid, seq, ord, .. } = run.journals[at.0].1[at.1].act else { return None };
    insert(run, at, Act::Ack { room, cid, seq: seq.next(), ord, duplicate: true });
    Some(())
}

/// The name in an entry that was sent once and answered once, with a place.
pub(super) fn sent_once(run: &Run, (journal, _): At, entry: &Entry) -> Option<ClientId> {
    let Act::Send { cid, attempt: 1, .. } = entry.act else { return None };
    let about = run.journals[journal].1.iter().filter(|one| match one.act {
        Act::Send { cid: of, .. } | Act::Ack { cid: of, .. } | Act::Nack { cid: of, .. } => of == cid,
        _ => false,
    });
    let (sends, rest): (Vec<_>, Vec<_>) = about.partition(|one| matches!(one.act, Act::Send { .. }));
    (sends.len() == 1 && rest.len() == 1 && matches!(rest[0].act, Act::Ack { .. })).then_some(cid)
}

pub(super) fn refuse_logged(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn never_send(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let (room, index) = choose_logged(run, rng, |_, event| event.kind == LoggedKind::Message)?;
    let cid = run.logs[room].events[index].cid?;
    for (_, entries) in &mut run.journals {
        entries.retain(
            |entry| !matches!(entry.act, Act::Send { cid: of, .. } | Act::Ack { cid: of, .. } if of == cid),
        );
    }
    Some(())
}

pub(super) fn reorder_sender(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn reorder_real_time(run: &mut Run, rng: &mut Rng) -> Option<()> {
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
