//! The index from outside: the contract, stories that are compared with reading everything, restarts,
//! kills, damage, and what is left of a message that is gone.

mod agree;
mod behind;
mod contract;
mod crash;
mod gone;
mod pace;
mod restart;
mod scratch;
mod story;
