//! `rookery rooms`: list, create, direct, add.

use crate::cli::{Connection, Output, RoomsAction};
use crate::output::harmless;
use crate::resolve;
use crate::session::{Session, block_on};
use anyhow::{Context, Result};
use http::Method;
use rookery_engine::{Clock, SystemClock, SystemRandom, uuid_v7};
use rookery_protocol::{ClientId, MemberAdd, Room, RoomCreate, RoomDirect, RoomKind, Written};

/// Runs one of the four; listing when none is named.
pub(crate) fn run(action: Option<RoomsAction>, connection: &Connection) -> Result<()> {
    block_on(async {
        let mut session = Session::open(connection)?;
        match action.unwrap_or(RoomsAction::List) {
            RoomsAction::List => {
                for room in resolve::rooms(&mut session).await? {
                    print(connection.output, &room)?;
                }
                Ok(())
            }
            RoomsAction::Create { title, members } => {
                let members = resolve::users(&members)?;
                let client_id = ClientId(uuid_v7(SystemClock::new().now(), &SystemRandom));
                let create = RoomCreate { client_id, kind: RoomKind::Group, title, members };
                let room =
                    session.ask(Method::POST, "/v1/rooms", Some(&create)).await.context("make the room")?;
                print(connection.output, &room)
            }
            RoomsAction::Direct { user } => {
                let direct = RoomDirect { user: resolve::user(&user)? };
                let made = session.ask(Method::POST, "/v1/rooms/direct", Some(&direct)).await;
                print(connection.output, &made.context("open the direct room")?)
            }
            RoomsAction::Add { room, users } => {
                let room = resolve::room(&mut session, &room).await?.id;
                let add = MemberAdd { room, users: resolve::users(&users)?, role: None };
                let path = format!("/v1/rooms/{room}/members");
                let added: Written =
                    session.ask(Method::POST, &path, Some(&add)).await.context("add the members")?;
                connection.output.print(&added, format_args!("added, at position {}", added.seq))
            }
        }
    })
}

fn print(output: Output, room: &Room) -> Result<()> {
    let title = room.title.as_deref().map_or_else(|| "(direct)".to_owned(), harmless);
    let (members, unread) = (room.members, room.me.unread);
    output.print(room, format_args!("{}  {title}  {members} members  {unread} unread", room.id))
}
