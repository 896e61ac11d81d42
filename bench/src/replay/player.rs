//! One user on the stage: does its steps in their order, and hears the rooms that it is in.

use super::companion::Request;
use super::doing;
use super::mix::{By, Doing};
use super::recorder::Recorder;
use super::script::{Action, Saying, Step};
use super::stage::Stage;
use anyhow::{Context, ensure};
use rookery_client::{Chat, ClientIds, Handle, News, Totals};
use rookery_protocol::{
    BodyKind, ErrorCode, MemberAdd, MemberRemove, Mention, MessageBody, MessageSend, Op, RawBody, RoomGet,
    RoomId, Sent, Seq, UserId, WireError,
};
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

/// Messages that a player has unanswered at most: what somebody types who does not wait.
const IN_FLIGHT: usize = 8;

/// The rooms' last positions, once nothing more is said.
pub(crate) type Heads = Option<Arc<HashMap<RoomId, Seq>>>;

/// A step that is a player's turn.
#[derive(Debug)]
pub(crate) struct Cue {
    /// Index of the room.
    pub(crate) room: usize,
    /// Index of the step in the room's script.
    pub(crate) number: usize,
    pub(crate) step: Step,
    /// Given back when the step has come to its end.
    pub(crate) turn: OwnedSemaphorePermit,
}

/// What a player is and has.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) user: UserId,
    pub(crate) chat: Chat,
    pub(crate) recorder: Recorder,
    pub(crate) stage: Arc<Stage>,
    /// First user of the script among the cast.
    pub(crate) cast_from: usize,
    pub(crate) ids: ClientIds,
    pub(crate) cues: mpsc::Receiver<Cue>,
    pub(crate) owner: mpsc::Sender<Request>,
    /// The user's other device, if it has one.
    pub(crate) phone: Option<mpsc::Sender<Request>>,
    pub(crate) heads: watch::Receiver<Heads>,
}

/// What a player waits for before its next step.
#[derive(Debug, Default)]
enum Hold {
    #[default]
    Nothing,
    /// It has asked to be added.
    Admission(Cue, oneshot::Receiver<Option<Seq>>),
    /// Another client does it.
    Companion(Cue, oneshot::Receiver<Option<Seq>>),
    /// It is going to leave, once its messages are answered.
    Leave(Cue),
    /// It has asked to leave, and the room has to be gone.
    Leaving(Cue),
    /// What it answers or changes is not known to be in the log yet.
    Target(Cue, usize),
}

/// What ends a wait.
enum Woken {
    Cue(Option<Cue>),
    News(News),
    Admitted(Seq),
    Accompanied,
    Found(Option<Seq>),
    Heads,
}

/// A message or a change under way.
#[derive(Debug)]
struct UnderWay {
    room: usize,
    number: usize,
    _turn: OwnedSemaphorePermit,
}

/// Plays until everything is over and everything was heard.
pub(crate) async fn play(mut player: Player) -> anyhow::Result<Totals> {
    let mut scene = Scene::default();
    while !(scene.is_idle()
        && scene.has_asked
        && has_all(&player.chat, player.heads.borrow_and_update().as_ref()))
    {
        if scene.ask(&mut player)? {
            continue;
        }
        match scene.wait(&mut player).await? {
            Woken::Cue(Some(cue)) => scene.begin(&mut player, cue).await?,
            Woken::Cue(None) => scene.is_over = true,
            Woken::News(news) => {
                player.recorder.hear(&news)?;
                scene.hear(&player, news)?;
            }
            Woken::Admitted(seq) => scene.admitted(&mut player, seq),
            Woken::Accompanied => scene.accompanied(&player),
            Woken::Found(place) => scene.found(&mut player, place).await?,
            Woken::Heads => {}
        }
        scene.go_on(&mut player)?;
    }
    player.recorder.flush()?;
    let totals = player.chat.totals();
    player.chat.end().await;
    Ok(totals)
}

/// Returns whether a client has heard its rooms up to their last positions.
pub(crate) fn has_all(chat: &Chat, heads: Option<&Arc<HashMap<RoomId, Seq>>>) -> bool {
    let is_at_head = |(room, head): (&RoomId, &Seq)| {
        !chat.is_following(*room) || chat.position(*room).is_some_and(|position| position >= *head)
    };
    heads.is_some_and(|heads| chat.is_quiet() && heads.iter().all(is_at_head))
}

/// Where a player is in its part.
#[derive(Debug, Default)]
struct Scene {
    hold: Hold,
    under_way: HashMap<Handle, UnderWay>,
    /// Where the player's memberships began.
    joined: HashMap<usize, Seq>,
    is_over: bool,
    /// How far this user has come in the end was asked.
    has_asked: bool,
}

impl Scene {
    fn is_idle(&self) -> bool {
        matches!(self.hold, Hold::Nothing) && self.under_way.is_empty() && self.is_over
    }

    /// # Cancel safety
    /// Safe, and so is every branch.
    async fn wait(&mut self, player: &mut Player) -> anyhow::Result<Woken> {
        let Player { chat, cues, heads, stage, .. } = player;
        let takes_cues =
            matches!(self.hold, Hold::Nothing) && self.under_way.len() < IN_FLIGHT && !self.is_over;
        let held = async {
            match &mut self.hold {
                Hold::Admission(_, admitted) => {
                    let seq = admitted.await.context("the owner is gone")?;
                    Ok(Woken::Admitted(seq.unwrap_or_default()))
                }
                Hold::Companion(_, done) => {
                    done.await.context("a companion is gone").map(|_| Woken::Accompanied)
                }
                Hold::Target(cue, step) => Ok(Woken::Found(stage.place(cue.room, *step).await)),
                Hold::Leave(_) | Hold::Leaving(_) | Hold::Nothing => pending().await,
            }
        };
        tokio::select! {
            woken = held => woken,
            cue = cues.recv(), if takes_cues => Ok(Woken::Cue(cue)),
            news = chat.next() => Ok(Woken::News(news?)),
            _ = heads.changed() => Ok(Woken::Heads),
        }
    }

    async fn begin(&mut self, player: &mut Player, cue: Cue) -> anyhow::Result<()> {
        let room = player.stage.rooms[cue.room];
        match &cue.step.action {
            Action::Join => {
                let add = MemberAdd { room, users: vec![player.user], role: None };
                self.hold = Hold::Admission(cue, ask(&player.owner, Op::MemberAdd(add)).await?);
            }
            Action::Leave => self.hold = Hold::Leave(cue),
            Action::Say(saying) => {
                let saying = saying.clone();
                match saying.answers {
                    Some(answered) => self.hold = Hold::Target(cue, answered),
                    None => self.say(player, cue, &saying, None)?,
                }
            }
            Action::Do(doing) => {
                let of = doing.of;
                self.hold = Hold::Target(cue, of);
            }
        }
        Ok(())
    }

    fn admitted(&mut self, player: &mut Player, seq: Seq) {
        if let Hold::Admission(cue, _) = std::mem::take(&mut self.hold) {
            // Where it was added may be earlier, when the first answer was lost: the server knows, and
            // begins there.
            self.joined.insert(cue.room, seq);
            player.chat.follow(player.stage.rooms[cue.room], Some(Seq::ZERO));
            player.stage.finish(cue.room, cue.number, None);
        }
    }

    fn accompanied(&mut self, player: &Player) {
        if let Hold::Companion(cue, _) = std::mem::take(&mut self.hold) {
            player.stage.finish(cue.room, cue.number, None);
        }
    }

    /// The message that was waited for is at `place`, or nowhere.
    async fn found(&mut self, player: &mut Player, place: Option<Seq>) -> anyhow::Result<()> {
        let Hold::Target(cue, _) = std::mem::take(&mut self.hold) else { return Ok(()) };
        // Who came later cannot point at what it cannot see.
        let place = place.filter(|place| self.joined.get(&cue.room).is_some_and(|joined| joined <= place));
        match cue.step.action.clone() {
            Action::Say(saying) => self.say(player, cue, &saying, place),
            Action::Do(doing) => self.act(player, cue, (&doing, place)).await,
            Action::Join | Action::Leave => Ok(()),
        }
    }

    async fn act(
        &mut self,
        player: &mut Player,
        cue: Cue,
        (doing, place): (&Doing, Option<Seq>),
    ) -> anyhow::Result<()> {
        let Some(place) = place else {
            player.stage.finish(cue.room, cue.number, None);
            return Ok(());
        };
        let room = player.stage.rooms[cue.room];
        let users = &player.stage.users[player.cast_from..];
        let op = doing::command(&doing.deed, (room, place), users, &mut player.ids);
        let companion = match doing.by {
            By::Itself => None,
            By::Phone => player.phone.as_ref(),
            By::Owner => Some(&player.owner),
        };
        if let Some(companion) = companion {
            self.hold = Hold::Companion(cue, ask(companion, op).await?);
        } else {
            let handle = player.chat.submit(op)?;
            self.under_way.insert(handle, UnderWay { room: cue.room, number: cue.number, _turn: cue.turn });
        }
        Ok(())
    }

    /// Asks, once nothing is said any more, how far this user has come in its rooms. Returns whether it
    /// was time for that.
    fn ask(&mut self, player: &mut Player) -> anyhow::Result<bool> {
        if self.has_asked || !self.is_idle() || player.heads.borrow().is_none() {
            return Ok(false);
        }
        self.has_asked = true;
        for room in &player.stage.rooms {
            if player.chat.is_following(*room) {
                player.chat.submit(Op::RoomGet(RoomGet { room: *room }))?;
            }
        }
        Ok(true)
    }

    fn say(
        &mut self,
        player: &mut Player,
        cue: Cue,
        saying: &Saying,
        reply_to: Option<Seq>,
    ) -> anyhow::Result<()> {
        let mentioned = |user: &usize| Mention::User(player.stage.users[player.cast_from + user]);
        let mut body = MessageBody::text(saying.text.as_str());
        body.mentions = saying.mentions.iter().map(mentioned).collect();
        if let Some(kind) = saying.kind {
            body.kind = kind.parse::<BodyKind>()?;
        }
        let room = player.stage.rooms[cue.room];
        let send = MessageSend { room, client_id: player.ids.make(), attempt: None, body, reply_to };
        let handle = player.chat.submit(Op::MessageSend(Box::new(send)))?;
        self.under_way.insert(handle, UnderWay { room: cue.room, number: cue.number, _turn: cue.turn });
        Ok(())
    }

    fn hear(&mut self, player: &Player, news: News) -> anyhow::Result<()> {
        match news {
            News::Answered { handle, op, outcome } => {
                if let Some(said) = self.under_way.remove(&handle) {
                    let place = place(player, &op, &outcome)?;
                    player.stage.finish(said.room, said.number, place);
                } else if let (Op::MemberRemove(_), Err(error)) = (op.as_ref(), outcome) {
                    // An earlier attempt may have been carried out, and its answer lost.
                    ensure!(error.code == ErrorCode::NotFound, "leave: {error}");
                }
            }
            News::Removed { room, .. } | News::NotOpened { room, .. } => {
                let leaves = match &self.hold {
                    Hold::Leaving(cue) => player.stage.rooms[cue.room] == room,
                    _ => false,
                };
                ensure!(leaves, "{} was put out of {room}: {news:?}", player.user);
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes on with a leave as far as it can.
    fn go_on(&mut self, player: &mut Player) -> anyhow::Result<()> {
        match std::mem::take(&mut self.hold) {
            Hold::Leave(cue) if self.under_way.is_empty() => {
                let room = player.stage.rooms[cue.room];
                player.chat.submit(Op::MemberRemove(MemberRemove { room, user: player.user }))?;
                self.hold = Hold::Leaving(cue);
            }
            Hold::Leaving(cue)
                if player.chat.waiting() == 0 && !player.chat.is_following(player.stage.rooms[cue.room]) =>
            {
                self.joined.remove(&cue.room);
                player.stage.finish(cue.room, cue.number, None);
            }
            other => self.hold = other,
        }
        Ok(())
    }
}

async fn ask(companion: &mpsc::Sender<Request>, op: Op) -> anyhow::Result<oneshot::Receiver<Option<Seq>>> {
    let (done, when_done) = oneshot::channel();
    companion.send(Request { op, done }).await.context("a companion is gone")?;
    Ok(when_done)
}

/// Returns where a message is, by its answer.
fn place(player: &Player, op: &Op, outcome: &Result<RawBody, WireError>) -> anyhow::Result<Option<Seq>> {
    match outcome {
        Ok(body) if matches!(op, Op::MessageSend(_)) => Ok(Some(body.read::<Sent>()?.seq)),
        Ok(_) => Ok(None),
        Err(error) => {
            player.stage.refused(op, error.code);
            Ok(None)
        }
    }
}
