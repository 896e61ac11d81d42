//! What the model is held against: a whole node over a store that fails, and devices on sockets.
//!
//! Commands asked at once have no order that anybody could know before. So the driver keeps every
//! world that the answers allow: it tries the orders, and where it is not known whether a command was
//! done, both. What is looked at afterwards has to be what one of them says.

use super::device::{Device, Trouble};
use super::ground::Ground;
use super::room::Room;
use super::step::{Command, DEVICES, From, Step, Weather};
use super::world::{Expected, World};
use crate::chat::name;
use rookery_tests::node::{FragileClock, TestNode, TestNodeOptions};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How often a command is sent until it has to have an answer.
const TRIES: usize = 40;

/// A node, its devices, and the worlds that it may be in.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) node: TestNode,
    clock: Arc<FragileClock>,
    pub(super) ground: Ground,
    pub(super) users: Vec<String>,
    pub(super) devices: Vec<Device>,
    pub(super) worlds: Vec<World>,
    asked: Vec<(String, Command)>,
    pub(super) steps: usize,
}

/// One try of a command: when, and what was heard, if anything was.
#[derive(Clone, Debug)]
struct Try {
    at: u64,
    heard: Option<Result<Value, String>>,
}

/// One command and what came of it.
#[derive(Debug)]
struct Asked {
    device: usize,
    command: Command,
    tries: Vec<Try>,
}

impl Driver {
    /// Makes a group, a channel and a direct room, and connects everybody.
    pub(super) async fn start(ground: Ground) -> Self {
        let clock = TestNodeOptions::default().clock;
        let options = TestNodeOptions {
            store: Arc::clone(&ground.store),
            clock: Arc::clone(&clock),
            // So that some rooms are told by relays.
            slice: 2,
            settings: vec![("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "60")],
            ..TestNodeOptions::default()
        };
        ground.faults.set(Weather::Calm);
        let node = TestNode::with(options).await;
        let (mut users, mut tokens) = (Vec::new(), Vec::new());
        for handle in ["alice", "bob", "carol"] {
            let user = node.user(handle).await;
            users.push(user.id().to_string());
            tokens.push(user.token().to_owned());
        }
        let mut devices = Vec::new();
        for user in DEVICES {
            devices.push(Device::connect(&node, users[user].clone(), tokens[user].clone()).await);
        }
        let (asked, worlds) = Default::default();
        let mut driver = Self { node, clock, ground, users, devices, worlds, asked, steps: 0 };
        driver.found().await;
        driver
    }

    async fn found(&mut self) {
        let users = self.users.clone();
        let make = |title: &str, kind: &str, others: &[&String]| json!({ "client_id": name(), "kind": kind, "title": title, "members": others });
        let tea = make("Tea", "group", &[&users[1]]);
        let news = make("News", "channel", &[&users[0], &users[2]]);
        let direct = json!({ "user": users[1] });
        let mut world = None;
        let mut two = [&users[0], &users[2]];
        two.sort();
        for (device, op, d, kind, founders) in [
            (0, "room.create", tea, "group", vec![(&users[0], "owner"), (&users[1], "member")]),
            (
                2,
                "room.create",
                news,
                "channel",
                vec![(&users[1], "owner"), (two[0], "member"), (two[1], "member")],
            ),
            (0, "room.direct", direct, "direct", vec![(&users[0], "member"), (&users[1], "member")]),
        ] {
            let room =
                self.devices[device].call(op, d.clone()).await.expect("it is there").expect("it is made");
            let founders: Vec<_> = founders.iter().map(|(user, role)| (user.as_str(), *role)).collect();
            let world = world.get_or_insert_with(|| World::new(room["created_at"].as_u64().unwrap()));
            let (log, cursors, settings) = Default::default();
            let new = Room {
                id: room["id"].clone(),
                kind,
                founders: founders.len() as u64,
                log,
                cursors,
                settings,
            };
            world.found(new, d["title"].as_str().map(|title| (title, d["client_id"].clone())), &founders);
        }
        self.worlds.extend(world);
    }

    /// Takes one step.
    pub(super) async fn step(&mut self, step: Step) -> Result<(), String> {
        self.steps += 1;
        match step {
            Step::Ask(weather, asks) => {
                let world = &self.worlds[0];
                let command =
                    |ask: &super::step::Ask| (ask.device, ask.command(world, &self.users, &self.asked));
                let commands = asks.iter().map(command).collect();
                self.ask(weather, commands).await?;
            }
            Step::Open { device, room, from } => {
                let id = self.worlds[0].rooms[room].id.as_str().unwrap().to_owned();
                let device = &mut self.devices[device];
                let position = device.spots.get(&id).map_or(0, |spot| spot.position);
                let after = match from {
                    From::Head => None,
                    From::Beginning => {
                        device.spots.remove(&id);
                        Some(0)
                    }
                    From::Position => Some(position),
                };
                let is_open = device.open(&id, after).await.map_err(wrong)?;
                let is_member = self.worlds[0].rooms[room].member(&device.user).is_some();
                if is_open != is_member {
                    return Err(format!("`room.open`: {is_open}, as a member: {is_member}"));
                }
            }
            Step::Close { device, room } => {
                let (id, device) = (self.worlds[0].rooms[room].id.clone(), &mut self.devices[device]);
                device
                    .call("room.close", json!({ "room": id }))
                    .await
                    .map_err(wrong)?
                    .expect("closing is done");
                if let Some(spot) = device.spots.get_mut(id.as_str().unwrap()) {
                    spot.is_open = false;
                }
                device.look_at_badges().await.map_err(wrong)?;
            }
            Step::HangUp { device } => self.devices[device].resume(&self.node).await.map_err(wrong)?,
            Step::Passivate => self.advance(Duration::from_secs(61)),
        }
        self.look().await
    }

    /// Moves the clock of the node and of every world.
    pub(super) fn advance(&mut self, by: Duration) {
        self.node.advance(by);
        self.worlds.iter_mut().for_each(|world| world.now += u64::try_from(by.as_millis()).unwrap());
    }

    /// Asks commands at once, and again until each has an answer; then finds the worlds in which
    /// they are answered like that.
    async fn ask(&mut self, weather: Weather, commands: Vec<(usize, Command)>) -> Result<(), String> {
        let is_named = commands.len() == 1 && commands[0].1.1.get("client_id").is_some();
        let is_cut = weather == Weather::Cut && is_named;
        self.ground.faults.set(weather);
        if weather == Weather::Panic {
            self.clock.break_next();
        }
        let mut now = self.worlds[0].now;
        let mut ids = Vec::new();
        for (device, (op, d)) in &commands {
            ids.push(self.devices[*device].wire.send(op, d.clone()).await);
        }
        let mut all = Vec::new();
        for ((device, command), id) in commands.into_iter().zip(ids) {
            let heard = if is_cut { Err(Trouble::Gone) } else { self.devices[device].reply(id).await };
            all.push(Asked {
                device,
                command,
                tries: vec![Try { at: now, heard: heard_of(heard, weather)? }],
            });
        }
        self.ground.faults.set(Weather::Calm);
        self.clock.mend();
        for asked in &mut all {
            let device = &mut self.devices[asked.device];
            while let Some(pause) = asked.to_repeat() {
                if asked.tries.len() > TRIES {
                    return Err(format!("no answer comes: {asked:?}"));
                }
                if asked.tries.last().is_some_and(|last| last.heard.is_none()) {
                    device.resume(&self.node).await.map_err(wrong)?;
                }
                if pause > Duration::from_secs(1) {
                    self.node.advance(pause);
                    now += u64::try_from(pause.as_millis()).unwrap();
                }
                let (op, mut d) = asked.command.clone();
                if op == "message.send" {
                    d["attempt"] = json!(asked.tries.len() + 1);
                }
                let heard = device.call(op, d).await;
                asked.tries.push(Try { at: now, heard: heard_of(heard, weather)? });
            }
        }
        self.asked.extend(
            all.iter()
                .filter(|asked| asked.command.1.get("client_id").is_some())
                .map(|asked| (self.users[DEVICES[asked.device]].clone(), asked.command.clone())),
        );
        self.allowed(&all, now)
    }

    /// Keeps the worlds in which the answers are as they were heard.
    fn allowed(&mut self, all: &[Asked], now: u64) -> Result<(), String> {
        let mut worlds = Vec::new();
        let before = self.worlds.clone();
        for world in before {
            self.orders(world, all, &mut vec![false; all.len()], &mut worlds);
        }
        if worlds.is_empty() {
            let world = &self.worlds[0];
            let one = |asked: &Asked| {
                let mut world = world.clone();
                let heard = asked.tries.last().and_then(|last| last.heard.clone());
                let expected = self.apply(&mut world, asked, heard.as_ref());
                format!("\n  {asked:?}\n    alone it would be {expected:?}")
            };
            let all: String = all.iter().map(one).collect();
            return Err(format!("no order of these commands has these answers:{all}"));
        }
        for world in &mut worlds {
            world.now = now;
        }
        self.worlds = worlds;
        Ok(())
    }

    fn apply(&self, world: &mut World, asked: &Asked, heard: Option<&Result<Value, String>>) -> Expected {
        let (op, d) = &asked.command;
        let ok = heard.and_then(|heard| heard.as_ref().ok());
        world.apply(&self.users[DEVICES[asked.device]], (*op, d), ok)
    }

    /// Adds the worlds that come of `world` when the first tries happen in any order, each device's
    /// own on one room in the order in which it asked, and then the further ones.
    fn orders(&self, world: World, all: &[Asked], done: &mut Vec<bool>, found: &mut Vec<World>) {
        if done.iter().all(|done| *done) {
            return self.further(world, all, found);
        }
        for index in 0..all.len() {
            let asked = &all[index];
            let is_before = |other: usize| {
                let one = &all[other];
                !done[other] && one.device == asked.device && one.command.1["room"] == asked.command.1["room"]
            };
            if done[index] || (0..index).any(is_before) {
                continue;
            }
            done[index] = true;
            for next in self.outcomes(&world, asked, &asked.tries[0]) {
                self.orders(next, all, done, found);
            }
            done[index] = false;
        }
    }

    /// The tries after the first, which were made one by one.
    fn further(&self, world: World, all: &[Asked], found: &mut Vec<World>) {
        let mut worlds = vec![world];
        for asked in all {
            for again in &asked.tries[1..] {
                worlds = worlds.iter().flat_map(|world| self.outcomes(world, asked, again)).collect();
            }
        }
        for world in worlds {
            if !found.contains(&world) {
                found.push(world);
            }
        }
    }

    /// Returns what may have come of one try.
    fn outcomes(&self, world: &World, asked: &Asked, one: &Try) -> Vec<World> {
        let mut next = world.clone();
        next.now = one.at;
        let expected = self.apply(&mut next, asked, one.heard.as_ref());
        let (op, d) = &asked.command;
        let is_retryable =
            one.heard.as_ref().is_none_or(|heard| heard.as_ref().is_err_and(|code| is_retryable(code)));
        if !is_retryable {
            let is_heard = one.heard.as_ref().is_some_and(|heard| expected.is(heard));
            return if is_heard { vec![next] } else { Vec::new() };
        }
        let mut outcomes = vec![world.clone()];
        // A write of the log that is said to be refused was not made.
        let is_written = [
            "message.send",
            "message.edit",
            "message.delete",
            "reaction.set",
            "pin.set",
            "member.add",
            "member.remove",
            "member.role",
        ];
        let is_refused =
            one.heard.as_ref().is_some_and(|heard| heard == &Err("store_unavailable".to_owned()));
        if !(is_refused && is_written.contains(op)) && matches!(expected, Expected::Done(_)) {
            outcomes.push(next);
        }
        if *op == "invite.accept" {
            let mut half = world.clone();
            if half.take_use(&self.users[DEVICES[asked.device]], d) {
                outcomes.push(half);
            }
        }
        outcomes.dedup();
        outcomes
    }
}

impl Asked {
    /// Returns how long to wait before it is asked again, if it is to be.
    fn to_repeat(&self) -> Option<Duration> {
        match &self.tries.last()?.heard {
            None => Some(Duration::ZERO),
            Some(Err(code)) if is_retryable(code) => {
                // A room that panicked often is parked for a minute.
                Some(if self.tries.len().is_multiple_of(8) {
                    Duration::from_secs(61)
                } else {
                    Duration::ZERO
                })
            }
            Some(_) => None,
        }
    }
}

fn is_retryable(code: &str) -> bool {
    ["busy", "store_unavailable", "internal"].contains(&code)
}

/// Returns what was heard, if anything was. Only a panic is a reason to say that something is wrong inside.
fn heard_of(
    heard: Result<Result<Value, Value>, Trouble>,
    weather: Weather,
) -> Result<Option<Result<Value, String>>, String> {
    match heard {
        Ok(Ok(ok)) => Ok(Some(Ok(ok))),
        Ok(Err(error)) if error["code"] == "internal" && weather != Weather::Panic => {
            Err(format!("{error} without a panic"))
        }
        Ok(Err(error)) => Ok(Some(Err(error["code"].as_str().unwrap().to_owned()))),
        Err(Trouble::Gone) => Ok(None),
        Err(Trouble::Wrong(why)) => Err(why),
    }
}

/// What it is when a device is in trouble that has no reason to be.
pub(super) fn wrong(trouble: Trouble) -> String {
    match trouble {
        Trouble::Gone => "a socket was closed".to_owned(),
        Trouble::Wrong(why) => why,
    }
}
