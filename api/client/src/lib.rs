//! A client of Rookery that speaks only the wire, for the terminal, the tests and the bench.
//!
//! | layer | type | does |
//! |---|---|---|
//! | HTTP | [`HttpClient`] | requests in and out as JSON; accounts and tokens |
//! | socket | [`Connection`] | sends and receives what it is told, in either codec, raw bytes too; never reconnects |
//! | conversation | [`Chat`] | what a good client does: keeps positions and unanswered commands, comes back, resumes |
//!
//! It is no library for applications: no TLS, no storage, no threads or tasks of its own. Every
//! `next` may be dropped and called again without losing anything.

mod account;
mod backoff;
mod chat;
mod client_id;
mod connection;
mod http;
mod notice;
mod server_url;
mod servers;

pub use account::{Challenge, LoggedIn, Login, Registration, Tokens};
pub use backoff::Backoff;
pub use chat::{Chat, Full, GaveUp, Handle, News, Totals};
pub use client_id::{ClientIds, client_id};
pub use connection::{CallError, Closed, Connection, Credential, Incoming, OpenError};
pub use http::{Answer, ApiError, HttpClient, HttpError};
pub use notice::{Notice, Signal};
pub use server_url::{BadServerUrl, ServerUrl};
pub use servers::Servers;
