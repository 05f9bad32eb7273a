//! Telling a person: desktop notifications, and the terminal in which they review.
//!
//! Promises: our words only, names neutralised and cut; one notification per change set, replaced and
//! not stacked; no click decides anything, it opens the review at most. No bus, no desktop, SSH or CI is
//! a state that is said once, never a failure: the log and the gate's own answer remain.

#[cfg(target_os = "linux")]
mod bus;
pub mod code;
mod desktop;
pub mod pace;
pub mod terminal;
pub mod text;

pub use desktop::{Desktop, Heard, NoDesktop, why_silent};
