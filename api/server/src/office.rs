//! `rookery admin …` about users and rooms: who asks shows the server's signing key, and says why.

use crate::cli::{AdminArgs, Output};
use crate::context::admin_key;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use http::Method;
use rookery_api::SigningKeys;
use rookery_client::HttpClient;
use rookery_protocol::{RoomId, Seq, SessionId, UserId};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// What is done about users and rooms.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OfficeAction {
    /// Make a user an admin of the server, who may do all of the following but this.
    Grant(About),
    /// Make a user an admin of the server no more.
    Withdraw(About),
    /// Find users by the beginning of their handle, or one by its address.
    Users {
        /// A handle or an address.
        query: String,
    },
    /// Print a user.
    User {
        /// A handle or an id.
        user: String,
    },
    /// Bar a user from the server: it is logged out everywhere and cannot log in.
    Ban {
        #[command(flatten)]
        about: About,
        /// Until this moment, in milliseconds since 1970; for good without it.
        #[arg(long, value_name = "MILLIS")]
        until: Option<i64>,
    },
    /// Let a user in again.
    Unban(About),
    /// Print who is barred.
    Bans,
    /// Print the logins of a user.
    Sessions {
        /// A handle or an id.
        user: String,
    },
    /// End the logins of a user, or one of them.
    EndSessions {
        #[command(flatten)]
        about: About,
        /// Only this one.
        #[arg(long, value_name = "ID")]
        session: Option<SessionId>,
    },
    /// Take the content of a message away.
    RemoveMessage {
        /// Where.
        room: RoomId,
        /// At which position.
        seq: u64,
        /// Why, for the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Remove a member from a room.
    RemoveMember {
        /// Where.
        room: RoomId,
        #[command(flatten)]
        about: About,
    },
    /// Remove every member of a room.
    CloseRoom {
        /// Which.
        room: RoomId,
        /// Why, for the audit log.
        #[arg(long)]
        reason: String,
    },
    /// What users have reported: list it, show one with what it is about, do something about it.
    #[command(subcommand)]
    Reports(ReportsAction),
    /// Print what was done, by whom, to whom, when and why, the newest first.
    Audit,
    /// Have everything about a user written into an archive, which `archive` fetches.
    Export(About),
    /// Take a user out of the store, for good.
    Erase(About),
    /// Print exports and erasures and how far they are.
    Jobs,
    /// Print how the server is used.
    Statistics,
}

/// What is done about reports.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ReportsAction {
    /// Print reports, the newest first.
    List {
        /// Only those that are open, or closed.
        #[arg(long, value_parser = ["open", "closed"])]
        state: Option<String>,
        /// The `next` of the page before.
        #[arg(long, value_name = "ID")]
        before: Option<String>,
    },
    /// Print a report, the message that it is about with some beside it, the room and the user.
    Show {
        /// Which.
        report: String,
    },
    /// Do something about a report, and close it.
    Close {
        /// Which.
        report: String,
        /// What.
        #[arg(long, value_parser = ["dismiss", "remove-message", "remove-member", "ban", "close-room", "other"])]
        action: String,
        /// Until when a ban holds, in milliseconds since 1970; for good without it.
        #[arg(long, value_name = "MILLIS")]
        until: Option<i64>,
        /// Why, for the audit log.
        #[arg(long)]
        reason: String,
    },
}

/// A user, and why something is done to it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct About {
    /// A handle or an id.
    user: String,
    /// Why, for the audit log.
    #[arg(long)]
    reason: String,
}

/// Asks a server's office.
struct Office<'a> {
    http: &'a mut HttpClient,
    token: Option<String>,
}

/// Runs one of them.
pub(crate) async fn run(http: &mut HttpClient, action: &OfficeAction, args: &AdminArgs) -> Result<()> {
    // Without the key the server says what it lacks.
    let token = operator_token(args).unwrap_or_else(|error| {
        eprintln!("{error}");
        None
    });
    let mut office = Office { http, token };
    let told = office.ask(action).await?;
    match args.output {
        Output::Json => args.output.print(&told, ""),
        Output::Text => args.output.print(&told, serde_json::to_string_pretty(&told)?),
    }
}

/// Makes the operator's token of the signing key.
pub(crate) fn operator_token(args: &AdminArgs) -> Result<Option<String>> {
    let keys = SigningKeys::open(&admin_key(args.key.as_deref()))?;
    Ok(keys.operator_token().map(|token| token.expose_secret().to_owned()))
}

impl Office<'_> {
    async fn ask(&mut self, action: &OfficeAction) -> Result<Value> {
        use OfficeAction as Action;
        match action {
            Action::Grant(about) => {
                self.about(Method::PUT, about, |user| format!("/admin/admins/{user}")).await
            }
            Action::Withdraw(about) => {
                self.about(Method::DELETE, about, |user| format!("/admin/admins/{user}")).await
            }
            Action::Users { query } => self.get(&format!("/admin/users?query={}", escaped(query))).await,
            Action::User { user } => {
                let user = self.find(user).await?;
                self.get(&format!("/admin/users/{user}")).await
            }
            Action::Ban { about, until } => {
                let user = self.find(&about.user).await?;
                let mut body = json!({ "reason": about.reason });
                if let Some(until) = until {
                    body["until"] = json!(until);
                }
                self.send(Method::PUT, &format!("/admin/users/{user}/ban"), body).await
            }
            Action::Unban(about) => {
                self.about(Method::DELETE, about, |user| format!("/admin/users/{user}/ban")).await
            }
            Action::Bans => self.get("/admin/bans").await,
            Action::Sessions { user } => {
                let user = self.find(user).await?;
                self.get(&format!("/admin/users/{user}/sessions")).await
            }
            Action::EndSessions { about, session } => {
                let one = session.map(|session| format!("/{session}")).unwrap_or_default();
                let path = |user| format!("/admin/users/{user}/sessions{one}");
                self.about(Method::DELETE, about, path).await
            }
            Action::RemoveMessage { room, seq, reason } => {
                let path = format!("/admin/rooms/{room}/messages/{}", Seq(*seq));
                self.send(Method::DELETE, &path, json!({ "reason": reason })).await
            }
            Action::RemoveMember { room, about } => {
                self.about(Method::DELETE, about, |user| format!("/admin/rooms/{room}/members/{user}")).await
            }
            Action::CloseRoom { room, reason } => {
                self.send(Method::DELETE, &format!("/admin/rooms/{room}"), json!({ "reason": reason })).await
            }
            Action::Reports(action) => self.reports(action).await,
            Action::Audit => self.get("/admin/audit").await,
            Action::Export(about) => {
                self.about(Method::POST, about, |user| format!("/admin/users/{user}/export")).await
            }
            Action::Erase(about) => {
                self.about(Method::POST, about, |user| format!("/admin/users/{user}/erase")).await
            }
            Action::Jobs => self.get("/admin/jobs").await,
            Action::Statistics => self.get("/admin/statistics").await,
        }
    }

    async fn reports(&mut self, action: &ReportsAction) -> Result<Value> {
        match action {
            ReportsAction::List { state, before } => {
                let asked = [("state", state), ("before", before)];
                let asked = asked.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
                let asked: Vec<_> = asked.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
                self.get(&format!("/admin/reports?{}", asked.join("&"))).await
            }
            ReportsAction::Show { report } => self.get(&format!("/admin/reports/{}", escaped(report))).await,
            ReportsAction::Close { report, action, until, reason } => {
                let mut body = json!({ "action": action.replace('-', "_"), "reason": reason });
                if let Some(until) = until {
                    body["until"] = json!(until);
                }
                self.send(Method::PUT, &format!("/admin/reports/{}", escaped(report)), body).await
            }
        }
    }

    async fn about(
        &mut self,
        method: Method,
        about: &About,
        path: impl Fn(UserId) -> String,
    ) -> Result<Value> {
        let user = self.find(&about.user).await?;
        self.send(method, &path(user), json!({ "reason": about.reason })).await
    }

    /// Returns the user of an id or a handle.
    async fn find(&mut self, user: &str) -> Result<UserId> {
        if let Ok(id) = user.parse() {
            return Ok(id);
        }
        let found = self.get(&format!("/admin/users?limit=1000&query={}", escaped(user))).await?;
        let users = found["users"].as_array().map(Vec::as_slice).unwrap_or_default();
        let one = users.iter().find(|found| found["user"]["handle"] == user);
        match one.and_then(|found| found["user"]["id"].as_str()?.parse().ok()) {
            Some(id) => Ok(id),
            None => bail!("find a user with the handle {user}"),
        }
    }

    async fn get(&mut self, path: &str) -> Result<Value> {
        self.request(Method::GET, path, None).await
    }

    async fn send(&mut self, method: Method, path: &str, body: Value) -> Result<Value> {
        self.request(method, path, Some(body)).await
    }

    async fn request(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let server = self.http.server().to_string();
        let answer = self.http.request(method, path, self.token.as_deref(), body.as_ref()).await;
        answer.and_then(|answer| answer.json()).with_context(|| format!("ask {server}"))
    }
}

/// Percent-encodes what is no letter, digit, dot, hyphen or underscore (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
