//! The command line: parse, run one command, turn its outcome into an exit code.
//!
//! Promises: data goes to stdout and words to stderr; one place prints errors (`error.rs`) and one
//! place picks exit codes (`exit.rs`). Does not decide anything about servers: that is `survey` and
//! the engine. A new command is a file in `commands/`, a variant in `args.rs` and an arm in
//! `commands::run`.

pub mod answer;
pub mod app;
pub mod args;
pub mod commands;
pub mod error;
pub mod exit;
pub mod loosen;
pub mod output;
pub mod prompt;
pub mod proposing;
pub mod reading;
pub mod render;

use app::App;
use clap::Parser;
use exit::Exit;
use std::ffi::OsString;

/// Parses the arguments, runs the command, reports its error, and tells the exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match args::Cli::as_wrapped(&args).map_or_else(|| args::Cli::try_parse_from(&args), Ok) {
        Ok(cli) => cli,
        Err(error) => return error::report_usage(&error),
    };
    let app = App::new(cli.common);
    match commands::run(&cli.command, &app) {
        Ok(exit) => exit,
        Err(error) => error::report(&error, &app),
    }
}
