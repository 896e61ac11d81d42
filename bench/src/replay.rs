//! The replay: IRC days through the real server, with kills, and the checker's verdict.
//!
//! Every nick is a user with a client of its own, one half in JSON and one in MessagePack, and every
//! fourth has a second device; one more user owns the rooms and adds who joins. Beside the day's
//! messages a seed has some edited, deleted, pinned, reacted to and looked at, and marks and typing sent. At full speed each client sends its lines in order with a few
//! unanswered, a reply waits for the message it answers, and a room is never further than a window
//! ahead of its oldest unfinished step. Latencies count from the first attempt, so what a kill costs
//! is in them.

mod cast;
pub(crate) mod cluster;
mod companion;
mod conductor;
mod doing;
mod final_read;
mod ground;
mod killer;
mod mix;
mod play;
mod player;
mod recorder;
mod report;
mod script;
mod server;
mod stage;

use crate::irc::{Day, generate};
use anyhow::{Context, ensure};
use conductor::Speed;
use ground::Place;
use killer::Kills;
use play::Play;
pub(crate) use report::Report;
use rookery_tests::checker::Verdict;
use script::Script;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Kills for which one playing of a day is enough; with more it is played again and again.
///
/// A day has some 1,700 messages: this leaves 17 between two kills.
const KILLS_PER_ROUND: usize = 100;

/// Steps a second of a play that lasts: each is heard by a hundred clients, and what waits while something is
/// away is made up for in a few seconds after it.
const STEPS_PER_SECOND: u32 = 10;

/// The time for a start, for each kill, and for each step: ten times what a busy machine of two cores
/// takes.
const TIME_TO_BEGIN: Duration = Duration::from_secs(120);
const TIME_PER_KILL: Duration = Duration::from_secs(10);
const TIME_PER_STEP: Duration = Duration::from_millis(50);

/// Plays IRC days through the real server and checks that nothing is lost.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Days: `DAY.raw.txt`, with `DAY.annotation.txt` beside each. Several play at once, each in a room.
    files: Vec<PathBuf>,
    /// Makes a day from a seed, of LINES lines (1700).
    #[arg(long, value_name = "SEED[:LINES]", value_parser = seed_and_lines)]
    generate: Vec<(u64, usize)>,
    /// How fast: `max`, or so many times as fast as it was.
    #[arg(long, default_value_t = Speed::Max)]
    speed: Speed,
    /// How often the server is killed (SIGKILL) and started again meanwhile. In a cluster, how often something
    /// goes wrong, each kind in its turn.
    #[arg(long, alias = "kill", default_value_t = 0)]
    kills: usize,
    /// Lasts so long, with a few steps a second of the days again and again, and something goes wrong all the time.
    #[arg(long, value_name = "MINUTES", conflicts_with_all = ["kills", "speed"])]
    minutes: Option<u32>,
    /// How many rooms play; each day plays in as many as it takes. At least one for each day.
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Decides when the server is killed, and all else that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server, by default the one beside this.
    #[arg(long, value_name = "BINARY", default_value_os_t = rookery_load::server_beside())]
    server: PathBuf,
    /// Plays over a cluster of so many servers with Redis and Cassandra, which `tests/cluster` starts.
    #[arg(long, value_name = "SERVERS", value_parser = clap::value_parser!(u8).range(1..=9))]
    cluster: Option<u8>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keeps journals, logs and data in this folder, which must be new.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Ends the replay after so many seconds whatever happens; by default as many as it may take.
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
}

impl Args {
    /// Returns the same over a cluster of so many servers.
    pub(crate) fn over(&self, nodes: u8) -> Self {
        Self { cluster: Some(nodes), ..self.clone() }
    }
}

fn seed_and_lines(text: &str) -> Result<(u64, usize), String> {
    let (seed, lines) = text.split_once(':').map_or((text, None), |(seed, lines)| (seed, Some(lines)));
    let bad = |_| "a seed is a number, or two with a colon between".to_owned();
    Ok((seed.parse().map_err(bad)?, lines.map_or(Ok(crate::irc::LINES), str::parse).map_err(bad)?))
}

/// Runs the replay and prints what it found.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (report, verdict) = played(args)?;
    println!("{verdict}");
    print!("{report}");
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays, and keeps the folder where that is wanted or something was found.
pub(crate) fn played(args: &Args) -> anyhow::Result<(Report, Verdict)> {
    let scripts = scripts(args)?;
    let folder = args
        .keep
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("rookery-replay-{}", std::process::id())));
    std::fs::create_dir(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let outcome = play_in(args, scripts, &folder);
    let is_clean = outcome.as_ref().is_ok_and(|(report, _)| report.is_clean());
    if args.keep.is_some() || !is_clean {
        println!("kept in {}", folder.display());
    } else {
        std::fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    outcome
}

fn play_in(args: &Args, scripts: Vec<Arc<Script>>, folder: &Path) -> anyhow::Result<(Report, Verdict)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let steps: usize = scripts.iter().map(|script| script.steps.len()).sum();
    let within = args.within.map_or_else(|| time_for(args, &scripts, steps), Duration::from_secs);
    let (speed, kills) = match args.minutes {
        Some(minutes) => (Speed::Lasting(Duration::from_secs(60) * minutes), Kills::Throughout),
        None => (args.speed, Kills::Times(args.kills)),
    };
    println!("{} users, {steps} steps in {} rooms, {kills}", users(&scripts), scripts.len());
    let play = Play {
        place: match args.cluster {
            None => Place::Alone(args.server.clone()),
            Some(nodes) => Place::Cluster(args.server.clone(), nodes.into()),
        },
        folder: folder.to_owned(),
        scripts,
        speed,
        kills,
        seed: args.seed,
    };
    runtime.block_on(async {
        let playing = tokio::time::timeout(within, play.run());
        playing.await.with_context(|| format!("end within {} s", within.as_secs()))?
    })
}

/// Writes the script of each room: the days in turn.
fn scripts(args: &Args) -> anyhow::Result<Vec<Arc<Script>>> {
    let mut days = args.files.iter().map(|path| Day::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    days.extend(args.generate.iter().map(|(seed, lines)| generate(*seed, *lines)));
    ensure!(!days.is_empty(), "there is nothing to play: name a file, or --generate SEED");
    let rooms = args.rooms.max(days.len());
    let script = |day| {
        let rounds = match args.minutes {
            None => args.kills.div_ceil(KILLS_PER_ROUND),
            Some(minutes) => {
                let wanted = usize::try_from(minutes * 60 * STEPS_PER_SECOND)? / rooms;
                wanted.div_ceil(Script::new(day, 1, args.seed).steps.len())
            }
        };
        Ok(Arc::new(Script::new(day, rounds.max(1), args.seed)))
    };
    let of_days = days.iter().map(script).collect::<anyhow::Result<Vec<_>>>()?;
    Ok((0..rooms).map(|room| Arc::clone(&of_days[room % of_days.len()])).collect())
}

/// Counts the users: those of one day are the same in every room that it plays in.
fn users(scripts: &[Arc<Script>]) -> usize {
    let mut days: Vec<&Arc<Script>> = Vec::new();
    for script in scripts {
        if !days.iter().any(|day| Arc::ptr_eq(day, script)) {
            days.push(script);
        }
    }
    days.iter().map(|day| day.nicks.len()).sum()
}

fn time_for(args: &Args, scripts: &[Arc<Script>], steps: usize) -> Duration {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let scripted = match args.speed {
        Speed::Max | Speed::Lasting(_) => Duration::ZERO,
        Speed::Times(times) => {
            let last = scripts.iter().filter_map(|script| script.steps.last()).map(|step| step.at).max();
            last.unwrap_or_default().div_f64(times)
        }
    };
    let lasting = Duration::from_secs(60) * args.minutes.unwrap_or(0);
    TIME_TO_BEGIN + TIME_PER_KILL * count(args.kills) + TIME_PER_STEP * count(steps) + scripted + lasting
}
