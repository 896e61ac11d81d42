//! Three real servers over a real Cassandra and a real Redis, each behind a network of its own that breaks:
//! what a cluster promises to those who speak to it.

mod crowd;

use crate::chat::{draft, say, text};
use crate::folder::Folder;
use crate::rooms::fresh;
use crate::servers::{Cassandra, Redis};
use crowd::Crowd;
use rookery_client::{HttpClient, Login, Tokens};
use rookery_tests::proxy::{FaultProxy, Way};
use rookery_tests::server::{Server, get, series};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long what has no bound of its own is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon everybody is back who was connected to a server that was killed.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// How soon it is heard on another server what was said on one, without Redis.
const HEARD_WITHIN: Duration = Duration::from_secs(3);

/// How soon a send is refused that cannot be done.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);

/// What a room's listeners at most wait longer than its writer on the same server, most of the time: less than
/// a look at the store, which is taken every 0.8 s.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Longer than the lease of a server that says nothing.
const BEYOND_LEASE: Duration = Duration::from_secs(8);

/// A server, and its ways to the store and to the others.
struct Member {
    server: Option<Server>,
    store: FaultProxy,
    bus: FaultProxy,
}

/// The servers and the folder are gone with it, unless others use them too.
struct Fleet {
    members: Vec<Member>,
    cassandra: Cassandra,
    redis: Redis,
    folder: Folder,
}

impl Fleet {
    async fn start(name: &str, members: usize) -> Self {
        let (cassandra, redis, folder) = (Cassandra::find(), Redis::find(), Folder::new(name));
        let unique = format!("{name}_{}_{}", std::process::id(), fresh() & 0xffff);
        let mut fleet = Self { members: Vec::new(), redis, folder, cassandra };
        for number in 0..members {
            let (store, bus) = (
                FaultProxy::start(fleet.cassandra.address).await,
                FaultProxy::start(fleet.redis.address()).await,
            );
            let (cql, redis) = (store.address().to_string(), format!("redis://{}", bus.address()));
            let (node, files) = (format!("n{number}"), fleet.folder.at("files").display().to_string());
            let env = [
                ("ROOKERY_SERVER__NODE", node.as_str()),
                ("ROOKERY_STORAGE__CQL_NODES", &cql),
                ("ROOKERY_STORAGE__CQL_KEYSPACE", &unique),
                ("ROOKERY_STORAGE__CQL_REPLICATION", "1"),
                ("ROOKERY_CLUSTER__REDIS_URL", &redis),
                ("ROOKERY_CLUSTER__REDIS_PREFIX", &unique),
                ("ROOKERY_AUTH__SIGNING_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                ("ROOKERY_FILES__DIR", &files),
            ];
            let server = Some(Server::start(&fleet.folder.at(&node), &env));
            fleet.members.push(Member { server, store, bus });
        }
        fleet.agree(members).await;
        fleet
    }

    fn server(&self, member: usize) -> &Server {
        self.members[member].server.as_ref().expect("it was not killed")
    }

    /// Returns what a server tells its operators.
    fn ask(&self, member: usize, path: &str) -> Value {
        let (status, text) = get(self.server(member).admin, path).unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Waits until every server has good links to so many, itself included.
    async fn agree(&self, count: usize) {
        let begun = Instant::now();
        for member in (0..self.members.len()).filter(|member| self.members[*member].server.is_some()) {
            loop {
                let standing = self.ask(member, "/admin/nodes");
                let nodes = standing["nodes"].as_array().unwrap();
                let is_good = |node: &Value| node["link"] == "good" || node["link"] == "itself";
                if nodes.len() == count && nodes.iter().all(is_good) {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "they do not find each other: {standing}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Returns where a room is at home.
    fn home(&self, room: &Value) -> usize {
        let path = format!("/admin/rooms/{}", room.as_str().unwrap());
        let home = self.ask(self.members.iter().position(|member| member.server.is_some()).unwrap(), &path);
        home["home_name"].as_str().unwrap().trim_start_matches('n').parse().unwrap()
    }

    /// Makes users, and returns their logins.
    async fn users(&self, handles: &[String]) -> Vec<(Login, Tokens)> {
        let mut users = Vec::new();
        for handle in handles {
            self.server(0).user(handle);
            let login = Login { email: format!("{handle}@example.org"), password: Server::PASSWORD.into() };
            let tokens = HttpClient::new(self.server(0).http.into()).login(&login).await.unwrap();
            users.push((login, tokens));
        }
        users
    }

    /// Makes a user for each connection, one connection to each of the members `at`, and a room of all that
    /// each has open.
    async fn wires(&self, at: &[usize]) -> (Vec<Wire>, Value) {
        let handles: Vec<_> = (0..at.len()).map(|number| format!("user{number}")).collect();
        let users = self.users(&handles).await;
        let mut wires = Vec::new();
        for ((_, tokens), member) in users.iter().zip(at) {
            wires.push(Wire::log_in(self.server(*member).http, &tokens.access_token).await);
        }
        let room = room_of(&mut wires[0], &users[1..]).await;
        for wire in &mut wires {
            wire.ok("room.open", json!({ "room": room })).await;
        }
        (wires, room)
    }

    /// Returns a count of a server, by its name with its label; 0 where nothing was counted.
    fn counted(&self, member: usize, name: &str) -> u64 {
        let (_, text) = get(self.server(member).admin, "/metrics").unwrap();
        series(&text).find(|(found, _)| *found == name).map_or(0, |(_, value)| value.parse().unwrap())
    }
}

/// Has somebody make a room with others.
async fn room_of(wire: &mut Wire, others: &[(Login, Tokens)]) -> Value {
    let members: Vec<_> = others.iter().map(|(_, tokens)| tokens.user.id).collect();
    let name = uuid::Uuid::from_u128(fresh());
    let create = json!({ "client_id": name, "kind": "group", "title": "Tea", "members": members });
    wire.ok("room.create", create).await["id"].take()
}

/// Waits for the next event of a room and returns its position, its text, and when it was heard.
async fn hear(wire: &mut Wire) -> (u64, String, Instant) {
    let event = wire.room_event().await;
    let said = event["body"]["text"].as_str().unwrap_or_default().to_owned();
    (event["seq"].as_u64().unwrap(), said, Instant::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_of_one_of_three_everybody_is_back_within_ten_seconds_and_has_missed_nothing() {
    let mut fleet = Fleet::start("killed", 3).await;
    let mut crowd = Crowd::gather(&fleet, 12).await;
    crowd.talk_for(Duration::from_secs(2)).await;
    // The one that orders what they all say.
    let home = fleet.home(&crowd.room);
    let left = crowd.at(fleet.server(home).http);
    assert_eq!(left.len(), 4, "each server has its share");
    // Without a server there it is killed.
    fleet.members[home].server = None;
    let killed = Instant::now();
    crowd.talk_until_back(&left, killed, BACK_WITHIN).await;
    crowd.talk_for(Duration::from_secs(2)).await;
    let said = crowd.hear_out(PATIENCE).await;
    assert!(said > 100, "{said} messages are no load");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_others_hear_within_three_seconds_and_the_same_server_does_not_notice() {
    let fleet = Fleet::start("unbussed", 3).await;
    let (mut wires, room) = fleet.wires(&[0, 0, 1, 2]).await;
    say(&mut wires[0], &room, "with Redis").await;
    for wire in &mut wires {
        hear(wire).await;
    }
    for member in &fleet.members {
        member.bus.refuse().await;
        member.bus.reset();
    }
    let mut at_once = Vec::new();
    for number in 0..20_usize {
        let said = format!("without {number}");
        // From each server in its turn: its writer, and who else is connected there.
        let (writer, neighbour) = [(0, 1), (2, 2), (3, 3), (1, 0)][number % 4];
        let seq = say(&mut wires[writer], &room, &said).await;
        let acked = Instant::now();
        for (listener, wire) in wires.iter_mut().enumerate() {
            let (heard, told, at) = hear(wire).await;
            assert_eq!((heard, &told), (seq, &said), "in order and without a gap");
            let late = at.saturating_duration_since(acked);
            assert!(late < HEARD_WITHIN, "{listener} heard {said} after {late:?}");
            if listener == neighbour && neighbour != writer {
                at_once.push(late);
            }
        }
    }
    at_once.sort();
    let median = at_once[at_once.len() / 2];
    assert!(median < AT_ONCE, "who is on the same server hears at once: {at_once:?}");

    for member in &fleet.members {
        member.bus.take().await;
    }
    fleet.agree(3).await;
    let seq = say(&mut wires[3], &room, "with Redis again").await;
    for wire in &mut wires {
        assert_eq!(hear(wire).await.0, seq, "on the same connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_stood_still_beyond_its_lease_tries_to_write_and_is_refused() {
    const REFUSED: &str = "rookery_appends_total{outcome=\"stale\"}";
    let fleet = Fleet::start("paused", 3).await;
    let (wires, room) = fleet.wires(&[0, 1, 2]).await;
    let home = fleet.home(&room);
    let mut wires: Vec<_> = wires.into_iter().map(Some).collect();
    let mut paused = wires[home].take().unwrap();
    let mut others: Vec<_> = wires.into_iter().flatten().collect();
    let first = say(&mut others[0], &room, "before").await;
    for wire in others.iter_mut().chain([&mut paused]) {
        hear(wire).await;
    }
    let refused = fleet.counted(home, REFUSED);
    // From here on, so that it does not wake with the word that it is not the home any more.
    fleet.members[home].bus.set_both(Way::Cut);
    fleet.server(home).pause();
    // It finds this when it wakes, before anything else.
    let mut under_way = Vec::new();
    for number in 0..5 {
        under_way.push(paused.send("message.send", draft(&room, &text(&format!("held up {number}")))).await);
    }
    let woken_at = Instant::now() + BEYOND_LEASE;
    let mut log = Vec::new();
    for number in 0..10 {
        let said = format!("meanwhile {number}");
        let seq = say(&mut others[number % 2], &room, &said).await;
        log.push((seq, said));
    }
    assert!(Instant::now() < woken_at, "the others go on before it wakes");
    sleep(woken_at.saturating_duration_since(Instant::now())).await;
    fleet.server(home).resume();
    for (number, id) in under_way.into_iter().enumerate() {
        let sent = timeout(PATIENCE, paused.reply(id)).await.expect("it is answered").expect("it is said");
        log.push((sent["seq"].as_u64().unwrap(), format!("held up {number}")));
    }
    let tried = fleet.counted(home, REFUSED) - refused;
    assert!(tried > 0, "it never tried: the test shows nothing");
    fleet.members[home].bus.set_both(Way::Open);
    assert!(log.is_sorted(), "what was acked meanwhile stays where it was: {log:?}");
    assert_eq!(log[0].0, first + 1);
    for wire in others.iter_mut().chain([&mut paused]) {
        for (seq, said) in &log {
            let (heard, told, _) = hear(wire).await;
            assert_eq!((heard, &told), (*seq, said), "everybody hears the same");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_sends_are_refused_soon_and_all_else_goes_on() {
    let fleet = Fleet::start("unstored", 3).await;
    let (mut wires, room) = fleet.wires(&[0, 1, 2]).await;
    let seq = say(&mut wires[0], &room, "before").await;
    for wire in &mut wires {
        hear(wire).await;
    }
    for member in &fleet.members {
        member.store.refuse().await;
        member.store.reset();
    }
    for wire in &mut wires {
        let asked = Instant::now();
        let lost = draft(&room, &text("lost"));
        let error = wire.call("message.send", lost).await.unwrap_err();
        assert_eq!(error["retryable"], true, "{error}");
        assert!(asked.elapsed() < REFUSED_WITHIN, "{:?}: {error}", asked.elapsed());
        let page = wire.ok("room.history", json!({ "room": room, "limit": 1 })).await;
        assert_eq!(page["messages"][0]["seq"], seq, "what a room has in memory is read");
    }
    for member in &fleet.members {
        member.store.take().await;
    }
    let begun = Instant::now();
    let after = loop {
        match wires[1].call("message.send", draft(&room, &text("after"))).await {
            Ok(sent) => break sent["seq"].as_u64().unwrap(),
            Err(error) => assert_eq!(error["retryable"], true, "{error}"),
        }
        assert!(begun.elapsed() < PATIENCE, "the store is there again");
    };
    for wire in &mut wires {
        // What was refused as unavailable may be there: the client sends it again under its name.
        while hear(wire).await.0 < after {}
    }
}
