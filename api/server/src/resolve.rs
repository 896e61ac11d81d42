//! From what a person types to ids: rooms by title, users by the name of a kept login.

use crate::context::ContextFile;
use crate::session::Session;
use anyhow::{Result, bail};
use rookery_protocol::{Room, RoomId, Rooms, UserId};

/// Returns all of one's rooms, newest activity first.
pub(crate) async fn rooms(session: &mut Session) -> Result<Vec<Room>> {
    let mut all = Vec::new();
    let mut path = "/v1/rooms?limit=100".to_owned();
    loop {
        let page: Rooms = session.get(&path).await?;
        all.extend(page.rooms);
        match page.next {
            Some(next) => path = format!("/v1/rooms?limit=100&cursor={next}"),
            None => return Ok(all),
        }
    }
}

/// Finds a room by its id or its title, whose case does not matter.
pub(crate) async fn room(session: &mut Session, text: &str) -> Result<Room> {
    if let Ok(id) = text.parse::<RoomId>() {
        return session.get(&format!("/v1/rooms/{id}")).await;
    }
    let is_it =
        |room: &Room| room.title.as_ref().is_some_and(|title| title.to_lowercase() == text.to_lowercase());
    let mut found: Vec<Room> = rooms(session).await?.into_iter().filter(is_it).collect();
    match (found.pop(), found.len()) {
        (Some(room), 0) => Ok(room),
        (None, _) => {
            bail!("find a room of {} with the title {text}; `rookery rooms` lists them", session.user.handle)
        }
        (Some(_), more) => bail!("choose among {} rooms with the title {text}: use the id", more + 1),
    }
}

/// Finds a user by id, or by the name or the handle of a kept login.
pub(crate) fn user(text: &str) -> Result<UserId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let file = ContextFile::lock()?;
    let mut logins = file.contexts.logins.iter();
    match logins.find(|(name, login)| *name == text || login.user.handle == text) {
        Some((_, login)) => Ok(login.user.id),
        None => bail!("find the user {text}: no kept login has this name, so give the user id"),
    }
}

/// Finds users.
pub(crate) fn users(texts: &[String]) -> Result<Vec<UserId>> {
    texts.iter().map(|text| user(text)).collect()
}
