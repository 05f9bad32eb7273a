//! What is read and how: targets, limits, and what the client says about itself.

use crate::engine::launchpin::{Launch, UrlLaunch};
use crate::engine::surface::Era;
use crate::sys::process::Command;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A launch that is ready: references expanded, secrets in clear. Never written anywhere.
#[derive(Clone)]
pub enum Target {
    /// A program that speaks over stdin and stdout.
    Command(Command),
    /// A remote server.
    Url(Remote),
}

/// The address of a remote server with everything a request to it needs.
#[derive(Clone, Default)]
pub struct Remote {
    /// The URL.
    pub url: String,
    /// Whether it is the HTTP+SSE transport of 2024-11-05 instead of Streamable HTTP.
    pub sse: bool,
    /// Header fields, values in clear.
    pub headers: BTreeMap<String, String>,
}

/// How a server is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The capabilities that the client declares.
    pub capabilities: Capabilities,
    /// Where reading stops.
    pub limits: Limits,
    /// The era that the server spoke last time: an unchanged server then costs no probe.
    pub protocol_hint: Option<Era>,
    /// Who the client says it is.
    pub client: ClientName,
}

/// The capabilities that a reading declares; servers show different tools for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capabilities {
    /// None.
    #[default]
    Empty,
    /// Sampling, elicitation, roots, and the extensions that shape what servers list.
    Full,
}

/// The client's name and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

/// Where reading stops with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start of the process to the answer of the opening.
    pub start: Duration,
    /// For `server/discover`, before `initialize` is tried instead.
    pub probe: Duration,
    /// For each later request.
    pub request: Duration,
    /// Bytes of one message.
    pub message: usize,
    /// Pages of one list.
    pub pages: usize,
    /// Items of all lists together.
    pub items: usize,
    /// Bytes of all messages together.
    pub bytes: usize,
    /// For all lists together, so that no server draws it out page by page.
    pub walk: Duration,
}

impl From<&Launch> for Target {
    /// The target of a launch in which nothing is left to expand.
    fn from(launch: &Launch) -> Self {
        match launch {
            Launch::Command(launch) => {
                let set = |(name, value): (&String, &String)| (name.into(), Some(value.into()));
                Target::Command(Command {
                    program: launch.command.clone().into(),
                    args: launch.args.iter().map(Into::into).collect(),
                    env: launch.env.iter().map(set).collect(),
                    cwd: launch.cwd.as_ref().map(Into::into),
                })
            }
            Launch::Url(UrlLaunch { url, sse, headers }) => {
                Target::Url(Remote { url: url.clone(), sse: *sse, headers: headers.clone() })
            }
        }
    }
}

impl Capabilities {
    /// What is declared, members of every revision together: a server takes those it knows.
    pub(super) fn declared(self) -> serde_json::Value {
        match self {
            Capabilities::Empty => json!({}),
            Capabilities::Full => json!({
                "roots": {"listChanged": true},
                "sampling": {"context": {}, "tools": {}},
                "elicitation": {"form": {}, "url": {}},
                "tasks": {
                    "list": {}, "cancel": {},
                    "requests": {"sampling": {"createMessage": {}}, "elicitation": {"create": {}}},
                },
                "extensions": {
                    "io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]},
                    "io.modelcontextprotocol/skills": {},
                    "io.modelcontextprotocol/tasks": {},
                },
            }),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capabilities: Capabilities::Empty,
            limits: Limits::default(),
            protocol_hint: None,
            client: ClientName::default(),
        }
    }
}

impl Default for ClientName {
    fn default() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            probe: Duration::from_secs(2),
            request: Duration::from_secs(10),
            message: 16 << 20,
            pages: 1_000,
            items: 20_000,
            bytes: 32 << 20,
            walk: Duration::from_secs(120),
        }
    }
}
