//! One replay from the server's start to the verdict.

use super::cast::{self, Member};
use super::conductor::{self, Speed, WINDOW};
use super::final_read;
use super::killer;
use super::owner;
use super::player::{self, Cue, Player};
use super::recorder::Recorder;
use super::report::{Effort, Report, Setting};
use super::script::Script;
use super::server::{self, Server};
use super::stage::Stage;
use anyhow::Context;
use fastrand::Rng;
use rookery_client::{Chat, ClientIds, ServerUrl, Totals};
use rookery_protocol::Codec;
use rookery_tests::checker::{Verdict, check_folder};
use rookery_tests::journal::Owner;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What is played.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) server: PathBuf,
    pub(crate) folder: PathBuf,
    /// One for each room.
    pub(crate) scripts: Vec<Arc<Script>>,
    pub(crate) speed: Speed,
    pub(crate) kills: usize,
    pub(crate) seed: u64,
}

/// The users of one script among all.
#[derive(Clone, Copy, Debug)]
struct Troupe {
    from: usize,
    users: usize,
}

impl Play {
    pub(crate) async fn run(self) -> anyhow::Result<(Report, Verdict)> {
        let mut rng = Rng::with_seed(self.seed);
        let server = Server::start(&self.server, &self.folder)?;
        let url = ServerUrl::from(server.address());
        let (nicks, troupes) = self.nicks();
        let members = cast::engage(&url, &nicks).await?;
        let (owner, members) = members.split_first().context("there is an owner")?;

        let codec_of = |number: usize| if number % 2 == 0 { Codec::Json } else { Codec::MessagePack };
        let chat_of = |number: usize, member: &Member, rng: &mut Rng| {
            Chat::new(url.clone(), codec_of(number), member.tokens.clone(), Some(member.login.clone()), rng.fork())
        };
        let mut owner_chat = chat_of(0, owner, &mut rng);
        let titles: Vec<String> = self.scripts.iter().map(|script| script.name.clone()).collect();
        let rooms = owner::open_rooms(&mut owner_chat, &titles, &mut ClientIds::new(rng.fork())).await?;

        let users = members.iter().map(|member| member.tokens.user.id).collect();
        let steps: Vec<usize> = self.scripts.iter().map(|script| script.steps.len()).collect();
        let stage = Arc::new(Stage::new(rooms.clone(), users, &steps));
        let total: u64 = steps.iter().map(|steps| *steps as u64).sum();
        let (tell_heads, heads) = watch::channel(None);
        let (ask_owner, asked) = mpsc::channel(WINDOW);
        let recorder = |number: usize, member: &Member| {
            let owner = Owner { client: nicks[number].clone(), user: member.tokens.user.id };
            Recorder::create(&self.folder, number, &owner, Arc::clone(&stage))
        };

        let mut playing = JoinSet::new();
        playing.spawn(owner::admit(owner_chat, recorder(0, owner)?, rooms.clone(), asked, heads.clone()));
        let mut cues: Vec<mpsc::Sender<Cue>> = Vec::new();
        for troupe in &troupes {
            for number in troupe.from..troupe.from + troupe.users {
                let member = &members[number];
                let (give, take) = mpsc::channel(WINDOW);
                cues.push(give);
                playing.spawn(player::play(Player {
                    user: member.tokens.user.id,
                    chat: chat_of(number + 1, member, &mut rng),
                    recorder: recorder(number + 1, member)?,
                    stage: Arc::clone(&stage),
                    cast_from: troupe.from,
                    ids: ClientIds::new(rng.fork()),
                    cues: take,
                    owner: ask_owner.clone(),
                    heads: heads.clone(),
                }));
            }
        }
        drop(ask_owner);

        let server = Arc::new(Mutex::new(server));
        let mut conducting = JoinSet::new();
        let begun = Instant::now();
        for (room, script) in self.scripts.iter().enumerate() {
            let Troupe { from, users } = self.troupe(&troupes, script);
            let players = cues[from..from + users].to_vec();
            conducting.spawn(conductor::conduct(room, Arc::clone(script), players, self.speed));
        }
        drop(cues);
        conducting.spawn(killer::kill(Arc::clone(&server), Arc::clone(&stage), self.kills, total, rng.fork()));
        // Whatever fails first is the error; all else is then broken off.
        let mut totals = Totals::default();
        while let Some(ended) = next_of(&mut conducting, &mut playing, &mut totals).await {
            ended?;
        }
        let mut look = tokio::time::interval(std::time::Duration::from_millis(2));
        while stage.done() < total {
            look.tick().await;
        }
        let played = begun.elapsed();

        let last = final_read::heads(&url, owner, &rooms).await?;
        tell_heads.send_replace(Some(Arc::new(last)));
        while let Some(ended) = playing.join_next().await {
            add(&mut totals, ended??);
        }
        final_read::read_all(&url, owner, &rooms, &self.folder).await?;
        let used = server.lock().unwrap_or_else(PoisonError::into_inner).usage();
        let client = server::usage("self");
        let folder = self.folder.clone();
        let verdict = tokio::task::spawn_blocking(move || check_folder(&folder)).await??;
        let effort = Effort { played, totals, server: used, client };
        let setting = Setting {
            days: titles,
            rooms: rooms.len(),
            speed: self.speed.to_string(),
            seed: self.seed,
            kills: self.kills,
        };
        let report = Report::new(setting, &effort, &stage.ledger(), &verdict);
        Ok((report, verdict))
    }
}
