//! A letter: what is said to whom. Stores keep it as JSON until it is sent.

use rookery_protocol::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Something to write to somebody. No secret is in it: one that belongs into it is made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// The address.
    pub(crate) to: String,
    /// The language, as the folder of its templates is called.
    pub(crate) language: String,
    /// What it is about.
    #[serde(flatten)]
    pub(crate) about: About,
    /// When what it is about happened.
    pub(crate) at: Timestamp,
}

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub(crate) enum About {
    /// Somebody has registered with the address and is to say that it is its own.
    Confirm,
    /// Somebody wanted the address, which has an account.
    AddressTaken,
    /// Somebody wants to choose another password, if the address has an account.
    Reset,
    /// A user wants its account to have the address.
    ChangeAddress {
        /// Who.
        user: UserId,
    },
    /// The password was changed by somebody who knew it.
    PasswordChanged,
    /// The password was changed by somebody who reads mail at the address.
    PasswordReset,
    /// The account is to get another address.
    AddressChanging,
    /// The account has got another address.
    AddressChanged,
    /// A refresh token was used twice, so its login was ended.
    TokenReused,
    /// Logins ask for a second factor from now on.
    FactorOn,
    /// Logins do not ask for a second factor any more.
    FactorOff,
    /// There are new recovery codes.
    RecoveryRenewed,
    /// An identity elsewhere leads into the account from now on.
    IdentityLinked,
    /// An identity elsewhere does not lead into the account any more.
    IdentityUnlinked,
    /// Somebody has logged in from where nobody has before.
    NewLogin,
}

impl About {
    /// Every template: what its file is called, and whether it has a link.
    pub(crate) const TEMPLATES: [&'static str; 15] = [
        "confirm",
        "address_taken",
        "reset",
        "change_address",
        "password_changed",
        "password_reset",
        "address_changing",
        "address_changed",
        "token_reused",
        "factor_on",
        "factor_off",
        "recovery_renewed",
        "identity_linked",
        "identity_unlinked",
        "new_login",
    ];

    /// Returns the name of its template.
    pub(crate) const fn template(self) -> &'static str {
        let index = match self {
            Self::Confirm => 0,
            Self::AddressTaken => 1,
            Self::Reset => 2,
            Self::ChangeAddress { .. } => 3,
            Self::PasswordChanged => 4,
            Self::PasswordReset => 5,
            Self::AddressChanging => 6,
            Self::AddressChanged => 7,
            Self::TokenReused => 8,
            Self::FactorOn => 9,
            Self::FactorOff => 10,
            Self::RecoveryRenewed => 11,
            Self::IdentityLinked => 12,
            Self::IdentityUnlinked => 13,
            Self::NewLogin => 14,
        };
        Self::TEMPLATES[index]
    }
}

/// What a template may say beside what the letter itself has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    /// Where people reach the server.
    pub(crate) site: &'a str,
    /// Where the bearer of the code goes; the code stands behind the `#`, which no server is told.
    pub(crate) link: &'a str,
    /// The code alone, to be typed in.
    pub(crate) code: &'a str,
    /// Minutes for which the code is good.
    pub(crate) minutes: u64,
}
