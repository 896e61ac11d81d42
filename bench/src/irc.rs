//! A day of an IRC channel: read from the files of the disentanglement corpus, or made from a seed.

mod day;
mod generate;
mod line;

pub(crate) use day::Day;
pub(crate) use generate::{LINES, generate};
pub(crate) use line::What;
