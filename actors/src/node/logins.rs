//! Logins that are over, and what is remembered of their users: said on every node.

use super::Node;
use rookery_protocol::{CloseCode, SessionId, UserId};
use std::sync::atomic::Ordering;

impl Node {
    /// Closes every connection of a login at once, on every node, and has its tokens looked up again. The
    /// store must know already that the login is over.
    pub fn end_login(&self, session: SessionId, code: CloseCode) {
        self.close_login(session, code);
        self.cluster.tell_login_ended(session, code);
    }

    /// As [`Node::end_login`], on this node.
    pub(crate) fn close_login(&self, session: SessionId, code: CloseCode) {
        self.logins_may_have_ended();
        self.authenticator().forget_login(session);
        self.connections.each(|connection| {
            if connection.identity().is_some_and(|(_, of)| of == session) {
                self.close(connection, code);
            }
        });
    }

    /// Closes every connection of a user at once, on every node, and has its tokens looked up again: what
    /// follows a ban or an erasure. The store must know already that its logins are over.
    pub fn end_logins_of(&self, user: UserId, code: CloseCode) {
        self.close_logins_of(user, code);
        self.cluster.tell_user_ended(user, code);
    }

    /// As [`Node::end_logins_of`], on this node.
    pub(crate) fn close_logins_of(&self, user: UserId, code: CloseCode) {
        self.logins_may_have_ended();
        self.authenticator().forget_user(user);
        self.connections.each(|connection| {
            if connection.identity().is_some_and(|(of, _)| of == user) {
                self.close(connection, code);
            }
        });
    }

    /// Whoever has looked a login up before this, and has not said on its connection whose it is, looks again.
    pub(crate) fn logins_may_have_ended(&self) {
        self.logins_ended.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns a number that changes with each login that is said to be over. What was done before it is
    /// taken is seen by whoever changes it later.
    pub(crate) fn logins_ended(&self) -> u64 {
        self.logins_ended.fetch_add(0, Ordering::AcqRel)
    }

    /// Has the next request of `user` find the profile as the store has it now, on every node.
    pub fn forget_user(&self, user: UserId) {
        self.authenticator().forget_user(user);
        self.cluster.tell_user_changed(user);
    }
}
