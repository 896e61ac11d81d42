//! The bus over real Redis: the contract, and what happens when Redis or a node does not go on.

mod breaks;
mod contract;
mod nodes;
mod pauses;
mod server;
mod tls;
