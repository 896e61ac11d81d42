//! The edge of Rookery: HTTP, WebSockets, accounts and configuration.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | what an operator wrote, checked |
//! | [`accounts`] | register, log in, refresh, log out; passwords and tokens; what is written to whom |
//! | [`mail`] | letters in the languages of people, and their way out |
//! | `files` | uploads, what they are, who gets them, and what nobody refers to any more |
//! | `server` | listeners, connections, draining |
//! | `routes`, `route`, `router` | the one table of endpoints, its rows, and finding the row of a request |
//! | `dispatch`, `call`, `idempotency`, `problem`, `respond` | one request: who asks, what for, and the answer |
//! | `http/` | one file an endpoint |
//! | `socket`, `socket/` | WebSockets |
//! | `events`, `events/` | event streams (SSE) |
//! | `outbound` | the one client that speaks HTTP to other servers |
//! | `office`, `docket` | what admins of the server do, what users report, jobs, statistics; and how it is kept |
//! | `addresses`, `forwarded` | how often an address may ask, and which address it is behind proxies |
//! | `inside` | which servers are never asked on behalf of a user |
//! | `log_lines`, `pressure` | which lines the log has; how much memory and time are left |
//! | `outside` | what is read of strangers' bytes, for the fuzz targets |
//! | `seldom` | what is said once a minute, however often it happens |
//! | `served` | a connection as long as its socket or stream is there |
//!
//! It decides nothing about rooms: every operation goes to `actors`, over HTTP as over a socket.
//! It names no store, reads no environment and installs nothing global.

pub mod accounts;
pub mod config;
pub mod mail;

mod addresses;
mod call;
mod cookie;
mod cors;
mod dispatch;
mod docket;
mod edge;
mod events;
mod files;
mod forwarded;
mod http;
mod idempotency;
mod inside;
mod log_lines;
mod observe;
mod office;
mod origin;
mod outbound;
#[doc(hidden)]
pub mod outside;
mod pressure;
mod problem;
mod query;
mod range;
mod respond;
mod route;
mod router;
mod routes;
mod seldom;
mod served;
mod server;
mod socket;
mod stream;

pub use crate::http::admin::{ChooseLog, Drain, DrainStanding};
pub use accounts::{Accounts, AccountsParts, SigningKey, SigningKeys};
pub use config::Config;
pub use edge::{Edge, EdgeParts};
pub use files::Files;
pub use log_lines::{ChooseLines, LogStanding};
pub use observe::{Exporter, exporter};
pub use problem::PROBLEM;
pub use route::docs::{Content, Docs, Given, Param, Place, Tag, path_parameter};
pub use routes::{RouteInfo, route_infos};
pub use server::{Listeners, serve};
