//! Where the answer to a command goes, so that every command gets exactly one.
//!
//! An answer travels with its command from actor to actor. Whoever holds it last gives it; where
//! nobody does, because an actor died with the command in its mailbox, dropping it says that the
//! outcome is not known. The connection's credit travels along and comes back with the answer.

use rookery_engine::{Connection, Credit, Metrics};
use rookery_protocol::{CommandId, ErrorCode, Reply, ReplyBody, ServerEvent, WireError, websocket_frame};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How long a client should wait before it asks again what became of a command.
const ASK_AGAIN_MS: u32 = 200;

/// The one answer that somebody is waiting for.
#[derive(Debug)]
pub struct Answer {
    to: Option<To>,
    metrics: Arc<Metrics>,
    _credit: Option<Credit>,
}

#[derive(Debug)]
enum To {
    /// The command with this id on this connection.
    Command(Arc<Connection>, CommandId),
    /// A connection that came with a ticket: it gets `ready` in place of a reply.
    Ready(Arc<Connection>),
    /// A task of this node.
    Task(oneshot::Sender<Result<ReplyBody, WireError>>),
}

impl Answer {
    /// Returns the answer to command `id` of `connection`.
    pub fn command(
        connection: Arc<Connection>,
        id: CommandId,
        metrics: Arc<Metrics>,
        credit: Credit,
    ) -> Self {
        Self { to: Some(To::Command(connection, id)), metrics, _credit: Some(credit) }
    }

    /// Returns the answer to a connection's ticket.
    pub(crate) const fn ready(connection: Arc<Connection>, metrics: Arc<Metrics>) -> Self {
        Self { to: Some(To::Ready(connection)), metrics, _credit: None }
    }

    /// Returns an answer and where it arrives.
    pub(crate) fn task(metrics: Arc<Metrics>) -> (Self, oneshot::Receiver<Result<ReplyBody, WireError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { to: Some(To::Task(sender)), metrics, _credit: None }, receiver)
    }

    /// Answers that it was done.
    pub(crate) fn ok(self, body: impl Into<ReplyBody>) {
        self.give(Ok(body.into()));
    }

    /// Answers that it was not done.
    pub(crate) fn err(self, error: WireError) {
        self.give(Err(error));
    }

    /// Gives the answer.
    pub(crate) fn give(mut self, outcome: Result<ReplyBody, WireError>) {
        self.send(outcome);
    }

    fn send(&mut self, outcome: Result<ReplyBody, WireError>) {
        if let Err(error) = &outcome {
            self.metrics.errors.of(error.code.as_str()).increment(1);
        }
        match self.to.take() {
            Some(To::Command(connection, id)) => push(&connection, &Reply { id, outcome }),
            Some(To::Ready(connection)) => match outcome {
                Ok(ReplyBody::Authenticated(who)) => push(&connection, &ServerEvent::Ready(who)),
                Ok(_) => debug_assert!(false, "a ticket is answered with who it belongs to"),
                Err(error) => push(&connection, &ServerEvent::Error(error)),
            },
            // Whoever asked may have stopped waiting; what was done stays done.
            Some(To::Task(sender)) => drop(sender.send(outcome)),
            None => {}
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.to.is_some() {
            self.send(Err(WireError::new(
                ErrorCode::Busy,
                "the outcome is not known: send it again, unchanged",
            )
            .retry_after(ASK_AGAIN_MS)));
        }
    }
}

fn push(connection: &Connection, message: &impl serde::Serialize) {
    let codec = connection.codec();
    let payload = codec.encode(message).expect("what the server says can be encoded");
    connection.push_encoded(websocket_frame(codec, &payload));
}
