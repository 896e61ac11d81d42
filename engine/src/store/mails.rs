//! The part of the store port about mails that are still to be sent. What is in them it does not know.

use super::Answer;
use rookery_protocol::Timestamp;
use uuid::Uuid;

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Which; such ids grow with time.
    pub id: Uuid,
    /// From when on it may be sent: whoever sends it moves that first, so that nobody else does meanwhile.
    pub due_at: Timestamp,
    /// How often that was moved.
    pub tries: u32,
    /// What to send to whom: text of at most a few KiB.
    pub letter: String,
}

/// The mails that are not sent yet.
pub trait Mails {
    /// Keeps a mail until it is forgotten; one that is there already is left alone.
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()>;

    /// Returns at most `limit` mails that are due at `now`, the ones due first first.
    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>>;

    /// Moves a mail, and counts a try, if it is as `mail` says. Returns whether this caller did: at most one
    /// of those who have read the same mail, unless two of them move it to the same moment. Sent again it
    /// answers as the first time.
    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool>;

    /// Forgets a mail; one that is not there is no matter.
    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()>;
}
