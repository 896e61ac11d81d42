//! The table agrees with itself, and the router with the table.

use super::*;
use crate::route::docs::path_parameter;
use crate::router::Router;
use http::{Method, StatusCode};
use std::collections::BTreeSet;

/// Puts an id in place of every name.
fn concrete(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x1" } else { part }).collect::<Vec<_>>().join("/")
}

fn status_of(router: &Router, method: &Method, path: &str) -> Result<&'static str, StatusCode> {
    match router.find(method, path) {
        Ok(found) => Ok(found.route.operation),
        Err(problem) => Err(problem.into_answer(path, "test").status()),
    }
}

#[test]
fn every_route_is_found_on_its_listeners_and_nowhere_else() {
    for listener in [Reach::Public, Reach::Admin] {
        let router = Router::new(ROUTES, listener);
        for route in ROUTES {
            let found = status_of(&router, &route.method, &concrete(route.path));
            let wanted = if route.is_on(listener) { Ok(route.operation) } else { Err(StatusCode::NOT_FOUND) };
            assert_eq!(found, wanted, "{} {} on {listener:?}", route.method, route.path);
        }
    }
}

#[test]
fn no_two_routes_share_a_method_and_a_path_or_a_name() {
    let places: BTreeSet<_> = ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
    assert_eq!((places.len(), names.len()), (ROUTES.len(), ROUTES.len()));
}

#[test]
fn every_public_route_says_what_it_does() {
    let mut missing = Vec::new();
    for route in ROUTES.iter().filter(|route| route.is_on(Reach::Public)) {
        let (place, docs) = (format!("{} {}", route.method, route.path), &route.docs);
        let mut lacks = |what: &str| missing.push(format!("{place}: {what}"));
        if docs.tag.is_none() || docs.summary.is_empty() || docs.summary.ends_with('.') {
            lacks("`.about(Tag::…, \"What it does, without a full stop\")` is missing or has a full stop");
        }
        if docs.gives.iter().all(Option::is_none) {
            lacks("`.gives::<Reply>(200)` or `.gives_nothing(204)` is missing");
        }
        let names = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        for name in names.filter(|name| path_parameter(name).is_none()) {
            lacks(&format!("say in `path_parameter` what {{{name}}} is"));
        }
        let takes_body = matches!(route.method, Method::POST | Method::PUT | Method::PATCH);
        if docs.takes.is_some() && !takes_body {
            lacks("a request of this method has no body");
        }
    }
    assert!(missing.is_empty(), "see api/src/route/docs.rs\n{}", missing.join("\n"));
}

#[test]
fn another_method_of_a_known_path_is_told_the_ones_there_are() {
    let router = Router::new(ROUTES, Reach::Public);
    let all = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for path in ROUTES.iter().filter(|route| route.is_on(Reach::Public)).map(|route| route.path) {
        let there: BTreeSet<_> =
            ROUTES.iter().filter(|route| route.path == path).map(|route| route.method.as_str()).collect();
        for method in all.iter().filter(|method| !there.contains(method.as_str())) {
            let problem = router.find(method, &concrete(path)).err().unwrap();
            let answer = problem.into_answer(path, "test");
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let allow = answer.headers()[http::header::ALLOW].to_str().unwrap().to_owned();
            let told: BTreeSet<_> = allow.split(", ").filter(|name| *name != "HEAD").collect();
            assert_eq!(told, there, "{method} {path}");
        }
    }
}

#[test]
fn head_is_get_and_unknown_paths_are_not_found() {
    let router = Router::new(ROUTES, Reach::Public);
    assert_eq!(status_of(&router, &Method::HEAD, "/livez"), Ok("live"));
    for path in ["/", "/v1", "/v1/rooms/", "/v1/rooms/x1/members/x2/x3", "/v2/rooms", "/livez/"] {
        assert_eq!(status_of(&router, &Method::GET, path), Err(StatusCode::NOT_FOUND), "{path}");
    }
}

#[test]
fn only_signing_in_probes_documents_and_what_takes_a_ticket_need_no_token() {
    let open = route_infos().filter(|route| !route.needs_token && route.is_public);
    let open: Vec<_> = open.map(|route| route.operation).collect();
    let wanted = [
        "register",
        "verify",
        "resendVerification",
        "login",
        "loginFactor",
        "providers",
        "beginSignIn",
        "finishSignIn",
        "registerIdentity",
        "refresh",
        "logout",
        "forgotPassword",
        "resetPassword",
        "keySet",
        "openSocket",
        "listen",
        "live",
        "ready",
        "healthAlias",
        "health",
        "version",
        "securityTxt",
        "openapi",
        "asyncapi",
        "docs",
        "docsFile",
    ];
    assert_eq!(open, wanted);
}

#[test]
fn what_operators_have_is_not_served_to_the_public() {
    let not_public = route_infos().filter(|route| !route.is_public).map(|route| route.operation);
    let wanted = [
        "metrics",
        "adminNodes",
        "adminRooms",
        "adminHotRooms",
        "adminRoom",
        "adminDrain",
        "adminLog",
        "adminChooseLog",
        "adminFindUsers",
        "adminUser",
        "adminBan",
        "adminUnban",
        "adminBans",
        "adminSessions",
        "adminEndSessions",
        "adminEndSession",
        "adminGrant",
        "adminWithdraw",
        "adminTakeDown",
        "adminExpel",
        "adminCloseRoom",
        "adminAudit",
        "adminReports",
        "adminReport",
        "adminCloseReport",
        "adminExport",
        "adminErase",
        "adminJobs",
        "adminJob",
        "adminArchive",
        "adminStatistics",
        "adminRevenue",
    ];
    assert_eq!(not_public.collect::<Vec<_>>(), wanted);
}
