//! The lowest shell: processes, files, the network. Imports the engine only.

pub mod files;
pub mod http;
pub mod limits;
pub mod paths;
pub mod process;
pub mod program;
pub mod watch;
