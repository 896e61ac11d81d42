//! The sweep: once a second, whoever has changed is told to whoever watches it.
//!
//! It looks at nobody else: its cost is the changes of watched users, each times its watchers and the nodes
//! that watch it, and the connections that have gone. What is more than a sweep may cost waits for the next one.

use super::elsewhere::News;
use super::person::Shown;
use super::watcher::Told;
use super::{Presence, lock};
use rookery_engine::limits::PRESENCE_WORK_PER_SWEEP;
use rookery_protocol::{Frame, ServerEvent, UserId};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// What one sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Connections whose grace was over.
    pub gone: usize,
    /// Watched users that had changed.
    pub changed: usize,
    /// Watchers that such a change was noted for, each once for each change.
    pub marked: usize,
    /// Events queued.
    pub events: usize,
    /// Users named in them.
    pub entries: usize,
    /// Watchers with too much in their outbox, which are told later.
    pub held: usize,
}

/// One sweep under way, and what it has looked up and encoded already.
#[derive(Debug)]
pub(super) struct Round<'a> {
    presence: &'a Presence,
    shown: HashMap<UserId, Shown>,
    /// Events about one user that changed alone, which is what most watchers of somebody get.
    alone: HashMap<UserId, Frame>,
    news: News,
    pub(super) swept: Swept,
}

impl Presence {
    /// Ends the graces that are over and tells watchers, and the nodes of others, what has changed. Once a
    /// second.
    pub fn sweep(&self) -> Swept {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
        let (shown, alone, news) = (HashMap::new(), HashMap::new(), News::default());
        let mut round = Round { presence: self, shown, alone, news, swept: Swept::default() };
        self.forget_nodes(tick);
        round.let_go(tick);
        round.mark();
        round.tell();
        let Round { news, swept, .. } = round;
        self.write(news);
        self.metrics.presence.events.increment(swept.events as u64);
        self.metrics.presence.held.increment(swept.held as u64);
        swept
    }
}

impl Round<'_> {
    fn let_go(&mut self, tick: u64) {
        loop {
            let mut queue = lock(&self.presence.leaving);
            if queue.front().is_none_or(|leaving| leaving.tick > tick) {
                return;
            }
            let Some(leaving) = queue.pop_front() else { return };
            drop(queue);
            self.presence.forget(leaving.user, leaving.connection);
            self.swept.gone += 1;
        }
    }

    /// Notes for the watchers of each user that has changed that they have to be told.
    fn mark(&mut self) {
        let mut work = 0;
        while work < PRESENCE_WORK_PER_SWEEP {
            let Some(user) = lock(&self.presence.pending).pop_front() else { return };
            let (mut watchers, mut nodes) = (Vec::new(), 0);
            let (shown, news) = (&mut self.shown, &mut self.news);
            self.presence.look(user, |person| {
                person.is_pending = false;
                watchers.extend(person.watchers.values().cloned());
                nodes = news.take_up(user, person);
                shown.insert(user, person.shown());
            });
            self.swept.changed += 1;
            self.swept.marked += watchers.len();
            work += 1 + watchers.len() + nodes;
            for watcher in watchers {
                if watcher.mark(user) {
                    lock(&self.presence.behind).push_back(watcher);
                }
            }
        }
    }

    /// Tells each watcher that is behind, once.
    fn tell(&mut self) {
        // The guard must not live as long as the loop.
        let behind = lock(&self.presence.behind).len();
        for _ in 0..behind {
            if self.swept.entries >= PRESENCE_WORK_PER_SWEEP {
                return;
            }
            let Some(watcher) = lock(&self.presence.behind).pop_front() else { return };
            if watcher.tell(self) == Told::Behind {
                lock(&self.presence.behind).push_back(watcher);
            }
        }
    }

    /// Returns how `user` is shown, the same for all watchers of this sweep.
    pub(super) fn shown(&mut self, user: UserId) -> Shown {
        let presence = self.presence;
        self.shown.entry(user).or_insert_with(|| presence.shown(user)).clone()
    }

    /// Returns the event that tells `news`. Each watcher watches others, so it is its own, unless it is
    /// about one user only: that one is encoded once and shared.
    pub(super) fn frame(&mut self, news: &[(UserId, Shown)]) -> Frame {
        let frame = || {
            let users = news.iter().map(|(user, shown)| shown.of(*user)).collect();
            Frame::server(ServerEvent::Presence { users })
        };
        match news {
            [(user, shown)] if self.shown.get(user) == Some(shown) => {
                self.alone.entry(*user).or_insert_with(frame).clone()
            }
            _ => frame(),
        }
    }
}
