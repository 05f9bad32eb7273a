//! Errors of the command line: the only place that prints them and picks their exit code.
//!
//! Promises: every error says what happened, where, and what to do next. Each floor owns its typed
//! error and that error's hint; this type gathers them. No text that a server wrote is printed here
//! except through `engine::show`.

use super::app::App;
use super::exit::Exit;
use super::render::human::{RED, paint};
use crate::daemon::DaemonError;
use crate::discover::Carried;
use crate::discover::env_file::BadLine;
use crate::engine::approval::Unable;
use crate::engine::digest::Digest;
use crate::ipc::IpcError;
use crate::proxy::ProxyError;
use crate::service::ServiceError;
use crate::store::log::LogError;
use crate::survey::SurveyError;
use crate::survey::upgrade::UpgradeError;
use crate::survey::wrap::WrapError;
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
    /// A survey could not go on.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A file that was asked for could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of `--env-file` is no file of variables.
    #[error("{}: {source}", path.display())]
    EnvFile {
        /// The file.
        path: PathBuf,
        /// Where.
        source: BadLine,
    },
    /// There is no lock to compare with.
    #[error("nothing is pinned yet{}", lock(.path))]
    NothingPinned {
        /// The lock that was looked for.
        path: Option<PathBuf>,
    },
    /// A name that was asked for stands nowhere.
    #[error("no server is called {}", super::render::human::names(names))]
    UnknownName {
        /// The names.
        names: Vec<String>,
    },
    /// An item that was asked for is not pinned.
    #[error("{server} has nothing pinned that is called {name}")]
    UnknownItem {
        /// The server.
        server: String,
        /// The item.
        name: String,
    },
    /// What is offered is not what was to be approved.
    #[error("{name} does not offer what was expected: its offer is {offer}")]
    OtherOffer {
        /// The server.
        name: String,
        /// What it offers.
        offer: Digest,
    },
    /// A file that was asked for could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A server has no newer version that could be fetched.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// A client's file could not be changed.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// The service could not be removed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A decision is needed at a level that cannot be had here.
    #[error(transparent)]
    Unable(#[from] Unable),
    /// The system does not say where this program is.
    #[error("cannot find out where this program is: {0}")]
    Program(std::io::Error),
    /// A decision was not confirmed.
    #[error("nothing was decided: {0}")]
    Code(String),
    /// The daemon does not run.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The daemon cannot be asked.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The log cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A decision is needed and nobody can be asked.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// A trust store that the environment brought would be changed.
    #[error(
        "MCPWATCH_HOME is set: this would be said in the trust store that it brings, which has no say in it"
    )]
    Moved,
    /// The current folder cannot be told.
    #[error("cannot tell the current folder: {0}")]
    Folder(std::io::Error),
    /// A wrapped remote entry cannot be read.
    #[error(transparent)]
    Carried(#[from] Carried),
    /// The gate could not stand up.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
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
            Error::Survey(error) => error.hint(),
            Error::Read { .. } => "Check that the file exists and that you may read it.".to_owned(),
            Error::EnvFile { .. } => "Write one NAME=VALUE a line.".to_owned(),
            Error::NothingPinned { .. } => {
                "Run `mcpwatch init` to review and pin what is configured.".to_owned()
            }
            Error::UnknownName { .. } => "`mcpwatch scan --list` shows what is configured.".to_owned(),
            Error::UnknownItem { .. } => "`mcpwatch status` shows what is pinned.".to_owned(),
            Error::OtherOffer { .. } => {
                "Nothing was approved. Review what it offers now: `mcpwatch diff`.".to_owned()
            }
            Error::Write { .. } => "Check that the folder exists and that you may write to it.".to_owned(),
            Error::Upgrade(error) => error.hint(),
            Error::Wrap(error) => error.hint(),
            Error::Service(error) => error.hint(),
            Error::Code(_) => "Run the command again; a new code is shown.".to_owned(),
            Error::Daemon(error) => error.hint(),
            Error::Ipc(error) => error.hint(),
            Error::Log(error) => error.hint(),
            Error::Unable(_) => "Decide it where that is at hand, at the desktop of this account.".to_owned(),
            Error::Program(_) => "Start mcpwatch by its full path.".to_owned(),
            Error::NoTerminal => "Run this in a terminal. Scripts can use `--yes` or `--expect`, which \
                                  write the lock and give no trust."
                .to_owned(),
            Error::Moved => "Run this without MCPWATCH_HOME.".to_owned(),
            Error::Folder(_) => "Change into a folder that exists.".to_owned(),
            Error::Carried(error) => error.hint(),
            Error::Proxy(error) => error.hint(),
            Error::Interrupted => String::new(),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Interrupted => Exit::Interrupted,
            Error::UnknownName { .. } | Error::UnknownItem { .. } | Error::Upgrade(_) => Exit::Usage,
            Error::OtherOffer { .. } => Exit::ChangeWaits,
            Error::Survey(SurveyError::NoConfig { .. }) => Exit::Usage,
            Error::Runtime(_)
            | Error::Output(_)
            | Error::Survey(_)
            | Error::Read { .. }
            | Error::EnvFile { .. }
            | Error::NothingPinned { .. }
            | Error::Write { .. }
            | Error::Wrap(_)
            | Error::Service(_)
            | Error::Code(_)
            | Error::Daemon(_)
            | Error::Ipc(_)
            | Error::Log(_)
            | Error::Unable(_)
            | Error::Program(_)
            | Error::NoTerminal
            | Error::Moved
            | Error::Folder(_)
            | Error::Carried(_)
            | Error::Proxy(_) => Exit::Failed,
        }
    }
}

fn lock(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!(": there is no {}", path.display())).unwrap_or_default()
}

/// Prints an error with its hint, and tells the exit code.
pub fn report(error: &Error, app: &App) -> Exit {
    app.out.warn(&format!("{} {error}", paint(RED.bold(), "error:")));
    let hint = error.hint();
    if !hint.is_empty() {
        app.out.warn(&format!("  {}", sentence(&hint)));
    }
    error.exit()
}

/// A hint as a sentence: a capital at its start, a full stop at its end.
pub fn sentence(hint: &str) -> String {
    let mut letters = hint.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if hint.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Prints what clap has to say: help and version to stdout, wrong usage to stderr.
pub fn report_usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}
