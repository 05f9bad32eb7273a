//! The service that keeps the daemon running: a systemd user unit, a LaunchAgent, a task at logon.
//!
//! Promises: it belongs to one user and never to root; what is written is exactly what [`text`] gives,
//! a file that somebody edited is only replaced on `install`; everything works without it.

mod manage;
pub mod text;
pub mod words;

pub use manage::{Installed, Manager, ServiceError};
