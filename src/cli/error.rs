//! Errors of the command line: the only place that prints them and picks their exit code.
//!
//! Promises: every error says what happened, where, and what to do next. Each floor owns its typed
//! error and that error's hint; this type gathers them. No text that a server wrote is printed here
//! except through `engine::show`.

use super::app::App;
use super::exit::Exit;
use clap::builder::styling::{AnsiColor, Style};
use std::path::PathBuf;

/// Why a command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The async runtime did not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    /// stdout refused data.
    #[error("cannot write to stdout: {0}")]
    Output(std::io::Error),
    /// A file that was asked for could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A decision is needed and nobody can be asked.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// The person at the keyboard ended it.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// What to do next; empty where the message says it all.
    pub fn hint(&self) -> String {
        match self {
            Error::Runtime(_) => "Check the limits on open files and processes (`ulimit -a`).".to_owned(),
            Error::Output(_) => "Check the disk or the program that reads the output.".to_owned(),
            Error::Write { .. } => "Check that the folder exists and that you may write to it.".to_owned(),
            Error::NoTerminal => "Run this in a terminal. Scripts can use `--yes` or `--expect`, which \
                                  write the lock and give no trust."
                .to_owned(),
            Error::Interrupted => String::new(),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Interrupted => Exit::Interrupted,
            Error::Runtime(_) | Error::Output(_) | Error::Write { .. } | Error::NoTerminal => Exit::Failed,
        }
    }
}

/// Prints an error with its hint, and tells the exit code.
pub fn report(error: &Error, app: &App) -> Exit {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    app.out.warn(&format!("{red}error:{red:#} {error}"));
    let hint = error.hint();
    if !hint.is_empty() {
        app.out.warn(&format!("  {hint}"));
    }
    error.exit()
}

/// Prints what clap has to say: help and version to stdout, wrong usage to stderr.
pub fn report_usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}
