//! Writes that are the store's alone, no room's: sent again while nobody knows what became of them.

use rookery_engine::limits::RESEND_AFTER;
use rookery_engine::store::{Answer, StoreError};
use rookery_protocol::{ErrorCode, WireError};
use tokio::time::sleep;

/// How often one write is sent. The pauses between add up to 300 ms; a store that stays silent for
/// longer is the client's to retry.
const TRIES: u32 = 5;

/// Milliseconds until a client should send a command again whose outcome is not known.
const ASK_AGAIN_MS: u32 = 1000;

/// Sends `write`, the identical one each time, until its outcome is known.
///
/// # Errors
/// `store_unavailable` when it was not applied; `busy` when nobody knows.
pub(super) async fn written<'a, T>(write: impl Fn() -> Answer<'a, T>) -> Result<T, WireError> {
    let mut pause = RESEND_AFTER;
    let mut answer = write().await;
    let mut is_in_doubt = false;
    for _ in 1..TRIES {
        if !matches!(answer, Err(StoreError::Unknown(_))) {
            break;
        }
        is_in_doubt = true;
        sleep(pause).await;
        pause *= 2;
        answer = write().await;
    }
    answer.map_err(|error| {
        tracing::warn!(%error, "store did not take a write");
        match error {
            // TRIES is above 1, so what is not known at the end was not known before; and a refusal of a
            // later try says nothing of an earlier one.
            _ if is_in_doubt => {
                WireError::new(ErrorCode::Busy, "the outcome is not known: send it again, unchanged")
            }
            _ => WireError::new(ErrorCode::StoreUnavailable, "nothing can be written at the moment"),
        }
        .retry_after(ASK_AGAIN_MS)
    })
}
