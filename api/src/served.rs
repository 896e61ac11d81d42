//! A connection while its socket or its event stream is there.

use metrics::Gauge;
use rookery_actors::{Node, SessionRef};
use rookery_engine::Connection;
use std::sync::Arc;

/// A connection while it is served. Dropping it, after a panic as well, tells the node that the
/// peer is gone.
#[derive(Debug)]
pub(crate) struct Served {
    node: Arc<Node>,
    connection: Arc<Connection>,
    session: SessionRef,
    gauge: Gauge,
}

impl Served {
    /// Serves what [`Node::connect`] gave, counted by `gauge`.
    pub(crate) fn new(
        node: Arc<Node>,
        (connection, session): (Arc<Connection>, SessionRef),
        gauge: Gauge,
    ) -> Self {
        gauge.increment(1.0);
        node.metrics().edge.connects.increment(1);
        Self { node, connection, session, gauge }
    }

    pub(crate) const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(crate) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(crate) const fn session(&self) -> &SessionRef {
        &self.session
    }

    /// Counts how it ended.
    pub(crate) fn ended(&self, code: u16) {
        self.node.metrics().edge.closes.of(label(code)).increment(1);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
        self.node.disconnected(&self.connection, &self.session);
    }
}

/// Returns the code as a metric's label; one that only a peer can have thought of counts as 1000.
fn label(code: u16) -> &'static str {
    match code {
        1001 => "1001",
        1002 => "1002",
        1006 => "1006",
        1007 => "1007",
        1009 => "1009",
        4000 => "4000",
        4001 => "4001",
        4002 => "4002",
        4003 => "4003",
        4004 => "4004",
        4005 => "4005",
        4006 => "4006",
        4500 => "4500",
        4501 => "4501",
        4502 => "4502",
        4503 => "4503",
        4504 => "4504",
        4505 => "4505",
        4506 => "4506",
        _ => "1000",
    }
}
