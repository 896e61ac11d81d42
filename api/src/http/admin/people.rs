//! `/admin/users/…`, `/admin/bans`, `/admin/admins/…`: users, their logins, and who is barred.

use super::{Paged, note, paged, unread};
use crate::accounts::Ban;
use crate::call::Call;
use crate::office::{Actor, Because};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::{Method, StatusCode};
use rookery_protocol::{CloseCode, ErrorCode, SessionId, Timestamp, UserId};
use serde::Deserialize;
use serde_json::json;

/// Finds users: `?query` is the beginning of a handle, or an address.
pub(crate) const FIND: Route =
    Route::get("/admin/users", "adminFindUsers", Handler::Admin(|call, _| Box::pin(find(call))))
        .reach(Reach::Admin);

/// Shows a user.
pub(crate) const SHOW: Route =
    Route::get("/admin/users/{user}", "adminUser", Handler::Admin(|call, _| Box::pin(show(call))))
        .reach(Reach::Admin);

const BAN_PATH: &str = "/admin/users/{user}/ban";

/// Bars a user, for good or until a moment.
pub(crate) const BAN: Route =
    Route::put(BAN_PATH, "adminBan", Handler::Admin(|call, who| Box::pin(ban(call, who))))
        .reach(Reach::Admin);

/// Lets a user in again.
pub(crate) const UNBAN: Route =
    Route::delete(BAN_PATH, "adminUnban", Handler::Admin(|call, who| Box::pin(unban(call, who))))
        .reach(Reach::Admin);

/// Lists who is barred.
pub(crate) const BANS: Route =
    Route::get("/admin/bans", "adminBans", Handler::Admin(|call, _| Box::pin(bans(call))))
        .reach(Reach::Admin);

const LOGINS_PATH: &str = "/admin/users/{user}/sessions";

/// Lists the logins of a user.
pub(crate) const LOGINS: Route =
    Route::get(LOGINS_PATH, "adminSessions", Handler::Admin(|call, _| Box::pin(logins(call))))
        .reach(Reach::Admin);

/// Ends all of them.
pub(crate) const END_LOGINS: Route = Route::delete(
    LOGINS_PATH,
    "adminEndSessions",
    Handler::Admin(|call, who| Box::pin(end_logins(call, who))),
)
.reach(Reach::Admin);

/// Ends one.
pub(crate) const END_LOGIN: Route = Route::delete(
    "/admin/users/{user}/sessions/{session}",
    "adminEndSession",
    Handler::Admin(|call, who| Box::pin(end_login(call, who))),
)
.reach(Reach::Admin);

const ADMIN_PATH: &str = "/admin/admins/{user}";

/// Makes a user an admin of the server. For operators.
pub(crate) const GRANT: Route =
    Route::put(ADMIN_PATH, "adminGrant", Handler::Admin(|call, who| Box::pin(set_admin(call, who))))
        .reach(Reach::Admin);

/// Makes it one no more. For operators.
pub(crate) const WITHDRAW: Route =
    Route::delete(ADMIN_PATH, "adminWithdraw", Handler::Admin(|call, who| Box::pin(set_admin(call, who))))
        .reach(Reach::Admin);

/// The body of a ban.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BanBody {
    reason: String,
    /// Until when; for good without it.
    #[serde(default)]
    until: Option<Timestamp>,
}

async fn find(call: Call) -> Result<Answer, Problem> {
    let Paged { limit, .. } = paged(&call)?;
    let query: String =
        call.query("query")?.ok_or_else(|| Problem::field("query", "a handle or an address"))?;
    let people = call.edge.office.find_people(&query, limit).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &json!({ "users": people })))
}

async fn show(call: Call) -> Result<Answer, Problem> {
    let person = call.edge.office.person(call.path("user")?).await.map_err(unread)?;
    let person = person.ok_or_else(no_such_user)?;
    Ok(respond::json(StatusCode::OK, &person))
}

async fn ban(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let user = existing(&call).await?;
    let BanBody { reason, until } = call.json().await?;
    let reason = crate::office::checked(reason)?;
    let office = &call.edge.office;
    note(&call, who, ("user.ban", user.to_string()), &reason).await?;
    let at = call.edge.node.clock().now();
    let standing = office.ban(user, Ban { at, until, reason }).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &standing))
}

async fn unban(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let user = existing(&call).await?;
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("user.unban", user.to_string()), &reason).await?;
    let standing = call.edge.office.unban(user).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &standing))
}

async fn bans(call: Call) -> Result<Answer, Problem> {
    let Paged { before, limit } = paged(&call)?;
    let (barred, next) = call.edge.office.banned(before, limit).await.map_err(unread)?;
    let barred = barred.into_iter().map(|(user, standing)| json!({ "user": user, "standing": standing }));
    Ok(respond::json(StatusCode::OK, &json!({ "bans": barred.collect::<Vec<_>>(), "next": next })))
}

async fn logins(call: Call) -> Result<Answer, Problem> {
    let logins = call.edge.office.logins(existing(&call).await?).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &json!({ "sessions": logins })))
}

async fn end_logins(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let user = existing(&call).await?;
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("sessions.end", user.to_string()), &reason).await?;
    call.edge.office.end_logins(user, CloseCode::SessionRevoked).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &json!({})))
}

async fn end_login(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let (user, session): (UserId, SessionId) = (existing(&call).await?, call.path("session")?);
    let reason = call.json::<Because>().await?.reason()?;
    note(&call, who, ("session.end", format!("{user} {session}")), &reason).await?;
    if call.edge.office.end_login(user, session).await.map_err(unread)? {
        return Ok(respond::json(StatusCode::OK, &json!({})));
    }
    Err(Problem::new(ErrorCode::NotFound, "the user has no such login"))
}

async fn set_admin(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    who.must_operate()?;
    let user = existing(&call).await?;
    let reason = call.json::<Because>().await?.reason()?;
    let is_admin = *call.request.method() == Method::PUT;
    let did = if is_admin { "admin.grant" } else { "admin.withdraw" };
    note(&call, who, (did, user.to_string()), &reason).await?;
    let standing = call.edge.office.set_admin(user, is_admin).await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &standing))
}

/// Returns the user of the path, who must be there.
pub(super) async fn existing(call: &Call) -> Result<UserId, Problem> {
    let user = call.path("user")?;
    if call.edge.office.exists(user).await.map_err(unread)? { Ok(user) } else { Err(no_such_user()) }
}

fn no_such_user() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is no such user")
}
