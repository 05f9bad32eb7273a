//! Looking through mcpwatch: what a wrapped entry started before, and what `run --id` starts.

use super::client::Client;
use super::entry::{FromEnv, Scope};
use super::node::Format;
use super::problem::Fault;
use super::reader;
use super::resolve::{Unresolved, fill};
use super::variables::Vars;
use crate::engine::launchpin::{CommandLaunch, Launch};
use crate::engine::wrapping::{self, ENTRY_VARIABLE, MOVING, Wrapped};
use std::collections::BTreeSet;
use std::path::Path;

/// Why a carried entry cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Carried {
    /// `--id` is not `CLIENT:NAME` of a client we know.
    #[error("--id {0:?} names no client that mcpwatch knows")]
    Client(String),
    /// The text is no entry of that client.
    #[error("the variable {ENTRY_VARIABLE} does not hold an entry: {0}")]
    Entry(String),
    /// Values are missing.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

impl Carried {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Client(_) => {
                "The client's entry was edited by hand; run mcpwatch unwrap and wrap again.".into()
            }
            Self::Entry(_) => {
                "A value that the client filled in may hold a quote; run mcpwatch unwrap.".into()
            }
            Self::Unresolved(error) => error.hint(),
        }
    }
}

/// The original of a wrapped entry.
pub(super) struct Original {
    pub launch: Launch,
    pub from_env: Vec<FromEnv>,
}

/// Whether a launch is one of ours.
pub(super) fn wrapped(launch: &Launch) -> Option<Wrapped> {
    match launch {
        Launch::Command(launch) => {
            let mut wrapped = wrapping::recognise(&launch.command, &launch.args)?;
            let moving = launch.env.iter().filter(|(name, _)| MOVING.contains(&name.as_str()));
            wrapped.moved = moving.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(wrapped)
        }
        Launch::Url(_) => None,
    }
}

/// What a wrapped launch stands for.
pub(super) fn original(
    client: Client,
    name: &str,
    launch: &Launch,
    wrapped: &Wrapped,
) -> Result<Original, Fault> {
    let Launch::Command(launch) = launch else { return Err(Fault::LostOriginal) };
    if wrapped.remote {
        let text = launch.env.get(ENTRY_VARIABLE).ok_or(Fault::LostOriginal)?;
        return read(client, name, text).map_err(|_| Fault::LostOriginal);
    }
    let command = launch.args.get(wrapped.ours - 1).ok_or(Fault::LostOriginal)?.clone();
    let args = launch.args[wrapped.ours..].to_vec();
    let launch = CommandLaunch { command, args, env: launch.env.clone(), cwd: launch.cwd.clone() };
    Ok(Original { launch: Launch::Command(launch), from_env: Vec::new() })
}

/// What `run --id ID` starts: `text` is the value of [`ENTRY_VARIABLE`], in which the client has
/// already expanded what it expands. Only what it fills from its own environment is still to be filled.
pub fn carried(id: &str, text: &str, vars: &Vars) -> Result<Launch, Carried> {
    let unknown = || Carried::Client(id.to_owned());
    let (client, name) = wrapping::split_id(id).ok_or_else(unknown)?;
    let client = super::client(client).ok_or_else(unknown)?;
    let mut original = read(client, name, text).map_err(Carried::Entry)?;
    let mut missing = BTreeSet::new();
    fill(&original.from_env, vars, &mut original.launch, &mut missing);
    if missing.is_empty() {
        Ok(original.launch)
    } else {
        Err(Unresolved::Missing { missing: missing.into_iter().collect() }.into())
    }
}

/// Reads an entry's own text as its client would: put back where that client's entries stand.
fn read(client: Client, name: &str, text: &str) -> Result<Original, String> {
    let keys = client.0.keys.first().copied().unwrap_or_default();
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let file = match client.0.format {
        Format::Json => {
            let open: String = keys.iter().map(|key| format!("{{{}:", quoted(key))).collect();
            format!("{open}{{{}:{text}}}{}", quoted(name), "}".repeat(keys.len()))
        }
        Format::Toml => {
            let path = format!("{}.{}", keys.join("."), quoted(name));
            let inline = format!("{path} = {{ {text} }}");
            if inline.parse::<toml::Table>().is_ok() { inline } else { format!("[{path}]\n{text}") }
        }
    };
    let found = reader::read(client, Path::new(""), &Scope::Named, None, true, &file, client.0.read);
    match (found.entries.into_iter().next(), found.problems.first()) {
        (Some(entry), _) if entry.wrapped.is_none() => {
            Ok(Original { launch: entry.launch, from_env: entry.from_env })
        }
        (_, Some(problem)) => Err(problem.fault.to_string()),
        (_, None) => Err("nothing is configured in it".to_owned()),
    }
}
