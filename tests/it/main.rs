//! The one integration binary; each module tests one shell from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Some helpers are for tests that other systems cannot run.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

#[cfg(unix)]
mod artifacts;
mod cli;
#[cfg(target_os = "linux")]
mod client_libraries;
#[cfg(target_os = "linux")]
mod client_rmcp;
#[cfg(target_os = "linux")]
mod clients;
mod closing;
mod connect;
#[cfg(target_os = "linux")]
mod daemon_faults;
#[cfg(target_os = "linux")]
mod daemon_survives;
#[cfg(target_os = "linux")]
mod daemon_views;
#[cfg(target_os = "linux")]
mod desktop;
#[cfg(unix)]
mod ends;
#[cfg(target_os = "linux")]
mod faults;
mod fixture;
#[cfg(unix)]
mod floors;
#[cfg(target_os = "linux")]
mod forged;
mod gate;
mod https;
#[cfg(unix)]
mod launch;
#[cfg(target_os = "linux")]
mod lifetimes;
mod lockfile;
#[cfg(target_os = "linux")]
mod logging;
mod matrix;
mod moments;
#[cfg(target_os = "linux")]
mod pty;
#[cfg(unix)]
mod readme;
mod real_servers;
#[cfg(unix)]
mod real_story;
mod remote;
#[cfg(target_os = "linux")]
mod rmcp_http;
mod servers;
#[cfg(target_os = "linux")]
mod service;
mod sighted;
#[cfg(unix)]
mod stay;
#[cfg(target_os = "linux")]
mod story;
mod terminal;
mod tidy;
#[cfg(unix)]
mod upgrade;
#[cfg(windows)]
mod windows;
mod wrap;
