//! Who takes part in the tests: users, accounts, files by number, and calls that stop halfway.

use rookery_engine::store::{Account, FileContent, Upload};
use rookery_protocol::{FileId, RoomId, SessionId, Timestamp, User, UserId};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use uuid::Uuid;

pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) const fn second(seconds: i64) -> Timestamp {
    START.plus_millis(seconds * 1000)
}

pub(crate) const fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128((0x0b00 << 64) | number))
}

pub(crate) const fn room(number: u128) -> RoomId {
    RoomId(Uuid::from_u128((0x0a00 << 64) | number))
}

pub(crate) const fn session_id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128((0x0d00 << 64) | number))
}

pub(crate) const fn file(number: u128) -> FileId {
    FileId(Uuid::from_u128((0x0e00 << 64) | number))
}

/// Returns the account of user `number`.
pub(crate) fn account(number: u128, email: &str, handle: &str) -> Account {
    let name = format!("User {number}");
    let user = User { id: user(number), handle: handle.to_owned(), name, avatar: None, about: None };
    Account {
        user,
        email: email.to_owned(),
        password: "a hash".to_owned(),
        created_at: START,
        confirmed_at: None,
    }
}

/// Returns an upload of 10,000 bytes.
pub(crate) fn upload(number: u128, owner: UserId) -> Upload {
    let name = format!("{number}.png");
    Upload { file: file(number), owner, name, hint: None, size: 10_000, expires_at: second(100) }
}

pub(crate) fn content() -> FileContent {
    let mime = "image/png".to_owned();
    FileContent { mime, size: 10_000, hash: [1; 32], width: None, height: None, thumb: None }
}

/// Drives a call for at most `polls` steps and drops it then, as a process does that dies. Returns its answer
/// if it was done by then.
pub(crate) async fn halfway<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    struct Halfway<F> {
        call: F,
        polls: usize,
    }
    impl<F: Future + Unpin> Future for Halfway<F> {
        type Output = Option<F::Output>;
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            if let Poll::Ready(answer) = Pin::new(&mut self.call).poll(context) {
                return Poll::Ready(Some(answer));
            }
            self.polls = self.polls.saturating_sub(1);
            if self.polls == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    }
    Halfway { call: pin!(call), polls }.await
}
