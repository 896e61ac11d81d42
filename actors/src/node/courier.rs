//! The courier: it writes notices into the inboxes of those they are for.
//!
//! A notice is durable with the event that it tells of (`Projection::Notice`). From there the courier
//! takes it, at the start and whenever a room says that there are new ones, writes it into the
//! inbox under a name that follows from it, and forgets it: whatever dies in between, it is in the
//! inbox once.

use super::Node;
use crate::naming::inbox_of;
use crate::room::Action;
use futures_util::FutureExt;
use futures_util::future::join_all;
use rookery_engine::store::Notice;
use rookery_protocol::ErrorCode;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Notices that are written at a time.
const AT_A_TIME: usize = 64;

/// The first pause after one could not be written; each further one doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_AT_MOST: Duration = Duration::from_secs(5);

/// Delivers until the node's tasks are stopped.
pub(super) async fn run(node: Arc<Node>) {
    loop {
        tokio::select! {
            () = node.tasks().stopped() => return,
            () = deliver_all(&node) => {}
        }
        tokio::select! {
            () = node.tasks().stopped() => return,
            () = node.has_notices.notified() => {}
        }
    }
}

/// Delivers what there is, however often it has to be tried. A panic is a try that failed: whoever
/// lacks a notice must not wait for the next start.
async fn deliver_all(node: &Arc<Node>) {
    let mut pause = PAUSE;
    while !AssertUnwindSafe(deliver_once(node)).catch_unwind().await.unwrap_or_default() {
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_AT_MOST);
    }
}

/// Tries each notice once. Returns whether none is left.
async fn deliver_once(node: &Arc<Node>) -> bool {
    let (mut after, mut all_done) = (None, true);
    loop {
        let page = match node.store().notices(after, AT_A_TIME).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "notices not read");
                return false;
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a page has at most 64")]
        node.metrics().store.notices_waiting.set(page.len() as f64);
        let Some(last) = page.last() else { return all_done };
        after = Some(*last);
        let delivered = join_all(page.iter().map(|notice| deliver(node, *notice))).await;
        let done: Vec<Notice> =
            page.iter().zip(delivered).filter(|(_, is_done)| *is_done).map(|(notice, _)| *notice).collect();
        all_done &= done.len() == page.len();
        if done.is_empty() {
            continue;
        }
        if let Err(error) = node.store().forget_notices(&done).await {
            // It is found again, and written under the same name.
            tracing::warn!(%error, "notices not forgotten");
            all_done = false;
        }
    }
}

/// Writes a notice into its inbox, making that first where it is not there. Returns whether it is there.
async fn deliver(node: &Arc<Node>, notice: Notice) -> bool {
    let inbox = inbox_of(notice.user);
    let mut outcome = node.submit(notice.by, inbox, Action::Notice(notice)).await;
    if outcome.as_ref().is_err_and(|error| error.code == ErrorCode::NotFound) {
        outcome = match node.make_inbox(notice.user).await {
            Ok(()) => node.submit(notice.by, inbox, Action::Notice(notice)).await,
            Err(error) => Err(error),
        };
    }
    if let Err(error) = &outcome {
        tracing::warn!(user = %notice.user, code = error.code.as_str(), "notice not delivered");
    }
    let result = if outcome.is_ok() { "delivered" } else { "failed" };
    node.metrics().store.notices.of(result).increment(1);
    outcome.is_ok()
}
