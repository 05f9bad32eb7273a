//! Why a text is not a lockfile: what, where (line and JSON path) and what to do next.

use super::VERSION;
use crate::engine::digest::Digest;
use crate::engine::json::{Path, Refusal};
use std::fmt;

/// A place in a lockfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The path of the value. Its names can be a server's words: for a screen only through `show`.
    pub path: Path,
}

/// Why a text is not a lockfile that this program can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The text is not strict JSON.
    #[error("line {line}: {refusal}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// What the reader refused.
        refusal: Refusal,
    },
    /// Git left conflict markers.
    #[error("line {line}: a merge conflict that nobody has resolved")]
    Conflict {
        /// The line of the first marker.
        line: usize,
    },
    /// A version that this program does not know yet.
    #[error("{place}: format version {found}, and this mcpwatch reads up to version {VERSION}")]
    Newer {
        /// Where the version stands.
        place: Place,
        /// The version found.
        found: u64,
    },
    /// A value of the wrong shape, or none.
    #[error("{place}: expected {expected}, found {found}")]
    Shape {
        /// Where.
        place: Place,
        /// What should be there.
        expected: &'static str,
        /// What is there, by kind, never its words.
        found: &'static str,
    },
    /// A digest that does not belong to what stands beside it.
    #[error("{place}: the digest does not match (written {}, computed {})", .written.short(), .computed.short())]
    Damaged {
        /// Where the digest stands.
        place: Place,
        /// The digest in the file.
        written: Digest,
        /// The digest of what stands beside it.
        computed: Digest,
    },
    /// A definition that names itself otherwise than the key it is pinned under.
    #[error("{place}: the definition has another name than the key it is pinned under")]
    Misnamed {
        /// Where the name stands.
        place: Place,
    },
    /// Two definitions of one item under the same condition.
    #[error("{place}: two definitions under the same condition")]
    SameCondition {
        /// Where the second stands.
        place: Place,
    },
}

impl LockError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            LockError::Json { .. } => {
                "Restore the file from version control, or remove it and run `mcpwatch init`."
            }
            LockError::Conflict { .. } => {
                "Take either side (`git checkout --ours mcp.lock`, or `--theirs`), run `mcpwatch fmt`, \
                 then `mcpwatch check`: what the other side approved shows up as changes."
            }
            LockError::Newer { .. } => "Upgrade mcpwatch (`cargo install mcpwatch`); nothing was changed.",
            LockError::Shape { .. } | LockError::SameCondition { .. } => {
                "Undo the edit (`git diff mcp.lock` shows it), or remove the entry and run `mcpwatch init`."
            }
            LockError::Damaged { .. } | LockError::Misnamed { .. } => {
                "A lock is not edited by hand. Undo the edit (`git diff mcp.lock` shows it), or remove \
                 that entry and review it again (`mcpwatch approve`)."
            }
        }
        .to_owned()
    }

    /// The line where it went wrong, from 1.
    pub fn line(&self) -> usize {
        match self {
            LockError::Json { line, .. } | LockError::Conflict { line } => *line,
            LockError::Newer { place, .. }
            | LockError::Shape { place, .. }
            | LockError::Damaged { place, .. }
            | LockError::Misnamed { place }
            | LockError::SameCondition { place } => place.line,
        }
    }

    /// The place, for setting the line once the text is at hand.
    pub(super) fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            LockError::Json { .. } | LockError::Conflict { .. } => None,
            LockError::Newer { place, .. }
            | LockError::Shape { place, .. }
            | LockError::Damaged { place, .. }
            | LockError::Misnamed { place }
            | LockError::SameCondition { place } => Some(place),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}", self.line, self.path)
    }
}

/// A path without its line, which [`super::parse()`] adds.
impl From<Path> for Place {
    fn from(path: Path) -> Self {
        Self { line: 0, path }
    }
}
