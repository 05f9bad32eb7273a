//! The store: everything of ours on disk, and the one writer of decisions.

pub mod log;
