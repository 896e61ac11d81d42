//! The accounts of a replay: one for each nick, and one that owns the rooms.

use anyhow::Context;
use rookery_client::{HttpClient, Login, Registration, ServerUrl, Tokens};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Accounts that are made at a time: enough to keep the server's password pool busy.
const AT_ONCE: usize = 8;

/// Characters of a nick that a handle keeps, so that a number after it still fits.
const HANDLE_CHARS: usize = 24;

/// Characters of a nick that a name keeps; the server takes 64.
const NAME_CHARS: usize = 64;

/// Good enough for the server's rules, and the same for all.
const PASSWORD: &str = "correct horse battery staple";

/// An account that is logged in.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) tokens: Tokens,
    pub(crate) login: Login,
}

/// Makes an account for each nick and logs it in; returns them in the order of the nicks.
pub(crate) async fn engage(server: &ServerUrl, nicks: &[String]) -> anyhow::Result<Vec<Member>> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut hired = JoinSet::new();
    for (number, nick) in nicks.iter().enumerate() {
        let (server, account, turns) = (server.clone(), account(number, nick), Arc::clone(&turns));
        hired.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let handle = account.handle.clone();
            let member = hire(server, account).await.with_context(|| format!("engage {handle}"))?;
            anyhow::Ok((number, member))
        });
    }
    let mut members = Vec::with_capacity(nicks.len());
    while let Some(member) = hired.join_next().await {
        members.push(member??);
    }
    members.sort_unstable_by_key(|(number, _)| *number);
    Ok(members.into_iter().map(|(_, member)| member).collect())
}

async fn hire(server: ServerUrl, account: Registration) -> anyhow::Result<Member> {
    let mut http = HttpClient::new(server);
    http.register(&account).await?;
    let login = Login { email: account.email, password: account.password };
    let tokens = http.login(&login).await?;
    Ok(Member { tokens, login })
}

fn account(number: usize, nick: &str) -> Registration {
    let plain = nick
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(HANDLE_CHARS)
        .collect::<String>();
    Registration {
        email: format!("replay{number}@example.org"),
        password: PASSWORD.to_owned(),
        handle: format!("{plain}.{number:03}"),
        name: nick.chars().take(NAME_CHARS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_nick_has_a_handle_of_its_own() {
        assert_eq!(account(7, "[Ka]ro|2").handle, "karo2.007");
        assert_eq!(account(8, "[]").handle, ".008");
        assert!(account(999_999, &"a".repeat(90)).handle.len() <= 32);
        assert_eq!(account(1, &"é".repeat(90)).name.chars().count(), 64);
    }
}
