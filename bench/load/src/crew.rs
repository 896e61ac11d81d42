//! The workers of a run, and what is said to them: people and rooms have their numbers here, each worker its own.

use crate::result::{Cpu, Recorder};
use crate::worker::order::{Connected, Goal, Ground, Order, Person, Plan, Report, RoomToLoad, Told, Window};
use crate::worker::work;
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

/// The hidden subcommand by which a program that mounts this harness becomes a worker.
pub(crate) const WORKER: &str = "load-worker";

/// See the file's description. Dropping it ends the workers.
#[derive(Debug)]
pub(crate) struct Crew {
    hands: Vec<Hand>,
    people: u32,
}

#[derive(Debug)]
struct Hand {
    line: BufReader<UnixStream>,
    child: Option<Child>,
}

/// What all workers have counted, as one.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Sums; its latencies and fans are in what follows.
    pub(crate) sum: Report,
    pub(crate) delivery: Recorder,
    pub(crate) ack: Recorder,
    /// Messages by room and position.
    pub(crate) fans: BTreeMap<(u32, u64), Fan>,
    /// CPU of each worker in the window.
    pub(crate) cpu: Vec<Cpu>,
}

/// One message and its deliveries to all workers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fan {
    pub(crate) due: u64,
    pub(crate) last: u64,
    pub(crate) seen: u32,
    pub(crate) hash: u64,
}

impl Crew {
    /// Starts so many workers: one as a thread of this process, several as processes of their own.
    pub(crate) fn start(count: u32, ground: &Ground) -> anyhow::Result<Self> {
        let mut hands = Vec::new();
        for number in 0..count {
            let (ours, theirs) = UnixStream::pair().context("make a line to a worker")?;
            let child = if count == 1 {
                std::thread::Builder::new().name("load".to_owned()).spawn(move || {
                    // The conductor sees the line end, and says what it was waiting for.
                    if let Err(error) = work(theirs) {
                        eprintln!("the worker: {error:#}");
                    }
                })?;
                None
            } else {
                let this = std::env::current_exe().context("find this program")?;
                let child = Command::new(this).arg(WORKER).stdin(Stdio::from(OwnedFd::from(theirs))).spawn();
                Some(child.context("start a worker")?)
            };
            hands.push(Hand { line: BufReader::new(ours), child });
            let order = Order::Begin(Ground { number, ..ground.clone() });
            hands[number as usize].say(&order)?;
        }
        let mut crew = Self { hands, people: 0 };
        crew.done()?;
        Ok(crew)
    }

    /// Tells all workers of more rooms.
    pub(crate) fn add_rooms(&mut self, rooms: &[RoomToLoad]) -> anyhow::Result<()> {
        self.hands.iter_mut().try_for_each(|hand| hand.say(&Order::Rooms(rooms.to_vec())))?;
        self.done()
    }

    /// Deals more people out; the first of all is number 0.
    pub(crate) fn add_people(&mut self, people: impl IntoIterator<Item = Person>) -> anyhow::Result<()> {
        let mut dealt: Vec<Vec<Person>> = self.hands.iter().map(|_| Vec::new()).collect();
        for person in people {
            dealt[self.people as usize % self.hands.len()].push(person);
            self.people += 1;
        }
        for (hand, people) in self.hands.iter_mut().zip(dealt) {
            hand.say(&Order::People(people))?;
        }
        self.done()
    }

    /// Has these people come; who is known already goes on from there.
    pub(crate) fn connect(
        &mut self,
        (from, until): (u32, u32),
        pace: Coming,
        goal: Goal,
    ) -> anyhow::Result<(Connected, Recorder)> {
        let hands = u32::try_from(self.hands.len()).unwrap_or(u32::MAX);
        let (at_once, per_second) = match pace {
            Coming::AtATime(count) => (count.div_ceil(hands).max(1), None),
            Coming::AllAtOnce => (0, None),
            Coming::PerSecond(rate) => (0, Some(rate / f64::from(hands))),
        };
        self.ranged(from, until, |from, until| Order::Connect { from, until, at_once, per_second, goal })?;
        let (mut all, mut took) = (Connected::default(), Recorder::default());
        for told in self.answers()? {
            let Told::Connected(one) = told else { bail!("another answer than to connect") };
            all.ready += one.ready;
            all.done_at = all.done_at.max(one.done_at);
            for (why, count) in one.failed {
                *all.failed.entry(why).or_default() += count;
            }
            if let Some(latency) = &one.took {
                took.add_latency(latency).map_err(anyhow::Error::msg)?;
            }
        }
        Ok((all, took))
    }

    /// Breaks these people off.
    pub(crate) fn drop_people(&mut self, from: u32, until: u32) -> anyhow::Result<()> {
        self.ranged(from, until, |from, until| Order::Drop { from, until })?;
        self.done()
    }

    /// Has each of these people send so many pings at once.
    pub(crate) fn burst(&mut self, from: u32, until: u32, pings: u32) -> anyhow::Result<()> {
        self.ranged(from, until, |from, until| Order::Burst { from, until, pings })?;
        self.done()
    }

    /// Forgets what was measured, and has it measured then.
    pub(crate) fn measure(&mut self, window: Window) -> anyhow::Result<()> {
        self.hands.iter_mut().try_for_each(|hand| hand.say(&Order::Measure(window)))?;
        self.done()
    }

    /// Begins to send; the rate of an open schedule is of all together.
    pub(crate) fn publish(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let hands = self.hands.len();
        // Of nobody, everybody's part is nothing.
        let all = plan.publishers.len().max(1);
        for (number, hand) in self.hands.iter_mut().enumerate() {
            let own = plan.publishers.iter().filter(|(person, _)| *person as usize % hands == number);
            let publishers: Vec<_> = own.map(|&(person, room)| (local(person, hands), room)).collect();
            #[expect(clippy::cast_precision_loss, reason = "thousands of publishers")]
            let pace = plan.pace.share(publishers.len() as f64 / all as f64);
            hand.say(&Order::Publish(Plan { publishers, pace, ..plan.clone() }))?;
        }
        self.done()
    }

    /// Waits for the plan's end and its acks; returns the head of each room in which something happened.
    pub(crate) fn finish(&mut self, within_ms: u64) -> anyhow::Result<Vec<(u32, u64)>> {
        self.hands.iter_mut().try_for_each(|hand| hand.say(&Order::Finish { within_ms }))?;
        let mut heads = BTreeMap::new();
        for told in self.answers()? {
            let Told::Heads(own) = told else { bail!("another answer than to finish") };
            for (room, head) in own {
                let known: &mut u64 = heads.entry(room).or_default();
                *known = head.max(*known);
            }
        }
        Ok(heads.into_iter().collect())
    }

    /// Waits until everybody has heard everything, or the time is over.
    pub(crate) fn settle(&mut self, heads: &[(u32, u64)], within_ms: u64) -> anyhow::Result<()> {
        let order = Order::Settle { heads: heads.to_vec(), within_ms };
        self.hands.iter_mut().try_for_each(|hand| hand.say(&order))?;
        self.done()
    }

    /// Asks what was counted.
    pub(crate) fn report(&mut self) -> anyhow::Result<Counted> {
        self.hands.iter_mut().try_for_each(|hand| hand.say(&Order::Report))?;
        let mut counted = Counted::default();
        for told in self.answers()? {
            let Told::Report(report) = told else { bail!("another answer than a report") };
            counted.add(*report)?;
        }
        Ok(counted)
    }

    fn ranged(&mut self, from: u32, until: u32, order: impl Fn(u32, u32) -> Order) -> anyhow::Result<()> {
        let hands = self.hands.len();
        for (number, hand) in self.hands.iter_mut().enumerate() {
            // Those of a worker are every so manieth.
            let first =
                |person: u32| local((person as usize + hands - 1 - number).try_into().unwrap_or(0), hands);
            hand.say(&order(first(from), first(until)))?;
        }
        Ok(())
    }

    fn answers(&mut self) -> anyhow::Result<Vec<Told>> {
        self.hands.iter_mut().map(Hand::hear).collect()
    }

    fn done(&mut self) -> anyhow::Result<()> {
        match self.answers()?.iter().find(|told| !matches!(told, Told::Done)) {
            None => Ok(()),
            Some(other) => bail!("an answer to something else: {other:?}"),
        }
    }
}

/// How people come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coming {
    /// So many on their way at a time.
    AtATime(u32),
    /// All at the same moment.
    AllAtOnce,
    /// So many a second, whatever became of those before.
    PerSecond(f64),
}

fn local(person: u32, hands: usize) -> u32 {
    u32::try_from(person as usize / hands).unwrap_or(u32::MAX)
}

impl Hand {
    fn say(&mut self, order: &Order) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(order).context("write an order")?;
        line.push(b'\n');
        self.line.get_mut().write_all(&line).context("tell a worker")
    }

    fn hear(&mut self) -> anyhow::Result<Told> {
        let mut line = String::new();
        self.line.read_line(&mut line).context("hear a worker")?;
        if line.is_empty() {
            bail!("a worker is gone");
        }
        serde_json::from_str(&line).context("read what a worker says")
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for hand in &mut self.hands {
            // It ends with its line, too.
            let _ = hand.say(&Order::Stop);
            if let Some(child) = &mut hand.child {
                let _ = child.wait();
            }
        }
    }
}

impl Counted {
    fn add(&mut self, report: Report) -> anyhow::Result<()> {
        for (recorder, latency) in [(&mut self.delivery, &report.delivery), (&mut self.ack, &report.ack)] {
            if let Some(latency) = latency {
                recorder.add_latency(latency).map_err(anyhow::Error::msg)?;
            }
        }
        let sum = &mut self.sum;
        sum.faults.add(report.faults);
        sum.window.add(report.window);
        sum.whole.add(report.whole);
        sum.late_us = sum.late_us.max(report.late_us);
        sum.broken += report.broken;
        sum.resumed += report.resumed;
        sum.there += report.there;
        sum.unanswered += report.unanswered;
        sum.unsent += report.unsent;
        for (what, times) in report.noticed {
            *sum.noticed.entry(what).or_default() += times;
        }
        for (second, (sent, acked, delivered)) in report.seconds {
            let known = sum.seconds.entry(second).or_default();
            *known = (known.0 + sent, known.1 + acked, known.2 + delivered);
        }
        for (room, seq, due, last, seen, hash) in report.fans {
            let fan = self.fans.entry((room, seq)).or_default();
            // What two workers were told at one position is one message.
            sum.faults.damaged += u64::from(fan.hash != 0 && fan.hash != hash);
            *fan = Fan { due, last: fan.last.max(last), seen: fan.seen + seen, hash };
        }
        self.cpu.push(report.cpu);
        Ok(())
    }
}
