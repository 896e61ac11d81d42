//! Damage to what a server says of how far somebody has come, of who types, and of a room's head.

use super::{At, choose};
use crate::checker::model::Run;
use fastrand::Rng;
use rookery_protocol::{RoomId, Seq, UserId};
use rookery_tests::journal::{Act, Cursor, Entry, Standing};
use uuid::Uuid;

fn stand(entry: &Entry) -> Option<Standing> {
    if let Act::Stand(stand) = entry.act { Some(stand) } else { None }
}

fn stand_at(run: &mut Run, at: At) -> Option<&mut Standing> {
    if let Act::Stand(stand) = &mut run.journals[at.0].1[at.1].act { Some(stand) } else { None }
}

/// What a client itself knew to be in a room before `t`.
fn knew(run: &Run, journal: usize, room: RoomId, t: u64) -> u64 {
    let known =
        run.journals[journal].1.iter().filter(|entry| entry.t < t).filter_map(|entry| match entry.act {
            Act::Recv(seen) if seen.room == room => Some(seen.seq.0),
            _ => None,
        });
    known.max().unwrap_or(0)
}

/// Changes the counts of an answer that `fits`.
pub(super) fn miscount(
    run: &mut Run,
    rng: &mut Rng,
    fits: fn(&Standing) -> bool,
    change: fn(&mut (Seq, u64, u64)),
) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| {
        stand(entry).is_some_and(|stand| stand.read.is_some() && fits(&stand))
    })?;
    change(stand_at(run, at)?.read.as_mut()?);
    Some(())
}

pub(super) fn go_back(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, (journal, _), entry| {
        let Some(Standing { room, asked: Some(asked), read: Some(_), .. }) = stand(entry) else {
            return false;
        };
        let before = run.journals[journal].1.iter().filter(|before| before.t < asked).filter_map(stand);
        before
            .into_iter()
            .any(|before| before.room == room && before.read.is_some_and(|(read, ..)| read.0 > 0))
    })?;
    stand_at(run, at)?.read = Some((Seq::ZERO, 0, 0));
    Some(())
}

pub(super) fn forget_arrival(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, (journal, _), entry| {
        let Some(Standing { room, asked: Some(asked), delivered: Some(_), .. }) = stand(entry) else {
            return false;
        };
        let before = run.journals[journal].1.iter().filter(|before| before.t < asked).filter_map(stand);
        before.into_iter().any(|before| match (before.asked, before.marked) {
            (Some(marked_at), Some((Cursor::Delivered, seq))) => {
                before.room == room && seq.0 > 0 && knew(run, journal, room, marked_at) > 0
            }
            _ => false,
        })
    })?;
    stand_at(run, at)?.delivered = Some(Seq::ZERO);
    Some(())
}

pub(super) fn ignore_mark(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, (journal, _), entry| {
        let Some(Standing { room, asked: Some(asked), marked: Some((Cursor::Read, seq)), .. }) = stand(entry)
        else {
            return false;
        };
        seq.0 > 0 && knew(run, journal, room, asked) > 0
    })?;
    stand_at(run, at)?.read = Some((Seq::ZERO, 0, 0));
    Some(())
}

pub(super) fn tell_too_far(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Progress { .. }))?;
    if let Act::Progress { seq, .. } = &mut run.journals[at.0].1[at.1].act {
        *seq = Seq(1_000_000);
    }
    Some(())
}

pub(super) fn tell_typing(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Typing { .. }))?;
    if let Act::Typing { user, .. } = &mut run.journals[at.0].1[at.1].act {
        *user = UserId(Uuid::from_u128(rng.u128(..)));
    }
    Some(())
}

/// Has an answer say a head that its asker knew to be an old one.
pub(super) fn tell_old_head(run: &mut Run, rng: &mut Rng, is_page: fn(&Act) -> bool) -> Option<()> {
    let asked = |act: &Act| match act {
        Act::Read(shown) => Some((shown.seen.room, shown.asked)),
        Act::Open { room, asked, .. }
        | Act::Stand(Standing { room, asked: Some(asked), head: Some(_), .. }) => Some((*room, *asked)),
        _ => None,
    };
    let at = choose(run, rng, |run, (journal, _), entry| {
        is_page(&entry.act) && asked(&entry.act).is_some_and(|(room, t)| knew(run, journal, room, t) > 1)
    })?;
    let (room, t) = asked(&run.journals[at.0].1[at.1].act)?;
    let old = Seq(knew(run, at.0, room, t) - 1);
    match &mut run.journals[at.0].1[at.1].act {
        Act::Read(shown) => shown.head = old,
        Act::Open { head, .. } => *head = old,
        Act::Stand(stand) => stand.head = Some(old),
        _ => return None,
    }
    Some(())
}
