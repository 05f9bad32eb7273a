//! The arguments: the options that all commands share and the list of commands. What a command
//! takes besides stands in its own file.
//!
//! Promises: a command that is listed works.

use super::commands::{
    approve, check, completions, daemon, diff, fmt, init, log, man, reject, revoke, run, scan, service,
    status, trust, uninstall, unwrap, upgrade, wrap,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0    everything is as pinned
  1    a change waits for a decision
  2    wrong usage
  3    something could not be checked
  130  interrupted";

/// Pins what your MCP servers show a model, and tells you when it changes
///
/// An MCP server shows a model text that you approved once: tool descriptions, schemas, prompts,
/// instructions. mcpwatch writes what you approved into a lockfile and compares it with what the
/// servers show today.
#[derive(Debug, Parser)]
#[command(name = "mcpwatch", version, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, subcommand_required = true)]
pub struct Cli {
    /// The options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the words that `mcpwatch wrap` puts into a client's file, which starts a gate with them and
    /// waits; any others are for the parser.
    pub fn as_wrapped(words: &[OsString]) -> Option<Self> {
        let (command, words) = words.get(1..)?.split_first()?;
        let (args, lock) = run::Args::as_wrapped(words).filter(|_| command == "run")?;
        Some(Self { common: Common { lock, ..Common::default() }, command: Command::Run(args) })
    }
}

/// The commands, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every configured server and everything it shows a model
    Scan(scan::Args),
    /// Review and pin what is configured
    Init(init::Args),
    /// Compare the servers with their locks; quiet when nothing changed
    Check(check::Args),
    /// Show everything that differs from the locks
    Diff(diff::Args),
    /// Review what changed and decide on it
    Approve(approve::Args),
    /// Turn down what a server offers now
    Reject(reject::Args),
    /// Take an approval back
    Revoke(revoke::Args),
    /// Review a lock and accept it on this machine
    Trust(trust::Args),
    /// Fetch the newest version of a server's package, review it, and move its pin
    Upgrade(upgrade::Args),
    /// Show the locks, what they pin, and whether they are trusted
    Status(status::Args),
    /// Write locks the one way they are written
    Fmt(fmt::Args),
    /// Put mcpwatch between clients and their servers
    Wrap(wrap::Args),
    /// Take mcpwatch out of the clients' files
    Unwrap(unwrap::Args),
    /// Watch in the foreground; the service runs this
    Daemon(daemon::Args),
    /// Keep the daemon running from logon to logon
    Service(service::Args),
    /// Show what happened, and verify that nobody edited it
    Log(log::Args),
    /// Unwrap everything and remove what mcpwatch installed
    Uninstall(uninstall::Args),
    /// Stand between a client and a server: what nobody approved does not pass
    Run(run::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print or write the manual pages
    Man(man::Args),
}

/// The options that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Read only this client configuration, of any known shape; may be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Vec<PathBuf>,
    /// Use this lockfile
    #[arg(long, global = true, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Take variables and `${input:…}` values from this file of NAME=VALUE lines
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// How to print what was found
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Print only what needs an answer
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs; documented in docs/json.md
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much is said besides the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and questions only.
    Quiet,
    /// Also what was done and what to do next.
    #[default]
    Normal,
    /// Also what helps to find out why.
    Verbose,
}

impl Common {
    /// What `-q` and `-v` come to.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }

    /// Whether data is for programs.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
