//! The user that owns the rooms: makes them, and adds whoever comes.

use super::player::{Heads, has_all};
use super::recorder::Recorder;
use anyhow::{Context, bail};
use rookery_client::{Chat, ClientIds, Handle, News, Totals};
use rookery_protocol::{MemberAdd, Op, Room, RoomCreate, RoomId, RoomKind, Seq, UserId, Written};
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot, watch};

/// Asks for somebody to be added to a room.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
    /// Where it is in the log.
    pub(crate) admitted: oneshot::Sender<Seq>,
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

/// Admits who asks, until everything is over.
pub(crate) async fn admit(
    mut chat: Chat,
    mut recorder: Recorder,
    rooms: Vec<RoomId>,
    mut asked: mpsc::Receiver<Admission>,
    mut heads: watch::Receiver<Heads>,
) -> anyhow::Result<Totals> {
    let mut waiting: HashMap<Handle, oneshot::Sender<Seq>> = HashMap::new();
    for room in rooms {
        chat.follow(room, Some(Seq::ZERO));
    }
    while !has_all(&chat, heads.borrow_and_update().as_ref()) {
        tokio::select! {
            Some(Admission { room, user, admitted }) = asked.recv() => {
                let add = MemberAdd { room, users: vec![user], role: None };
                waiting.insert(chat.submit(Op::MemberAdd(add))?, admitted);
            }
            news = chat.next() => {
                let news = news?;
                recorder.hear(&news)?;
                if let News::Answered { handle, outcome, .. } = news {
                    let admitted = waiting.remove(&handle).context("an answer to nothing that was asked")?;
                    let Written { seq } = outcome.context("add a member")?.read()?;
                    if admitted.send(seq).is_err() {
                        bail!("somebody was added and is gone");
                    }
                }
            }
            _ = heads.changed() => {}
        }
    }
    recorder.flush()?;
    let totals = chat.totals();
    chat.end().await;
    Ok(totals)
}
