//! What connections cost that do nothing: authenticated, their inboxes open.

use super::common::Common;
use super::record::{Used, figure};
use super::settle::settle;
use super::stage::{AT_ONCE, Stage};
use crate::clock;
use crate::crew::Coming;
use crate::progress::Progress;
use crate::result::{Counts, Latencies, RunResult};
use crate::usage::KernelMemory;
use crate::worker::order::Person;
use serde_json::json;
use std::collections::BTreeMap;

/// Connections that come and go before anything is measured, so that what is made once is there.
const WARM: u32 = 64;

/// Seconds for what they leave behind to be gone.
const WARM_SECONDS: f64 = 3.0;

/// Pings that each connection sends at once in a burst.
const BURST: u32 = 32;

/// Part of the connections that come anew after the burst.
const CHURNED: u32 = 4;

/// The flags of `idle`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Connections, ascending; what is there stays while more come.
    #[arg(long, value_delimiter = ',', default_values_t = [500, 2_000, 8_000])]
    pub sizes: Vec<u32>,
    /// Seconds at each size before memory is looked at: at least one round of pings (25) and the time after which
    /// what is idle is put away (60).
    #[arg(long, default_value_t = 90.0)]
    pub settle: f64,
    /// At last has everybody send a burst and a quarter of them come anew, and looks again.
    #[arg(long)]
    pub churn: bool,
}

/// Plays it.
pub(super) fn play(common: &Common, args: &Args, command: Vec<String>) -> anyhow::Result<RunResult> {
    let parameters = BTreeMap::from([
        ("sizes".to_owned(), json!(args.sizes)),
        ("settle".to_owned(), json!(args.settle)),
        ("churn".to_owned(), json!(args.churn)),
    ]);
    let most = args.sizes.iter().copied().max().unwrap_or(0);
    let mut stage = Stage::set(common, "idle", parameters, most.into(), command)?;
    let accounts = stage.accounts(most as usize)?;
    stage.restart_server()?;
    let mut crew = stage.crew()?;
    let person = |token: String| Person { token, rooms: Vec::new(), stops: false };
    crew.add_people(accounts.into_iter().map(|account| person(account.token)))?;

    let warm = WARM.min(most);
    stage.connect(&mut crew, 0..warm, Coming::AtATime(AT_ONCE), "warm")?;
    crew.drop_people(0, warm)?;
    let (base, _) = settle(&stage, "baseline", WARM_SECONDS);
    let kernel = KernelMemory::now();
    stage.note_before(base);

    let mut sizes = Vec::new();
    let mut there = 0;
    for &size in &args.sizes {
        stage.connect(&mut crew, there..size, Coming::AtATime(AT_ONCE), &format!("connect {size}"))?;
        there = size;
        let each = look(&mut stage, &format!("idle {size}"), size, args.settle, (base, kernel));
        sizes.push(each);
    }
    if args.churn {
        crew.burst(0, there, BURST)?;
        crew.drop_people(0, there / CHURNED)?;
        stage.connect(&mut crew, 0..there / CHURNED, Coming::AtATime(AT_ONCE), "churn")?;
        look(&mut stage, "after churn", there, args.settle, (base, kernel));
    }

    let counted = crew.report()?;
    stage.record.found(&counted.sum);
    if counted.sum.there != u64::from(there) {
        stage.record.problem(format!("{} of {there} connections were still there", counted.sum.there));
    }
    if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
        let figures = [figure("rss_bytes_per_connection", *last), figure("growth_ratio", last / first)];
        stage.record.run().figures.extend(figures);
    }
    Ok(stage.record.finish())
}

/// Waits, looks, notes a phase, and returns the resident bytes of each connection.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
fn look(
    stage: &mut Stage,
    name: &str,
    connections: u32,
    seconds: f64,
    (base, kernel): (crate::usage::Usage, KernelMemory),
) -> f64 {
    let (began, before) = (clock::now(), stage.usage());
    let (after, is_still) = settle(stage, "settle", seconds);
    let ended = clock::now();
    let connections = f64::from(connections);
    let each = (after.rss_bytes as f64 - base.rss_bytes as f64) / connections;
    let kernel = KernelMemory::now().since(kernel) as f64 / connections;
    let used = Used { before, after };
    let phase = stage.record.counted(name, (began, ended), &Counts::default(), Latencies::default(), &used);
    let cpu = used.cpu().total_s() * 1e6 / connections / clock::seconds(ended - began);
    phase.figures.extend([
        figure("rss_bytes_per_connection", each),
        figure("kernel_bytes_per_connection", kernel),
        figure("cpu_us_per_connection_second", cpu),
    ]);
    Progress::say(&format!(
        "{name}: {each:.0} B of RSS, {kernel:.0} B of the kernel (both ends), {cpu:.2} µs of CPU a second, each{}",
        if is_still { "" } else { "; memory did not stand still" }
    ));
    each
}
