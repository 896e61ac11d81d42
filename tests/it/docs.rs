//! What the pages say of the wire, the settings, the routes and the metrics is what the code says.

mod examples;
mod matrix;
mod pages;
mod sections;
mod served;
mod tables;
