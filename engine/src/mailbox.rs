//! A mailbox: where an actor is reached, and how much waits for it. ractor's own does not say.

use ractor::{ActorId, ActorRef, Message, MessagingErr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Where an actor is reached. Cloning it is cheap.
#[derive(Debug)]
pub struct Mailbox<M> {
    actor: ActorRef<M>,
    waiting: Depth,
}

/// How many messages wait for one actor. Its clones count the same ones.
#[derive(Clone, Debug, Default)]
pub struct Depth(Arc<AtomicUsize>);

impl Depth {
    /// Returns how many there are. A message counts until the actor's turn for it begins.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Says that the actor has taken a message out: it calls this at the beginning of each turn.
    pub fn taken(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<M: Message> Mailbox<M> {
    /// Returns the mailbox of `actor`, for which `waiting` counts. All of an actor must share that.
    pub const fn new(actor: ActorRef<M>, waiting: Depth) -> Self {
        Self { actor, waiting }
    }

    /// Sends a message. It is unbounded: what is sent is bounded by the credits of connections.
    ///
    /// # Errors
    /// With the message, where the actor has gone or is going.
    pub fn send_message(&self, message: M) -> Result<(), MessagingErr<M>> {
        // Before it is there, so that taking it out never comes first.
        self.waiting.0.fetch_add(1, Ordering::Relaxed);
        let sent = self.actor.send_message(message);
        if sent.is_err() {
            self.taken();
        }
        sent
    }

    /// Says that the actor has taken a message out, as [`Depth::taken`].
    pub fn taken(&self) {
        self.waiting.taken();
    }

    /// Returns how many messages wait.
    pub fn waiting(&self) -> usize {
        self.waiting.count()
    }

    /// Returns which actor it is.
    pub fn get_id(&self) -> ActorId {
        self.actor.get_id()
    }

    /// Stops the actor after the turn that it is in, whatever waits.
    pub fn stop(&self, reason: Option<String>) {
        self.actor.stop(reason);
    }

    /// Has the actor hear what waits and stop then; nothing more is taken in.
    ///
    /// # Errors
    /// Where the actor has gone.
    pub fn drain(&self) -> Result<(), MessagingErr<()>> {
        self.actor.drain()
    }

    /// Waits until the actor has gone.
    ///
    /// # Errors
    /// When that took longer than `within`.
    pub async fn wait(&self, within: Option<Duration>) -> Result<(), ractor::concurrency::Timeout> {
        self.actor.wait(within).await
    }
}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), waiting: self.waiting.clone() }
    }
}
