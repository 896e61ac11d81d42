//! The task that compares rooms with the store, because nobody has told this node reliably where they are.

use crate::node::Node;
use futures_util::{StreamExt, stream};
use rookery_engine::limits::{LOGINS_AT_ONCE, LOOKS_AT_ONCE, LOOKS_PER_ROUND};
use rookery_engine::store::StoreError;
use rookery_protocol::{CloseCode, RoomId, Seq};
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Looks until the node's tasks are stopped.
pub(super) async fn run(node: Arc<Node>) {
    loop {
        tokio::select! {
            () = node.tasks().stopped() => return,
            () = node.cluster().has_doubts.notified() => {}
        }
        tokio::select! {
            () = node.tasks().stopped() => return,
            () = look_at_all(&node) => {}
        }
    }
}

async fn look_at_all(node: &Arc<Node>) {
    let cluster = node.cluster();
    if cluster.are_logins_doubtful.swap(false, Ordering::AcqRel) && !look_at_logins(node).await {
        cluster.are_logins_doubtful.store(true, Ordering::Release);
    }
    loop {
        let rooms: Vec<RoomId> = {
            let mut doubtful = cluster.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
            if doubtful.is_empty() {
                return;
            }
            let some: Vec<_> = doubtful.iter().copied().take(LOOKS_PER_ROUND).collect();
            for room in &some {
                doubtful.remove(room);
            }
            some
        };
        let failed: Vec<RoomId> = stream::iter(rooms)
            .map(|room| async move { look(node, room).await.is_err().then_some(room) })
            .buffer_unordered(LOOKS_AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        if !failed.is_empty() {
            tracing::warn!(rooms = failed.len(), "rooms not compared with the store: tried again");
            cluster.doubt(failed);
            // Not all nodes at the same moment, where the store is what ails.
            sleep(cluster.beat + jitter(node, cluster.beat)).await;
        }
    }
}

/// Closes the connections of logins that are over. Returns whether all were looked at; the rest is the next
/// time, which comes with the next room that is to be compared.
async fn look_at_logins(node: &Node) -> bool {
    node.logins_may_have_ended();
    let mut logins = HashSet::new();
    node.connections().each(|connection| logins.extend(connection.identity().map(|(_, login)| login)));
    let looks = stream::iter(logins).map(|login| async move {
        let found = node.store().session(login).await?;
        if found.is_none_or(|found| !found.is_live(node.clock().now())) {
            node.close_login(login, CloseCode::SessionRevoked);
        }
        Ok(())
    });
    let looks: Vec<Result<(), StoreError>> = looks.buffer_unordered(LOGINS_AT_ONCE).collect().await;
    looks.iter().all(Result::is_ok)
}

/// Compares what was told of a room with the store.
async fn look(node: &Arc<Node>, room: RoomId) -> Result<(), StoreError> {
    let head = node.store().head(room).await?.map_or(Seq::ZERO, |head| head.seq);
    node.told(room, head);
    // Followers hear of it with the next beacon.
    node.cluster().followers().moved(room, head);
    Ok(())
}

/// Returns a part of `most`, by chance.
fn jitter(node: &Node, most: Duration) -> Duration {
    let mut byte = [0];
    node.random().fill(&mut byte);
    most * u32::from(byte[0]) / 256
}
