//! `/admin/…`: what an operator asks a node, and tells it to do. On the operators' listener only.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_actors::CLOSES_WITHIN;
use serde::{Deserialize, Serialize};
use std::future::ready;

/// Rooms that are listed where no number is asked for.
const ROOMS: usize = 20;

/// Rooms that are listed at most.
const ROOMS_AT_MOST: usize = 1000;

/// Who else is there.
pub(crate) const NODES: Route =
    Route::get("/admin/nodes", "adminNodes", Handler::Public(|call| Box::pin(ready(Ok(nodes(&call))))))
        .reach(Reach::Admin);

/// The rooms with the most listeners; `?limit` says how many.
pub(crate) const ROOMS_HEARD: Route =
    Route::get("/admin/rooms", "adminRooms", Handler::Public(|call| Box::pin(ready(rooms(&call)))))
        .reach(Reach::Admin);

/// The rooms in which the most goes on; `?limit` says how many.
pub(crate) const ROOMS_HOT: Route = Route::get(
    "/admin/rooms/hot",
    "adminHotRooms",
    Handler::Public(|call| Box::pin(ready(hot_rooms(&call)))),
)
.reach(Reach::Admin);

/// Where one room is ordered, and who hears it.
pub(crate) const ROOM: Route =
    Route::get("/admin/rooms/{room}", "adminRoom", Handler::Public(|call| Box::pin(ready(room(&call)))))
        .reach(Reach::Admin);

/// Drains the node, as SIGTERM does; the process ends then. Asked twice it drains once.
pub(crate) const DRAIN: Route =
    Route::post("/admin/drain", "adminDrain", Handler::Public(|call| Box::pin(drain(call))))
        .reach(Reach::Admin);

/// The body of `POST /admin/drain`: an object, so that no form of another site drains a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drain {}

/// What a drain begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainStanding {
    /// Connections that are going to be sent away.
    pub connections: u64,
    /// Milliseconds within which the process ends.
    pub within_ms: u64,
}

fn nodes(call: &Call) -> Answer {
    respond::json(StatusCode::OK, &call.edge.node.nodes())
}

fn rooms(call: &Call) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &call.edge.node.rooms(limit(call)?)))
}

fn hot_rooms(call: &Call) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &call.edge.node.hot_rooms(limit(call)?)))
}

fn limit(call: &Call) -> Result<usize, Problem> {
    let limit = call.query("limit")?.unwrap_or(ROOMS);
    if !(1..=ROOMS_AT_MOST).contains(&limit) {
        return Err(Problem::field("limit", "is from 1 to 1000"));
    }
    Ok(limit)
}

fn room(call: &Call) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &call.edge.node.room(call.path("room")?)))
}

async fn drain(mut call: Call) -> Result<Answer, Problem> {
    let Drain {} = call.json().await?;
    let (edge, server) = (&call.edge, &call.edge.config.server);
    let connections = u64::try_from(edge.node.connections().len()).unwrap_or(u64::MAX);
    let within_ms = u64::try_from((server.drain_delay + server.drain_grace + CLOSES_WITHIN).as_millis())
        .unwrap_or(u64::MAX);
    edge.ask_to_drain();
    Ok(respond::json(StatusCode::ACCEPTED, &DrainStanding { connections, within_ms }))
}
