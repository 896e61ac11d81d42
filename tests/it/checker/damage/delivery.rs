//! Damage to what one client heard: its stream, its pages, what leaks to it.

use super::{
    choose, choose_logged, entries_after, insert, is_member_at_head, is_open_to_the_end, log_of,
    next_delivery, received, room_of, sighting,
};
use crate::checker::model::Run;
use fastrand::Rng;
use rookery_protocol::{ClientId, Seq, UserId};
use rookery_tests::journal::{Act, ContentHash, Entry, LoggedKind, Sighting};
use uuid::Uuid;

pub(super) fn drop_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, _| next_delivery(run, at).is_some())?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

pub(super) fn drop_last_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn double_delivery(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| received(entry).is_some())?;
    let act = run.journals[at.0].1[at.1].act.clone();
    insert(run, at, act);
    Some(())
}

pub(super) fn swap_deliveries(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, _| next_delivery(run, at).is_some())?;
    let next = next_delivery(run, at)?;
    let entries = &mut run.journals[at.0].1;
    let act = entries[at.1].act.clone();
    entries[at.1].act = std::mem::replace(&mut entries[next.1].act, act);
    Some(())
}

pub(super) fn other_hash(seen: &mut Sighting, rng: &mut Rng) {
    seen.hash = ContentHash(Uuid::from_u128(rng.u128(..)));
}

pub(super) fn other_ord(seen: &mut Sighting, _: &mut Rng) {
    seen.ord += 1;
}

pub(super) fn other_name(seen: &mut Sighting, rng: &mut Rng) {
    seen.cid = Some(ClientId(Uuid::from_u128(rng.u128(..))));
}

pub(super) fn change_sighting(
    run: &mut Run,
    rng: &mut Rng,
    of: fn(&mut Act) -> Option<&mut Sighting>,
    change: fn(&mut Sighting, &mut Rng),
) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| of(&mut entry.act.clone()).is_some())?;
    change(of(&mut run.journals[at.0].1[at.1].act)?, rng);
    Some(())
}

pub(super) fn leak(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn deliver_after_removal(run: &mut Run, rng: &mut Rng) -> Option<()> {
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

pub(super) fn deliver_after_lagged(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| matches!(entry.act, Act::Lagged { .. }))?;
    let Act::Lagged { room } = run.journals[at.0].1[at.1].act else { return None };
    let head = log_of(run, room).events.last()?.seq;
    let seen = sighting(log_of(run, room), Seq(rng.u64(1..=head.0)))?;
    insert(run, (at.0, at.1 + 1), Act::Recv(seen));
    Some(())
}

pub(super) fn deliver_before_open(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let is_first_of_connection = at.1 == 0 || run.journals[at.0].1[at.1 - 1].conn != entry.conn;
        is_first_of_connection && matches!(entry.act, Act::Open { after: Some(_), .. })
    })?;
    let Act::Open { room, from, .. } = run.journals[at.0].1[at.1].act else { return None };
    let seen = sighting(log_of(run, room), from).or_else(|| sighting(log_of(run, room), Seq(from.0 - 1)))?;
    insert(run, at, Act::Recv(seen));
    Some(())
}

pub(super) fn deliver_invention(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |_, _, entry| received(entry).is_some())?;
    let seen = received(&run.journals[at.0].1[at.1])?;
    let last = log_of(run, seen.room).events.last()?;
    let cid = Some(ClientId(Uuid::from_u128(rng.u128(..))));
    let (seq, ord, hash) = (last.seq.next(), last.ord + 1, ContentHash(Uuid::from_u128(rng.u128(..))));
    let end = run.journals[at.0].1.len();
    insert(run, (at.0, end), Act::Recv(Sighting { room: seen.room, seq, ord, cid, hash, body: None }));
    Some(())
}

pub(super) fn skip_at_resume(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Open { room, after: Some(_), from, .. } = entry.act else { return false };
        let first = entries_after(run, at).iter().find(|after| room_of(&after.act) == Some(room));
        first.is_some_and(|first| {
            first.conn == entry.conn && received(first).is_some_and(|seen| seen.seq == from)
        })
    })?;
    let Act::Open { room, from, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    let room = *room;
    *from = from.next();
    let offset = entries_after(run, at).iter().position(|after| room_of(&after.act) == Some(room))?;
    run.journals[at.0].1.remove(at.1 + 1 + offset);
    Some(())
}

pub(super) fn reset_without_need(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at =
        choose(run, rng, |_, _, entry| matches!(entry.act, Act::Open { after: Some(_), reset: false, .. }))?;
    let Act::Open { reset, from, head, .. } = &mut run.journals[at.0].1[at.1].act else { return None };
    *reset = true;
    *from = head.next();
    Some(())
}

pub(super) fn drop_page(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Read(shown) = &entry.act else { return false };
        let seen = shown.seen;
        let (owner, entries) = &run.journals[at.0];
        let about = |after: &&Entry| room_of(&after.act) == Some(seen.room);
        let Some(last_open) =
            entries.iter().rposition(|one| matches!(one.act, Act::Open { room, .. } if room == seen.room))
        else {
            return false;
        };
        // The first stream that reached beyond it began with a reset.
        let reached = |one: &&Entry| match one.act {
            Act::Open { room, from, .. } => room == seen.room && seen.seq < from,
            Act::Recv(of) => of.room == seen.room && seen.seq <= of.seq,
            _ => false,
        };
        let is_owed = entries.iter().find(reached).is_some_and(
            |one| matches!(one.act, Act::Open { after: Some(after), reset: true, .. } if after < seen.seq),
        );
        let joined_before = log_of(run, seen.room)
            .events
            .iter()
            .rfind(|event| event.kind == LoggedKind::Added { user: owner.user });
        is_owed
            && is_open_to_the_end(run, (at.0, last_open), seen.room)
            && is_member_at_head(log_of(run, seen.room), owner.user)
            && joined_before.is_some_and(|joined| joined.seq < seen.seq)
            && !entries.iter().filter(about).any(|one| matches!(one.act, Act::Removed { .. }))
            && entries.iter().filter(|one| matches!(&one.act, Act::Read(other) if (other.seen.room, other.seen.seq) == (seen.room, seen.seq))).count() == 1
    })?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}

pub(super) fn hide_removal(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let at = choose(run, rng, |run, at, entry| {
        let Act::Removed { room, .. } = entry.act else { return false };
        is_open_to_the_end(run, at, room)
            && !is_member_at_head(log_of(run, room), run.journals[at.0].0.user)
            && !entries_after(run, at).iter().any(|after| room_of(&after.act) == Some(room))
    })?;
    run.journals[at.0].1.remove(at.1);
    Some(())
}
