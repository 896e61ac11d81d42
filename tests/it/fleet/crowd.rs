//! Clients of a cluster that all talk in one room, and go to another server when theirs is gone.

use super::{Fleet, room_of};
use futures_util::future::join_all;
use rookery_client::{Chat, ClientIds, News, ServerUrl, Servers};
use rookery_protocol::{ClientId, Codec, MessageBody, MessageSend, Op, RoomId, Sent, Seq};
use rookery_tests::wire::Wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, interval, timeout};

/// Between two messages of one client.
const PAUSE: Duration = Duration::from_millis(100);

/// Everybody in one room.
pub(super) struct Crowd {
    pub(super) room: Value,
    people: Vec<Person>,
}

struct Person {
    chat: Chat,
    ids: ClientIds,
    room: RoomId,
    /// Where it was connected in the beginning.
    at: SocketAddr,
    connected: Instant,
    /// What it was told to be in the log, and what it heard, by position.
    acked: BTreeMap<Seq, ClientId>,
    heard: BTreeMap<Seq, Option<ClientId>>,
    said: usize,
}

impl Crowd {
    /// Connects so many to all servers in turn, and has all of them in a room.
    pub(super) async fn gather(fleet: &Fleet, count: usize) -> Self {
        let handles: Vec<_> = (0..count).map(|number| format!("person{number}")).collect();
        let users = fleet.users(&handles).await;
        let addresses: Vec<_> = (0..fleet.members.len()).map(|member| fleet.server(member).http).collect();
        let urls: Vec<_> = addresses.iter().map(|address| ServerUrl::from(*address)).collect();
        let mut wire = Wire::log_in(addresses[0], &users[0].1.access_token).await;
        let room = room_of(&mut wire, &users[1..]).await;
        let id: RoomId = serde_json::from_value(room.clone()).unwrap();
        let mut people = Vec::new();
        for (number, (login, tokens)) in users.into_iter().enumerate() {
            let mut random = fastrand::Rng::with_seed(number as u64);
            let ids = ClientIds::new(random.fork());
            let servers = Servers::new(urls.clone(), number).unwrap();
            let mut chat = Chat::new(servers, Codec::MessagePack, tokens, Some(login), random);
            chat.follow(id, Some(Seq::ZERO));
            let at = addresses[number % addresses.len()];
            let (acked, heard) = (BTreeMap::new(), BTreeMap::new());
            people.push(Person { chat, ids, room: id, at, connected: Instant::now(), acked, heard, said: 0 });
        }
        Self { room, people }
    }

    /// Returns who was connected to a server in the beginning.
    pub(super) fn at(&self, server: SocketAddr) -> Vec<usize> {
        (0..self.people.len()).filter(|person| self.people[*person].at == server).collect()
    }

    /// Has everybody talk for a while.
    pub(super) async fn talk_for(&mut self, how_long: Duration) {
        let until = Instant::now() + how_long;
        join_all(self.people.iter_mut().map(|person| person.talk(|_| Instant::now() >= until))).await;
    }

    /// Has everybody talk until `those` have been connected anew since then, which is to be soon.
    pub(super) async fn talk_until_back(&mut self, those: &[usize], since: Instant, within: Duration) {
        join_all(self.people.iter_mut().enumerate().map(|(number, person)| async move {
            let is_back = |person: &Person| !those.contains(&number) || person.connected > since;
            let back = timeout(PAUSE + within, person.talk(is_back)).await;
            let late = person.connected.saturating_duration_since(since);
            assert!(back.is_ok() && late < within, "{number} is back after {late:?}");
        }))
        .await;
    }

    /// Waits until everybody has heard everything, and compares it. Returns how many messages there were.
    pub(super) async fn hear_out(&mut self, within: Duration) -> usize {
        join_all(self.people.iter_mut().map(|person| async {
            let quiet = timeout(within, person.listen_until(|person| person.chat.is_quiet())).await;
            assert!(quiet.is_ok(), "everything is answered");
        }))
        .await;
        let acked = |person: &Person| person.acked.clone();
        let all: BTreeMap<Seq, ClientId> = self.people.iter().flat_map(acked).collect();
        let said: usize = self.people.iter().map(|person| person.said).sum();
        assert_eq!(all.len(), said, "everything that was said is there, at a position of its own");
        let head = *all.keys().next_back().expect("something was said");
        for (number, person) in self.people.iter_mut().enumerate() {
            let has_all = |person: &Person| person.heard.contains_key(&head);
            assert!(timeout(within, person.listen_until(has_all)).await.is_ok(), "{number} hears all of it");
            let positions: Vec<u64> = person.heard.keys().map(|seq| seq.0).collect();
            assert!(positions.windows(2).all(|two| two[1] == two[0] + 1), "{number} has a gap");
            for (seq, named) in &all {
                assert_eq!(person.heard.get(seq), Some(&Some(*named)), "{number}: what was acked at {seq}");
            }
        }
        said
    }
}

impl Person {
    /// Says something again and again until `is_over`, and takes what happens.
    async fn talk(&mut self, is_over: impl Fn(&Self) -> bool) {
        let mut turns = interval(PAUSE);
        while !is_over(self) {
            tokio::select! {
                _ = turns.tick() => self.say(),
                news = self.chat.next() => self.take(news.expect("the conversation goes on")),
            }
        }
    }

    async fn listen_until(&mut self, is_over: impl Fn(&Self) -> bool) {
        while !is_over(self) {
            let news = self.chat.next().await.expect("the conversation goes on");
            self.take(news);
        }
    }

    fn say(&mut self) {
        let send = MessageSend {
            room: self.room,
            client_id: self.ids.make(),
            attempt: None,
            body: MessageBody::text("talk"),
            reply_to: None,
        };
        // Who waits for too many answers says nothing.
        if self.chat.submit(Op::MessageSend(Box::new(send))).is_ok() {
            self.said += 1;
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Connected { .. } => self.connected = Instant::now(),
            News::Answered { op, outcome, .. } => {
                let Op::MessageSend(send) = op.as_ref() else { return };
                let said: Sent = outcome.expect("nothing is refused for good").read().unwrap();
                assert_eq!(self.acked.insert(said.seq, send.client_id), None, "acked once");
            }
            News::Event(event) if event.room == self.room => {
                assert_eq!(self.heard.insert(event.seq, event.client_id), None, "heard once");
            }
            News::Paged { .. } | News::Lagged { .. } | News::Removed { .. } | News::NotOpened { .. } => {
                panic!("{news:?}");
            }
            _ => {}
        }
    }
}
