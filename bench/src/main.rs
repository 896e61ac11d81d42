//! `rookery-bench`: what is measured, each by one subcommand.

mod chat;
mod check;
mod cql;
mod irc;
mod nodes;
mod process;
mod replay;
mod search;
mod store;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "rookery-bench", about = "Benches of Rookery")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Store(store::Args),
    Cql(cql::Args),
    Nodes(nodes::Args),
    Search(search::Args),
    Chat(chat::Args),
    Replay(replay::Args),
    Check(check::Args),
    #[command(flatten)]
    Load(rookery_load::Load),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().bench {
        Bench::Store(args) => store::run(&args).map(|()| ExitCode::SUCCESS),
        Bench::Cql(args) => cql::run(&args).map(|()| ExitCode::SUCCESS),
        Bench::Nodes(args) => nodes::run(&args).map(|()| ExitCode::SUCCESS),
        Bench::Search(args) => search::run(&args).map(|()| ExitCode::SUCCESS),
        Bench::Chat(args) => chat::run(&args),
        Bench::Replay(args) => replay::run(&args),
        Bench::Check(args) => check::run(&args),
        Bench::Load(load) => rookery_load::run(&load),
    }
}
