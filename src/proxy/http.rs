//! A remote server over Streamable HTTP, as a stream of lines for the pump.

use super::server::{FromServer, ToServer};
use crate::engine::launchpin::UrlLaunch;

/// Connects to a remote server; what went wrong is said in our words.
pub fn connect(_launch: &UrlLaunch, _limit: usize) -> Result<(FromServer, ToServer), String> {
    Err("remote servers cannot be gated yet.".to_owned())
}
