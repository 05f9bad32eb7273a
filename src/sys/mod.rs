//! The lowest shell: processes, files, the network. Imports the engine only.

pub mod process;
