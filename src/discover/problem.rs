//! What is wrong with a client's file, and where: the path, the line, the entry, and what to do.
//!
//! Promises: a message never repeats a value of the file, only keys and names; one bad file or entry
//! takes nothing else down.

use crate::engine::json;
use std::fmt;
use std::path::PathBuf;

/// Something in a client's file that could not be read, or is worth a remark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, where it is known.
    pub place: Option<Place>,
    /// The entry or key, where it is known.
    pub path: Option<json::Path>,
    /// What is wrong.
    pub fault: Fault,
}

/// A place in a text: line and column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The kinds of problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Above the limit of bytes.
    #[error("is larger than {0} MiB")]
    TooLarge(u64),
    /// No text of any encoding a client reads.
    #[error("is not text: neither UTF-8 nor UTF-16 with a byte order mark")]
    NotText,
    /// A NUL byte.
    #[error("holds a NUL byte")]
    NulByte,
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// The text ends too early.
    #[error("ends in the middle: {0}")]
    Truncated(String),
    /// Not the format that the client reads.
    #[error("is not {0}: {1}")]
    Syntax(&'static str, String),
    /// One key twice in one object. Readers differ in which one they take, so none is taken.
    #[error("the key {0:?} stands twice")]
    DuplicateKey(String),
    /// A value of the wrong type: wanted, found.
    #[error("must be {0}, not {1}")]
    WrongType(&'static str, &'static str),
    /// A server with neither command nor address.
    #[error("has neither a command nor an address")]
    NoLaunch,
    /// A server with both.
    #[error("has both a command and an address")]
    TwoLaunches,
    /// A transport that mcpwatch does not speak.
    #[error("uses the transport {0:?}, which mcpwatch does not speak")]
    Transport(String),
    /// A server whose launch does not stand in a file.
    #[error("is started by {0}; its command stands in no file")]
    Elsewhere(&'static str),
    /// A wrapped remote server whose own text is gone from the variable that carries it.
    #[error("has lost the text of its original")]
    LostOriginal,
    /// A file of `--config` of no known shape.
    #[error("is no client configuration that mcpwatch knows")]
    UnknownShape,
    /// More projects stand in the file than were read.
    #[error("also configures servers for {0} other folder(s)")]
    OtherProjects(usize),
}

impl Problem {
    /// A problem of a whole file.
    pub fn of_file(file: impl Into<PathBuf>, fault: Fault) -> Self {
        Self { file: file.into(), place: None, path: None, fault }
    }

    /// What to do about it, in one sentence.
    pub fn hint(&self) -> String {
        match &self.fault {
            Fault::Unreadable(_) => "Check the permissions of the file.".into(),
            Fault::TooLarge(_) => {
                "A client's configuration is never that large; look what happened to it.".into()
            }
            Fault::NotText | Fault::NulByte => {
                "Save the file as UTF-8; if it was damaged, restore it from a backup.".into()
            }
            Fault::Empty => "Write {} into it, or remove it.".into(),
            Fault::Truncated(_) => "Something stopped while writing it; restore it from a backup.".into(),
            Fault::Syntax(..) => "Correct the file at that place; the client cannot read it either.".into(),
            Fault::DuplicateKey(_) => {
                "Remove one of the two: clients differ in which one they take, so neither is read.".into()
            }
            Fault::WrongType(..) => "Correct the entry; it is left out until then.".into(),
            Fault::NoLaunch => "Give it a command or a url, or remove it.".into(),
            Fault::TwoLaunches => {
                "Keep either the command or the url: clients differ in which one they take.".into()
            }
            Fault::Transport(_) => "mcpwatch reads servers over stdio, Streamable HTTP and SSE.".into(),
            Fault::Elsewhere(_) => "mcpwatch cannot watch it.".into(),
            Fault::LostOriginal => {
                "Configure the server anew; what it was is in the backups in mcpwatch's data folder.".into()
            }
            Fault::UnknownShape => {
                "Known are the files of Claude Code, Claude Desktop, Cursor, VS Code, Codex, Gemini CLI, \
                 Windsurf and Zed; the simplest is {\"mcpServers\": {\"name\": {\"command\": \"…\"}}}."
                    .into()
            }
            Fault::OtherProjects(_) => "Run mcpwatch in such a folder to see them.".into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        f.write_str(": ")?;
        if let Some(path) = &self.path {
            write!(f, "{path} ")?;
        }
        write!(f, "{}", self.fault)
    }
}

impl Place {
    /// The place of a byte offset.
    pub fn at(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self { line, column: before[start..].chars().count() + 1 }
    }
}
