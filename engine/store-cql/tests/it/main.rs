//! The store against a real server.

mod people;
