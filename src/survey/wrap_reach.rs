//! Whether a gate that a client starts finds the directories that this process has.
//!
//! Variables can put them elsewhere, and many clients hand on few of theirs: such a gate would look
//! where nothing is approved, and show nothing of its server. Those of the system (`XDG_DATA_HOME`)
//! are noted where the account's own store would be; `MCPWATCH_HOME` never is, because it is for tests
//! and containers. What helps is the variable in the entry's own `env`. It is not written there by us: whoever names a
//! store names who is trusted, and that belongs to a person's own hand.
//!
//! Promises: nothing is started or written. Only `MCPWATCH_HOME` with the very value that this process
//! has is no part of what an entry starts; any other is shown like every variable that is new.

use super::Ground;
use super::wrap::{Target, reason_to_leave};
use crate::discover::{Client, Entry};
use crate::engine::launchpin::{Launch, LaunchPin};
use crate::engine::lockfile::ServerPin;
use crate::sys::paths::{HOME_VARIABLE, Paths};
use std::collections::BTreeMap;

/// The variables of a system that put our directories elsewhere, `HOME` aside, which every client hands on.
const SYSTEM: [&str; 4] = ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

/// Servers whose gates would look for approvals elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The client that does not hand on the variables.
    pub client: Client,
    /// Their names and values.
    pub variables: BTreeMap<String, String>,
    /// The servers.
    pub servers: Vec<String>,
}

/// Which of these servers, once wrapped, would have a gate that looks elsewhere.
pub fn unreached(targets: &[Target<'_>], ground: &Ground) -> Vec<Unreached> {
    let moved = moved(&ground.paths, Paths::unmoved().ok().as_ref(), &ground.vars.env);
    of(targets, &moved)
}

fn of(targets: &[Target<'_>], moved: &BTreeMap<String, String>) -> Vec<Unreached> {
    let mut found: Vec<Unreached> = Vec::new();
    for target in targets {
        let entry = target.entry;
        if entry.client.0.hands_on || reason_to_leave(target).is_some() {
            continue;
        }
        let mut variables = moved.clone();
        variables.retain(|name, value| given(entry).get(name) != Some(value));
        if variables.is_empty() {
            continue;
        }
        let name = target.name.to_owned();
        let same = |other: &&mut Unreached| other.client == entry.client && other.variables == variables;
        match found.iter_mut().find(same) {
            Some(other) => other.servers.push(name),
            None => found.push(Unreached { client: entry.client, variables, servers: vec![name] }),
        }
    }
    found
}

/// The variables without which a gate finds other directories than these.
fn moved(
    paths: &Paths,
    unmoved: Option<&Paths>,
    variables: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let set =
        |name: &str| Some((name.to_owned(), variables.get(name).filter(|value| !value.is_empty())?.clone()));
    if paths.is_moved {
        return set(HOME_VARIABLE).into_iter().collect();
    }
    let is_found =
        unmoved.is_some_and(|unmoved| unmoved.data == paths.data && unmoved.config == paths.config);
    if is_found || !cfg!(target_os = "linux") {
        return BTreeMap::new();
    }
    SYSTEM.into_iter().filter_map(set).collect()
}

/// What an entry gives mcpwatch itself.
fn given(entry: &Entry) -> BTreeMap<String, String> {
    match (&entry.wrapped, &entry.launch) {
        (Some(wrapped), _) => wrapped.moved.clone(),
        (None, Launch::Command(launch)) => launch.env.clone(),
        (None, Launch::Url(_)) => BTreeMap::new(),
    }
}

/// A wrapped entry without the `MCPWATCH_HOME` that leads its gate here. Where one is pinned it stays.
pub(super) fn without_ours(mut entry: Entry, pins: &BTreeMap<String, ServerPin>, ground: &Ground) -> Entry {
    let is_pinned = pins.iter().any(|(name, pin)| {
        let is_own = name.split('@').next() == Some(entry.name.as_str()) || *name == entry.name;
        let LaunchPin::Command { env, .. } = &pin.launch else { return false };
        is_own && env.contains_key(HOME_VARIABLE)
    });
    if let (Some(_), Launch::Command(launch), false) = (&entry.wrapped, &mut entry.launch, is_pinned)
        && launch.env.contains_key(HOME_VARIABLE)
        && launch.env.get(HOME_VARIABLE) == ground.vars.env.get(HOME_VARIABLE)
    {
        launch.env.remove(HOME_VARIABLE);
    }
    entry
}

/// Whether a wrapped entry sends its gate to other directories than these: another store, and with it
/// another trust.
pub fn is_elsewhere(entry: &Entry, variables: &BTreeMap<String, String>) -> bool {
    let Some(wrapped) = &entry.wrapped else { return false };
    wrapped.moved.iter().any(|(name, value)| variables.get(name) != Some(value))
}

#[cfg(test)]
#[path = "wrap_reach_tests.rs"]
mod tests;
