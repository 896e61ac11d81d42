//! `rookery-bench`: what is measured, each by one subcommand.

mod store;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "rookery-bench", about = "Benches of Rookery")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Store(store::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().bench {
        Bench::Store(args) => store::run(&args),
    }
}
