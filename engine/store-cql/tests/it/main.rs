//! The cluster's store from outside, on a real Cassandra: the contract, two nodes at once, interruptions,
//! kills, migrations.

mod contract;
mod keyspace;
mod people;
