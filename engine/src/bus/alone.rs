//! The bus of a node without others.

use super::{Bus, BusAnswer, Heard, NodeId, Peer, Peers};
use crate::throttle::{Rule, Throttle, Throttled};
use bytes::Bytes;
use rookery_protocol::Timestamp;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// The bus of a node without others: nobody is told anything, and the node is always there.
#[derive(Debug)]
pub struct Alone {
    id: NodeId,
    peers: watch::Sender<Arc<Peers>>,
    values: Mutex<HashMap<Uuid, Bytes>>,
    buckets: Mutex<HashMap<&'static str, Arc<Throttle<String>>>>,
}

impl Alone {
    /// Returns the bus of `me`.
    pub fn new(me: Peer) -> Self {
        let id = me.id;
        let peers = watch::Sender::new(Arc::new(Peers { is_connected: true, nodes: vec![me] }));
        Self { id, peers, values: Mutex::default(), buckets: Mutex::default() }
    }
}

impl Bus for Alone {
    fn id(&self) -> NodeId {
        self.id
    }

    fn send(&self, _: NodeId, _: Bytes) -> bool {
        false
    }

    fn broadcast(&self, _: Bytes) -> bool {
        true
    }

    fn hear(&self) -> Pin<Box<dyn Future<Output = Heard> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    fn peers(&self) -> watch::Receiver<Arc<Peers>> {
        self.peers.subscribe()
    }

    fn announce(&self, me: Peer) {
        self.peers.send_replace(Arc::new(Peers { is_connected: true, nodes: vec![me] }));
    }

    fn put(&self, key: Uuid, value: Option<Bytes>) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => drop(values.insert(key, value)),
            None => drop(values.remove(&key)),
        }
    }

    fn get<'a>(&'a self, keys: &'a [Uuid]) -> BusAnswer<'a, Vec<Vec<(NodeId, Bytes)>>> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |key: &Uuid| values.get(key).map(|value| (self.id, value.clone())).into_iter().collect();
        let found = keys.iter().map(of).collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn throttle<'a>(
        &'a self,
        rule: Rule,
        who: &'a str,
        now: Timestamp,
    ) -> BusAnswer<'a, Result<(), Throttled>> {
        let buckets = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(buckets.entry(rule.name).or_insert_with(|| Arc::new(Throttle::new(rule))))
        };
        Box::pin(std::future::ready(Ok(buckets.take(who.to_owned(), now))))
    }

    fn close(&self) -> BusAnswer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
