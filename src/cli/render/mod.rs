//! Rendering of what the commands found: for people, for programs, and as progress.

pub mod human;
pub mod progress;
pub mod reference;
