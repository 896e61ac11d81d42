//! Where the answer to a command goes, so that every command gets exactly one.
//!
//! An answer travels with its command from actor to actor. Whoever holds it last gives it; where
//! nobody does, because an actor died with the command in its mailbox, dropping it says that the
//! outcome is not known. The connection's credit travels along and comes back with the answer, and the trace of a
//! command that is traced.

use crate::cluster::{self, Outcome};
use crate::node::Node;
use rookery_engine::bus::NodeId;
use rookery_engine::metrics;
use rookery_engine::trace::Trace;
use rookery_engine::{Connection, Credit};
use rookery_protocol::{
    CommandId, ErrorCode, Op, Reply, ReplyBody, RoomId, ServerEvent, WireError, websocket_frame,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a client should wait before it asks again what became of a command.
const ASK_AGAIN_MS: u32 = 200;

/// The one answer that somebody is waiting for.
#[derive(Debug)]
pub struct Answer {
    to: Option<To>,
    node: Arc<Node>,
    /// Whether it may have been done already, so that no error says that it was not.
    is_in_doubt: bool,
    trace: Option<Box<Trace>>,
    _credit: Option<Credit>,
}

#[derive(Debug)]
enum To {
    /// A command on this connection.
    Command(Arc<Connection>, Asked),
    /// A connection that came with a ticket: it gets `ready` in place of a reply.
    Ready(Arc<Connection>),
    /// A task of this node.
    Task(oneshot::Sender<Result<ReplyBody, WireError>>),
    /// The node that has asked.
    Node(NodeId, cluster::Asked),
}

/// A command that is to be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Its id.
    pub(crate) id: CommandId,
    /// The place of its op among all.
    pub(crate) op: usize,
    /// When it was read, by the node's monotonic clock.
    pub(crate) read: Duration,
}

impl Answer {
    /// Returns the answer to a command of `connection`.
    pub(crate) fn command(
        node: Arc<Node>,
        connection: Arc<Connection>,
        asked: Asked,
        mut credit: Credit,
    ) -> Self {
        let trace = credit.take_trace();
        Self::of(node, To::Command(connection, asked), Some(credit)).with(trace)
    }

    /// Returns the answer to a connection's ticket.
    pub(crate) const fn ready(node: Arc<Node>, connection: Arc<Connection>) -> Self {
        Self::of(node, To::Ready(connection), None)
    }

    /// Returns an answer and where it arrives.
    pub(crate) fn task(node: Arc<Node>) -> (Self, oneshot::Receiver<Result<ReplyBody, WireError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self::of(node, To::Task(sender), None), receiver)
    }

    /// Returns the answer to what another node has asked.
    pub(crate) const fn node(node: Arc<Node>, to: NodeId, asked: cluster::Asked) -> Self {
        Self::of(node, To::Node(to, asked), None)
    }

    const fn of(node: Arc<Node>, to: To, credit: Option<Credit>) -> Self {
        Self { to: Some(to), node, is_in_doubt: false, trace: None, _credit: credit }
    }

    /// Returns the answer to what has this trace.
    #[must_use]
    pub(crate) fn with(self, trace: Option<Box<Trace>>) -> Self {
        let mut answer = self;
        answer.trace = trace;
        answer
    }

    /// Returns the trace of what is to be answered.
    pub(crate) fn trace(&mut self) -> Option<&mut Trace> {
        self.trace.as_deref_mut()
    }

    /// Takes the trace out: what comes after the answer is a part of it too.
    pub(crate) const fn take_trace(&mut self) -> Option<Box<Trace>> {
        self.trace.take()
    }

    /// Step 3 is over: what is to be answered is on its way to `room`.
    pub(crate) fn goes_to(&mut self, room: RoomId) {
        if let Some(trace) = &mut self.trace {
            trace.set_room(room);
            trace.pause();
        }
    }

    /// It may have been done already: where it is not found to be, the outcome is not known.
    pub(crate) const fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// Says that it was not looked at, and that nothing will come of it here.
    pub(crate) fn not_taken(mut self) {
        match self.to.take() {
            Some(To::Node(to, asked)) => self.node.cluster().answer(to, asked, Outcome::NotTaken),
            to => self.to = to,
        }
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
        let outcome = outcome.map_err(|error| if self.is_in_doubt { not_known() } else { error });
        let to = self.to.take();
        if matches!(to, Some(To::Command(..) | To::Ready(_)))
            && let Err(error) = &outcome
        {
            self.node.metrics().commands.error(error.code);
        }
        if let (Err(error), Some(trace)) = (&outcome, &mut self.trace) {
            trace.fail(error.code.as_str());
        }
        match to {
            Some(To::Node(to, asked)) => self.node.cluster().answer(to, asked, outcome.into()),
            Some(To::Command(connection, asked)) => {
                let came_to = outcome.as_ref().err().map_or(metrics::Outcome::Ok, |error| error.code.into());
                // First, so that whoever has its reply finds it counted.
                let took = self.node.clock().elapsed().saturating_sub(asked.read);
                self.node.metrics().commands.answered(asked.op, came_to, took.as_secs_f64());
                if let Err(error) = &outcome {
                    self.say_refused(&connection, asked.op, error.code);
                }
                push(&connection, &Reply { id: asked.id, outcome });
            }
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

impl Answer {
    /// Says in the log who was refused which command, and why.
    fn say_refused(&self, connection: &Connection, op: usize, code: ErrorCode) {
        let (user, connection) = (connection.identity().map(|(user, _)| user), connection.id().0);
        let party = user.map_or(u128::from(connection), |user| user.0.as_u128());
        if let Some(unsaid) = self.node.refused(party, code) {
            let user = user.map(tracing::field::display);
            tracing::info!(user, connection, op = Op::NAMES[op], code = code.as_str(), unsaid, "refused");
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        match self.to.take() {
            Some(To::Node(to, asked)) => self.node.cluster().answer(to, asked, Outcome::Unknown),
            None => {}
            to => {
                self.to = to;
                self.send(Err(not_known()));
            }
        }
    }
}

fn not_known() -> WireError {
    WireError::new(ErrorCode::Busy, "the outcome is not known: send it again, unchanged")
        .retry_after(ASK_AGAIN_MS)
}

fn push(connection: &Connection, message: &impl serde::Serialize) {
    let codec = connection.codec();
    let payload = codec.encode(message).expect("what the server says can be encoded");
    connection.push_encoded(websocket_frame(codec, &payload));
}
