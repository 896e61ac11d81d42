//! The final full read of the rooms, when nothing moves any more: the newest events and every page over
//! the wire, as a client's journal, and then the whole log.
//!
//! The log is read from the stopped servers' store: over the wire nobody is given changes that are
//! more than `limits.replay` back, other than by what they made of the messages.

use super::cast::Member;
use super::player::has_all;
use super::recorder::Recorder;
use http::Method;
use rookery_client::{Chat, HttpClient, ServerUrl};
use rookery_engine::store::{Range, Store};
use rookery_protocol::limits::REPLAY;
use rookery_protocol::{History, RoomId, Seq};
use rookery_tests::journal::{Logged, RoomLog, RoomLogFile};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;

/// Events that are read from the log at a time.
const AT_ONCE: usize = 1_000;

/// Returns each room's newest position.
pub(crate) async fn heads(
    server: &ServerUrl,
    owner: &Member,
    rooms: &[RoomId],
) -> anyhow::Result<HashMap<RoomId, Seq>> {
    let mut http = HttpClient::new(server.clone());
    let token = http.login(&owner.login).await?.access_token;
    let mut heads = HashMap::new();
    for room in rooms {
        let path = format!("/v1/rooms/{room}/messages?limit=1");
        let page: History = http.request(Method::GET, &path, Some(&token), None::<&()>).await?.json()?;
        heads.insert(*room, page.head.seq);
    }
    Ok(heads)
}

/// Has the newest events of each room replayed, and reads all its pages, into the journal of `recorder`.
pub(crate) async fn read_again(
    server: &ServerUrl,
    owner: &Member,
    mut chat: Chat,
    mut recorder: Recorder,
) -> anyhow::Result<()> {
    let rooms = recorder.rooms().to_vec();
    let heads = Arc::new(heads(server, owner, &rooms).await?);
    for (room, head) in heads.iter() {
        chat.follow(*room, Some(Seq(head.0.saturating_sub(REPLAY as u64))));
    }
    while !has_all(&chat, Some(&heads)) {
        recorder.hear(&chat.next().await?)?;
    }
    chat.end().await;
    let mut http = HttpClient::new(server.clone());
    let token = http.login(&owner.login).await?.access_token;
    for room in rooms {
        let mut after = Some(Seq::ZERO);
        while let Some(seq) = after {
            let path = format!("/v1/rooms/{room}/messages?after={seq}&limit=100");
            let asked = Instant::now();
            let page: History = http.request(Method::GET, &path, Some(&token), None::<&()>).await?.json()?;
            recorder.page(asked, &page)?;
            after = page.messages.last().map(|last| last.event.seq).filter(|_| page.more_after);
        }
    }
    Ok(recorder.flush()?)
}

/// Reads each room's log from its first event to its last, out of the store, into `folder`.
pub(crate) async fn read_logs(store: &dyn Store, rooms: &[RoomId], folder: &Path) -> anyhow::Result<()> {
    for (number, room) in rooms.iter().enumerate() {
        let mut log = RoomLog { room: *room, events: Vec::new() };
        loop {
            let after = log.events.last().map_or(Seq::ZERO, |last| last.seq);
            let events = store.read(*room, Range::After(after), AT_ONCE).await?;
            if events.is_empty() {
                break;
            }
            log.events.extend(events.iter().map(Logged::from));
        }
        RoomLogFile::write(&folder.join(format!("room-{number:04}.jsonl")), &log)?;
    }
    Ok(())
}
