//! `rookery register`, `rookery login`, `rookery logout`.

use crate::cli::{Connection, LoginArgs, RegisterArgs};
use crate::context::{ContextFile, KeptLogin, url};
use crate::output::line;
use crate::prompt;
use crate::session::{Session, block_on};
use anyhow::{Context, Result};
use rookery_client::{HttpClient, LoggedIn, Login, Registration};
use secrecy::ExposeSecret;

/// Makes an account and keeps a login of it.
pub(crate) fn register(args: RegisterArgs) -> Result<()> {
    let local_part = || args.email.split('@').next().unwrap_or_default().to_lowercase();
    let handle = args.handle.clone().unwrap_or_else(local_part);
    let password = prompt::new_password()?;
    let server = url(args.url.url.as_deref());
    let account = Registration {
        email: args.email.clone(),
        password: password.expose_secret().to_owned(),
        handle: handle.clone(),
        name: args.name.unwrap_or(handle),
    };
    let login = Login { email: args.email, password: account.password.clone() };
    let kept = block_on(async {
        let mut http = HttpClient::new(server.parse()?);
        http.register(&account).await.context("register")?;
        // An address that had an account gets the same answer as a new one; the login tells.
        log_in(&mut http, &login).await.context("log in to the new account")
    })?;
    keep(args.keep_as, kept)
}

/// Logs in and keeps the login.
pub(crate) fn login(args: LoginArgs) -> Result<()> {
    let password = prompt::password()?;
    let server = url(args.url.url.as_deref());
    let login = Login { email: args.email, password: password.expose_secret().to_owned() };
    let kept = block_on(async {
        let mut http = HttpClient::new(server.parse()?);
        log_in(&mut http, &login).await.context("log in")
    })?;
    keep(args.keep_as, kept)
}

/// Ends a login and forgets it.
pub(crate) fn logout(connection: &Connection) -> Result<()> {
    block_on(async {
        let mut session = Session::open(connection)?;
        let token = session.token().await?;
        session.http.logout(&token).await.context("log out")?;
        session.forget()
    })
}

async fn log_in(http: &mut HttpClient, login: &Login) -> Result<KeptLogin> {
    let tokens = match http.begin_login(login).await? {
        LoggedIn::Tokens(tokens) => *tokens,
        LoggedIn::Challenged(challenge) => http.meet(&challenge, prompt::code()?.expose_secret()).await?,
    };
    KeptLogin::new(http.server().to_string(), tokens)
}

/// Keeps a login under the name given, or its handle, and uses it from now on.
fn keep(name: Option<String>, login: KeptLogin) -> Result<()> {
    let name = name.unwrap_or_else(|| login.user.handle.clone());
    let mut file = ContextFile::lock()?;
    let said =
        format!("{} ({}) is logged in at {}, kept as {name}", login.user.handle, login.user.id, login.url);
    file.contexts.current = Some(name.clone());
    file.contexts.logins.insert(name, login);
    file.save()?;
    line(said)
}
