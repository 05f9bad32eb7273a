//! Why a server could not be read. Each is "could not check", never "unchanged".

use crate::engine::json::Refusal;
use crate::engine::jsonrpc::Malformed;
use crate::sys::http::HttpError;
use crate::sys::process::SpawnError;
use std::time::Duration;

/// A server could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ConnectError {
    /// Why.
    pub reason: Reason,
    /// The end of what the server wrote to stderr, secrets in clear: mask it before showing it.
    pub stderr_tail: String,
    /// What was skipped on the way, in our words.
    pub notes: Vec<String>,
}

/// The kinds of failure.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The process did not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// The address, or the way to it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No answer to the opening.
    #[error("the server did not answer {method} within {} of its start", seconds(.limit))]
    Start {
        /// The last method asked.
        method: String,
        /// The limit.
        limit: Duration,
    },
    /// No answer to a request.
    #[error("the server did not answer {method} within {}", seconds(.limit))]
    Timeout {
        /// The method.
        method: String,
        /// The limit.
        limit: Duration,
    },
    /// The process ended, or closed its output, while an answer was awaited.
    #[error("the server ended{} while {method} was awaited", ending(.status))]
    Ended {
        /// The method.
        method: String,
        /// What the system says about its end.
        status: Option<String>,
    },
    /// The process ended, or closed the connection, while nothing was awaited.
    #[error("the server ended its session{}", ending(.status))]
    Left {
        /// What the system says about its end.
        status: Option<String>,
    },
    /// An answer that different clients read differently, or that cannot be read at all.
    #[error("the answer to {method} cannot be read safely: {malformed}")]
    Malformed {
        /// The method; "a request" where the answer does not say which.
        method: String,
        /// What is wrong, with its place.
        malformed: Malformed,
    },
    /// The same, found in the result alone.
    #[error("the answer to {method} cannot be read safely: {refusal}")]
    Refused {
        /// The method.
        method: String,
        /// What is wrong, with its place.
        refusal: Refusal,
    },
    /// An answer whose id is spelled otherwise than the request's: some clients take it, some do not.
    #[error("the answer to {method} spells the id of its request differently")]
    OtherId {
        /// The method.
        method: String,
    },
    /// A carriage return in the middle of a line: some clients take it for the end of a line.
    #[error("the server wrote a carriage return in the middle of a message")]
    RawCr,
    /// A message above the limit.
    #[error("the server sent a message longer than {} MiB", .limit >> 20)]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Messages above the limit for all together.
    #[error("the server's messages are longer than {} MiB together", .limit >> 20)]
    TooMuch {
        /// The limit in bytes.
        limit: usize,
    },
    /// A JSON-RPC error where an answer was owed.
    #[error("the server answered {method} with error {code}")]
    Error {
        /// The method.
        method: String,
        /// The error's code.
        code: i64,
        /// The server's words; neutralise before showing.
        message: String,
    },
    /// A result of the wrong shape for its method.
    #[error("the answer to {method} has no {expected}")]
    Shape {
        /// The method.
        method: String,
        /// What is missing or of another type.
        expected: &'static str,
    },
    /// Too many pages.
    #[error("{method} has more than {limit} pages")]
    Pages {
        /// The method.
        method: String,
        /// The limit.
        limit: usize,
    },
    /// Too many items.
    #[error("the server lists more than {limit} items")]
    Items {
        /// The limit.
        limit: usize,
    },
    /// A cursor came twice: the list would never end.
    #[error("{method} gave the same cursor twice, after {pages} pages")]
    Cursor {
        /// The method.
        method: String,
        /// Pages read until then.
        pages: usize,
    },
    /// No protocol version in common.
    #[error("the server speaks no protocol version that mcpwatch speaks")]
    Version {
        /// The server's versions; neutralise before showing.
        offered: Vec<String>,
    },
}

fn seconds(limit: &Duration) -> String {
    if limit.subsec_millis() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

fn ending(status: &Option<String>) -> String {
    status.as_ref().map_or_else(String::new, |status| format!(" ({status})"))
}

impl ConnectError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        self.reason.hint()
    }
}

impl Reason {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Reason::Spawn(error) => error.hint(),
            Reason::Http(error) => error.hint(),
            Reason::Start { .. } => {
                "start the server by hand to see what it waits for; the first start of a package may only be downloading".into()
            }
            Reason::Timeout { .. } => "try again; if it stays silent, the server does not serve this list".into(),
            Reason::Ended { .. } | Reason::Left { .. } => "its last words on stderr say why; start it by hand with the same environment".into(),
            Reason::Malformed { .. } | Reason::Refused { .. } | Reason::OtherId { .. } | Reason::RawCr => {
                "clients may show a model something else than what can be checked; do not use this server until its author corrects it".into()
            }
            Reason::TooLong { .. } | Reason::TooMuch { .. } | Reason::Pages { .. } | Reason::Items { .. } | Reason::Cursor { .. } => {
                "no honest server lists this much; look at what it sends before raising the limit".into()
            }
            Reason::Error { .. } | Reason::Shape { .. } => "the server is broken or not an MCP server".into(),
            Reason::Version { .. } => "update mcpwatch or the server".into(),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
