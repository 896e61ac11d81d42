//! The machine: what a figure cannot be read without.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;

/// Where a run took place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// As `/proc/cpuinfo` tells it.
    pub cpu_model: String,
    /// Those of the machine, whichever of them the harness may run on.
    pub cores: u32,
    /// `Linux 6.18.0`.
    pub kernel: String,
    /// All there is.
    pub memory_bytes: u64,
    /// Descriptors that a process of the harness may have open.
    pub fd_limit: u64,
    /// What the kernel does against each fault of the CPU: it is what a system call costs.
    pub mitigations: BTreeMap<String, String>,
    /// How busy it was before the first phase.
    pub before: Load,
    /// How busy it was after the last.
    pub after: Load,
}

/// How busy a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Load average over a minute.
    pub load_1m: f64,
    /// Load average over five minutes.
    pub load_5m: f64,
    /// CPU seconds that the host took from this machine since it started; counted by nobody else.
    pub stolen_s: f64,
}

/// Ticks a second in `/proc/stat`; Linux has had this value on every machine since 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

impl Machine {
    /// Returns this machine, with `before` and `after` as it is now.
    ///
    /// What Linux does not tell is left empty or zero.
    pub fn here() -> Self {
        let (now, cpus) = (Load::now(), text("/proc/cpuinfo"));
        Self {
            cpu_model: value(&cpus, "model name").unwrap_or_default().to_owned(),
            cores: cores(&cpus),
            kernel: format!("Linux {}", text("/proc/sys/kernel/osrelease").trim()),
            memory_bytes: kibibytes(&text("/proc/meminfo"), "MemTotal"),
            fd_limit: rustix::process::getrlimit(rustix::process::Resource::Nofile)
                .current
                .unwrap_or(u64::MAX),
            mitigations: mitigations(),
            before: now,
            after: now,
        }
    }
}

impl Load {
    /// Returns how busy the machine is now.
    pub fn now() -> Self {
        let averages = text("/proc/loadavg");
        let mut averages = averages.split_whitespace().map(|load| load.parse().unwrap_or(0.0));
        let stat = text("/proc/stat");
        // `cpu user nice system idle iowait irq softirq steal …`
        let stolen = stat.lines().next().and_then(|line| line.split_whitespace().nth(8)?.parse::<f64>().ok());
        Self {
            load_1m: averages.next().unwrap_or(0.0),
            load_5m: averages.next().unwrap_or(0.0),
            stolen_s: stolen.unwrap_or(0.0) / TICKS_PER_SECOND,
        }
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Returns what stands behind `name:` in a file of such lines.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Returns how many there are; a process that is pinned sees all of them here.
fn cores(cpus: &str) -> u32 {
    cpus.lines().filter(|line| line.starts_with("processor")).fold(0, |count, _| count + 1)
}

fn kibibytes(text: &str, name: &str) -> u64 {
    let number = value(text, name).and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

fn mitigations() -> BTreeMap<String, String> {
    let Ok(faults) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else { return BTreeMap::new() };
    faults
        .flatten()
        .filter_map(|fault| {
            let said = fs::read_to_string(fault.path()).ok()?;
            Some((fault.file_name().into_string().ok()?, said.trim().to_owned()))
        })
        .filter(|(_, said)| said != "Not affected")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_the_machine_is() {
        let machine = Machine::here();
        assert!(machine.cores > 0 && machine.memory_bytes > 1 << 20 && machine.fd_limit > 0, "{machine:?}");
        assert!(machine.kernel.starts_with("Linux ") && !machine.cpu_model.is_empty(), "{machine:?}");
    }

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "MemTotal:  16 kB\nMem:  7 kB\nmodel name\t: Intel(R): x\n";
        assert_eq!(value(text, "Mem"), Some("7 kB"));
        assert_eq!(kibibytes(text, "MemTotal"), 16_384);
        assert_eq!(value(text, "model name"), Some("Intel(R): x"));
        assert_eq!(value(text, "name"), None);
    }
}
