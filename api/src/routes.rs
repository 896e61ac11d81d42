//! The one table of endpoints. Router, metric labels and documentation all come from it.

use crate::http as endpoint;
use crate::route::docs::Docs;
use crate::route::{Handler, Reach, Route};

/// Every endpoint, by what it is about.
pub(crate) static ROUTES: &[Route] = &[
    endpoint::register::ROUTE,
    endpoint::verify::VERIFY,
    endpoint::verify::RESEND,
    endpoint::login::ROUTE,
    endpoint::login_factor::ROUTE,
    endpoint::sign_in::LIST,
    endpoint::sign_in::BEGIN,
    endpoint::sign_in::END,
    endpoint::sign_in::REGISTER,
    endpoint::identities::BEGIN,
    endpoint::identities::END,
    endpoint::identities::LIST,
    endpoint::identities::UNLINK,
    endpoint::refresh::ROUTE,
    endpoint::logout::ROUTE,
    endpoint::ticket::ROUTE,
    endpoint::sessions::LIST,
    endpoint::sessions::END,
    endpoint::sessions::END_OTHERS,
    endpoint::password::FORGOT,
    endpoint::password::RESET,
    endpoint::password::CHANGE,
    endpoint::change_email::ROUTE,
    endpoint::key_set::ROUTE,
    endpoint::factor::SHOW,
    endpoint::factor::BEGIN,
    endpoint::factor::CONFIRM,
    endpoint::factor::RENEW,
    endpoint::factor::DISABLE,
    endpoint::me::ROUTE,
    endpoint::update_me::ROUTE,
    endpoint::search_users::ROUTE,
    endpoint::get_user::ROUTE,
    endpoint::block_user::BLOCK,
    endpoint::block_user::UNBLOCK,
    endpoint::list_rooms::ROUTE,
    endpoint::create_room::ROUTE,
    endpoint::direct_room::ROUTE,
    endpoint::get_room::ROUTE,
    endpoint::update_room::ROUTE,
    endpoint::list_members::ROUTE,
    endpoint::add_members::ROUTE,
    endpoint::change_role::ROUTE,
    endpoint::remove_member::ROUTE,
    endpoint::create_invite::ROUTE,
    endpoint::revoke_invite::ROUTE,
    endpoint::accept_invite::ROUTE,
    endpoint::history::ROUTE,
    endpoint::send_message::ROUTE,
    endpoint::edit_message::ROUTE,
    endpoint::delete_message::ROUTE,
    endpoint::reaction::SET,
    endpoint::reaction::CLEAR,
    endpoint::pin::SET,
    endpoint::pin::CLEAR,
    endpoint::readers::ROUTE,
    endpoint::mark_read::ROUTE,
    endpoint::mark_delivered::ROUTE,
    endpoint::set_typing::ROUTE,
    endpoint::set_room_settings::ROUTE,
    endpoint::search::ROUTE,
    endpoint::begin_upload::ROUTE,
    endpoint::put_upload::ROUTE,
    endpoint::get_file::FILE,
    endpoint::get_file::THUMB,
    endpoint::report::ROUTE,
    endpoint::socket::ROUTE,
    endpoint::events::ROUTE,
    endpoint::probes::LIVE,
    endpoint::probes::READY,
    endpoint::probes::HEALTH,
    endpoint::probes::HEALTHZ,
    endpoint::version::ROUTE,
    endpoint::security_txt::ROUTE,
    endpoint::documents::OPENAPI,
    endpoint::documents::ASYNCAPI,
    endpoint::swagger::PAGE,
    endpoint::swagger::FILE,
    endpoint::metrics::ROUTE,
    endpoint::admin::NODES,
    endpoint::admin::ROOMS_HEARD,
    endpoint::admin::ROOMS_HOT,
    endpoint::admin::ROOM,
    endpoint::admin::DRAIN,
    endpoint::admin::LOG,
    endpoint::admin::CHOOSE_LOG,
    endpoint::admin::people::FIND,
    endpoint::admin::people::SHOW,
    endpoint::admin::people::BAN,
    endpoint::admin::people::UNBAN,
    endpoint::admin::people::BANS,
    endpoint::admin::people::LOGINS,
    endpoint::admin::people::END_LOGINS,
    endpoint::admin::people::END_LOGIN,
    endpoint::admin::people::GRANT,
    endpoint::admin::people::WITHDRAW,
    endpoint::admin::moderation::TAKE_DOWN,
    endpoint::admin::moderation::EXPEL,
    endpoint::admin::moderation::CLOSE,
    endpoint::admin::desk::AUDIT,
    endpoint::admin::reports::LIST,
    endpoint::admin::reports::SHOW,
    endpoint::admin::reports::CLOSE,
    endpoint::admin::desk::EXPORT,
    endpoint::admin::desk::ERASE,
    endpoint::admin::desk::JOBS,
    endpoint::admin::desk::JOB,
    endpoint::admin::desk::ARCHIVE,
    endpoint::admin::desk::STATISTICS,
    endpoint::admin::desk::REVENUE,
];

/// What others may know of a route.
#[derive(Clone, Copy, Debug)]
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
    /// Whether an address may ask for it too often.
    pub is_limited: bool,
    /// The most bytes that its body may have.
    pub body_bytes: usize,
    /// What is said of it.
    pub docs: &'static Docs,
}

/// Lists every route, for the tests that walk through all of them.
pub fn route_infos() -> impl Iterator<Item = RouteInfo> {
    ROUTES.iter().map(|route| RouteInfo {
        method: route.method.as_str(),
        path: route.path,
        operation: route.operation,
        needs_token: matches!(route.handler, Handler::User(_)),
        is_public: route.is_on(Reach::Public),
        is_limited: route.reach == Reach::Public,
        body_bytes: route.body_bytes,
        docs: &route.docs,
    })
}

#[cfg(test)]
mod tests;
