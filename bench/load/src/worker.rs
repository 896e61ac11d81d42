//! A worker: one thread, one epoll, thousands of connections. It does what the conductor orders, in a thread of its
//! process or as a process of its own.
//!
//! | file | what |
//! |---|---|
//! | `worker/order.rs` | what it is told and what it answers |
//! | `worker/control.rs` | the line to the conductor |
//! | `worker/socket.rs` | a socket that never blocks |
//! | `worker/connection.rs` | a connection: its stage, its rooms, what it waits for |
//! | `worker/come.rs` | from a free socket to a connection whose rooms are open, also again |
//! | `worker/arrive.rs` | what came from the server |
//! | `worker/publish.rs` | what is to be sent, and when |
//! | `worker/tally.rs` | what is counted |

mod arrive;
#[cfg(test)]
mod checks;
mod come;
mod connection;
mod control;
pub(crate) mod order;
mod publish;
mod schedule;
mod socket;
mod tally;

use crate::clock;
use connection::{Connection, Stage};
use control::Control;
use fastrand::Rng;
use order::{Ground, Order, Told};
use publish::Publishing;
use rustix::event::{Timespec, epoll};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use tally::Tally;

/// Bytes that one read takes at most: a replay of a room in one, and still within a core's cache.
const SCRATCH_BYTES: usize = 256 * 1024;

/// Events that one wait gives at most.
const EVENTS: usize = 1024;

/// The name of the control line among the connections' numbers.
const CONTROL: u64 = u64::MAX;

/// How long a wait is where nothing is due, in nanoseconds: how late a time-out may be noticed.
const IDLE_WAIT: u64 = 20 * clock::MILLISECOND;

/// What an order that takes its time is waiting for.
#[derive(Debug)]
enum Waiting {
    /// Nothing: the next order is read.
    Nothing,
    /// Connections that are to be there.
    Connect(come::Coming),
    /// Acks.
    Acks { until: u64 },
    /// Deliveries up to these heads, by the number of the room.
    Heads { heads: Vec<(u32, u64)>, until: u64 },
}

/// See the file's description.
#[derive(Debug)]
struct Worker {
    ground: Ground,
    epoll: OwnedFd,
    control: Control,
    connections: Vec<Connection>,
    waiting: Waiting,
    publishing: Publishing,
    /// When each of those comes back that had to leave, and which it is.
    returning: BinaryHeap<Reverse<(u64, usize)>>,
    tally: Tally,
    scratch: Vec<u8>,
    rng: Rng,
    is_over: bool,
}

/// Works until it is told to stop, or the conductor is gone.
///
/// # Errors
/// When the machine refuses an epoll, or the conductor speaks nonsense.
pub(crate) fn work(control: UnixStream) -> anyhow::Result<()> {
    let mut control = Control::new(control);
    let Some(Order::Begin(ground)) = control.wait()? else {
        anyhow::bail!("the first order says on what ground");
    };
    control.tell(&Told::Done)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &control, epoll::EventData::new_u64(CONTROL), epoll::EventFlags::IN)?;
    let worker = Worker {
        rng: Rng::with_seed(ground.seed ^ u64::from(ground.number)),
        ground,
        epoll,
        control,
        connections: Vec::new(),
        waiting: Waiting::Nothing,
        publishing: Publishing::default(),
        returning: BinaryHeap::new(),
        tally: Tally::default(),
        scratch: vec![0; SCRATCH_BYTES],
        is_over: false,
    };
    worker.run()
}

impl Worker {
    fn run(mut self) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        while !self.is_over {
            let now = clock::now();
            self.publish_due(now);
            self.come_back(now);
            self.step(now)?;
            let wait = self.wait_for(clock::now());
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    CONTROL => self.hear()?,
                    number => self.ready(number, event.flags),
                }
            }
            self.tally.turn(clock::now());
        }
        Ok(())
    }

    /// Returns how long nothing has to be done.
    fn wait_for(&self, now: u64) -> Timespec {
        let coming = match &self.waiting {
            Waiting::Connect(coming) => coming.next_due(),
            _ => None,
        };
        let due = self.publishing.next_due().into_iter().chain(coming).min();
        let wait = due.map_or(IDLE_WAIT, |due| due.saturating_sub(now).min(IDLE_WAIT));
        // Less than a second.
        Timespec { tv_sec: 0, tv_nsec: wait.try_into().unwrap_or(0) }
    }

    fn hear(&mut self) -> anyhow::Result<()> {
        self.control.read()?;
        while matches!(self.waiting, Waiting::Nothing) {
            match self.control.take()? {
                Some(order) => self.obey(order)?,
                None => break,
            }
        }
        self.is_over |= self.control.is_closed();
        Ok(())
    }

    fn obey(&mut self, order: Order) -> anyhow::Result<()> {
        match order {
            Order::Begin(_) => anyhow::bail!("begun twice"),
            Order::Rooms(rooms) => self.tally.add_rooms(&rooms),
            Order::People(people) => {
                self.connections.extend(people.into_iter().map(Connection::new));
            }
            Order::Connect { from, until, at_once, per_second, goal } => {
                self.waiting = Waiting::Connect(come::Coming::new(from..until, at_once, per_second, goal));
                return Ok(());
            }
            Order::Drop { from, until } => (from..until).for_each(|number| self.drop_connection(number)),
            Order::Burst { from, until, pings } => (from..until).for_each(|number| self.burst(number, pings)),
            Order::Measure(window) => self.tally.measure(window),
            Order::Publish(plan) => self.begin_publishing(plan),
            Order::Finish { within_ms } => {
                self.waiting = Waiting::Acks { until: clock::now() + within_ms * clock::MILLISECOND };
                return Ok(());
            }
            Order::Settle { heads, within_ms } => {
                let until = clock::now() + within_ms * clock::MILLISECOND;
                self.waiting = Waiting::Heads { heads, until };
                return Ok(());
            }
            Order::Report => {
                let report = self.tally.report(&self.connections, &self.publishing);
                return self.control.tell(&Told::Report(Box::new(report)));
            }
            Order::Stop => {
                self.is_over = true;
                return Ok(());
            }
        }
        self.control.tell(&Told::Done)
    }

    /// Goes on with the order that takes its time.
    fn step(&mut self, now: u64) -> anyhow::Result<()> {
        let told = match &mut self.waiting {
            Waiting::Nothing => return Ok(()),
            Waiting::Connect(_) => self.come_on(now),
            Waiting::Acks { until } => {
                let until = *until;
                let is_quiet = !self.publishing.is_running(now) && self.publishing.unanswered() == 0;
                (is_quiet || now >= until).then(|| Told::Heads(self.tally.heads()))
            }
            Waiting::Heads { heads, until } => {
                let is_late = now >= *until;
                let are_there = |connection: &Connection| tally::has_all(connection, heads);
                (is_late || self.connections.iter().all(are_there)).then(|| {
                    for connection in &mut self.connections {
                        tally::close(connection, heads, &mut self.tally.faults);
                    }
                    Told::Done
                })
            }
        };
        if let Some(told) = told {
            self.waiting = Waiting::Nothing;
            self.control.tell(&told)?;
            self.hear()?;
        }
        Ok(())
    }

    fn ready(&mut self, number: u64, flags: epoll::EventFlags) {
        let Ok(number) = usize::try_from(number) else { return };
        if flags.contains(epoll::EventFlags::OUT) {
            self.flush(number);
        }
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            self.read(number);
        }
    }

    /// Ends a connection as a crash of the client would.
    fn drop_connection(&mut self, number: u32) {
        let connection = &mut self.connections[number as usize];
        connection.leave();
        connection.stage = Stage::Away;
        connection.is_wanted = false;
    }
}
