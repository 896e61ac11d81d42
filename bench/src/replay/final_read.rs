//! The final full read of the rooms, over HTTP, when nothing moves any more.

use super::cast::Member;
use http::Method;
use rookery_client::{HttpClient, ServerUrl};
use rookery_protocol::{History, RoomId, Seq};
use rookery_tests::journal::{Logged, RoomLog, RoomLogFile};
use std::collections::HashMap;
use std::path::Path;

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

/// Reads each room from its first event to its last into `folder`.
pub(crate) async fn read_all(
    server: &ServerUrl,
    owner: &Member,
    rooms: &[RoomId],
    folder: &Path,
) -> anyhow::Result<()> {
    let mut http = HttpClient::new(server.clone());
    let token = http.login(&owner.login).await?.access_token;
    for (number, room) in rooms.iter().enumerate() {
        let mut log = RoomLog { room: *room, events: Vec::new() };
        loop {
            let after = log.events.last().map_or(Seq::ZERO, |last| last.seq);
            let path = format!("/v1/rooms/{room}/messages?after={after}&limit=100");
            let page: History = http.request(Method::GET, &path, Some(&token), None::<&()>).await?.json()?;
            let has_more = page.more_after && !page.messages.is_empty();
            log.events.extend(page.messages.iter().map(|message| Logged::from(&message.event)));
            if !has_more {
                break;
            }
        }
        RoomLogFile::write(&folder.join(format!("room-{number:04}.jsonl")), &log)?;
    }
    Ok(())
}
