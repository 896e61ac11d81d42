//! What events mean for the messages of the index: the last word on each.

use crate::fields::{Said, Taken};
use rookery_protocol::{Event, EventBody, MessageBody, Seq, Timestamp};
use std::collections::BTreeMap;

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// It is in the index already.
    pub(crate) is_there: bool,
    /// What it says now; nothing once it was deleted.
    pub(crate) said: Option<Said>,
}

/// Returns the changes that `events` make, which follow the position `taken` of one log. `find` looks a
/// message up that is in the index; whatever body it comes with is replaced.
pub(crate) fn changes<E>(
    taken: Option<&Taken>,
    events: &[Event],
    find: impl Fn(Seq) -> Result<Option<Said>, E>,
) -> Result<(BTreeMap<Seq, Change>, Timestamp), E> {
    let mut order = taken.map_or(Timestamp(i64::MIN), |taken| taken.order);
    let mut changes = BTreeMap::new();
    for event in events {
        order = order.max(event.at);
        match (&event.body, event.target) {
            (EventBody::Message(body), _) => {
                let said = Said { order, at: event.at, by: event.by, body: body.clone() };
                changes.insert(event.seq, Change { is_there: false, said: Some(said) });
            }
            (EventBody::Edit(edit), Some(target)) => change(&mut changes, target, Some(&edit.body), &find)?,
            (EventBody::Delete(_), Some(target)) => change(&mut changes, target, None, &find)?,
            _ => {}
        }
    }
    Ok((changes, order))
}

fn change<E>(
    changes: &mut BTreeMap<Seq, Change>,
    target: Seq,
    body: Option<&MessageBody>,
    find: impl Fn(Seq) -> Result<Option<Said>, E>,
) -> Result<(), E> {
    let change = match changes.entry(target) {
        std::collections::btree_map::Entry::Occupied(change) => change.into_mut(),
        std::collections::btree_map::Entry::Vacant(none) => match find(target)? {
            // No message, or one that was deleted and stays so.
            None => return Ok(()),
            Some(said) => none.insert(Change { is_there: true, said: Some(said) }),
        },
    };
    change.said = change.said.take().zip(body).map(|(said, body)| Said { body: body.clone(), ..said });
    Ok(())
}
