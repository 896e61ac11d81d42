//! Store writes whose outcome may stay unknown: sent again until they answer, a few times.

use rookery_engine::store::StoreError;
use std::time::Duration;

/// How often one write is sent.
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
pub(super) async fn settle<T, F>(mut write: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match write().await {
            Err(StoreError::Unknown(reason)) => tracing::debug!(reason, "store outcome unknown; sent again"),
            settled => return settled,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    write().await
}
