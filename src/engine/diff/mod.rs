//! What changed: pinned × offered → changes, and the decisions a person has to make about them.
//!
//! Promises: nothing pinned equals nothing offered gives an empty set; every difference is in exactly
//! one change and, but for the version a server says it has, in at least one decision; the same input
//! gives the same set. An item counts as decided only when every decision that touches it was made.
//!
//! Does not judge: a change is not good or bad here, `findings/` and a person decide. Does not look
//! at [`Surface::defects`]; a surface with defects could not be read and is not compared.

pub mod group;
mod instance;
mod model;
pub mod noise;
pub mod place;
pub mod refs;
mod rename;
pub mod tree;
pub mod words;

pub use model::{
    Cause, Change, ChangeSet, Class, Context, Decision, Edit, EditRef, Like, Same, Sort, Subject, View,
    Weight, What,
};

use super::json::{Path, Value};
use super::lockfile::{Condition, Definition, Pin, ServerPin};
use super::placeholder::{self, Machine};
use super::surface::{ItemKey, Kind, Surface, is_page};
use std::collections::BTreeSet;

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
        let admitted = || is_open(pinned, key) || instance::is_instance(pinned, key, value, ctx.machine);
        if !known.contains(key) && !admitted() {
            changes.push(added(key, value));
        }
    }
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    rename::items(&mut changes);
    let decisions = group::decisions(&changes);
    ChangeSet { cause: ctx.cause.clone(), changes, decisions }
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
    pinned.open.contains(&key.kind) && key.kind == Kind::Resource && !is_page(&key.name)
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
pub(crate) mod tests;
