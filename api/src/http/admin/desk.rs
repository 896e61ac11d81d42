//! `/admin/audit`, `/admin/jobs`, `/admin/statistics`: what was done, what is asked for, how the server is used.

use super::people::existing;
use super::{Paged, note, paged, unread};
use crate::call::Call;
use crate::docket::Known;
use crate::office::{Actor, Because, Job, JobKind, Office};
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::{Handler, Reach, Route};
use http::StatusCode;
use rookery_engine::blobs::BlobError;
use rookery_protocol::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io;

/// Lists what was done, the newest first.
pub(crate) const AUDIT: Route =
    Route::get("/admin/audit", "adminAudit", Handler::Admin(|call, _| Box::pin(audit(call))))
        .reach(Reach::Admin);

/// Lists jobs, the newest first.
pub(crate) const JOBS: Route =
    Route::get("/admin/jobs", "adminJobs", Handler::Admin(|call, _| Box::pin(jobs(call))))
        .reach(Reach::Admin);

/// Shows a job.
pub(crate) const JOB: Route =
    Route::get("/admin/jobs/{job}", "adminJob", Handler::Admin(|call, _| Box::pin(job(call))))
        .reach(Reach::Admin);

/// Gives the archive that an export has made.
pub(crate) const ARCHIVE: Route = Route::get(
    "/admin/jobs/{job}/archive",
    "adminArchive",
    Handler::Admin(|call, who| Box::pin(archive(call, who))),
)
.reach(Reach::Admin);

/// Has everything about a user written into one archive.
pub(crate) const EXPORT: Route = Route::post(
    "/admin/users/{user}/export",
    "adminExport",
    Handler::Admin(|call, who| Box::pin(begin(call, who, JobKind::Export))),
)
.reach(Reach::Admin);

/// Has a user taken out of the store.
pub(crate) const ERASE: Route = Route::post(
    "/admin/users/{user}/erase",
    "adminErase",
    Handler::Admin(|call, who| Box::pin(begin(call, who, JobKind::Erase))),
)
.reach(Reach::Admin);

/// Tells how the server is used.
pub(crate) const STATISTICS: Route =
    Route::get("/admin/statistics", "adminStatistics", Handler::Admin(|call, _| Box::pin(statistics(call))))
        .reach(Reach::Admin);

/// Takes word of something that was paid: what `revenue` in the statistics adds up.
pub(crate) const REVENUE: Route =
    Route::post("/admin/revenue", "adminRevenue", Handler::Admin(|call, who| Box::pin(revenue(call, who))))
        .reach(Reach::Admin);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paid {
    /// In the smallest unit of the currency; less than 0 for what was paid back.
    amount: i64,
    /// What for, where that is to be in the audit log.
    #[serde(default)]
    reason: Option<String>,
}

async fn audit(call: Call) -> Result<Answer, Problem> {
    let Paged { before, limit } = paged(&call)?;
    let page = call.edge.office.audit(before, limit).await.map_err(unread)?;
    Ok(listed("entries", &page, limit))
}

async fn jobs(call: Call) -> Result<Answer, Problem> {
    let Paged { before, limit } = paged(&call)?;
    let page = call.edge.office.jobs(before, limit).await.map_err(unread)?;
    Ok(listed("jobs", &page, limit))
}

async fn job(call: Call) -> Result<Answer, Problem> {
    Ok(respond::json(StatusCode::OK, &with_id(&found(&call).await?)))
}

async fn found(call: &Call) -> Result<Known<Job>, Problem> {
    let job = call.edge.office.find_job(call.path("job")?).await.map_err(unread)?;
    job.ok_or_else(|| Problem::new(ErrorCode::NotFound, "there is no such job"))
}

async fn archive(call: Call, who: Actor) -> Result<Answer, Problem> {
    let job = found(&call).await?;
    let none = || Problem::new(ErrorCode::NotFound, "the job has no archive, not yet, or not any more");
    if job.what.kind != JobKind::Export || job.what.done_at.is_none() || job.what.gone_at.is_some() {
        return Err(none());
    }
    note(&call, who, ("archive.read", job.what.user.to_string()), "the archive was fetched").await?;
    let bytes = call.edge.office.archive(job.id, job.what.count).await.map_err(|error| match error {
        BlobError::NotFound => none(),
        _ => Problem::new(ErrorCode::StoreUnavailable, "nothing can be read at the moment"),
    })?;
    Ok(respond::streamed(
        StatusCode::OK,
        "application/x-ndjson",
        http_body_util::StreamBody::new(futures_util::StreamExt::map(bytes, |piece| {
            piece.map(hyper::body::Frame::data).map_err(io::Error::other)
        })),
    ))
}

async fn begin(mut call: Call, who: Actor, kind: JobKind) -> Result<Answer, Problem> {
    let user = existing(&call).await?;
    let reason = call.json::<Because>().await?.reason()?;
    let did = match kind {
        JobKind::Export => "user.export",
        JobKind::Erase => "user.erase",
    };
    note(&call, who, (did, user.to_string()), &reason).await?;
    let job = Job::new(kind, user, who.name(), call.edge.node.clock().now());
    let id = call.edge.office.begin_job(&job).await.map_err(unread)?;
    Ok(respond::json(StatusCode::ACCEPTED, &json!({ "id": id, "job": job })))
}

async fn statistics(call: Call) -> Result<Answer, Problem> {
    Office::write_tally(&call.edge.office).await.map_err(unread)?;
    let told = call.edge.office.statistics().await.map_err(unread)?;
    Ok(respond::json(StatusCode::OK, &told))
}

async fn revenue(mut call: Call, who: Actor) -> Result<Answer, Problem> {
    let Paid { amount, reason } = call.json().await?;
    let reason = reason.map(crate::office::checked).transpose()?.unwrap_or_default();
    note(&call, who, ("revenue.count", amount.to_string()), &reason).await?;
    call.edge.office.tally.count(call.edge.node.clock().now(), |happened| {
        happened.revenue_events += 1;
        happened.revenue = happened.revenue.saturating_add(amount);
    });
    Ok(respond::json(StatusCode::ACCEPTED, &json!({})))
}

pub(super) fn with_id<T: Serialize>(known: &Known<T>) -> Value {
    let mut told = serde_json::to_value(&known.what).unwrap_or_default();
    told["id"] = json!(known.id);
    told
}

fn listed<T: Serialize>(name: &str, page: &[Known<T>], limit: usize) -> Answer {
    let next = page.last().filter(|_| page.len() == limit).map(|last| last.id);
    let page: Vec<_> = page.iter().map(with_id).collect();
    respond::json(StatusCode::OK, &json!({ name: page, "next": next }))
}
