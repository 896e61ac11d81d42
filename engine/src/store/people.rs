//! The people half of the store port: profiles, handles and who wants nothing to do with whom.

use super::Answer;
use rookery_protocol::{Timestamp, User, UserId};

/// What becomes of a text that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TextChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is absent from now on.
    Clear,
    /// It is this from now on.
    Set(String),
}

impl TextChange {
    /// Applies it to `text`.
    pub fn apply(self, text: &mut Option<String>) {
        match self {
            Self::Keep => {}
            Self::Clear => *text = None,
            Self::Set(new) => *text = Some(new),
        }
    }
}

/// What of a profile changes. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// Another display name.
    pub name: Option<String>,
    /// Another handle.
    pub handle: Option<String>,
    /// What the user says of itself.
    pub about: TextChange,
    /// Where the picture is.
    pub avatar: TextChange,
}

/// What became of a change of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileChanged {
    /// The profile is this now, or was already.
    Changed(User),
    /// Somebody else has the handle, or had it not long ago: nothing of the change was done.
    HandleTaken,
    /// There is no such user.
    NoSuchUser,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockSet {
    /// It is set, now or already.
    Set,
    /// The user blocks [`crate::limits::BLOCKS_PER_USER`] others already.
    TooMany,
}

/// Profiles, handles and blocks.
pub trait People {
    /// Changes the profile of `user` at `now`, all of it or nothing.
    ///
    /// A handle that is given up stays its former owner's for [`crate::limits::HANDLE_KEPT_MS`]: nobody
    /// else can change to it or register with it before that, and the former owner can take it back.
    /// Sending the same change again answers as the first time.
    fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Timestamp,
    ) -> Answer<'_, ProfileChanged>;

    /// Returns at most `limit` users whose handle begins with `prefix`, ascending by handle, as `by` may
    /// find them: whoever blocks `by` or is blocked by it is left out.
    fn users_by_handle<'a>(&'a self, by: UserId, prefix: &'a str, limit: usize) -> Answer<'a, Vec<User>>;

    /// Has `user` block `other` from `at` on; a block that is there keeps its time.
    fn block(&self, user: UserId, other: UserId, at: Timestamp) -> Answer<'_, BlockSet>;

    /// Has `user` block `other` no more.
    fn unblock(&self, user: UserId, other: UserId) -> Answer<'_, ()>;

    /// Returns those of `others` whom `user` blocks or who block `user`, ascending, each once.
    fn blocks_between<'a>(&'a self, user: UserId, others: &'a [UserId]) -> Answer<'a, Vec<UserId>>;
}
