//! What the pages say of the wire, the settings, the routes and the metrics is what the code says.

mod asvs;
mod boards;
mod examples;
mod hardening;
pub(crate) mod kept;
mod matrix;
mod pages;
mod promql;
mod runbooks;
mod sections;
mod served;
mod tables;
