//! The task that hears the other nodes: each word to where it belongs.

use super::frame::{decode, is_passed_on};
use super::said::{
    Answered, Astray, Beacon, Events, Follow, Followed, HeadMoved, Outcome, Pulse, Said, Signal, Signalled,
    Submit, Unfollow,
};
use super::view::Home;
use crate::answer::Answer;
use crate::node::Node;
use crate::room::{Forwarded, RoomMessage};
use bytes::Bytes;
use rookery_engine::bus::{Heard, NodeId};
use rookery_engine::limits::ROOMS_PER_FRAME;
use rookery_protocol::{RoomId, Seq};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Hears until the node's tasks are stopped.
pub(super) async fn run(node: Arc<Node>) {
    loop {
        tokio::select! {
            () = node.tasks().stopped() => return,
            heard = node.cluster().bus.hear() => {
                // One word that breaks us must not leave us deaf.
                if catch_unwind(AssertUnwindSafe(|| node.hear(heard))).is_err() {
                    tracing::error!("a word of another node was not understood");
                    node.lost();
                }
            }
        }
    }
}

impl Node {
    fn hear(self: &Arc<Self>, heard: Heard) {
        match heard {
            Heard::Frame { from, frame } => self.hear_frame(from, &frame),
            Heard::Lost => {
                self.metrics().cluster.lost.increment(1);
                self.lost();
            }
        }
    }

    fn hear_frame(self: &Arc<Self>, from: NodeId, frame: &Bytes) {
        self.metrics().cluster.heard_bytes.increment(frame.len() as u64);
        let Some((kind, said)) = decode(frame) else {
            return self.metrics().cluster.heard.of("unknown").increment(1);
        };
        self.metrics().cluster.heard.of(kind).increment(1);
        match said {
            Said::Pulse(pulse) => self.heard_pulse(from, &pulse),
            Said::Follow(follow) => self.heard_follow(from, follow),
            Said::Followed(followed) => self.heard_followed(from, followed),
            Said::Unfollow(Unfollow { rooms }) => {
                let mut followers = self.cluster().followers();
                for room in rooms {
                    followers.unfollow(room, from);
                }
            }
            Said::Events(events) => self.heard_events(from, frame, events),
            Said::Beacon(Beacon { heads }) => {
                for (room, head) in heads {
                    self.cluster().followers().moved(room, head);
                    self.told(room, head);
                }
            }
            Said::Submit(submit) => self.heard_submit(from, *submit),
            Said::NotUnderstood(asked) => self.cluster().answer(from, asked, Outcome::NotTaken),
            Said::Astray(Astray { room }) => self.cluster().goes_astray(room),
            Said::Answered(answered) => self.heard_answer(from, answered),
            Said::Signalled(signalled) => self.heard_signal(from, frame, signalled),
            Said::HeadMoved(moved) => self.heard_head(moved),
            Said::LoginEnded(ended) => self.heard_login_ended(ended),
            Said::UserEnded(ended) => self.heard_user_ended(ended),
            Said::UserChanged(changed) => self.authenticator().forget_user(changed.user),
            Said::BlockChanged(changed) => self.heard_block(changed),
            Said::WatchPeople(watch) => {
                self.presence().hear_watch(from, watch);
                self.say_presence();
            }
            Said::UnwatchPeople(unwatch) => self.presence().hear_unwatch(from, unwatch),
            Said::PeopleAre(are) => {
                self.presence().hear_people(from, are);
                self.say_presence();
            }
        }
    }

    fn heard_pulse(self: &Arc<Self>, from: NodeId, pulse: &Pulse) {
        self.presence().heard(from);
        let cluster = self.cluster();
        let is_news = cluster.change_view(|view| view.hear(from, pulse));
        if is_news || !pulse.hears.contains(&cluster.bus.id()) {
            // It does not know yet that it is heard, and will trust us once it does.
            cluster.send(from, &cluster.pulse());
        }
        if is_news {
            self.homes_moved();
        }
    }

    fn heard_follow(&self, from: NodeId, Follow { rooms }: Follow) {
        let cluster = self.cluster();
        let mut heads = Vec::new();
        {
            let view = cluster.view();
            let mut followers = cluster.followers();
            for room in rooms.into_iter().take(ROOMS_PER_FRAME) {
                // Whoever chose another home for it hears of ours in a moment, and follows there.
                if view.chosen(room) == Some(cluster.bus.id())
                    && let Some(head) = followers.follow(room, from)
                {
                    heads.push((room, head));
                }
            }
        }
        if !heads.is_empty() {
            cluster.send(from, &Followed { heads });
        }
    }

    /// A home knows that we follow. What happened before that it may not have told us.
    fn heard_followed(self: &Arc<Self>, from: NodeId, Followed { heads }: Followed) {
        let cluster = self.cluster();
        let mut fresh = Vec::new();
        for (room, head) in heads {
            if cluster.following().confirm(room, from, cluster.beat) {
                fresh.push(room);
            }
            self.told(room, head);
        }
        if !fresh.is_empty() {
            cluster.doubt(fresh);
        }
    }

    fn heard_events(self: &Arc<Self>, from: NodeId, frame: &Bytes, events: Box<Events>) {
        let room = events.room;
        if let Some(newest) = events.newest() {
            let lag = self.clock().now().0.saturating_sub(newest.at.0);
            // A clock that is behind the other's shows as none.
            let lag = Duration::from_millis(u64::try_from(lag).unwrap_or_default());
            self.metrics().cluster.lag_seconds.record(lag.as_secs_f64());
        }
        if self.is_to_pass_on(room, frame) {
            self.cluster().goes_astray(room);
            if let Some(head) = events.head() {
                self.cluster().followers().moved(room, head);
            }
            self.cluster().pass_on::<Events>(room, from, frame);
        }
        self.tell_active(room, RoomMessage::Foreign(events));
    }

    fn heard_signal(self: &Arc<Self>, from: NodeId, frame: &Bytes, Signalled { room, signal }: Signalled) {
        if self.is_to_pass_on(room, frame) {
            self.cluster().pass_on::<Signalled>(room, from, frame);
        }
        match signal {
            // It is told in the inbox, and known where it was read.
            Signal::Own(own) => match self.active_room(own.room) {
                Some(_) => self.tell_active(own.room, RoomMessage::Echo(signal)),
                None => self.tell_own_read(own),
            },
            signal => self.tell_active(room, RoomMessage::Echo(signal)),
        }
    }

    /// Whether this node is the home that passes a frame on to the followers of a room.
    fn is_to_pass_on(&self, room: RoomId, frame: &Bytes) -> bool {
        !is_passed_on(frame) && self.cluster().view().chosen(room) == Some(self.cluster().bus.id())
    }

    fn heard_submit(self: &Arc<Self>, from: NodeId, submit: Submit) {
        let Submit { asked, as_of, by, action, trace } = submit;
        let is_home = matches!(self.cluster().home_of(asked.room), Home::Here { .. });
        match self.cluster().until(as_of) {
            Some(until) if is_home && !self.is_draining() => {
                let mut trace = trace.and_then(|context| self.tracer().go_on(&context));
                if let Some(trace) = &mut trace {
                    trace.set_room(asked.room);
                }
                let answer = Answer::node(Arc::clone(self), from, asked).with(trace);
                let forwarded = Forwarded { from, asked, until, by, action, answer };
                self.tell_room(asked.room, RoomMessage::Forwarded(Box::new(forwarded)));
            }
            _ => self.cluster().answer(from, asked, Outcome::NotTaken),
        }
    }

    fn heard_answer(&self, from: NodeId, Answered { asked, outcome }: Answered) {
        if let Some(room) = self.active_room(asked.room) {
            // One that has gone has let its drafts go.
            drop(room.send_message(RoomMessage::Answered(from, asked, outcome)));
        }
    }

    /// A room's head is said to be there, at least.
    pub(super) fn told(self: &Arc<Self>, room: RoomId, head: Seq) {
        let is_news = self.hub().told(room).is_none_or(|told| told < head);
        if is_news && head > Seq::ZERO {
            self.tell_active(room, RoomMessage::Told(head));
        }
    }

    /// Tells a room that is active or heard here.
    fn tell_active(self: &Arc<Self>, room: RoomId, message: RoomMessage) {
        if self.active_room(room).is_some() || self.hub().told(room).is_some() {
            self.tell_room(room, message);
        }
    }

    /// Members have a room not open here whose head has moved.
    fn heard_head(self: &Arc<Self>, HeadMoved { room, seq, members }: HeadMoved) {
        let is_wanted = match members {
            Some(members) => members.into_iter().any(|user| self.users().is_online(user)),
            None => !self.users().is_empty(),
        };
        if is_wanted {
            self.tell_room(room, RoomMessage::HeadHeard(seq));
        }
    }

    /// What other nodes have said may be lost.
    fn lost(self: &Arc<Self>) {
        self.homes_moved();
        self.wake_courier();
        self.cluster().doubt_logins();
        self.presence().doubt();
        self.presence().doubt_blocks();
    }

    /// Homes have moved, or whom they can be reached by: what is sure now must be found out.
    pub(super) fn homes_moved(self: &Arc<Self>) {
        let cluster = self.cluster();
        self.each_room(|_, room| drop(room.send_message(RoomMessage::HomesMoved)));
        cluster.say_what_is_followed(self);
        cluster.doubt(self.hub().heard_rooms());
        cluster.doubt(cluster.followed_rooms());
    }
}
