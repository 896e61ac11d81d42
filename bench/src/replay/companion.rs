//! A client that does what it is asked: the rooms' owner, who also hears them, and the second devices of
//! users, which hear of nothing but their own marks.

use super::player::{Heads, has_all};
use super::recorder::Recorder;
use super::stage::Stage;
use anyhow::{Context, bail};
use rookery_client::{Chat, ClientIds, Handle, News, Totals};
use rookery_protocol::{Op, Room, RoomCreate, RoomGet, RoomId, RoomKind, Seq, Written};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Asks for something to be done.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) op: Op,
    /// Where it is in the log, if that was answered.
    pub(crate) done: oneshot::Sender<Option<Seq>>,
}

/// Makes a room for each title.
pub(crate) async fn open_rooms(
    chat: &mut Chat,
    titles: &[String],
    ids: &mut ClientIds,
) -> anyhow::Result<Vec<RoomId>> {
    let mut rooms = Vec::new();
    for title in titles {
        let room = RoomCreate {
            client_id: ids.make(),
            kind: RoomKind::Group,
            title: title.clone(),
            members: Vec::new(),
        };
        let asked = chat.submit(Op::RoomCreate(Box::new(room)))?;
        let room = loop {
            match chat.next().await? {
                News::Answered { handle, outcome, .. } if handle == asked => {
                    break outcome?.read::<Room>()?;
                }
                _ => {}
            }
        };
        rooms.push(room.id);
    }
    Ok(rooms)
}

/// A client and what it writes down.
#[derive(Debug)]
pub(crate) struct Companion {
    pub(crate) chat: Chat,
    pub(crate) recorder: Recorder,
    pub(crate) stage: Arc<Stage>,
    pub(crate) asked: mpsc::Receiver<Request>,
    pub(crate) heads: watch::Receiver<Heads>,
}

/// Does what is asked and hears `rooms`, until everything is over.
pub(crate) async fn serve(mut companion: Companion, rooms: Vec<RoomId>) -> anyhow::Result<Totals> {
    let mut waiting: HashMap<Handle, oneshot::Sender<Option<Seq>>> = HashMap::new();
    for room in &rooms {
        companion.chat.follow(*room, Some(Seq::ZERO));
    }
    let mut has_asked = false;
    while !(has_asked && has_all(&companion.chat, companion.heads.borrow_and_update().as_ref())) {
        if !has_asked && companion.heads.borrow().is_some() {
            has_asked = true;
            for room in &rooms {
                companion.chat.submit(Op::RoomGet(RoomGet { room: *room }))?;
            }
            continue;
        }
        tokio::select! {
            Some(Request { op, done }) = companion.asked.recv() => {
                waiting.insert(companion.chat.submit(op)?, done);
            }
            news = companion.chat.next() => {
                let news = news?;
                companion.recorder.hear(&news)?;
                if let News::Answered { handle, op, outcome } = news
                    && let Some(done) = waiting.remove(&handle)
                {
                    let place = match (op.as_ref(), outcome) {
                        (Op::MemberAdd(_), outcome) => {
                            Some(outcome.context("add a member")?.read::<Written>()?.seq)
                        }
                        (_, Ok(_)) => None,
                        (op, Err(error)) => {
                            companion.stage.refused(op, error.code);
                            None
                        }
                    };
                    if done.send(place).is_err() {
                        bail!("somebody asked for something and is gone");
                    }
                }
            }
            _ = companion.heads.changed() => {}
        }
    }
    companion.recorder.flush()?;
    let totals = companion.chat.totals();
    companion.chat.end().await;
    Ok(totals)
}
