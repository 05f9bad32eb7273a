//! The lockfile's model: the pins of one scope. Format: `docs/lockfile.md`.
//!
//! Promises: `parse(render(x)) == x`; one canonical rendering; unknown fields are kept and never
//! trusted; a digest that does not match its definition is refused with its place.

use super::digest::Digest;
use super::json::{Object, Value};
use super::launchpin::{Artifact, LaunchPin};
use super::surface::{ItemKey, Kind};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What that start runs, by platform (`linux-x64`, …); `any` where it is the same everywhere.
    pub artifacts: BTreeMap<String, Artifact>,
    /// The protocol version it spoke; tells the next reading which era to try first.
    pub protocol: String,
    /// The approved items.
    pub items: BTreeMap<ItemKey, Pin>,
    /// Kinds whose list a person declared open; only [`Kind::Resource`] can be.
    pub open: BTreeSet<Kind>,
    /// Fields that this version does not know.
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
