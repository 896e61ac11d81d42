//! The binary `rookery`: serves Rookery, looks after a server, and speaks to one from a terminal.
//!
//! This is the only place that reads the environment, installs a log and picks a store. Everything
//! that serves is in the libraries; everything that speaks is in `rookery-client`.

#![deny(clippy::print_stdout)]

mod account;
mod admin;
mod backup;
mod cli;
mod config_command;
mod context;
mod context_command;
mod conversation;
mod descriptors;
mod doctor;
mod exit;
mod keys;
mod logs;
mod migrate;
mod office;
mod output;
mod prompt;
mod reload;
mod resolve;
mod rooms;
mod send;
mod serve;
mod session;
mod settings;
mod signals;
mod systemd;
mod tail;
mod transcript;
mod wiring;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// What it is told is in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Config { action, args }) => config_command::run(action, &args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Migrate(args)) => migrate::run(&args),
        Some(Command::Admin { action, args }) => admin::run(action, &args),
        Some(Command::Keys { action }) => keys::run(&action),
        Some(Command::Backup(args)) => backup::run(&args),
        Some(Command::Restore(args)) => backup::restore(&args),
        Some(Command::Context { action }) => context_command::run(action),
        Some(Command::Register(args)) => account::register(args),
        Some(Command::Login(args)) => account::login(args),
        Some(Command::Logout(args)) => account::logout(&args),
        Some(Command::Rooms { action, connection }) => rooms::run(action, &connection),
        Some(Command::Tail(args)) => tail::run(&args),
        Some(Command::Send(args)) => send::run(&args),
    };
    exit::code(outcome)
}
