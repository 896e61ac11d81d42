//! Finding out who speaks, and opening their inbox.

use super::{HeldCommand, Identified, Phase, Session, SessionMessage};
use crate::answer::Answer;
use crate::identity::Identity;
use crate::naming::inbox_of;
use crate::node::Node;
use crate::request::unread;
use crate::room::{Open, Opening, RoomMessage};
use rookery_protocol::{Auth, Authenticated, CloseCode, ErrorCode, Seq, SessionId, UserId, WireError};
use std::collections::VecDeque;
use std::sync::Arc;
use tracing::Instrument;

impl Session {
    /// Has the token verified; commands that come meanwhile wait.
    pub(super) fn authenticate(&mut self, auth: Auth, mut answer: Answer) {
        if matches!(self.phase, Phase::Greeting) {
            self.phase = Phase::Authenticating(VecDeque::new());
        }
        let asked = self.connection.looks_up();
        let looked_up = self.node.logins_ended();
        let span = self.span("auth", &mut answer);
        let (node, myself) = (Arc::clone(&self.node), self.myself.clone());
        let task = async move {
            let result = node.authenticator().authenticate(&auth.token).await;
            let identified = Identified { result, inbox_after: auth.inbox_after, answer, asked, looked_up };
            // A session that has gone needs no answer.
            myself.tell(SessionMessage::Identified(Box::new(identified)));
        };
        self.node.tasks().spawn(task.instrument(span));
    }

    pub(super) fn identified(&mut self, identified: Identified) {
        let Identified { result, inbox_after, answer, asked, looked_up } = identified;
        self.count_identified(result.as_ref().err().map(|error| error.code));
        match result {
            Ok(identity) => self.welcome(identity, inbox_after, answer, Some(looked_up)),
            Err(error) => {
                if let Some(asked) = asked {
                    // Where nothing could be looked up it has its whole time again.
                    let since = if error.retryable { self.node.clock().elapsed() } else { asked };
                    self.connection.asked_since(since);
                }
                let held = self.held_while_authenticating();
                // A token that will never be good; one that has run out may be replaced.
                if held.is_some() && error.code == ErrorCode::Unauthenticated {
                    answer.err(error);
                    return self.connection.close(CloseCode::AuthFailed, None, self.node.clock().elapsed());
                }
                answer.err(error);
                held.into_iter()
                    .flatten()
                    .for_each(|(command, credit, arrival)| self.command(command, credit, arrival));
            }
        }
    }

    /// The connection came with a ticket, which has been taken.
    pub(super) fn ticket(&mut self, identity: Identity) {
        self.count_identified(None);
        let answer = Answer::ready(Arc::clone(&self.node), Arc::clone(&self.connection));
        self.welcome(identity, None, answer, None);
    }

    /// `looked_up` is how many logins had ended before this one was found to be good, where that is known.
    fn welcome(
        &mut self,
        identity: Identity,
        inbox_after: Option<Seq>,
        answer: Answer,
        looked_up: Option<u64>,
    ) {
        if !self.connection.identify(identity.user.id, identity.session) {
            return answer.err(WireError::new(
                ErrorCode::Forbidden,
                "this connection belongs to another login: open a new one",
            ));
        }
        self.connection.expire_at(identity.expires_at);
        self.node.users().add(identity.user.id, &self.connection);
        let inbox = inbox_of(identity.user.id);
        let who = Authenticated {
            user: identity.user.clone(),
            session: identity.session,
            inbox,
            expires_at: identity.expires_at,
            inbox_status: None,
            inbox_from: None,
        };
        let is_heard = self.rooms.get(&inbox).is_some_and(|entry| entry.is_open);
        let held = self.held_while_authenticating();
        let user = identity.user.id;
        self.attend(&identity);
        self.phase = Phase::Ready(Box::new(identity));
        if !is_heard || inbox_after.is_some() {
            // From here on a login that ends finds this connection.
            let is_certain = looked_up == Some(self.node.logins_ended());
            self.open_inbox(user, (who, is_certain), inbox_after, answer);
        } else {
            answer.ok(who);
        }
        held.into_iter()
            .flatten()
            .for_each(|(command, credit, arrival)| self.command(command, credit, arrival));
    }

    /// Makes the inbox if this is its user's first visit, and opens it; that gives the answer.
    ///
    /// Where it is not certain that the login goes on, that is looked at first: one that ended after it was
    /// found to be good has found no connection to close if this one had no identity yet.
    fn open_inbox(
        &mut self,
        user: UserId,
        (who, is_certain): (Authenticated, bool),
        after: Option<Seq>,
        answer: Answer,
    ) {
        let inbox = who.inbox;
        self.entry(inbox).is_open = true;
        let gate = self.close_gate(inbox);
        let (node, connection) = (Arc::clone(&self.node), Arc::clone(&self.connection));
        self.node.tasks().spawn(async move {
            let is_live = if is_certain { Ok(true) } else { still_live(&node, who.session).await };
            match is_live {
                Ok(true) => {}
                Ok(false) => {
                    answer.err(WireError::new(ErrorCode::Unauthenticated, "the login is over"));
                    return node.close(&connection, CloseCode::SessionRevoked);
                }
                Err(error) => {
                    answer.err(error);
                    return gate.not_opened();
                }
            }
            if let Err(error) = node.make_inbox(user).await {
                answer.err(error);
                return gate.not_opened();
            }
            let opening = Opening::Inbox(Box::new(who));
            let open = Open { user, connection, after, opening, answer, gate: Some(gate), is_checked: false };
            node.tell_room(inbox, RoomMessage::Open(open));
        });
    }

    fn count_identified(&self, error: Option<ErrorCode>) {
        let result = match error {
            None => "ok",
            Some(ErrorCode::TokenExpired) => "expired",
            Some(code) if code.retryable() => "failed",
            Some(_) => "refused",
        };
        self.node.metrics().accounts.identified.of(result).increment(1);
    }

    fn held_while_authenticating(&mut self) -> Option<VecDeque<HeldCommand>> {
        match std::mem::replace(&mut self.phase, Phase::Greeting) {
            Phase::Authenticating(held) => Some(held),
            other => {
                self.phase = other;
                None
            }
        }
    }
}

/// Returns whether the login has neither ended nor been revoked.
async fn still_live(node: &Node, session: SessionId) -> Result<bool, WireError> {
    let login = node.store().session(session).await.map_err(unread)?;
    Ok(login.is_some_and(|login| login.is_live(node.clock().now())))
}
