//! Between our own processes: commands and gates talk to the daemon.
//!
//! What travels here is a hint: it wakes somebody up, and whoever wakes up reads the records on disk.
//! No message approves, trusts or releases anything, so a forged one costs time and nothing else.
//! Promises: only processes of the same account are talked to, in both directions; a peer that stalls,
//! floods or talks nonsense loses its own connection; without a daemon everything works through files.

pub mod client;
pub mod message;
pub mod server;
pub mod socket;
pub mod wire;

use std::io;
use std::path::PathBuf;

/// Why two of our processes did not come to talk.
#[derive(Debug, thiserror::Error)]
pub enum IpcError {
    /// No daemon runs.
    #[error("no daemon is running")]
    NoDaemon,
    /// A daemon runs already.
    #[error("a daemon is already running{}", .0.map_or_else(String::new, |pid| format!(" (process {pid})")))]
    Running(Option<u32>),
    /// The folder of the socket is not ours alone.
    #[error("{} is not a private folder of this account: {why}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The socket could not be used.
    #[error("cannot use {}: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process at the other end belongs to another account.
    #[error("the process at {} belongs to another account", path.display())]
    Stranger {
        /// The socket.
        path: PathBuf,
    },
    /// The daemon is of another version that speaks another protocol.
    #[error("the daemon is mcpwatch {0}, which speaks another protocol")]
    Version(String),
    /// The other end did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or its bytes made no sense.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// The daemon could not do what it was asked.
    #[error("the daemon answers: {0}")]
    Refused(String),
}

impl IpcError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            IpcError::NoDaemon => "Start it with `mcpwatch service install`, or run `mcpwatch daemon`. The \
                                   gate works without it."
                .to_owned(),
            IpcError::Running(_) => "`mcpwatch status` asks it; `mcpwatch service stop` ends it.".to_owned(),
            IpcError::Folder { path, .. } => {
                format!("Remove {}; it is made anew.", path.display())
            }
            IpcError::Stranger { path } => {
                format!("Find out who put {} there, and remove it.", path.display())
            }
            IpcError::Version(_) => {
                "Restart it: `mcpwatch service stop`, then `mcpwatch service start`.".to_owned()
            }
            IpcError::Socket { .. } | IpcError::Timeout | IpcError::Wire(_) => {
                "Restart it: `mcpwatch service stop`, then `mcpwatch service start`.".to_owned()
            }
            IpcError::Refused(_) => String::new(),
        }
    }
}
