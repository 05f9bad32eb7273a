//! What discovery finds: a server as one client configures it in one place.

use super::client::Client;
use super::problem::{Place, Problem};
use crate::engine::json;
use crate::engine::launchpin::Launch;
use crate::engine::wrapping::Wrapped;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// A configured server. Identity is (client, scope, file, key path): one name in several scopes is normal.
#[derive(Clone)]
pub struct Entry {
    /// The client that reads it.
    pub client: Client,
    /// For whom it is configured.
    pub scope: Scope,
    /// The name under which it is configured, as written by whoever wrote the file.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The entry's place in the file, as keys.
    pub key_path: json::Path,
    /// The entry's place in the file, as a line.
    pub place: Place,
    /// The project folder it belongs to; `None` for what is configured for the user everywhere.
    pub folder: Option<PathBuf>,
    /// Where paths of its launch are pinned from if it belongs to no project: the folder of a lock that
    /// was named for it.
    pub base: Option<PathBuf>,
    /// The launch as written, nothing expanded.
    pub launch: Launch,
    /// Whether the client is told not to start it.
    pub disabled: bool,
    /// Whether its owner has asked for it: it stands in the user's own configuration, or was named with
    /// `--config`. What is not asked for is listed, never resolved; that it is enabled by its name says
    /// nothing about its launch.
    pub asked: bool,
    /// A file of variables for its environment, as written (VS Code's `envFile`).
    pub env_file: Option<String>,
    /// Parts of the launch that the client fills from its own environment (Codex).
    pub from_env: Vec<FromEnv>,
    /// The ids of `${input:…}` that it names: values that the client asks its user for.
    pub inputs: Vec<String>,
    /// Variables that the client itself provides to this entry, such as `CLAUDE_PLUGIN_ROOT`.
    pub given: BTreeMap<String, String>,
    /// Fields that only the client understands and a command of ours could not keep, such as `oauth`.
    pub own_fields: Vec<&'static str>,
    /// Whether mcpwatch stands before it. `launch` is the original's all the same.
    pub wrapped: Option<Wrapped>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// For whom a server is configured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// By the machine's administrator, for everyone.
    Managed,
    /// By the user, everywhere.
    User,
    /// By the user, in one profile of the client.
    Profile(String),
    /// By the user, in one project, outside of the project's own files.
    Local,
    /// In the project's own files.
    Project,
    /// By an extension or plugin of the client.
    Plugin(String),
    /// In a file that was named with `--config`.
    Named,
}

/// A part of a launch that comes from one variable of the client's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromEnv {
    /// What it fills.
    pub target: Target,
    /// The variable.
    pub variable: String,
}

/// What a variable fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A variable of the server's environment; left out when it is not set.
    Env,
    /// A header, after a prefix such as `Bearer `.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the value.
        prefix: &'static str,
    },
}

/// Everything that was found, and everywhere that was looked.
#[derive(Clone, Default)]
pub struct Discovered {
    /// The servers, in the order of [`super::CLIENTS`].
    pub entries: Vec<Entry>,
    /// What could not be read. Each may hide a server.
    pub problems: Vec<Problem>,
    /// What is worth knowing and hides nothing that could be read.
    pub remarks: Vec<Problem>,
    /// Every file that was looked for.
    pub looked_in: Vec<Looked>,
}

/// A file that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// For this client.
    pub client: Client,
    /// For this scope.
    pub scope: Scope,
    /// The file.
    pub file: PathBuf,
    /// Whether it was there.
    pub found: bool,
}

impl Entry {
    /// What tells this entry from every other.
    pub fn identity(&self) -> (Client, &Scope, &std::path::Path, &json::Path) {
        (self.client, &self.scope, &self.file, &self.key_path)
    }
}

impl Scope {
    /// Whether entries of this scope belong to a project's lock instead of the user's.
    pub fn is_project(&self) -> bool {
        matches!(self, Self::Project)
    }

    /// Whether whoever runs this wrote it, or its administrator did.
    pub fn is_own(&self) -> bool {
        match self {
            Self::Managed | Self::User | Self::Profile(_) | Self::Local | Self::Plugin(_) | Self::Named => {
                true
            }
            Self::Project => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Managed => f.write_str("managed"),
            Self::User => f.write_str("user"),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Local => f.write_str("local"),
            Self::Project => f.write_str("project"),
            Self::Plugin(name) => write!(f, "plugin {name}"),
            Self::Named => f.write_str("file"),
        }
    }
}

impl Discovered {
    /// Adds a note to every entry.
    pub(super) fn note(&mut self, note: Option<&str>) {
        for (entry, note) in self.entries.iter_mut().zip(note.iter().cycle()) {
            entry.notes.push((*note).to_owned());
        }
    }

    /// Adds what another search found, leaving out entries that are already there.
    pub fn absorb(&mut self, other: Self) {
        for entry in other.entries {
            if !self.entries.iter().any(|known| known.identity() == entry.identity()) {
                self.entries.push(entry);
            }
        }
        self.problems.extend(other.problems);
        self.remarks.extend(other.remarks);
        self.looked_in.extend(other.looked_in);
    }
}
