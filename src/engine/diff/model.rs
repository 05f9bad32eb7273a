//! The change set: what differs, and what a person is asked about it.
//!
//! Promises: a decision refers to changes and edits by index, so that every edit exists once; an item
//! counts as decided only when every decision that touches it was made.

use super::noise::Noise;
use super::place::Part;
use crate::engine::json::{Path, Value};
use crate::engine::placeholder::Machine;
use crate::engine::surface::{ItemKey, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Under what circumstances a surface was read.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// What the placeholders of the pins stand for on this machine.
    pub machine: &'a Machine,
    /// The capabilities that the reading client declared.
    pub view: View,
    /// The platform as lockfiles spell it, like `linux-x86_64`.
    pub platform: String,
    /// Why the surface may differ.
    pub cause: Cause,
}

/// The capabilities that a reading client declared; servers offer more to those that have some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// None.
    Empty,
    /// All that mcpwatch can declare.
    Full,
}

/// Why a surface may differ from what was pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another version of the package runs.
    Upgrade {
        /// The pinned version.
        from: String,
        /// The version that runs.
        to: String,
    },
    /// The configuration starts something else.
    LaunchChanged,
    /// The same version, but its files or dependencies are others.
    ArtifactChanged,
    /// Nothing was upgraded: the same artifact shows another surface, the shape of an attack.
    NothingUpgraded,
    /// Nothing can be said: a remote server, or an artifact that could not be found out.
    Unknown,
}

/// Everything that differs, and the decisions it asks for, the weightiest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSet {
    /// Why it may differ.
    pub cause: Cause,
    /// The items that differ, by kind and name.
    pub changes: Vec<Change>,
    /// What a person decides; indexes into this list name a decision.
    pub decisions: Vec<Decision>,
}

/// One item that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The item.
    pub key: ItemKey,
    /// How it differs.
    pub what: What,
}

/// How an item differs.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It was not pinned.
    Added {
        /// What is offered.
        value: Value,
        /// The removed item that it equals in all but its name.
        renamed_from: Option<ItemKey>,
    },
    /// It is no longer offered.
    Removed {
        /// What was pinned.
        value: Value,
    },
    /// Its definition is another.
    Changed {
        /// What was pinned, placeholders filled with this machine's values.
        before: Value,
        /// What is offered.
        after: Value,
        /// Every difference.
        edits: Vec<Edit>,
    },
}

/// One difference within an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Where, in the item.
    pub path: Path,
    /// The part of the item that a person would name.
    pub part: Part,
    /// What stood there.
    pub before: Option<Value>,
    /// What stands there.
    pub after: Option<Value>,
    /// What sort of edit it is.
    pub class: Class,
}

/// Sorts of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// On the closed list of noise.
    Noise(Noise),
    /// `$ref`s were written out or drawn together; what they say is equal.
    References,
    /// The same words, apart by other white space.
    Spacing,
    /// Nothing that a model reads or a caller must obey.
    Cosmetic,
    /// What a caller must or may send.
    Schema,
    /// The schema takes more than before.
    Widening,
    /// A parameter or field has another name; `before` and `after` are the names.
    Renamed,
    /// Words that a model reads.
    Words,
}

/// One question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What it is about.
    pub subject: Subject,
    /// How much it matters.
    pub weight: Weight,
    /// The items it touches, sorted.
    pub items: Vec<ItemKey>,
}

/// What a decision is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// One new item.
    Added(usize),
    /// New items that equal removed ones in all but the name.
    Renamed(Vec<usize>),
    /// Edits of one item, or the same or like edits in many.
    Edited(Vec<Like>),
    /// Removed items, and parameters and fields removed from items that stay.
    Removed {
        /// The removed items.
        items: Vec<usize>,
        /// The removed parts.
        parts: Vec<EditRef>,
    },
    /// All noise.
    Noise(Vec<EditRef>),
}

/// Edits of one sort: the same keyword came, went or was cut, with one value or with several.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// What happened.
    pub sort: Sort,
    /// The different edits, at least one.
    pub variants: Vec<Same>,
}

/// What happened to the part that an edit touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// Of its words some went, none came.
    Cut,
    /// It changed in any other way.
    Changed,
}

/// The same edit at one or more places; the first stands for all.
#[derive(Clone, Debug, PartialEq)]
pub struct Same {
    /// The places, at least one.
    pub places: Vec<EditRef>,
}

/// One edit of one change: indexes into [`ChangeSet::changes`] and its edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditRef {
    /// The change.
    pub change: usize,
    /// The edit within it.
    pub edit: usize,
}

/// How much a decision matters; later is weightier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// The closed list.
    Noise,
    /// Nothing a model reads.
    Cosmetic,
    /// Something is gone.
    Removal,
    /// What a caller must or may send.
    Schema,
    /// Words that a model reads.
    Words,
    /// Instructions, descriptions of tools, and kinds of request.
    Instructions,
}

impl ChangeSet {
    /// Whether nothing differs at all.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a person has to be asked before calls go on; what a server says about itself can wait
    /// for the next review.
    pub fn interrupts(&self) -> bool {
        self.changes.iter().any(|change| change.key.kind != Kind::ServerInfo)
    }

    /// The items in which every difference was decided, given the decisions made, by index. Items
    /// that ask for no decision are among them as soon as one decision was made.
    pub fn decided(&self, made: &BTreeSet<usize>) -> Vec<&ItemKey> {
        let mut open: BTreeMap<&ItemKey, usize> = self.changes.iter().map(|c| (&c.key, 0)).collect();
        for (index, decision) in self.decisions.iter().enumerate() {
            if !made.contains(&index) {
                for item in &decision.items {
                    *open.entry(item).or_default() += 1;
                }
            }
        }
        let any = !made.is_empty() || self.decisions.is_empty();
        open.into_iter().filter(|(_, count)| any && *count == 0).map(|(key, _)| key).collect()
    }

    /// The change of an item.
    pub fn change(&self, key: &ItemKey) -> Option<&Change> {
        let place = self.changes.binary_search_by(|change| change.key.cmp(key)).ok()?;
        self.changes.get(place)
    }

    /// The edit that a reference names.
    pub fn edit(&self, place: EditRef) -> Option<(&Change, &Edit)> {
        let change = self.changes.get(place.change)?;
        let What::Changed { edits, .. } = &change.what else {
            return None;
        };
        Some((change, edits.get(place.edit)?))
    }
}
