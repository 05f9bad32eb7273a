//! Why an entry is not wrapped, and why a client's file could not be changed.

use crate::discover::Fault;
use crate::edit::EditError;
use crate::store::StoreError;
use crate::store::log::LogError;
use crate::sys::files::FilesError;
use std::path::PathBuf;

/// Why an entry is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// The machine's administrator wrote it.
    #[error("the file belongs to the machine's administrator")]
    Managed,
    /// A plugin brought it; the next update would undo it.
    #[error("the plugin's next update would undo it")]
    Plugin,
    /// It stands in a project's file, which others share.
    #[error("the file belongs to the project, and others share it")]
    Project,
    /// Only the client can use these fields.
    #[error("only the client itself can use {}", .0.join(" and "))]
    OwnFields(Vec<&'static str>),
    /// A remote server without headers, which the client may sign in to by itself.
    #[error("the client may sign in by itself")]
    SignIn,
    /// The client ignores it.
    #[error("{0} ignores entries with an address")]
    Ignored(&'static str),
    /// Nothing of it is pinned yet: a gate before it would show nothing of it.
    #[error("not pinned yet")]
    Unpinned,
    /// A transport that the gate does not stand in.
    #[error("the gate cannot stand in {0}")]
    Transport(&'static str),
    /// The text cannot be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Left {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Managed => "Ask the administrator to wrap it.".into(),
            Self::Plugin => "Configure the server yourself and switch the plugin's off.".into(),
            Self::Project => {
                "Name it, or say --project, if all who use the project have mcpwatch on their PATH.".into()
            }
            Self::OwnFields(_) => "Give it a header with a token instead, then wrap it.".into(),
            Self::SignIn => {
                "Pin it first with `mcpwatch init NAME`: what that can read can be wrapped.".into()
            }
            Self::Ignored(_) => "Remove the entry, or start it through a command.".into(),
            Self::Unpinned => {
                "Run `mcpwatch init NAME` first; or name it, and nothing of it is shown until then.".into()
            }
            Self::Transport(_) => "`mcpwatch check` still watches it where it can be read.".into(),
            Self::Edit(error) => error.hint(),
        }
    }
}

/// Why files cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// The client's file.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Our backups.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The change is made, and could not be logged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The client's file is not text any more.
    #[error("{} {fault}", file.display())]
    Text {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// This program has a name under which it would not be known again.
    #[error("this program is {}, and clients' files name `mcpwatch`", .0.display())]
    Exe(PathBuf),
}

impl WrapError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Files(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Log(error) => error.hint(),
            Self::Text { .. } => "Restore it from a backup, then run the command again.".into(),
            Self::Exe(_) => "Install it under its own name.".into(),
        }
    }
}
