//! A session in presence: its user is there as long as it is, and it may watch others.

use super::Session;
use crate::answer::Answer;
use crate::identity::Identity;
use crate::presence::Known;
use crate::request::unread;
use rookery_protocol::limits::STATUS_CHARS;
use rookery_protocol::{ErrorCode, PresenceSet, PresenceWatch, ReplyBody, WireError};
use std::sync::Arc;

impl Session {
    /// Somebody speaks here: it is there, from the first time that this is known.
    pub(super) fn attend(&mut self, identity: &Identity) {
        self.attendance.get_or_insert_with(|| {
            self.node.presence().attend(&self.connection, identity.user.id, identity.session)
        });
    }

    pub(super) fn set_presence(&self, set: PresenceSet, answer: Answer) {
        let Some(attendance) = &self.attendance else { return answer.err(nobody_speaks()) };
        match set.status.as_deref().map_or(Ok(()), check_status) {
            Ok(()) => {
                attendance.set(set.state, set.status);
                answer.ok(ReplyBody::Empty {});
            }
            Err(error) => answer.err(error),
        }
    }

    /// The list is in force at once, so that of two the later one stays; it is answered by a task,
    /// which asks the store when the users were last there, and waits for what other nodes say of them.
    pub(super) fn watch_presence(&self, watch: PresenceWatch, answer: Answer) {
        let Some(attendance) = &self.attendance else { return answer.err(nobody_speaks()) };
        let Some((user, _)) = self.connection.identity() else { return answer.err(nobody_speaks()) };
        let asked = attendance.watch(watch.users);
        self.node.say_presence();
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        self.node.tasks().spawn(async move {
            connection.outbox().room().await;
            // First: what a node has written it does not tell, and what it tells is not written yet.
            asked.known().await;
            let (last_seen, hidden) = tokio::join!(
                node.store().last_seen(asked.users()),
                node.blocked_either_way(user, asked.users())
            );
            match last_seen.and_then(|last_seen| hidden.map(|hidden| (last_seen, hidden))) {
                Ok((last_seen, hidden)) => {
                    let known = Known {
                        last_seen: last_seen.into_iter().collect(),
                        hidden: hidden.into_iter().collect(),
                    };
                    asked.answer(&known, |presences| answer.ok(presences));
                }
                Err(error) => {
                    asked.refuse();
                    answer.err(unread(error));
                }
            }
        });
    }
}

/// Checks a status: a line of at most 128 characters.
fn check_status(status: &str) -> Result<(), WireError> {
    if status.chars().count() > STATUS_CHARS || status.chars().any(char::is_control) {
        let why = format!("a status is one line of at most {STATUS_CHARS} characters");
        return Err(WireError::new(ErrorCode::Invalid, why).field("status"));
    }
    Ok(())
}

fn nobody_speaks() -> WireError {
    WireError::new(ErrorCode::Unauthenticated, "send `auth` first")
}
