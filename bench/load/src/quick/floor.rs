//! The bare loop: one thread that writes the same bytes to as many sockets as a room has members, and does nothing
//! else. What it costs is what writing costs on this machine at this moment; it is read by the same client.

use super::common::Common;
use super::record::{Record, Used, figure, per};
use super::stage::Stage;
use crate::clock;
use crate::crew::{Coming, Crew};
use crate::ground::cores;
use crate::progress::Progress;
use crate::result::{Counts, Figure, Latencies, RunResult};
use crate::usage::Usage;
use crate::wire::stamp::Stamp;
use crate::worker::order::{Goal, Ground, Person, RoomToLoad, Window, WireCodec};
use anyhow::{Context, bail};
use rookery_protocol::{
    ClientId, Codec, Event, EventBody, Frame, MessageBody, RoomId, Seq, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use uuid::Uuid;

/// The hidden subcommand by which a program that mounts this harness becomes the bare loop.
pub(crate) const FLOOR: &str = "load-floor";

/// The room of the loop's events.
const ROOM: Uuid = Uuid::from_u128(0x019a_a100_ff80_7f00_8000_0000_0000_0001);

/// Seconds of writing before anything counts.
const RAMP_SECONDS: f64 = 1.0;

/// What the loop does.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Floor {
    /// Sockets.
    #[arg(long, default_value_t = 1_000)]
    pub connections: u32,
    /// Writes to each socket a second.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Frames in one write.
    #[arg(long, default_value_t = 1)]
    pub together: u32,
    /// Bytes of a text, 48 at least.
    #[arg(long, default_value_t = 128)]
    pub bytes: usize,
    /// Seconds that count.
    #[arg(long, default_value_t = 15.0)]
    pub steady: f64,
}

/// The order to the process of the loop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Loop {
    connections: u32,
    rate: f64,
    together: u32,
    bytes: usize,
    codec: WireCodec,
}

/// Runs the loop by itself.
///
/// # Errors
/// When its process cannot be started, or the workers.
pub(crate) fn alone(common: &Common, floor: &Floor, command: Vec<String>) -> anyhow::Result<RunResult> {
    let parameters = BTreeMap::from([
        ("connections".to_owned(), json!(floor.connections)),
        ("rate".to_owned(), json!(floor.rate)),
        ("together".to_owned(), json!(floor.together)),
        ("bytes".to_owned(), json!(floor.bytes)),
        ("steady".to_owned(), json!(floor.steady)),
    ]);
    cores::raise_descriptors(u64::from(floor.connections) + 200);
    let mut record = Record::begin(common, "floor", parameters, command, None);
    record.run().server = None;
    let began = clock::now();
    let ground = Ground {
        number: 0,
        server: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
        codec: common.codec,
        sources: common.sources,
        is_floor: true,
        seed: common.seed,
    };
    let figures = run(common, &ground, floor)?;
    record.counted(
        "steady",
        (began, clock::now()),
        &Counts::default(),
        Latencies::default(),
        &Used::default(),
    );
    record.run().figures = figures;
    Ok(record.finish())
}

/// Runs the loop beside a scenario, for its figures.
pub(super) fn beside(
    stage: &Stage,
    common: &Common,
    floor: &Floor,
) -> anyhow::Result<BTreeMap<String, Figure>> {
    run(common, &stage.ground(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), true), floor)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn run(common: &Common, ground: &Ground, floor: &Floor) -> anyhow::Result<BTreeMap<String, Figure>> {
    let &Floor { connections, rate, together, bytes, steady } = floor;
    let ordered = Loop { connections, rate, together, bytes, codec: common.codec };
    let mut writer = Writer::start(&ordered, common.pin.then_some(cores::SERVER_CORE))?;
    if common.pin {
        cores::pin_to(cores::CLIENT_CORE)?;
    }
    let mut crew = Crew::start(common.processes, &Ground { server: writer.address, ..ground.clone() })?;
    crew.add_rooms(&[RoomToLoad { id: ROOM, is_timed: true }])?;
    crew.add_people((0..connections).map(|_| Person { token: String::new(), rooms: vec![0], stops: false }))?;
    crew.connect((0, connections), Coming::AtATime(64), Goal::Open)?;
    writer.hear().context("wait for the loop to have all its sockets")?;
    let from = clock::now() + clock::from_seconds(RAMP_SECONDS);
    let window = Window { from, until: from + clock::from_seconds(steady) };
    crew.measure(window)?;
    writer.say(&window.until.to_string())?;
    clock::sleep_until(window.from);
    let before = Usage::of(writer.child.id());
    Progress::new().wait_until("floor", window.until);
    let used = Used { before, after: Usage::of(writer.child.id()) };
    let head: u64 = writer.hear()?.trim().parse().context("read how much the loop wrote")?;
    crew.settle(&[(0, head)], 10_000)?;
    let counted = crew.report()?;
    if !counted.sum.faults.is_clean() {
        bail!("the bare loop was not read whole: {:?}", counted.sum.faults);
    }
    let deliveries = counted.sum.window.deliveries as f64;
    let latency = counted.delivery.latency();
    let microseconds = |of: Option<u64>| of.unwrap_or(0) as f64;
    Ok(BTreeMap::from([
        figure("cpu_s_per_million_deliveries", per(used.cpu().total_s() * 1e6, deliveries)),
        figure("cpu_user_s_per_million_deliveries", per(used.cpu().user_s * 1e6, deliveries)),
        figure("deliveries_per_second", deliveries / steady),
        figure("delivery_p50_us", microseconds(latency.as_ref().map(|latency| latency.p50_us))),
        figure("delivery_p99_us", microseconds(latency.as_ref().map(|latency| latency.p99_us))),
    ]))
}

/// The process of the loop.
#[derive(Debug)]
struct Writer {
    child: Child,
    address: SocketAddrV4,
    lines: BufReader<std::process::ChildStdout>,
}

impl Writer {
    fn start(ordered: &Loop, core: Option<u32>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("find this program")?);
        command.arg(FLOOR).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = cores::pinned(core, || command.spawn().context("start the bare loop"))?;
        let lines = BufReader::new(child.stdout.take().context("hear the bare loop")?);
        let mut writer = Self { child, address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), lines };
        writer.say(&serde_json::to_string(ordered)?)?;
        writer.address = writer.hear()?.trim().parse().context("read where the bare loop listens")?;
        Ok(writer)
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.child.stdin.as_mut().context("tell the bare loop")?;
        Ok(writeln!(stdin, "{line}")?)
    }

    fn hear(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("the bare loop is gone");
        }
        Ok(line)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the loop: listens, takes its sockets, and writes until it is over. What it is to do comes on standard input,
/// where it is goes to standard output.
///
/// # Errors
/// When a socket fails.
pub(crate) fn write() -> anyhow::Result<()> {
    let mut orders = std::io::stdin().lines();
    let mut hear = || orders.next().context("hear what to do")?.context("hear what to do");
    let asked: Loop = serde_json::from_str(&hear()?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    let mut sockets = Vec::new();
    for _ in 0..asked.connections {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    println!("all there");
    let until: u64 = hear()?.parse()?;
    let written = write_until(&mut sockets, &asked, until)?;
    println!("{written}");
    // The client is done with them when it is done with this process.
    drop(hear());
    Ok(())
}

fn write_until(sockets: &mut [TcpStream], ordered: &Loop, until: u64) -> anyhow::Result<u64> {
    let (mut head, mut turn) = (0, 0.0);
    let from = clock::now();
    loop {
        let due = from + clock::from_seconds(turn / ordered.rate);
        if due >= until {
            return Ok(head);
        }
        clock::sleep_until(due);
        let mut bytes = Vec::new();
        for _ in 0..ordered.together {
            head += 1;
            bytes.extend_from_slice(&frame(head, due, ordered));
        }
        for socket in &mut *sockets {
            socket.write_all(&bytes)?;
        }
        turn += 1.0;
    }
}

/// Returns the frame of a message as the server would write it.
fn frame(seq: u64, due: u64, ordered: &Loop) -> bytes::Bytes {
    let stamp = Stamp { sender: 0, number: u32::try_from(seq).unwrap_or(u32::MAX), due };
    let event = Event {
        room: RoomId(ROOM),
        seq: Seq(seq),
        ord: seq,
        at: Timestamp(1_767_225_600_000),
        by: UserId(ROOM),
        client_id: Some(ClientId(ROOM)),
        target: None,
        reply_to: None,
        body: EventBody::Message(MessageBody::text(stamp.text(ordered.bytes).0)),
    };
    Frame::event(event).bytes(Codec::from(ordered.codec))
}
