//! Accounts and rooms, made over the API as anybody's are.

use super::http::Http;
use crate::progress::Progress;
use anyhow::Context;
use rookery_protocol::limits::MEMBERS_PER_CALL;
use serde_json::{Value, json};
use std::net::SocketAddrV4;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

/// Requests on their way at a time: enough that the server always has something to append together.
const AT_ONCE: usize = 32;

/// Good enough for the server's rules, and the same for all.
const PASSWORD: &str = "correct horse battery staple";

/// An account that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) token: String,
}

/// Makes accounts and rooms on a server.
#[derive(Debug)]
pub(crate) struct Cast {
    server: SocketAddrV4,
    /// Accounts and rooms made so far.
    accounts: usize,
    rooms: usize,
    /// In the names of a run's accounts, so that another run on the same server has others.
    seed: u64,
}

impl Cast {
    pub(crate) const fn new(server: SocketAddrV4, seed: u64) -> Self {
        Self { server, accounts: 0, rooms: 0, seed }
    }

    /// Makes so many accounts and logs them in.
    pub(crate) fn accounts(&mut self, count: usize, progress: Progress) -> anyhow::Result<Vec<Account>> {
        let first = self.accounts;
        self.accounts += count;
        let bar = progress.counting("accounts", count);
        let made = self.side_by_side(count, |http, number| {
            let handle = format!("l{:08x}.{}", self.seed & 0xffff_ffff, first + number);
            let email = format!("{handle}@example.org");
            let registration =
                json!({"email": email, "password": PASSWORD, "handle": handle, "name": handle});
            http.call("POST /v1/auth/register", None, Some(&registration))?;
            let login = json!({"email": email, "password": PASSWORD});
            let tokens = http.call("POST /v1/auth/login", None, Some(&login))?;
            bar.inc();
            Ok(Account { user: text(&tokens["user"]["id"])?, token: text(&tokens["access_token"])? })
        });
        bar.finish();
        made
    }

    /// Makes a room for each list of members, whose first owns it.
    pub(crate) fn rooms(
        &mut self,
        members: &[Vec<&Account>],
        progress: Progress,
    ) -> anyhow::Result<Vec<Uuid>> {
        let before = self.rooms;
        self.rooms += members.len();
        let bar = progress.counting("rooms", members.len());
        let made = self.side_by_side(members.len(), |http, number| {
            let (owner, rest) = members[number].split_first().context("make a room of nobody")?;
            let (first, later) = rest.split_at(rest.len().min(MEMBERS_PER_CALL));
            let client_id = Uuid::from_u64_pair(self.seed, (before + number) as u64 | 1 << 63);
            let users = |users: &[&Account]| users.iter().map(|account| account.user.clone()).collect::<Vec<_>>();
            let room = json!({
                "client_id": client_id, "kind": "group", "title": format!("load {}", before + number), "members": users(first),
            });
            let room = text(&http.call("POST /v1/rooms", Some(&owner.token), Some(&room))?["id"])?;
            for chunk in later.chunks(MEMBERS_PER_CALL) {
                let what = format!("POST /v1/rooms/{room}/members");
                http.call(&what, Some(&owner.token), Some(&json!({"users": users(chunk)})))?;
            }
            bar.inc();
            room.parse::<Uuid>().context("read the room's id")
        });
        bar.finish();
        made
    }

    /// Does `count` things over a few connections, and returns what came of them in their order.
    fn side_by_side<T: Send>(
        &self,
        count: usize,
        act: impl Fn(&mut Http, usize) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let made = Mutex::new(Vec::with_capacity(count));
        let work = || -> anyhow::Result<()> {
            let mut http = Http::connect(self.server)?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                let thing = act(&mut http, number)?;
                made.lock().expect("nobody panics with it").push((number, thing));
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE.min(count)).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker returns its errors"))
        })?;
        let mut made = made.into_inner().expect("nobody panics with it");
        made.sort_unstable_by_key(|(number, _)| *number);
        Ok(made.into_iter().map(|(_, thing)| thing).collect())
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("read a text of the answer")
}
