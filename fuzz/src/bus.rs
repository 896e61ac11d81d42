//! The bus: envelopes of Redis, and what the nodes of a cluster say in them.

pub(crate) fn run(bytes: &[u8]) {
    rookery_actors::outside::frame(bytes);
    if let Some(frame) = rookery_bus_redis::outside::heard(bytes) {
        rookery_actors::outside::frame(&frame);
    }
}
