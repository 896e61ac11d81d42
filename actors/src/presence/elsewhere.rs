//! Presence over several nodes: each tells the others whom it watches, and tells them of those whom they watch.
//!
//! A user that nobody watches on another node is not spoken of, unless it hides: that is said to all, so that
//! no connection elsewhere shows it or leaves a trace of it. What is to be said waits as letters, and the
//! node sends them ([`Presence::letters`]); whatever is lost on the way is said again.

use super::others::Forgotten;
use super::person::Person;
use super::word::{Letter, PeopleAre, UnwatchPeople, WatchPeople, Whereabouts, Word};
use super::{Presence, lock};
use rookery_engine::bus::NodeId;
use rookery_engine::limits::PEOPLE_PER_FRAME;
use rookery_protocol::{Seen, UserId};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

/// What one sweep has to tell other nodes.
#[derive(Debug, Default)]
pub(super) struct News {
    to_one: BTreeMap<NodeId, Vec<(UserId, Whereabouts)>>,
    to_all: Vec<(UserId, Whereabouts)>,
}

impl News {
    /// Takes up what other nodes have to be told of `person`. Returns for how many nodes that is.
    pub(super) fn take_up(&mut self, user: UserId, person: &mut Person) -> usize {
        if !std::mem::take(&mut person.has_news) {
            return 0;
        }
        let is = person.whereabouts();
        if is.hides() || person.is_told_to_hide {
            person.is_told_to_hide = is.hides();
            self.to_all.push((user, is));
            return 1;
        }
        for node in &person.watched_by {
            self.to_one.entry(*node).or_default().push((user, is.clone()));
        }
        person.watched_by.len()
    }

    fn letters(self) -> impl Iterator<Item = Letter> {
        let to_one = self.to_one.into_iter().map(|(node, people)| (Some(node), people));
        to_one.chain([(None, self.to_all)]).flat_map(|(to, people)| {
            let is_for_all = to.is_none();
            chunks(people).map(move |people| {
                let are = PeopleAre { is_for_all, people, ..PeopleAre::default() };
                Letter { to, word: Word::Are(are) }
            })
        })
    }
}

impl Presence {
    /// Returns what is to be said to other nodes, in this order.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        std::mem::take(&mut *lock(&self.letters))
    }

    /// Another node was heard.
    pub(crate) fn heard(&self, from: NodeId) {
        self.others.heard(from);
    }

    /// What others have said may be lost: they are asked again.
    pub(crate) fn doubt(&self) {
        self.others.doubt();
    }

    /// Another node watches people. It is answered with how they are here.
    pub(crate) fn hear_watch(&self, from: NodeId, watch: WatchPeople) {
        self.others.heard(from);
        let WatchPeople { number, is_all, users } = watch;
        let mut letters = Vec::new();
        let mut is_anew = is_all;
        if is_all {
            let mut hiders = Vec::new();
            self.each_person(|user, person| {
                person.watched_by.retain(|node| *node != from);
                if person.hides() {
                    person.is_told_to_hide = true;
                    hiders.push((user, person.whereabouts()));
                }
            });
            for people in chunks(hiders) {
                let is_anew = std::mem::take(&mut is_anew);
                letters.push(PeopleAre { is_anew, is_for_all: true, people, answers: None });
            }
        }
        let mut people = Vec::new();
        for user in users.into_iter().take(PEOPLE_PER_FRAME) {
            let mut shard = self.shard(user);
            let person = shard.entry(user).or_insert_with(|| Person::new(self.unsaved.of(user)));
            if !person.watched_by.contains(&from) {
                person.watched_by.push(from);
            }
            let is = person.whereabouts();
            if is != Whereabouts::default() {
                people.push((user, is));
            }
        }
        letters.push(PeopleAre { answers: Some(number), is_anew, is_for_all: false, people });
        let letter = |are| Letter { to: Some(from), word: Word::Are(are) };
        lock(&self.letters).extend(letters.into_iter().map(letter));
    }

    /// Another node watches people no more.
    pub(crate) fn hear_unwatch(&self, from: NodeId, UnwatchPeople { users }: UnwatchPeople) {
        for user in users {
            self.look(user, |person| person.watched_by.retain(|node| *node != from));
        }
    }

    /// Another node says how people are there.
    pub(crate) fn hear_people(&self, from: NodeId, are: PeopleAre) {
        self.others.heard(from);
        let PeopleAre { answers, is_anew, is_for_all, people } = are;
        if is_anew {
            self.forget_at(from, |person| !person.is_asked);
        }
        let mut unasked = Vec::new();
        for (user, is) in &people {
            if !self.hear_person(from, *user, is) && !is.hides() {
                unasked.push(*user);
            }
        }
        if let Some(number) = answers {
            let named: HashSet<_> = people.iter().map(|(user, _)| *user).collect();
            for user in self.others.answer(from, number).unwrap_or_default() {
                if !named.contains(&user) {
                    self.hear_person(from, user, &Whereabouts::default());
                }
            }
            // Only now, when all of it is known.
            self.others.tell_answered();
        } else if !is_for_all && !unasked.is_empty() {
            // It has not heard that they are not watched any more.
            self.post(Some(from), Word::Unwatch(UnwatchPeople { users: unasked }));
        }
    }

    /// Takes over how a user is on another node. Returns whether that was asked for.
    fn hear_person(&self, from: NodeId, user: UserId, is: &Whereabouts) -> bool {
        let is_known = self.shard(user).contains_key(&user);
        if !is_known && !is.hides() {
            return false;
        }
        let (now, mut is_asked) = (self.clock.now(), false);
        self.change(user, |person| {
            is_asked = person.is_asked;
            person.hear(from, is);
            now
        });
        is_asked
    }

    /// Nothing that a node has said counts any more, of those people of whom it `is_so`.
    fn forget_at(&self, node: NodeId, is_so: impl Fn(&Person) -> bool) {
        let now = self.clock.now();
        for user in self.people_at(node, is_so) {
            self.change(user, |person| {
                person.forget_at(node);
                now
            });
        }
    }

    fn people_at(&self, node: NodeId, is_so: impl Fn(&Person) -> bool) -> Vec<UserId> {
        let mut users = Vec::new();
        self.each_person(|user, person| {
            if person.is_at(node) && is_so(person) {
                users.push(user);
            }
        });
        users
    }

    /// Forgets nodes that are gone or silent. Whoever was online on one that is gone was so until it went;
    /// of one that is only not heard, nobody knows.
    pub(super) fn forget_nodes(&self, tick: u64) {
        self.others.meet(self.clock.now(), tick);
        for forgotten in self.others.forget(tick) {
            match forgotten {
                Forgotten::Silent(node) => self.forget_at(node, |_| true),
                Forgotten::Gone(node, at) => {
                    self.each_person(|_, person| person.watched_by.retain(|by| *by != node));
                    for user in self.people_at(node, |_| true) {
                        self.change(user, |person| {
                            let was_online = person.seen() == Seen::Online;
                            person.forget_at(node);
                            if was_online && person.seen() != Seen::Online {
                                person.was_last_seen(at);
                            }
                            at
                        });
                    }
                }
            }
        }
    }

    /// Asks all other nodes for users who are watched here from now on. Returns the number of the newest
    /// question that is not answered, be it this one or one before it.
    pub(super) fn ask(&self, users: Vec<UserId>) -> Option<u64> {
        self.others.meet(self.clock.now(), self.tick.load(Ordering::Relaxed));
        for users in chunks(users) {
            if let Some(watch) = self.others.ask_all(users) {
                self.post(None, Word::Watch(watch));
            }
        }
        self.others.newest()
    }

    /// Waits until the others have answered, as far as they do.
    pub(super) async fn answered(&self, number: Option<u64>) {
        if let Some(number) = number {
            self.others.answered(number).await;
        }
    }

    /// Writes what other nodes are to hear at the end of a sweep.
    pub(super) fn write(&self, news: News) {
        let forsaken = std::mem::take(&mut *lock(&self.forsaken));
        let mut users = Vec::new();
        for user in forsaken {
            self.look(user, |person| {
                if person.is_asked && person.watchers.is_empty() {
                    person.ask_no_more();
                    self.others.dismiss();
                    users.push(user);
                }
            });
        }
        if self.others.is_alone() {
            return;
        }
        lock(&self.letters).extend(news.letters());
        for users in chunks(users) {
            self.post(None, Word::Unwatch(UnwatchPeople { users }));
        }
        let behind = self.others.take_behind();
        if behind.is_empty() {
            return;
        }
        let mut asked = Vec::new();
        self.each_person(|user, person| asked.extend(person.is_asked.then_some(user)));
        let mut parts: Vec<_> = chunks(asked).collect();
        if parts.is_empty() {
            // Who hides there has to be known all the same.
            parts.push(Vec::new());
        }
        for node in behind {
            for (number, users) in parts.iter().enumerate() {
                let watch = self.others.ask_anew(node, users.clone(), number == 0);
                self.post(Some(node), Word::Watch(watch));
            }
        }
    }

    fn post(&self, to: Option<NodeId>, word: Word) {
        lock(&self.letters).push(Letter { to, word });
    }

    /// Calls `turn` for everybody who is known, and forgets whoever is not to be known any more.
    fn each_person(&self, mut turn: impl FnMut(UserId, &mut Person)) {
        for shard in &self.people {
            lock(shard).retain(|user, person| {
                turn(*user, person);
                !person.is_idle()
            });
        }
    }
}

/// Returns them in the parts that one word holds.
fn chunks<T>(of: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rest = of.into_iter();
    std::iter::from_fn(move || {
        let part: Vec<_> = rest.by_ref().take(PEOPLE_PER_FRAME).collect();
        (!part.is_empty()).then_some(part)
    })
}
