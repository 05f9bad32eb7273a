//! The commands, one file each: its arguments and `run(&Args, &App) -> Result<Exit, Error>`.

pub mod check;
pub mod completions;
pub mod init;
pub mod man;
pub mod scan;

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
        Command::Completions(args) => completions::run(args, app),
        Command::Man(args) => man::run(args, app),
    }
}
