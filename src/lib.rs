//! mcpwatch: a rug-pull watchdog for MCP.
//!
//! The map, outermost first; each floor may name any floor below it, rooms on one floor do not know
//! each other: `cli → {daemon, proxy, service} → survey → {discover, edit, launch, connect, store,
//! alert, ipc} → sys → engine`. The engine decides, the shells act.

pub mod alert;
pub mod cli;
pub mod connect;
pub mod daemon;
pub mod discover;
pub mod edit;
pub mod engine;
pub mod ipc;
pub mod launch;
pub mod proxy;
pub mod service;
pub mod store;
pub mod survey;
pub mod sys;
