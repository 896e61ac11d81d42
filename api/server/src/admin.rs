//! `rookery admin`: what an operator asks a running server, over its admin listener.

use crate::cli::{AdminAction, AdminArgs, Output};
use crate::context::admin_url;
use crate::office::{self, operator_token};
use crate::output::{harmless, line};
use crate::session::block_on;
use anyhow::{Context, Result, bail};
use http::Method;
use rookery_actors::{
    HotRoom, HotRooms, LinkState, NodeStanding, NodesStanding, RoomStanding, RoomsStanding,
};
use rookery_api::{ChooseLog, Drain, DrainStanding, LogStanding};
use rookery_client::{HttpClient, HttpError};
use rookery_engine::bus::Peer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked whether a node that drains is gone.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Runs one of them.
pub(crate) fn run(action: AdminAction, args: &AdminArgs) -> Result<()> {
    block_on(async {
        let url = admin_url(args.url.as_deref());
        let mut http = HttpClient::new(url.parse()?);
        match action {
            AdminAction::Nodes => nodes(&mut http, args.output).await,
            AdminAction::Rooms { room: Some(room), .. } => {
                let room: RoomStanding = get(&mut http, &format!("/admin/rooms/{room}")).await?;
                args.output.print(&room, of_room(&room))
            }
            AdminAction::Rooms { room: None, limit, hot: true } => {
                hot_rooms(&mut http, limit, args.output).await
            }
            AdminAction::Rooms { room: None, limit, .. } => rooms(&mut http, limit, args.output).await,
            AdminAction::Log { filter: None, reset: false, .. } => log(&mut http, None, args).await,
            AdminAction::Log { filter, time: for_seconds, reason, .. } => {
                log(&mut http, Some(ChooseLog { filter, for_seconds, reason }), args).await
            }
            AdminAction::Office(action) => office::run(&mut http, &action, args).await,
            AdminAction::Drain { reason, no_wait } => {
                drain(&mut http, &Drain { reason }, !no_wait, args).await
            }
        }
    })
}

async fn nodes(http: &mut HttpClient, output: Output) -> Result<()> {
    let standing: NodesStanding = get(http, "/admin/nodes").await?;
    for node in &standing.nodes {
        output.print(node, of_node(node))?;
    }
    if !standing.is_connected {
        eprintln!("the bus is away: this is what was known last");
    }
    Ok(())
}

async fn rooms(http: &mut HttpClient, limit: u16, output: Output) -> Result<()> {
    let standing: RoomsStanding = get(http, &format!("/admin/rooms?limit={limit}")).await?;
    for room in &standing.rooms {
        output.print(room, of_room(room))?;
    }
    eprintln!("{} rooms are active here, {} are heard", standing.active, standing.heard);
    Ok(())
}

/// Says which lines the log has, after choosing them where that is asked for.
async fn log(http: &mut HttpClient, choice: Option<ChooseLog>, args: &AdminArgs) -> Result<()> {
    let standing: LogStanding = match choice {
        None => get(http, "/admin/log").await?,
        Some(choice) => act(http, Method::PUT, "/admin/log", &choice, args).await?,
    };
    let time = standing.for_seconds.map(|seconds| format!("  for {seconds} s more")).unwrap_or_default();
    let (filter, configured) = (harmless(&standing.filter), harmless(&standing.configured));
    args.output.print(&standing, format_args!("{filter}{time}  (configured: {configured})"))
}

async fn hot_rooms(http: &mut HttpClient, limit: u16, output: Output) -> Result<()> {
    let hot: HotRooms = get(http, &format!("/admin/rooms/hot?limit={limit}")).await?;
    for room in &hot.rooms {
        let HotRoom { room: id, events_per_second, deliveries_per_second, listeners } = room;
        let text = format_args!(
            "{id}  {events_per_second:.2} events/s  {deliveries_per_second:.2} deliveries/s  {listeners} listeners"
        );
        output.print(room, text)?;
    }
    Ok(())
}

/// Has the node drain, and waits until nobody takes connections at its admin listener any more.
async fn drain(http: &mut HttpClient, asked: &Drain, waits: bool, args: &AdminArgs) -> Result<()> {
    let output = args.output;
    let begun: DrainStanding = act(http, Method::POST, "/admin/drain", asked, args).await?;
    output.print(&begun, format_args!("draining {} connections", begun.connections))?;
    if !waits {
        return Ok(());
    }
    let until = Instant::now() + Duration::from_millis(begun.within_ms);
    let mut left = begun.connections;
    loop {
        sleep(LOOK_EVERY).await;
        match get::<NodesStanding>(http, "/admin/nodes").await {
            Ok(standing) => {
                let itself = standing.nodes.iter().find(|node| node.link == LinkState::Itself);
                let now = itself.map_or(0, |node| node.peer.connections);
                if output == Output::Text && now != left {
                    line(format_args!("{now} connections left"))?;
                    left = now;
                }
            }
            Err(error) if is_gone(&error) => return Ok(()),
            // It stops to answer before its process ends.
            Err(_) => {}
        }
        if Instant::now() > until {
            bail!("have the node end within {} ms: it still takes connections", begun.within_ms);
        }
    }
}

async fn get<T: DeserializeOwned>(http: &mut HttpClient, path: &str) -> Result<T> {
    let server = http.server().to_string();
    let answer = http.request(Method::GET, path, None, None::<&()>).await.and_then(|answer| answer.json());
    answer.with_context(|| format!("ask {server}"))
}

/// Has a node do something, by the signing key where there is one, so that the audit log says that its operator asked.
async fn act<T: DeserializeOwned>(
    http: &mut HttpClient,
    method: Method,
    path: &str,
    body: &impl Serialize,
    args: &AdminArgs,
) -> Result<T> {
    let server = http.server().to_string();
    let token = operator_token(args).ok().flatten();
    let answer = http.request(method, path, token.as_deref(), Some(body)).await;
    answer.and_then(|answer| answer.json()).with_context(|| format!("ask {server}"))
}

fn is_gone(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(HttpError::Connect(_)))
}

fn of_node(node: &NodeStanding) -> String {
    let Peer { id, name, url, connections, capacity, is_draining } = &node.peer;
    let link = match node.link {
        LinkState::Itself => "itself",
        LinkState::Good => "good",
        LinkState::Doubtful => "doubtful",
        LinkState::Silent => "silent",
    };
    let state = if *is_draining { "draining" } else { "serving" };
    let (name, url) = (harmless(name), harmless(if url.is_empty() { "-" } else { url }));
    format!("{name}  {state}  link {link}  {connections} of {capacity} connections  {url}  {}", id.0)
}

fn of_room(room: &RoomStanding) -> String {
    let RoomStanding { room, is_active, listeners, told, home_name, is_stand_in, followers, .. } = room;
    let home = harmless(home_name);
    let stands_in = if *is_stand_in { " (stands in)" } else { "" };
    let active = if *is_active { "active" } else { "asleep" };
    let followers = followers.len();
    format!(
        "{room}  home {home}{stands_in}  {active}  {listeners} listeners  at {told}  {followers} nodes follow"
    )
}
