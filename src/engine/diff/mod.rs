//! What changed: pinned × offered → changes, and the decisions a person has to make about them.
//!
//! Promises: nothing pinned equals nothing offered gives an empty set; every difference is in exactly
//! one change and, but for the version a server says it has, in at least one decision; the same input
//! gives the same set. An item counts as decided only when every decision that touches it was made.
//!
//! Does not judge: a change is not good or bad here, `findings/` and a person decide. Does not look
//! at [`Surface::defects`]; a surface with defects could not be read and is not compared.

pub mod group;
pub mod noise;
pub mod place;
pub mod refs;
mod rename;
pub mod tree;
pub mod words;

use super::json::{Path, Value};
use super::lockfile::{Condition, Definition, Pin, ServerPin};
use super::placeholder::{self, Machine};
use super::surface::{ItemKey, Kind, Surface};
use noise::Noise;
use place::Part;
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

/// Compares what was pinned with what is offered.
pub fn compare(pinned: &ServerPin, offered: &Surface, ctx: &Context<'_>) -> ChangeSet {
    let mut changes = Vec::new();
    let mut known = BTreeSet::new();
    for (key, pin) in &pinned.items {
        let key = ItemKey::new(key.kind, placeholder::fill_text(&key.name, ctx.machine));
        let definitions = applicable(pin, ctx);
        let is_open = is_open(pinned, &key);
        match (definitions.as_slice(), offered.get(&key)) {
            ([], None) => {}
            ([], Some(value)) => changes.push(added(&key, value)),
            ([_, ..], None) if is_open => {}
            // A server sends a kind of request when it has cause to: not seen is not gone.
            ([_, ..], None) if key.kind == Kind::Request => {}
            ([first, ..], None) => {
                let value = placeholder::fill(&first.value, ctx.machine);
                changes.push(Change { key: key.clone(), what: What::Removed { value } });
            }
            ([first, rest @ ..], Some(value)) => {
                let equal = |one: &&Definition| placeholder::matches(&one.value, value, ctx.machine);
                if !equal(first) && !rest.iter().any(equal) {
                    changes.push(changed(&key, &settle(&first.value, value, ctx.machine), value));
                }
            }
        }
        known.insert(key);
    }
    for (key, value) in offered.items() {
        if !known.contains(key) && !is_open(pinned, key) {
            changes.push(added(key, value));
        }
    }
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    rename::items(&mut changes);
    let decisions = group::decisions(&changes);
    ChangeSet { cause: ctx.cause.clone(), changes, decisions }
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

/// The definitions that apply here: those whose condition holds, else the one without a condition.
pub fn applicable<'a>(pin: &'a Pin, ctx: &Context<'_>) -> Vec<&'a Definition> {
    let holds = |when: &Condition| match when {
        Condition::Platform(platform) => *platform == ctx.platform,
        Condition::FullClient => ctx.view == View::Full,
        Condition::EmptyClient => ctx.view == View::Empty,
    };
    let under = |definition: &&Definition| definition.when.as_ref().is_some_and(holds);
    let special: Vec<&Definition> = pin.definitions.iter().filter(under).collect();
    if special.is_empty() {
        pin.definitions.iter().filter(|definition| definition.when.is_none()).collect()
    } else {
        special
    }
}

/// Whether items of that kind may come and go; contents of `ui://` never may.
fn is_open(pinned: &ServerPin, key: &ItemKey) -> bool {
    pinned.open.contains(&key.kind) && key.kind == Kind::Resource && !key.name.starts_with("ui://")
}

/// A pattern as this machine reads it: where it matches what is offered, that; else its placeholders
/// filled in.
fn settle(pattern: &Value, offered: &Value, machine: &Machine) -> Value {
    match (pattern, offered) {
        _ if placeholder::matches(pattern, offered, machine) => offered.clone(),
        (Value::Object(members), Value::Object(_)) => {
            let settled = |(key, value): (&str, &Value)| match offered.get(key) {
                Some(offered) => (key.to_owned(), settle(value, offered, machine)),
                None => (key.to_owned(), placeholder::fill(value, machine)),
            };
            Value::Object(members.iter().map(settled).collect())
        }
        (Value::Array(list), Value::Array(others)) => {
            let same_length = list.len() == others.len();
            let settled = |(index, value): (usize, &Value)| {
                let found = others.iter().find(|other| placeholder::matches(value, other, machine));
                match (found, others.get(index)) {
                    (Some(found), _) => found.clone(),
                    (None, Some(other)) if same_length => settle(value, other, machine),
                    _ => placeholder::fill(value, machine),
                }
            };
            Value::Array(list.iter().enumerate().map(settled).collect())
        }
        (pattern, _) => placeholder::fill(pattern, machine),
    }
}

fn added(key: &ItemKey, value: &Value) -> Change {
    Change { key: key.clone(), what: What::Added { value: value.clone(), renamed_from: None } }
}

fn changed(key: &ItemKey, before: &Value, after: &Value) -> Change {
    let mut edits: Vec<Edit> = refs::compare(key.kind, before, after);
    rename::parameters(&mut edits);
    Change { key: key.clone(), what: What::Changed { before: before.clone(), after: after.clone(), edits } }
}

impl Edit {
    /// Classifies a difference of an item of that kind.
    pub fn new(kind: Kind, edit: tree::Edit) -> Self {
        let tree::Edit { path, before, after } = edit;
        let element = match path.0.last() {
            Some(super::json::Step::Index(_)) => before.as_ref().or(after.as_ref()).and_then(Value::as_str),
            _ => None,
        };
        let part = place::part(kind, &path, element);
        let class = classify(kind, &path, before.as_ref(), after.as_ref());
        Self { path, part, before, after, class }
    }
}

fn classify(kind: Kind, path: &Path, before: Option<&Value>, after: Option<&Value>) -> Class {
    if let Some(noise) = noise::noise(kind, path, before, after) {
        return Class::Noise(noise);
    }
    if noise::widens(kind, path, before, after) {
        return Class::Widening;
    }
    if let (Some(Value::String(before)), Some(Value::String(after))) = (before, after)
        && words::same_words(before, after)
    {
        return Class::Spacing;
    }
    let prose = after.or(before).is_some_and(has_prose);
    let keyword = place::key(path.0.last()).unwrap_or("");
    if prose || matches!(keyword, "description" | "title") && kind != Kind::ServerInfo {
        return Class::Words;
    }
    let first = place::key(path.0.first()).unwrap_or("");
    let plain = matches!(first, "icons" | "execution") || keyword == "$schema" || kind == Kind::ServerInfo;
    if plain { Class::Cosmetic } else { Class::Schema }
}

/// Whether a string of two words or more stands anywhere in a value.
fn has_prose(value: &Value) -> bool {
    match value {
        Value::String(text) => text.split_whitespace().nth(1).is_some(),
        Value::Array(list) => list.iter().any(has_prose),
        Value::Object(object) => object.iter().any(|(_, value)| has_prose(value)),
        _ => false,
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
