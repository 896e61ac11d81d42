//! The command line: what there is and what it takes.

#![expect(clippy::doc_markdown, reason = "these comments are the help that a terminal shows")]

use crate::office::OfficeAction;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rookery_protocol::RoomId;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed; the last line on standard error says why
  2  the command line or the configuration is wrong
  3  the server refused, and says why
  4  the server cannot be reached

All settings: `rookery config show`. Without a command: serve.";

/// Realtime messaging: the server, and what speaks to it.
#[derive(Debug, Parser)]
#[command(name = "rookery", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until SIGTERM or SIGINT; then drain and exit 0. A second one exits at once. SIGHUP reloads.
    Serve(ServeArgs),
    /// Check the configuration, show it with where each value comes from, or print its JSON Schema.
    Config {
        #[command(subcommand)]
        action: ConfigAction,
        #[command(flatten)]
        args: ServeArgs,
    },
    /// Look at everything a server needs, without changing anything.
    Doctor(DoctorArgs),
    /// Bring the schema of ScyllaDB or Cassandra up to date; a server that starts does the same.
    Migrate(MigrateArgs),
    /// Ask a running server who else is there and which rooms are heard, choose what it logs, or have it drain.
    Admin {
        #[command(subcommand)]
        action: AdminAction,
        #[command(flatten)]
        args: AdminArgs,
    },
    /// List the keys that sign access tokens, add the next one, or drop those that no token needs any more.
    Keys {
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Write all that the store and its files are into one file; a server may be running.
    Backup(BackupArgs),
    /// Fill an empty store with what a backup holds, and compare both; no server may be running.
    Restore(RestoreArgs),
    /// Make an account, log in, and keep the login under the handle.
    Register(RegisterArgs),
    /// Log in, and keep the login under the handle.
    Login(LoginArgs),
    /// End a login and forget it.
    Logout(Connection),
    /// List the logins that are kept, pick the one used without `--as`, or forget one.
    Context {
        #[command(subcommand)]
        action: Option<ContextAction>,
    },
    /// List one's rooms, make one, or add members.
    Rooms {
        #[command(subcommand)]
        action: Option<RoomsAction>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Print a room's messages as they come, until interrupted.
    Tail(TailArgs),
    /// Send a message; without TEXT, every line of standard input.
    Send(SendArgs),
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Address of the public listener [default: 127.0.0.1:7080]; port 0 picks one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Address of the listener for probes and metrics [default: 127.0.0.1:7081].
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<String>,
    /// Folder of the database and the signing key [default: ./data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Configuration file (TOML). ROOKERY_SECTION__NAME wins over it, flags win over both.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say whether it is valid, with every mistake.
    Check,
    /// Print every setting, its value, and what set it.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the file.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which server, by the listener that operators use.
#[derive(Clone, Debug, Args)]
pub(crate) struct AdminArgs {
    /// Its admin listener [env: ROOKERY_ADMIN_URL; default: http://127.0.0.1:7081].
    #[arg(long = "admin", value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
    /// The server's signing key, which shows that its operator asks [env: ROOKERY_ADMIN_KEY; default:
    /// ./data/signing.key].
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) key: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub(crate) output: Output,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AdminAction {
    /// Users, what they report, what is done about it.
    #[command(flatten)]
    Office(OfficeAction),
    /// Print the nodes of the cluster, as this one sees them.
    Nodes,
    /// Print the rooms with the most listeners on this node, or where one room is at home.
    Rooms {
        /// Only this one, by its id, whether or not it is heard here.
        room: Option<RoomId>,
        /// How many, at most 1000.
        #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Those in which the most goes on, instead: events and deliveries a second over the last minute.
        #[arg(long, conflicts_with = "room")]
        hot: bool,
    },
    /// Print which lines the log has, or choose them: levels and targets, such as info,rookery_actors=debug.
    Log {
        /// What chooses them.
        filter: Option<String>,
        /// For how long, such as 30s, 10m or 2h, at most a day; without it until the next reload.
        #[arg(long = "for", value_name = "TIME", requires = "filter", value_parser = seconds)]
        time: Option<u64>,
        /// Let the configuration choose again.
        #[arg(long, conflicts_with = "filter")]
        reset: bool,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Drain this node as SIGTERM does, and wait until its process has ended.
    Drain {
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Return as soon as it has begun.
        #[arg(long)]
        no_wait: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    /// Only say what would be applied.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// Print each key's name, from when on it signs, and what it does now.
    List(KeysArgs),
    /// Add a key that signs from a moment on, before which every server has to have read it (SIGHUP).
    Rotate {
        /// How long from now, such as 30s, 10m or 2h.
        #[arg(long = "in", value_name = "TIME", default_value = "10m", value_parser = seconds)]
        time: u64,
        /// From now on: for one server, or none that runs.
        #[arg(long, conflicts_with = "time")]
        now: bool,
        #[command(flatten)]
        args: KeysArgs,
    },
    /// Drop the keys whose last token has run out; have every server read the newer ones before.
    Prune(KeysArgs),
}

/// Which keys.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// The file they stand in [default: signing.key in the data dir].
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Where to: a file that is not there yet, or - for standard output.
    pub(crate) file: PathBuf,
    /// Read everything and say how much it would be, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave out the bytes of files; what is known of them is in it all the same.
    #[arg(long)]
    pub(crate) no_files: bool,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct RestoreArgs {
    /// Where from: a file, or - for standard input.
    pub(crate) file: PathBuf,
    /// Check the backup and look at the store, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on where an earlier restore of the same backup was interrupted.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Only compare the store with the backup.
    #[arg(long, conflicts_with_all = ["dry_run", "resume"])]
    pub(crate) verify: bool,
    /// Leave out the bytes of files.
    #[arg(long)]
    pub(crate) no_files: bool,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// Which server, and as whom.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Connection {
    /// Act as the login kept under this name [env: ROOKERY_CONTEXT; default: the last one].
    #[arg(long = "as", visible_alias = "context", value_name = "NAME", global = true)]
    pub(crate) name: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t, global = true)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON value a line.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// The e-mail address to log in with.
    pub(crate) email: String,
    /// The unique name: 3 to 32 of a-z 0-9 _ . (by default the part of the address before the @).
    #[arg(long)]
    pub(crate) handle: Option<String>,
    /// The display name [default: the handle].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Keep the login under this name [default: the handle].
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) keep_as: Option<String>,
    #[command(flatten)]
    pub(crate) url: Url,
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The e-mail address.
    pub(crate) email: String,
    /// Keep the login under this name [default: the handle].
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) keep_as: Option<String>,
    #[command(flatten)]
    pub(crate) url: Url,
}

#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The server [env: ROOKERY_URL; default: http://127.0.0.1:7080].
    #[arg(long = "url", value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextAction {
    /// Print the logins that are kept.
    List,
    /// Use this one from now on.
    Use {
        /// Its name.
        name: String,
    },
    /// Forget this one; the login itself goes on (`rookery logout` ends it).
    Forget {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoomsAction {
    /// Print one's rooms, newest activity first.
    List,
    /// Make a room.
    Create {
        /// Its title.
        title: String,
        /// Members to begin with, with commas between: names of kept logins, or user ids.
        #[arg(long = "with", value_name = "USER", value_delimiter = ',')]
        members: Vec<String>,
    },
    /// Open the one direct room with somebody.
    Direct {
        /// The name of a kept login, or a user id.
        user: String,
    },
    /// Add members to a room.
    Add {
        /// The room: its title or its id.
        room: String,
        /// Names of kept logins, or user ids.
        #[arg(required = true)]
        users: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The room: its title or its id.
    pub(crate) room: String,
    /// Begin with this many of the newest messages, at most 100.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) lines: u8,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// The room: its title or its id.
    pub(crate) room: String,
    /// What to say; when absent, every line of standard input is a message.
    pub(crate) text: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Reads a time such as `30s`, `10m` or `2h` into seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| "a time is such as 30s, 10m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        assert_eq!(
            [seconds("30s"), seconds("10m"), seconds("2h"), seconds("7")],
            [Ok(30), Ok(600), Ok(7200), Ok(7)]
        );
        for wrong in ["", "m", "0s", "-1s", "1.5h", "10x", "99999999999999999999h"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
