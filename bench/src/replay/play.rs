//! One replay, from the server's start to the verdict.

use super::cast::{self, Member};
use super::companion::{self, Companion};
use super::conductor::{self, Speed, WINDOW};
use super::final_read;
use super::ground::{Ground, Place};
use super::killer::{self, Kills};
use super::player::{self, Cue, Heads, Player};
use super::recorder::Recorder;
use super::report::{Effort, Report, Setting};
use super::script::Script;
use super::server;
use super::stage::Stage;
use anyhow::{Context, bail};
use fastrand::Rng;
use rookery_client::{Chat, ClientIds, ServerUrl, Servers, Tokens, Totals};
use rookery_protocol::{Codec, RoomId};
use rookery_tests::checker::{Verdict, check_folder};
use rookery_tests::journal::Owner;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often it is looked whether every step has come to its end.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How often a replay says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Of so many users one has a second device.
const PHONE_EVERY: usize = 4;

/// The number of the first second device's journal; a day has a few hundred users.
const PHONES_FROM: usize = 5_000;

/// The number of the journal of the final read.
const AUDITOR: usize = 9_999;

/// What is played.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) place: Place,
    pub(crate) folder: PathBuf,
    /// One for each room.
    pub(crate) scripts: Vec<Arc<Script>>,
    pub(crate) speed: Speed,
    pub(crate) kills: Kills,
    pub(crate) seed: u64,
}

/// Who plays, once they are engaged.
struct Company {
    /// Never empty.
    servers: Vec<ServerUrl>,
    owner: Member,
    /// Everybody else.
    members: Vec<Member>,
    /// Where the users of each room's script begin among the members.
    from: Vec<usize>,
    rng: Rng,
}

/// The clients, on their way.
struct Running {
    clients: JoinSet<anyhow::Result<Totals>>,
    cues: Vec<mpsc::Sender<Cue>>,
    tell_heads: watch::Sender<Heads>,
}

impl Play {
    pub(crate) async fn run(self) -> anyhow::Result<(Report, Verdict)> {
        let ground = Ground::start(&self.place, &self.folder).await?;
        let mut company = self.engage(ground.servers()).await?;
        let mut chat = company.chat(0);
        let titles: Vec<String> = self.scripts.iter().map(|script| script.name.clone()).collect();
        let mut ids = ClientIds::new(company.rng.fork());
        let rooms = companion::open_rooms(&mut chat, &titles, &mut ids).await?;
        let users = company.members.iter().map(|member| member.tokens.user.id).collect();
        let steps: Vec<usize> = self.scripts.iter().map(|script| script.steps.len()).collect();
        let stage = Arc::new(Stage::new(rooms, users, &steps));
        let mut running = self.begin(&mut company, chat, &stage)?;
        let ground = Arc::new(Mutex::new(ground));
        let begun = Instant::now();
        self.conduct(&mut company, &mut running, &stage, &ground).await?;
        let played = begun.elapsed();
        let totals = drain(running, &company, &stage.rooms).await?;
        let (chat, recorder) = (company.chat(0), self.recorder(&company, AUDITOR, &stage)?.unmeasured());
        final_read::read_again(company.server(), &company.owner, chat, recorder).await?;
        let effort = Effort {
            played,
            totals,
            server: ground.lock().unwrap_or_else(PoisonError::into_inner).usage(),
            client: server::usage("self"),
        };
        let mut ground = Arc::into_inner(ground)
            .context("nothing disturbs the servers any more")?
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let store = ground.stop(&self.folder).await?;
        final_read::read_logs(&*store, &stage.rooms, &self.folder).await?;
        store.close().await?;
        drop(ground);
        let folder = self.folder.clone();
        let verdict = tokio::task::spawn_blocking(move || check_folder(&folder)).await??;
        let setting = Setting {
            days: titles,
            rooms: stage.rooms.len(),
            speed: self.speed.to_string(),
            seed: self.seed,
        };
        let report = Report::new(setting, &effort, &stage.ledger(), &verdict);
        Ok((report, verdict))
    }

    /// Makes the accounts: the owner's, and one for each nick of each day.
    async fn engage(&self, servers: Vec<ServerUrl>) -> anyhow::Result<Company> {
        let mut nicks = vec!["owner".to_owned()];
        let mut from: Vec<usize> = Vec::new();
        for (room, script) in self.scripts.iter().enumerate() {
            if let Some(other) = self.scripts[..room].iter().position(|other| Arc::ptr_eq(other, script)) {
                from.push(from[other]);
            } else {
                from.push(nicks.len() - 1);
                nicks.extend(script.nicks.iter().cloned());
            }
        }
        let mut members = cast::engage(&servers[0], &nicks).await?;
        let owner = members.remove(0);
        Ok(Company { servers, owner, members, from, rng: Rng::with_seed(self.seed) })
    }

    /// Starts a client for everybody; they wait for their cues.
    fn begin(&self, company: &mut Company, owner_chat: Chat, stage: &Arc<Stage>) -> anyhow::Result<Running> {
        let (tell_heads, heads) = watch::channel(None);
        let (ask_owner, asked) = mpsc::channel(WINDOW);
        let mut clients = JoinSet::new();
        let recorder = self.recorder(company, 0, stage)?;
        let owner =
            Companion { chat: owner_chat, recorder, stage: Arc::clone(stage), asked, heads: heads.clone() };
        clients.spawn(companion::serve(owner, stage.rooms.clone()));
        let mut cues = Vec::new();
        for number in 0..company.members.len() {
            let (give, take) = mpsc::channel(WINDOW);
            cues.push(give);
            let phone = number.is_multiple_of(PHONE_EVERY).then(|| {
                let (ask, asked) = mpsc::channel(WINDOW);
                let recorder = self.recorder(company, PHONES_FROM + number, stage)?;
                let (chat, heads) = (company.phone(number + 1), heads.clone());
                let phone = Companion { chat, recorder, stage: Arc::clone(stage), asked, heads };
                clients.spawn(companion::serve(phone, Vec::new()));
                anyhow::Ok(ask)
            });
            clients.spawn(player::play(Player {
                user: company.members[number].tokens.user.id,
                chat: company.chat(number + 1),
                recorder: self.recorder(company, number + 1, stage)?,
                stage: Arc::clone(stage),
                // The last script that begins at or before this user is its own.
                cast_from: company.from.iter().copied().filter(|from| *from <= number).max().unwrap_or(0),
                ids: ClientIds::new(company.rng.fork()),
                cues: take,
                owner: ask_owner.clone(),
                phone: phone.transpose()?,
                heads: heads.clone(),
            }));
        }
        Ok(Running { clients, cues, tell_heads })
    }

    fn recorder(&self, company: &Company, number: usize, stage: &Arc<Stage>) -> anyhow::Result<Recorder> {
        let user = match number {
            AUDITOR => &company.owner.tokens.user,
            PHONES_FROM.. => &company.member(number - PHONES_FROM + 1).tokens.user,
            number => &company.member(number).tokens.user,
        };
        let owner = Owner { client: format!("{} ({number})", user.handle), user: user.id };
        Ok(Recorder::create(&self.folder, number, &owner, Arc::clone(stage))?)
    }

    /// Gives every cue and every kill, and waits until every step has come to its end.
    async fn conduct(
        &self,
        company: &mut Company,
        running: &mut Running,
        stage: &Arc<Stage>,
        ground: &Arc<Mutex<Ground>>,
    ) -> anyhow::Result<()> {
        let mut conducting = JoinSet::new();
        for (room, script) in self.scripts.iter().enumerate() {
            let from = company.from[room];
            let players = running.cues[from..from + script.nicks.len()].to_vec();
            conducting.spawn(conductor::conduct(room, Arc::clone(script), players, self.speed));
        }
        running.cues.clear();
        let total = self.scripts.iter().map(|script| script.steps.len() as u64).sum();
        let rng = company.rng.fork();
        conducting.spawn(killer::kill(Arc::clone(ground), Arc::clone(stage), self.kills, total, rng));
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut tell = tokio::time::interval(TELL_EVERY);
        tell.tick().await;
        while stage.done() < total || !conducting.is_empty() {
            tokio::select! {
                Some(ended) = conducting.join_next() => ended??,
                Some(ended) = running.clients.join_next() => {
                    ended??;
                    bail!("a client ended before the play");
                }
                _ = tell.tick() => eprintln!("{} of {total} steps", stage.done()),
                _ = look.tick() => {}
            }
        }
        Ok(())
    }
}

impl Company {
    /// The owner is number 0.
    fn member(&self, number: usize) -> &Member {
        number.checked_sub(1).map_or(&self.owner, |number| &self.members[number])
    }

    /// A server, whichever.
    fn server(&self) -> &ServerUrl {
        &self.servers[0]
    }

    /// All servers; clients begin at each of them in turn.
    fn servers_from(&self, first: usize) -> Servers {
        Servers::new(self.servers.clone(), first).unwrap_or_else(|| self.server().clone().into())
    }

    fn chat(&mut self, number: usize) -> Chat {
        let codec = if number.is_multiple_of(2) { Codec::Json } else { Codec::MessagePack };
        let random = self.rng.fork();
        let Member { tokens, login } = self.member(number);
        Chat::new(self.servers_from(number), codec, tokens.clone(), Some(login.clone()), random)
    }

    /// A second device: it shares no refresh token with the first one, as each can be used once.
    fn phone(&mut self, number: usize) -> Chat {
        let codec = if number.is_multiple_of(2) { Codec::MessagePack } else { Codec::Json };
        let random = self.rng.fork();
        let Member { tokens, login } = self.member(number);
        let tokens = Tokens { refresh_token: None, ..tokens.clone() };
        Chat::new(self.servers_from(number + 1), codec, tokens, Some(login.clone()), random)
    }
}

/// Has everybody hear the rooms to their ends, and returns the sums over all.
async fn drain(mut running: Running, company: &Company, rooms: &[RoomId]) -> anyhow::Result<Totals> {
    let heads = final_read::heads(company.server(), &company.owner, rooms).await?;
    running.tell_heads.send_replace(Some(Arc::new(heads)));
    let mut totals = Totals::default();
    while let Some(ended) = running.clients.join_next().await {
        let client = ended?.context("hear the rooms to their ends")?;
        totals = Totals {
            connections: totals.connections + client.connections,
            bytes_in: totals.bytes_in + client.bytes_in,
            bytes_out: totals.bytes_out + client.bytes_out,
        };
    }
    Ok(totals)
}
