//! What a process has used, as Linux tells it.

use anyhow::Context;

/// Clock ticks a second in `/proc/PID/stat`; Linux has had this value on every machine since 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// Returns the CPU time of a process so far, user and system; `self` is this one.
pub(crate) fn cpu_seconds(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name in parentheses that may hold spaces; utime and stime are 14 and 15.
    let fields = stat.rsplit_once(')').context("a name in /proc/PID/stat")?.1.split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// Returns the machine's load average over the last minute; 0 where Linux does not tell it.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}
