//! Store calls that are not given up at the first try: writes whose outcome is unknown, and reads that
//! something depends on which cannot be taken back.

use rookery_engine::store::StoreError;
use std::time::Duration;

/// How often one call is sent.
///
/// The pauses between add up to 350 ms: a store that stays silent longer is the client's to retry.
const TRIES: u32 = 4;

/// The first pause; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Sends `write` until its outcome is known, at most [`TRIES`] times.
///
/// The write must be the identical one each time: the same ids, hashes and times.
///
/// # Errors
/// [`StoreError::Unknown`] when no try was answered; the other outcomes at once.
pub(crate) async fn settle<T, F>(write: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    repeat(write, |error| matches!(error, StoreError::Unknown(_))).await
}

/// Sends `read` until it is answered, at most [`TRIES`] times. For what follows a write that is done:
/// giving up there loses its result.
///
/// # Errors
/// What the last try met.
pub(super) async fn insist<T, F>(read: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    repeat(read, |error| !matches!(error, StoreError::Fatal(_))).await
}

async fn repeat<T, F>(
    mut call: impl FnMut() -> F,
    is_open: impl Fn(&StoreError) -> bool,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(error) if is_open(&error) => tracing::debug!(%error, "a store call is sent again"),
            settled => return settled,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    call().await
}
