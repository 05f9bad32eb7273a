//! Rendering of what the commands found: for people, for programs, and as progress.

pub mod guard;
pub mod human;
pub mod json;
pub mod listing;
pub mod log;
pub mod outcome;
pub mod progress;
pub mod proposals;
pub mod reference;
pub mod review;
pub mod surface;
pub mod watching;
pub mod wrapping;
