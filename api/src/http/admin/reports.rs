//! `/admin/reports`: what users have reported, what it is about, and what is done about it.

use super::desk::with_id;
use super::{Paged, note, paged, unread};
use crate::accounts::Ban;
use crate::call::Call;
use crate::docket::Known;
use crate::office::{Action, Actor, Closed, Report};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_protocol::{ErrorCode, RoomId, Seq, Timestamp, UserId};
use serde::Deserialize;
use serde_json::json;
use std::str::FromStr;
use uuid::Uuid;

/// Lists reports, the newest first; `?state` says whether only those that are open, or closed.
pub(crate) const LIST: Route =
    Route::get("/admin/reports", "adminReports", Handler::Admin(|call, _| Box::pin(list(call))))
        .reach(Reach::Admin);

const PATH: &str = "/admin/reports/{report}";

/// Shows a report with what it is about.
pub(crate) const SHOW: Route =
    Route::get(PATH, "adminReport", Handler::Admin(|call, who| Box::pin(show(call, who))))
        .reach(Reach::Admin);

/// Does something about a report, and closes it.
pub(crate) const CLOSE: Route =
    Route::put(PATH, "adminCloseReport", Handler::Admin(|call, who| Box::pin(close(call, who))))
        .reach(Reach::Admin);

/// The body of `PUT /admin/reports/{report}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    action: Action,
    reason: String,
    /// Until when a ban holds; for good without it.
    #[serde(default)]
    until: Option<Timestamp>,
}

/// Which reports are listed.
#[derive(Clone, Copy)]
enum State {
    Open,
    Closed,
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            _ => Err(()),
        }
    }
}

/// What is done to what.
enum Step {
    Nothing,
    RemoveMessage(RoomId, Seq),
    RemoveMember(RoomId, UserId),
    Ban(UserId),
    CloseRoom(RoomId),
}

impl Step {
    /// Returns what it is done to, for the audit log.
    fn whom(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::RemoveMessage(room, seq) => format!(" {room} {seq}"),
            Self::RemoveMember(room, user) => format!(" {room} {user}"),
            Self::Ban(user) => format!(" {user}"),
            Self::CloseRoom(room) => format!(" {room}"),
        }
    }
}

async fn list(call: Call) -> Result<Answer, Problem> {
    let Paged { before, limit } = paged(&call)?;
    let is_open = call.query("state")?.map(|state| matches!(state, State::Open));
    let page = call.edge.office.reports(is_open, before, limit).await.map_err(unread)?;
    let reports: Vec<_> = page.found.iter().map(with_id).collect();
    Ok(respond::json(StatusCode::OK, &json!({ "reports": reports, "next": page.next })))
}

async fn found(call: &Call) -> Result<Known<Report>, Problem> {
    let id: Uuid = call.path("report")?;
    let known = call.edge.office.find_report(id).await.map_err(unread)?;
    known.ok_or_else(|| Problem::new(ErrorCode::NotFound, "there is no such report"))
}

async fn show(call: Call, who: Actor) -> Result<Answer, Problem> {
    let known = found(&call).await?;
    // Whoever reads what others wrote to each other leaves that in the log too.
    note(&call, who, ("report.read", known.id.to_string()), "the report was read").await?;
    let context = call.edge.office.context(&known.what.about).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &json!({ "report": with_id(&known), "context": context })))
}

async fn close(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let mut known = found(&call).await?;
    let Decision { action, reason, until } = call.json().await?;
    let reason = crate::office::checked(reason)?;
    let step = step(&call, &known.what, action).await?;
    if known.what.closed.is_some() {
        return Err(Problem::new(ErrorCode::Conflict, "the report is closed"));
    }
    let word = serde_json::to_value(action).unwrap_or_default();
    let whom = format!("{} {}{}", known.id, word.as_str().unwrap_or_default(), step.whom());
    note(&call, who, ("report.close", whom), &reason).await?;
    // Closed first, so that of two who do something about it one does.
    let closed = Closed { at: call.edge.node.clock().now(), by: who.name(), action, reason };
    let ban = Ban { at: closed.at, until, reason: closed.reason.clone() };
    if !call.edge.office.close_report(&mut known, Some(closed)).await.map_err(unread)? {
        return Err(Problem::new(ErrorCode::Conflict, "somebody else has closed it meanwhile"));
    }
    if let Err(problem) = act(&call, step, ban).await {
        let opened = call.edge.office.close_report(&mut known, None).await;
        if !matches!(opened, Ok(true)) {
            tracing::warn!(report = %known.id, "a report is closed although what was to be done is not");
        }
        return Err(problem);
    }
    Ok(respond::json(StatusCode::OK, &with_id(&known)))
}

/// Finds out what `action` comes to for what the report is about.
async fn step(call: &Call, report: &Report, action: Action) -> Result<Step, Problem> {
    let about = &report.about;
    let user = match action {
        Action::RemoveMember | Action::Ban => call.edge.office.reported_user(about).await.map_err(unread)?,
        _ => None,
    };
    let step = match (action, about.room, about.seq, user) {
        (Action::Dismiss | Action::Other, ..) => Some(Step::Nothing),
        (Action::RemoveMessage, Some(room), Some(seq), _) => Some(Step::RemoveMessage(room, seq)),
        (Action::RemoveMember, Some(room), _, Some(user)) => Some(Step::RemoveMember(room, user)),
        (Action::Ban, _, _, Some(user)) => Some(Step::Ban(user)),
        (Action::CloseRoom, Some(room), ..) => Some(Step::CloseRoom(room)),
        _ => None,
    };
    step.ok_or_else(|| Problem::field("action", "the report is not about what this is done to"))
}

async fn act(call: &Call, step: Step, ban: Ban) -> Result<(), Problem> {
    let office = &call.edge.office;
    match step {
        Step::Nothing => {}
        Step::RemoveMessage(room, seq) => match office.take_down(room, seq).await {
            // Its author, or somebody else, was faster.
            Err(error) if error.code == ErrorCode::NotFound => {}
            done => done?,
        },
        Step::RemoveMember(room, user) => match call.edge.node.expel(room, user).await {
            Err(error) if error.code == ErrorCode::NotFound => {}
            done => done?,
        },
        Step::Ban(user) => office.ban(user, ban).await.map(drop).map_err(unread)?,
        Step::CloseRoom(room) => call.edge.node.close_room(room).await?,
    }
    Ok(())
}
