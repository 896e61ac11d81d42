//! Blocks: two users who want nothing to do with each other see nothing of each other.

use super::watcher::{Hiding, Watcher};
use super::{Presence, lock};
use rookery_protocol::UserId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Presence {
    /// Has two users see nothing of each other from now on: what `user.block` calls once the store
    /// has it. Both are shown offline to each other's live watches, without when they were there.
    pub fn hide(&self, one: UserId, other: UserId) {
        self.set_hiding(one, other, Hiding::Hidden);
    }

    /// Has two users see each other again.
    pub fn unhide(&self, one: UserId, other: UserId) {
        self.set_hiding(one, other, Hiding::Shown);
    }

    fn set_hiding(&self, one: UserId, other: UserId, hiding: Hiding) {
        for (user, watched) in [(one, other), (other, one)] {
            let mut watchers = Vec::new();
            self.look(user, |person| watchers = person.own_watchers());
            for watcher in watchers {
                if watcher.hide(watched, hiding) {
                    lock(&self.behind).push_back(watcher);
                }
            }
        }
    }

    /// What another node has said of blocks may be lost.
    pub(crate) fn doubt_blocks(&self) {
        self.are_blocks_doubtful.store(true, Ordering::Release);
    }

    /// Returns whether what the store says of blocks is to be looked at, once.
    pub(crate) fn take_doubt_of_blocks(&self) -> bool {
        self.are_blocks_doubtful.swap(false, Ordering::AcqRel)
    }

    /// Returns whom each user watches on this node.
    pub(crate) fn lists(&self) -> BTreeMap<UserId, BTreeSet<UserId>> {
        let mut lists = BTreeMap::<_, BTreeSet<_>>::new();
        for (user, watcher) in self.watchers() {
            let watched = watcher.users();
            if !watched.is_empty() {
                lists.entry(user).or_default().extend(watched);
            }
        }
        lists
    }

    /// Has a user see those of its lists who are not `blocked`, and nothing of those who are.
    pub(crate) fn take_blocks(&self, user: UserId, list: &BTreeSet<UserId>, blocked: &HashSet<UserId>) {
        let mut watchers = Vec::new();
        self.look(user, |person| watchers = person.own_watchers());
        for watcher in watchers {
            let mut is_behind = false;
            for watched in list {
                let hiding = if blocked.contains(watched) { Hiding::Hidden } else { Hiding::Shown };
                is_behind |= watcher.hide(*watched, hiding);
            }
            if is_behind {
                lock(&self.behind).push_back(watcher);
            }
        }
    }

    fn watchers(&self) -> Vec<(UserId, Arc<Watcher>)> {
        let mut watchers = Vec::new();
        for shard in &self.people {
            for (user, person) in &*lock(shard) {
                watchers.extend(person.own_watchers().into_iter().map(|watcher| (*user, watcher)));
            }
        }
        watchers
    }
}
