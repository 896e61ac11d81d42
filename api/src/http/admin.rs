//! `/admin/…`: what an operator asks a node, and tells it to do. On the operators' listener only.

pub(crate) mod desk;
pub(crate) mod moderation;
pub(crate) mod people;
pub(crate) mod reports;

use crate::accounts::unavailable;
use crate::call::Call;
use crate::office::{Actor, Deed};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_actors::CLOSES_WITHIN;
use serde::{Deserialize, Serialize};
use std::future::ready;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

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

/// Which lines the log has.
pub(crate) const LOG: Route =
    Route::get("/admin/log", "adminLog", Handler::Public(|call| Box::pin(ready(Ok(log(&call))))))
        .reach(Reach::Admin);

/// Chooses which lines the log has, for a while or until something else is chosen.
pub(crate) const CHOOSE_LOG: Route =
    Route::put("/admin/log", "adminChooseLog", Handler::Public(|call| Box::pin(choose_log(call))))
        .reach(Reach::Admin);

/// How long a node that is drained, or whose log is looked at, waits for the audit log: both are done where the store is
/// the trouble.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

/// Characters of a filter that stand in the audit log.
const FILTER_CHARS: usize = 200;

/// The longest time for which lines are chosen: a day.
const LOG_SECONDS_AT_MOST: u64 = 24 * 60 * 60;

/// The body of `PUT /admin/log`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChooseLog {
    /// Levels and targets with theirs, as `log.filter`; without it, what the configuration says.
    pub filter: Option<String>,
    /// For how many seconds, 1 to 86,400; without it, until something else is chosen or the server reloads.
    pub for_seconds: Option<u64>,
    /// Why, for the audit log: 1 to 1000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The body of `POST /admin/drain`: an object, so that no form of another site drains a node.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// Why, for the audit log: 1 to 1000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a drain begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainStanding {
    /// Connections that are going to be sent away.
    pub connections: u64,
    /// Milliseconds within which the process ends.
    pub within_ms: u64,
}

/// Which page of a listing is asked for.
struct Paged {
    before: Option<Uuid>,
    limit: usize,
}

/// Reads `?before`, the `next` of the page before, and `?limit`.
fn paged(call: &Call) -> Result<Paged, Problem> {
    Ok(Paged { before: call.query("before")?, limit: limit(call)? })
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unread(error: rookery_engine::store::StoreError) -> Problem {
    unavailable(&error).into()
}

/// Writes down what is about to be done: what cannot be written down is not done.
async fn note(
    call: &Call,
    who: Actor,
    (did, whom): (&'static str, String),
    reason: &str,
) -> Result<(), Problem> {
    let deed = Deed { did, whom, reason: reason.to_owned() };
    let id = call.edge.office.note(who, deed).await.map_err(unread)?;
    if let Some(line) = &call.line {
        // A call that does two things tells what came of the first.
        let _first = line.get_or_init(|| id);
    }
    Ok(())
}

/// Writes down what is done all the same where it cannot be written down: the log of the process has it then.
async fn note_where_possible(
    call: &Call,
    (did, whom): (&'static str, String),
    reason: Option<String>,
) -> Result<(), Problem> {
    let reason = reason.map(crate::office::checked).transpose()?.unwrap_or_default();
    let noting = async {
        let who = Actor::named(&call.edge, call.headers(), call.from()).await;
        note(call, who, (did, whom.clone()), &reason).await
    };
    if !matches!(timeout(NOTED_WITHIN, noting).await, Ok(Ok(()))) {
        tracing::warn!(did, whom, from = %call.from(), "this is done and is not in the audit log");
    }
    Ok(())
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
    let Drain { reason } = call.json().await?;
    let node = call.edge.node.name().to_owned();
    note_where_possible(&call, ("node.drain", node), reason).await?;
    let (edge, config) = (&call.edge, call.edge.config());
    let server = &config.server;
    let connections = u64::try_from(edge.node.connections().len()).unwrap_or(u64::MAX);
    let within_ms = u64::try_from((server.drain_delay + server.drain_grace + CLOSES_WITHIN).as_millis())
        .unwrap_or(u64::MAX);
    edge.ask_to_drain();
    Ok(respond::json(StatusCode::ACCEPTED, &DrainStanding { connections, within_ms }))
}

fn log(call: &Call) -> Answer {
    respond::json(StatusCode::OK, &call.edge.log.standing())
}

async fn choose_log(mut call: Call) -> Result<Answer, Problem> {
    let ChooseLog { filter, for_seconds, reason } = call.json().await?;
    if for_seconds.is_some_and(|seconds| !(1..=LOG_SECONDS_AT_MOST).contains(&seconds)) {
        return Err(Problem::field("for_seconds", "is from 1 to 86400"));
    }
    let chosen: String = filter.as_deref().unwrap_or("as configured").chars().take(FILTER_CHARS).collect();
    note_where_possible(&call, ("log.choose", format!("{} {chosen}", call.edge.node.name())), reason).await?;
    let log = &call.edge.log;
    let chosen = match filter {
        Some(filter) => log.choose(filter, for_seconds.map(Duration::from_secs), call.edge.node.tasks()),
        None => log.as_configured(None),
    };
    chosen.map_err(|error| Problem::field("filter", error.to_string()))?;
    Ok(respond::json(StatusCode::OK, &log.standing()))
}
