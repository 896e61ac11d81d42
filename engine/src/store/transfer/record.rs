//! What is transferred.

use super::Batch;
use crate::store::{
    Account, AvatarOf, Entry, FileRecord, Invite, LoginSession, Notice, RefreshToken, Settings, SignIn,
    TokenHash,
};
use rookery_protocol::{FileId, RoomId, Seq, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// One logical thing that a store keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A user with the password's hash.
    Account(Account),
    /// A handle that was given up and stays its former owner's for now.
    KeptHandle {
        /// It.
        handle: String,
        /// Whose it was.
        user: UserId,
        /// Until then.
        until: Timestamp,
    },
    /// A login, ended or not.
    Session(LoginSession),
    /// A refresh token of a login.
    RefreshToken {
        /// It.
        token: RefreshToken,
        /// Whose.
        session: SessionId,
        /// What it was spent for.
        replaced_by: Option<TokenHash>,
    },
    /// What is known of a file that lives, or that is being sent.
    File(FileRecord),
    /// A piece of a room's log.
    Batch(Batch),
    /// A file is the picture of something.
    Avatar {
        /// Of what.
        of: AvatarOf,
        /// Which.
        file: FileId,
    },
    /// How far somebody has come in a room.
    Cursor {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Read up to there.
        read: Seq,
        /// Messages up to there.
        read_ord: u64,
        /// Arrived up to there.
        delivered: Seq,
    },
    /// How somebody has a room.
    Settings {
        /// Which.
        room: RoomId,
        /// Who.
        user: UserId,
        /// How.
        settings: Settings,
    },
    /// What somebody is still to find in the inbox.
    Notice(Notice),
    /// Somebody blocks somebody.
    Block {
        /// Who.
        user: UserId,
        /// Whom.
        other: UserId,
        /// Since when.
        at: Timestamp,
    },
    /// An invite, good or not any more.
    Invite {
        /// It.
        invite: Invite,
        /// When it was used last.
        used_at: Option<Timestamp>,
        /// When it was taken back.
        revoked_at: Option<Timestamp>,
    },
    /// Somebody has taken a use of an invite.
    InviteUse {
        /// Which.
        hash: TokenHash,
        /// Who.
        user: UserId,
    },
    /// When somebody was there last.
    LastSeen {
        /// Who.
        user: UserId,
        /// When.
        at: Timestamp,
    },
    /// What signing in depends on; not what expires.
    SignIn(SignIn),
    /// An entry of a book of administration.
    Entry(Entry),
}

impl Record {
    /// Returns which part of a store it is of.
    pub const fn part(&self) -> Part {
        match self {
            Self::Account(_) => Part::Accounts,
            Self::KeptHandle { .. } => Part::KeptHandles,
            Self::Session(_) => Part::Sessions,
            Self::RefreshToken { .. } => Part::RefreshTokens,
            Self::File(_) => Part::Files,
            Self::Batch(_) => Part::Logs,
            Self::Avatar { .. } => Part::Avatars,
            Self::Cursor { .. } => Part::Cursors,
            Self::Settings { .. } => Part::Settings,
            Self::Notice(_) => Part::Notices,
            Self::Block { .. } => Part::Blocks,
            Self::Invite { .. } => Part::Invites,
            Self::InviteUse { .. } => Part::InviteUses,
            Self::LastSeen { .. } => Part::LastSeen,
            Self::SignIn(_) => Part::SignIns,
            Self::Entry(_) => Part::Docket,
        }
    }
}

/// A part of what a store keeps, by what its records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// [`Record::Account`].
    Accounts,
    /// [`Record::KeptHandle`].
    KeptHandles,
    /// [`Record::Session`].
    Sessions,
    /// [`Record::RefreshToken`].
    RefreshTokens,
    /// [`Record::File`].
    Files,
    /// [`Record::Batch`].
    Logs,
    /// [`Record::Avatar`].
    Avatars,
    /// [`Record::Cursor`].
    Cursors,
    /// [`Record::Settings`].
    Settings,
    /// [`Record::Notice`].
    Notices,
    /// [`Record::Block`].
    Blocks,
    /// [`Record::Invite`].
    Invites,
    /// [`Record::InviteUse`].
    InviteUses,
    /// [`Record::LastSeen`].
    LastSeen,
    /// [`Record::SignIn`].
    SignIns,
    /// [`Record::Entry`].
    Docket,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 16] = [
        Self::Accounts,
        Self::KeptHandles,
        Self::Sessions,
        Self::RefreshTokens,
        Self::Files,
        Self::Logs,
        Self::Avatars,
        Self::Cursors,
        Self::Settings,
        Self::Notices,
        Self::Blocks,
        Self::Invites,
        Self::InviteUses,
        Self::LastSeen,
        Self::SignIns,
        Self::Docket,
    ];

    /// Returns what its records are called, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::KeptHandles => "kept handles",
            Self::Sessions => "logins",
            Self::RefreshTokens => "refresh tokens",
            Self::Files => "files",
            Self::Logs => "batches of events",
            Self::Avatars => "pictures",
            Self::Cursors => "cursors",
            Self::Settings => "settings",
            Self::Notices => "notices",
            Self::Blocks => "blocks",
            Self::Invites => "invites",
            Self::InviteUses => "uses of invites",
            Self::LastSeen => "moments of last seen",
            Self::SignIns => "second factors and identities",
            Self::Docket => "entries of administration",
        }
    }
}
