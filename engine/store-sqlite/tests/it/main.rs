//! The embedded store from outside: the contract, kills, full and failing disks, restarts.

mod contract;
mod crash;
mod disk;
mod restart;
mod scratch;
mod search;
mod spans;
