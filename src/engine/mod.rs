//! The engine: decides, from bytes, values and `now`. Pure.
//!
//! Promises: the same input gives the same answer on every machine; no file, clock, environment,
//! socket, thread or async runtime is touched here (`tests/tidy.rs` and clippy hold that).

pub mod approval;
pub mod canon;
pub mod diff;
pub mod digest;
pub mod frame;
pub mod gate;
pub mod json;
pub mod jsonc;
pub mod jsonrpc;
pub mod launchpin;
pub mod lockfile;
pub mod marks;
pub mod placeholder;
pub mod record;
pub mod review;
pub mod secret;
pub mod settings;
pub mod show;
pub mod surface;
pub mod wrapping;
