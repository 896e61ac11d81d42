//! The file of providers: whose identities log in here.

use super::error::Problems;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "auth.providers";

/// Providers of one server: a login page with more is a list to search in.
const PROVIDERS: usize = 32;

/// A provider of identities.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name for people.
    pub name: String,
    /// Who it is: with OpenID Connect where its metadata is, otherwise a name that never changes.
    pub issuer: String,
    /// As what it knows this server.
    pub client_id: String,
    /// What it knows this server by.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// A file that has it.
    #[serde(default)]
    client_secret_file: Option<String>,
    /// How the secret is sent.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Where it sends people back to: a page of the client's, of no other provider.
    pub redirect_uri: String,
    /// What is asked for besides who somebody is.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether somebody without an account gets one.
    #[serde(default = "yes")]
    pub registration: bool,
    /// Of a provider that has no OpenID Connect.
    #[serde(default)]
    pub oauth2: Option<OAuth2Config>,
}

/// How a server proves who it is to a provider (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// In a header.
    #[default]
    Basic,
    /// In the body.
    Post,
}

/// What OAuth 2.0 alone does not say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Config {
    /// Where people log in.
    pub authorize_url: String,
    /// Where a code is redeemed.
    pub token_url: String,
    /// Where it says whose an access token is.
    pub user_url: String,
    /// The field of that answer that never changes and is nobody else's.
    pub subject: String,
}

const fn yes() -> bool {
    true
}

/// Reads the file; an empty name is none.
pub(super) fn read(file: &str, problems: &mut Problems<'_>) -> BTreeMap<String, ProviderConfig> {
    if file.is_empty() {
        return BTreeMap::new();
    }
    let mut wrong = |found: &str, allowed: &str| problems.value(KEY, found, allowed);
    let Ok(text) = std::fs::read_to_string(file) else {
        wrong(file, "a file that can be read");
        return BTreeMap::new();
    };
    let mut providers: BTreeMap<String, ProviderConfig> = match toml::from_str(&text) {
        Ok(providers) => providers,
        Err(error) => {
            // Only its words: the line itself may be a secret.
            wrong(file, &format!("a TOML file of providers: {}", error.message()));
            return BTreeMap::new();
        }
    };
    if providers.len() > PROVIDERS {
        wrong(file, &format!("at most {PROVIDERS} providers"));
    }
    for (id, provider) in &mut providers {
        for (field, allowed) in provider.settle(id) {
            wrong(&format!("{file}: {id}.{field}"), &allowed);
        }
    }
    let mut seen = BTreeSet::new();
    for (id, provider) in &providers {
        for value in [&provider.redirect_uri, &provider.issuer] {
            if !seen.insert(value) {
                wrong(&format!("{file}: {id}"), "an issuer and a redirect_uri that no other provider has");
            }
        }
    }
    providers
}

impl ProviderConfig {
    /// Reads the secret where it stands in a file of its own, and returns the fields that are wrong and what
    /// they may be.
    fn settle(&mut self, id: &str) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let mut require = |holds: bool, field, allowed: &str| {
            if !holds {
                wrong.push((field, allowed.to_owned()));
            }
        };
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        require(
            (1..=32).contains(&id.len()) && id.chars().all(is_plain),
            "name",
            "1 to 32 of a-z 0-9 - in brackets",
        );
        require((1..=64).contains(&self.name.chars().count()), "name", "1 to 64 characters");
        require(!self.client_id.is_empty(), "client_id", "what the provider gave");
        let secure = "an address with https, or with http on this machine";
        require(is_secure(&self.redirect_uri) || is_of_an_app(&self.redirect_uri), "redirect_uri", secure);
        match &self.oauth2 {
            None => require(is_secure(&self.issuer), "issuer", secure),
            Some(oauth2) => {
                require(!self.issuer.is_empty(), "issuer", "a name that never changes");
                let urls = [&oauth2.authorize_url, &oauth2.token_url, &oauth2.user_url];
                require(urls.into_iter().all(|url| is_secure(url)), "oauth2", secure);
                require(!oauth2.subject.is_empty(), "oauth2.subject", "the name of a field");
            }
        }
        if let Some(file) = &self.client_secret_file {
            match std::fs::read_to_string(file) {
                Ok(secret) => self.client_secret = Some(SecretString::from(secret.trim_end().to_owned())),
                Err(error) => wrong.push(("client_secret_file", format!("a file that can be read: {error}"))),
            }
        }
        wrong
    }
}

/// Returns whether nobody on the way reads what is sent there.
fn is_secure(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let is_here = matches!(url.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match url.scheme_str() {
        Some("https") => url.host().is_some(),
        Some("http") => is_here,
        _ => false,
    }
}

/// Returns whether it is an address that a system hands to an app (RFC 8252, section 7.1).
fn is_of_an_app(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(":/") else { return false };
    let is_reversed = scheme.contains('.');
    is_reversed && !rest.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
}
