//! The cluster's store from outside, on a real Cassandra: the contract, two nodes at once, interruptions,
//! kills, migrations.

mod cast;
mod contract;
mod halfway;
mod keyspace;
mod races;
