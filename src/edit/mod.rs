//! Text-preserving edits of a client's file: putting mcpwatch before one server, and taking it away.
//!
//! Promises: pure; only the one entry changes, and in it only what starts the server. Comments, order,
//! indentation, line ends, trailing commas and every other key stay as they are. No key is written that
//! a client does not know. A text that does not parse, or that has a duplicate key on the way to the
//! entry or in it, is refused. Wrapping twice changes nothing; unwrapping needs the text alone.
//!
//! A command becomes `EXE run --server NAME -- COMMAND ARGS…`, the original still readable and undone
//! by hand. A remote entry becomes `EXE run --id CLIENT:NAME`, its own text carried whole in the
//! variable [`ENTRY_VARIABLE`](crate::engine::wrapping::ENTRY_VARIABLE), so that the client goes on filling in what it fills in.
//!
//! Does not: read or write files, know clients, keep backups; `survey/wrap.rs` does.

mod json;
mod json_remote;
mod splice;
mod toml;
mod toml_remote;

use crate::engine::json::Path;
use crate::engine::wrapping::Wrapped;

/// The formats that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, also with comments and trailing commas.
    Json,
    /// TOML.
    Toml,
}

/// What is put before a server.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper<'a> {
    /// The absolute path of this program.
    pub exe: &'a str,
    /// The lock to use, where it is not the user's.
    pub lock: Option<&'a str>,
    /// The server's name for the lock.
    pub name: &'a str,
    /// The client's id, which `run --id` reads the carried entry with.
    pub client: &'a str,
    /// Variables of the client's environment that a remote entry needs and that the client would not
    /// hand on by itself: the name, and how this client writes its value.
    pub forward: &'a [(String, String)],
}

/// Whether an entry is wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not.
    Plain,
    /// It is.
    Wrapped(Wrapped),
}

/// Why a text is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It does not parse.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key stands twice on the way to the entry, or in it.
    #[error("line {line}: the key {key:?} stands twice")]
    DuplicateKey {
        /// Where the second one is.
        line: usize,
        /// The key.
        key: String,
    },
    /// There is no such entry.
    #[error("there is no {path}")]
    Missing {
        /// What was looked for.
        path: Path,
    },
    /// The entry is not written in a way that can be edited without touching the rest.
    #[error("{path} {why}")]
    Shape {
        /// The entry.
        path: Path,
        /// Why not.
        why: &'static str,
    },
    /// The entry is not wrapped.
    #[error("{path} is not wrapped")]
    NotWrapped {
        /// The entry.
        path: Path,
    },
    /// A name or path that a client would read as a variable.
    #[error("{0:?} holds a character that the client would read as a variable")]
    Variable(String),
}

impl EditError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Syntax { .. } | Self::DuplicateKey { .. } => "Correct the file; it was not touched.".into(),
            Self::Missing { .. } => "The client has rewritten its file; run the command again.".into(),
            Self::Shape { .. } => "Write the entry in the usual form, or put mcpwatch in by hand: \
                                   mcpwatch run --server NAME -- COMMAND ARGS."
                .into(),
            Self::NotWrapped { .. } => "Nothing is to be done.".into(),
            Self::Variable(_) => "Give the server another name in the client's file.".into(),
        }
    }
}

/// Puts mcpwatch before the entry at `path`. A wrapped entry stays as it is, unless this program or
/// the name has moved.
pub fn wrap(format: Format, text: &str, path: &Path, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    for word in [wrapper.exe, wrapper.name].into_iter().chain(wrapper.lock) {
        if word.contains('$') || word.contains('%') || word.contains(char::is_control) {
            return Err(EditError::Variable(word.to_owned()));
        }
    }
    match state(format, text, path)? {
        State::Wrapped(wrapped) if is_same(&wrapped, wrapper) => Ok(text.to_owned()),
        State::Wrapped(_) => put(format, &unwrap(format, text, path)?, path, wrapper),
        State::Plain => put(format, text, path, wrapper),
    }
}

/// Takes mcpwatch away from the entry at `path`, by the text alone.
pub fn unwrap(format: Format, text: &str, path: &Path) -> Result<String, EditError> {
    match format {
        Format::Json => json::unwrap(text, path),
        Format::Toml => toml::unwrap(text, path),
    }
}

/// Whether the entry at `path` is wrapped.
pub fn state(format: Format, text: &str, path: &Path) -> Result<State, EditError> {
    let wrapped = match format {
        Format::Json => json::wrapped(text, path),
        Format::Toml => toml::wrapped(text, path),
    };
    Ok(wrapped?.map_or(State::Plain, State::Wrapped))
}

fn is_same(wrapped: &Wrapped, wrapper: &Wrapper<'_>) -> bool {
    wrapped.exe == wrapper.exe && wrapped.name == wrapper.name && wrapped.lock.as_deref() == wrapper.lock
}

fn put(format: Format, text: &str, path: &Path, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    match format {
        Format::Json => json::wrap(text, path, wrapper),
        Format::Toml => toml::wrap(text, path, wrapper),
    }
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
