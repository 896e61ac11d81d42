//! The cluster's store from outside, on a real Cassandra: the contract, two nodes at once, interruptions,
//! kills, migrations.

mod cast;
mod contract;
mod driver;
mod events;
mod garbage;
mod halfway;
mod interrupted;
mod keyspace;
mod kill;
mod migrations;
mod nodes;
mod races;
mod running;
mod size;
