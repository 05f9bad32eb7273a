//! The commands, one file each: its arguments and `run(&Args, &App) -> Result<Exit, Error>`.

pub mod approve;
pub mod check;
pub mod completions;
pub mod daemon;
pub mod diff;
pub mod fmt;
pub mod init;
pub mod log;
pub mod man;
pub mod reject;
pub mod revoke;
pub mod run;
pub mod scan;
pub mod service;
pub mod status;
pub mod trust;
pub mod uninstall;
pub mod unwrap;
pub mod upgrade;
pub mod wrap;

use super::app::App;
use super::args::Command;
use super::error::Error;
use super::exit::Exit;

/// Runs the command that was asked for.
pub fn run(command: &Command, app: &App) -> Result<Exit, Error> {
    match command {
        Command::Scan(args) => scan::run(args, app),
        Command::Init(args) => init::run(args, app),
        Command::Check(args) => check::run(args, app),
        Command::Diff(args) => diff::run(args, app),
        Command::Approve(args) => approve::run(args, app),
        Command::Reject(args) => reject::run(args, app),
        Command::Revoke(args) => revoke::run(args, app),
        Command::Trust(args) => trust::run(args, app),
        Command::Upgrade(args) => upgrade::run(args, app),
        Command::Status(args) => status::run(args, app),
        Command::Fmt(args) => fmt::run(args, app),
        Command::Wrap(args) => wrap::run(args, app),
        Command::Unwrap(args) => unwrap::run(args, app),
        Command::Uninstall(args) => uninstall::run(args, app),
        Command::Run(args) => run::run(args, app),
        Command::Daemon(args) => daemon::run(args, app),
        Command::Service(args) => service::run(args, app),
        Command::Log(args) => log::run(args, app),
        Command::Completions(args) => completions::run(args, app),
        Command::Man(args) => man::run(args, app),
    }
}
