//! `GET /livez`, `/readyz`, `/healthz`, `/health`: for whatever restarts this process or sends it traffic.
//!
//! Machines read the status; people add `?verbose` and get a line a check, or ask for JSON.

use crate::call::Call;
use crate::edge::Edge;
use crate::query;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Reach, Route};
use http::{StatusCode, header};
use rookery_actors::Check;
use serde::Serialize;
use std::fmt::Write;
use std::future::ready;

/// The process runs: it answers, and its one timer looks around. Nothing else is asked, because a restart mends
/// nothing else.
pub(crate) const LIVE: Route =
    Route::get("/livez", "live", Handler::Public(|call| Box::pin(ready(Ok(live(&call))))))
        .reach(Reach::Both)
        .about(Tag::Probes, "Says that the process runs")
        .query::<String>("verbose", "A line for each check.")
        .gives_as::<String>(200, "text/plain")
        .gives_as::<String>(503, "text/plain");

/// The node takes work.
pub(crate) const READY: Route =
    Route::get("/readyz", "ready", Handler::Public(|call| Box::pin(ready(Ok(is_ready(&call))))))
        .reach(Reach::Both)
        .about(Tag::Probes, "Says whether the node takes work")
        .query::<String>("verbose", "A line for each check.")
        .gives_as::<String>(200, "text/plain")
        .gives_as::<String>(503, "text/plain");

/// Another name of `/readyz`.
pub(crate) const HEALTH: Route =
    Route::get("/health", "healthAlias", Handler::Public(|call| Box::pin(ready(Ok(is_ready(&call))))))
        .reach(Reach::Both)
        .about(Tag::Probes, "Says the same under the name that other servers have for it")
        .query::<String>("verbose", "A line for each check.")
        .gives_as::<String>(200, "text/plain")
        .gives_as::<String>(503, "text/plain");

/// The older name of `/readyz`.
pub(crate) const HEALTHZ: Route =
    Route::get("/healthz", "health", Handler::Public(|call| Box::pin(ready(Ok(is_ready(&call))))))
        .reach(Reach::Both)
        .about(Tag::Probes, "Says the same under its older name")
        .query::<String>("verbose", "A line for each check.")
        .gives_as::<String>(200, "text/plain")
        .gives_as::<String>(503, "text/plain");

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    checks: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    ok: bool,
    detail: &'a str,
}

impl<'a> Line<'a> {
    fn of(check: &'a Check) -> Self {
        Self { name: check.name, ok: check.ok, detail: &check.detail }
    }
}

fn live(call: &Call) -> Answer {
    report(call, &[call.edge.node.liveness()])
}

fn is_ready(call: &Call) -> Answer {
    let mut checks = call.edge.node.readiness();
    checks.push(edge_check(&call.edge));
    report(call, &checks)
}

/// Says no from the signal on, while the node still works for who is connected.
fn edge_check(edge: &Edge) -> Check {
    let ok = !edge.is_draining();
    Check { name: "edge", ok, detail: if ok { "serving" } else { "draining" }.to_owned() }
}

fn report(call: &Call, checks: &[Check]) -> Answer {
    let ok = checks.iter().all(|check| check.ok);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accepts = call.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepts.is_some_and(|accept| accept.contains("application/json")) {
        return respond::json(status, &Report { ok, checks: checks.iter().map(Line::of).collect() });
    }
    let verbose = call.request.uri().query().is_some_and(|query| query::value(query, "verbose").is_some());
    respond::typed(status, "text/plain; charset=utf-8", text(checks, ok, verbose))
}

/// A line a check when asked for, or the failing ones; then the sum.
fn text(checks: &[Check], ok: bool, verbose: bool) -> String {
    let mut text = String::new();
    for Check { name, ok, detail } in checks.iter().filter(|check| verbose || !check.ok) {
        let (mark, word) = if *ok { ('+', "ok") } else { ('-', "failed") };
        let colon = if detail.is_empty() { "" } else { ": " };
        writeln!(text, "[{mark}]{name} {word}{colon}{detail}").expect("a string takes every write");
    }
    text.push_str(if ok { "ok\n" } else { "not ready\n" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_failed_and_all_when_asked() {
        let good = Check { name: "store", ok: true, detail: String::new() };
        let bad = Check { name: "disk", ok: false, detail: "full".to_owned() };
        let checks = [good, bad];
        assert_eq!(text(&checks, false, false), "[-]disk failed: full\nnot ready\n");
        assert_eq!(text(&checks, false, true), "[+]store ok\n[-]disk failed: full\nnot ready\n");
        assert_eq!(text(&checks[..1], true, false), "ok\n");
    }
}
