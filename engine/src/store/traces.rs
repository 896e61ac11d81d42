//! The part of the store port about what is left of a user: where it has been, what it has sent, and what
//! goes when the user goes.

use super::{Answer, FileRecord};
use rookery_protocol::{FileId, RoomId, Timestamp, UserId};

/// What a user has left behind.
pub trait Traces {
    /// Returns at most `limit` rooms of which `user` is or was a member, above `after`, in an order of the
    /// store's own, which is the same each time.
    fn rooms_ever(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Answer<'_, Vec<RoomId>>;

    /// Returns at most `limit` files that `user` has sent and that live, above `after`, in an order of the
    /// store's own, which is the same each time.
    fn files_of(&self, user: UserId, after: Option<FileId>, limit: usize) -> Answer<'_, Vec<FileRecord>>;

    /// Returns at most `limit` users whom `user` blocks, above `after`, each since when, in an order of the store's
    /// own, which is the same each time.
    fn blocks_of(
        &self,
        user: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<'_, Vec<(UserId, Timestamp)>>;

    /// Takes the life of `file` for good, whatever refers to it: nobody finds it from then on, and
    /// [`Files::doom_files`](super::Files::doom_files) returns it. One that is not there is no matter.
    fn doom_file(&self, file: FileId) -> Answer<'_, ()>;

    /// Forgets what there is of `user` beside its account, its logs and its files: `handles` that were kept for
    /// it, and where the store can tell all others that were; its logins and their tokens; whom it blocks; how it
    /// has rooms; when it was there last; and how far it has come in rooms, where that is apart from who is in
    /// them.
    fn forget_traces<'a>(&'a self, user: UserId, handles: &'a [String]) -> Answer<'a, ()>;
}
