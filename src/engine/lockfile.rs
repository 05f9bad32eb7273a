//! The lockfile's model: the pins of one scope. Format: `docs/lockfile.md`.
//!
//! Promises: `parse(render(x)) == x`; one canonical rendering; unknown fields are kept and never
//! trusted; a digest that does not match its definition is refused with its place.

mod echo;
mod error;
mod launch;
mod parse;
mod place;
mod render;

use super::digest::Digest;
use super::json::{Object, Value};
use super::launchpin::{Artifact, LaunchPin};
use super::placeholder::{self, Machine};
use super::surface::{ItemKey, Kind, Surface};
use std::collections::{BTreeMap, BTreeSet};

pub use echo::{Echo, find_secret};
pub use error::{LockError, Place};
pub use parse::{Part, parse, parse_bytes, parse_trusted, parse_trusted_server};
pub use render::{render, render_value};

/// The version this program writes.
pub const VERSION: u32 = 1;

/// A whole `mcp.lock`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lockfile {
    /// The pinned servers, by name in this scope.
    pub servers: BTreeMap<String, ServerPin>,
    /// Top-level fields that this version does not know, kept as they are.
    pub unknown: Object,
}

/// Everything approved of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerPin {
    /// What starts it.
    pub launch: LaunchPin,
    /// What that start runs, by platform (`linux-x86_64`, …); `any` where it is the same everywhere.
    pub artifacts: BTreeMap<String, Artifact>,
    /// The protocol version it spoke; tells the next reading which era to try first.
    pub protocol: String,
    /// The approved items. The name in a key is a pattern like the definition's own, see [`key_of`].
    pub items: BTreeMap<ItemKey, Pin>,
    /// Kinds whose list a person declared open; only [`Kind::Resource`] can be.
    pub open: BTreeSet<Kind>,
    /// Fields that this version does not know, at any depth, each under the names that lead to it
    /// (`{"tools": {"x": {"note": …}}}`); variants by their number. Never trusted; those of an item
    /// that leaves the lock leave with it.
    pub unknown: Object,
}

/// An approved item: one definition, or several under conditions that exclude each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    /// At least one; the one without a condition, if any, first.
    pub definitions: Vec<Definition>,
}

/// One approved definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Under what condition it is the approved one; `None`: always.
    pub when: Option<Condition>,
    /// The digest of `value` under its kind's tag.
    pub digest: Digest,
    /// The definition, machine-dependent spans replaced by placeholders.
    pub value: Value,
}

/// The condition of a variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// On that platform only.
    Platform(String),
    /// Shown only to clients that declare capabilities (servers offer more tools to those).
    FullClient,
    /// Shown only to clients that declare none.
    EmptyClient,
}

impl ServerPin {
    /// A pin of a launch with nothing approved yet.
    pub fn new(launch: LaunchPin, protocol: impl Into<String>) -> Self {
        Self {
            launch,
            artifacts: BTreeMap::new(),
            protocol: protocol.into(),
            items: BTreeMap::new(),
            open: BTreeSet::new(),
            unknown: Object::new(),
        }
    }

    /// The key under which an offered item is pinned on this machine.
    pub fn key_for(&self, offered: &ItemKey, machine: &Machine) -> Option<&ItemKey> {
        if let Some((key, _)) = self.items.get_key_value(offered) {
            return Some(key);
        }
        let is_it = |key: &&ItemKey| {
            key.kind == offered.kind && placeholder::matches_text(&key.name, &offered.name, machine)
        };
        self.items.keys().find(is_it)
    }
}

/// The key under which an item is pinned: its name spelled as in its definition, where a placeholder
/// stands for what differs between machines and literal text is escaped.
pub fn key_of(offered: &ItemKey, pattern: &Value) -> ItemKey {
    let named = offered.kind.name_field().and_then(|field| pattern.get(field)).and_then(Value::as_str);
    let name = named.map_or_else(|| placeholder::literal_text(&offered.name), str::to_owned);
    ItemKey { kind: offered.kind, name }
}

impl Pin {
    /// A pin of one definition that holds always.
    pub fn of(kind: Kind, value: Value) -> Self {
        Self { definitions: vec![Definition::new(kind, None, value)] }
    }

    /// Sets the definition of its condition, replacing the one that stood there.
    pub fn set(&mut self, definition: Definition) {
        self.definitions.retain(|other| other.when != definition.when);
        self.definitions.push(definition);
        self.definitions.sort_by(|a, b| a.when.cmp(&b.when));
    }
}

impl Definition {
    /// A definition with its digest.
    pub fn new(kind: Kind, when: Option<Condition>, value: Value) -> Self {
        Self { when, digest: Surface::digest_item(kind, &value), value }
    }
}

#[cfg(test)]
#[path = "lockfile_tests.rs"]
mod tests;
