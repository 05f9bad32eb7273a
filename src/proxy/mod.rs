//! The proxies: they move bytes between a client and a server, feed the gate and do what it says.
//!
//! `run` stands on stdin and stdout in front of one server, a program ([`stdio`]) or a remote one
//! ([`http`]). [`pump`] is the same for both; [`ends`] are our own stdin and stdout, whatever they
//! are; [`pins`] turns lock, trust store and settings into what the gate may let pass and watches
//! them; [`report`] writes down what happened, away from the path of the messages.
//!
//! Promises: a message is written on as soon as the gate lets it pass, whole and unchanged; a side
//! that does not read stops the other one, and nothing grows meanwhile; whatever cannot be read (lock,
//! trust, settings) closes the gate and is said through the client.

mod ends;
mod expanded;
mod headers;
mod http;
mod legacy;
mod pins;
mod pump;
mod remote;
mod report;
mod server;
mod signals;
mod stdio;

pub use pins::{Asked, ProxyError};
pub use stdio::run;
