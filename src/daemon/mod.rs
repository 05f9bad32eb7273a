//! The daemon: watches in the background, tells a person, and wakes the gates when that person decided.
//!
//! [`event`] is what it hears and does, [`state`] the one step from the first to the second,
//! [`schedule`] when a server is read. All of that is without effects; `run` performs them.
//!
//! Promises: starts and contacts nothing that its owner did not agree to; what it says to other
//! processes are hints, the records on disk are the truth; killed at any moment, it loses nothing but
//! notifications.

mod compare;
mod configured;
mod effects;
pub mod event;
mod handlers;
mod look;
pub mod memory;
mod reach;
mod run;
pub mod schedule;
pub mod state;
mod tell;
mod views;
mod visit;

pub use run::{DaemonError, run};
