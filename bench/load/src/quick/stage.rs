//! What a scenario plays on: the server, the workers, the people.

use super::common::Common;
use super::record::Record;
use crate::clock;
use crate::crew::{Coming, Crew};
use crate::ground::{Account, Cast, Server, cores};
use crate::progress::Progress;
use crate::result::{Counts, Latencies, PhaseKind, Recorder};
use crate::usage::Usage;
use crate::worker::order::{Connected, Goal, Ground};
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddrV4;

/// Descriptors that are there for other things than connections: files, epoll, lines to workers.
const OTHER_DESCRIPTORS: u64 = 200;

/// Connections on their way at a time, where it is not what is measured.
pub(super) const AT_ONCE: u32 = 128;

/// See the file's description.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) progress: Progress,
    pub(super) record: Record,
    pub(super) server: Option<Server>,
    address: SocketAddrV4,
    pid: Option<u32>,
    common: Common,
    cast: Cast,
}

impl Stage {
    /// Starts or finds the server, for a scenario of so many connections.
    pub(super) fn set(
        common: &Common,
        name: &str,
        parameters: BTreeMap<String, Value>,
        connections: u64,
        command: Vec<String>,
    ) -> anyhow::Result<Self> {
        cores::raise_descriptors(connections + OTHER_DESCRIPTORS);
        let server = if common.url.is_some() {
            None
        } else {
            let folder = std::env::temp_dir().join(format!("rookery-load-{}", std::process::id()));
            let mut server = Server::start(&common.server, folder, common.pin.then_some(cores::SERVER_CORE))?;
            if common.keep {
                server.keep_folder();
            }
            Some(server)
        };
        if common.pin {
            cores::pin_to(cores::CLIENT_CORE)?;
        }
        let address = common.url.or(server.as_ref().map(Server::address)).context("find a server")?;
        let pid = common.pid.or(server.as_ref().map(Server::pid));
        // Another run on the same server has other names.
        let seed = common.seed ^ clock::now();
        let record = Record::begin(common, name, parameters, command, pid);
        let cast = Cast::new(address, seed);
        Ok(Self { progress: Progress::new(), record, server, address, pid, common: common.clone(), cast })
    }

    /// Makes accounts.
    pub(super) fn accounts(&mut self, count: usize) -> anyhow::Result<Vec<Account>> {
        let began = clock::now();
        let accounts = self.cast.accounts(count, self.progress)?;
        Progress::say(&format!("{count} accounts in {:.1} s", clock::seconds(clock::now() - began)));
        Ok(accounts)
    }

    /// Makes rooms, each of whose members are these accounts by number, the owner first.
    pub(super) fn rooms(
        &mut self,
        accounts: &[Account],
        members: &[Vec<u32>],
    ) -> anyhow::Result<Vec<uuid::Uuid>> {
        let of = |numbers: &Vec<u32>| numbers.iter().map(|&number| &accounts[number as usize]).collect();
        self.cast.rooms(&members.iter().map(of).collect::<Vec<_>>(), self.progress)
    }

    /// Starts the server of its own again, so that nothing of the setup is in its memory.
    pub(super) fn restart_server(&mut self) -> anyhow::Result<()> {
        if let Some(server) = &mut self.server {
            server.restart()?;
            self.address = server.address();
            self.pid = Some(server.pid());
            self.record.look_at(self.pid);
        }
        Ok(())
    }

    /// Starts the workers.
    pub(super) fn crew(&self) -> anyhow::Result<Crew> {
        Crew::start(self.common.processes, &self.ground(self.address, false))
    }

    /// Returns what workers are told of where they are.
    pub(super) fn ground(&self, server: SocketAddrV4, is_floor: bool) -> Ground {
        let Common { codec, sources, seed, .. } = self.common;
        Ground { number: 0, server, codec, sources, is_floor, seed: seed ^ clock::now() }
    }

    /// Notes what the server is and uses before anybody has come.
    pub(super) fn note_before(&mut self, usage: Usage) {
        self.record.before(self.address, usage);
    }

    /// Returns what the server uses now, as far as its process is known.
    pub(super) fn usage(&self) -> Usage {
        self.pid.map(Usage::of).unwrap_or_default()
    }

    /// Has people come, which is a phase; fails where not all of them came.
    pub(super) fn connect(
        &mut self,
        crew: &mut Crew,
        people: std::ops::Range<u32>,
        coming: Coming,
        phase: &str,
    ) -> anyhow::Result<(Connected, Recorder)> {
        let began = clock::now();
        let (connected, took) = Self::come(crew, people, coming)?;
        let counts = Counts { connected: connected.ready, ..Counts::default() };
        let latencies = Latencies { connect: took.latency(), ..Latencies::default() };
        self.record.phase(phase, PhaseKind::Ramp, began, &counts, latencies);
        Ok((connected, took))
    }

    /// Has people come, which is no phase by itself; fails where not all of them came.
    pub(super) fn come(
        crew: &mut Crew,
        people: std::ops::Range<u32>,
        coming: Coming,
    ) -> anyhow::Result<(Connected, Recorder)> {
        Self::come_to(crew, people, coming, Goal::Open)
    }

    /// Has people come so far and no further.
    pub(super) fn come_to(
        crew: &mut Crew,
        people: std::ops::Range<u32>,
        coming: Coming,
        goal: Goal,
    ) -> anyhow::Result<(Connected, Recorder)> {
        let (connected, took) = crew.connect((people.start, people.end), coming, goal)?;
        match connected.failed.iter().next() {
            Some((why, count)) => bail!("{count} connections did not come: {why}"),
            None => Ok((connected, took)),
        }
    }
}
