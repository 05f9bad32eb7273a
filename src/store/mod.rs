//! The store: everything of ours on disk, and the one writer of decisions.

pub mod decide;
mod format;
pub mod locks;
pub mod log;
pub mod offers;
pub mod sightings;
pub mod trust;
pub mod wraps;

pub use format::StoreError;

#[cfg(test)]
mod messages_tests;
