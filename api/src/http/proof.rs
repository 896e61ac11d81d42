//! Proof anew: what a change of the ways into an account asks for besides an access token.

use crate::call::Call;
use crate::problem::Problem;
use rookery_actors::Identity;
use rookery_engine::admission::Wanted;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Bytes of a body that is a proof: a password of any length, and a code.
pub(crate) const PROOF_BYTES: usize = 4096;

/// The password once more, and a code where logins ask for one.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "ProofBody")]
pub(crate) struct Proof {
    /// The account's; empty or absent where it has none, since it was made by an identity elsewhere: then the login is
    /// one of the last ten minutes.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    password: Option<SecretString>,
    /// Six digits of the app, or a recovery code; where the account has a second factor.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    code: Option<SecretString>,
}

/// Reads the proof that a request carries, and refuses where it proves nothing.
pub(crate) async fn proven(call: &mut Call, who: &Identity) -> Result<(), Problem> {
    call.edge.node.admit(Wanted::Login)?;
    let Proof { password, code } = call.json_or_default().await?;
    let password = password.unwrap_or_else(|| SecretString::from(""));
    let code = code.as_ref().map(ExposeSecret::expose_secret);
    Ok(call.edge.accounts.prove_anew(who, password, code).await?)
}
