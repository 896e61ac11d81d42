//! The one table of endpoints. Router, metric labels and documentation all come from it.

use crate::http as endpoint;
use crate::route::{Handler, Reach, Route};

/// Every endpoint, by what it is about.
pub(crate) static ROUTES: &[Route] = &[
    endpoint::register::ROUTE,
    endpoint::login::ROUTE,
    endpoint::refresh::ROUTE,
    endpoint::logout::ROUTE,
    endpoint::ticket::ROUTE,
    endpoint::me::ROUTE,
    endpoint::list_rooms::ROUTE,
    endpoint::create_room::ROUTE,
    endpoint::direct_room::ROUTE,
    endpoint::get_room::ROUTE,
    endpoint::update_room::ROUTE,
    endpoint::list_members::ROUTE,
    endpoint::add_members::ROUTE,
    endpoint::change_role::ROUTE,
    endpoint::remove_member::ROUTE,
    endpoint::history::ROUTE,
    endpoint::send_message::ROUTE,
    endpoint::begin_upload::ROUTE,
    endpoint::put_upload::ROUTE,
    endpoint::get_file::FILE,
    endpoint::get_file::THUMB,
    endpoint::socket::ROUTE,
    endpoint::probes::LIVE,
    endpoint::probes::READY,
    endpoint::probes::HEALTH,
    endpoint::version::ROUTE,
    endpoint::metrics::ROUTE,
];

/// What others may know of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// Its method.
    pub method: &'static str,
    /// Its path, with `{name}` for what varies.
    pub path: &'static str,
    /// Its name for client developers.
    pub operation: &'static str,
    /// Whether it needs an access token.
    pub needs_token: bool,
    /// Whether the public listener serves it.
    pub is_public: bool,
}

/// Lists every route, for the tests that walk through all of them.
pub fn route_infos() -> impl Iterator<Item = RouteInfo> {
    ROUTES.iter().map(|route| RouteInfo {
        method: route.method.as_str(),
        path: route.path,
        operation: route.operation,
        needs_token: matches!(route.handler, Handler::User(_)),
        is_public: route.is_on(Reach::Public),
    })
}

#[cfg(test)]
mod tests;
