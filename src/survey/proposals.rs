//! Proposed placeholders, as a person accepts or refuses them: like ones together.
//!
//! Promises: one question for each placeholder and the text it would stand for, in however many items;
//! a string that still reads as it is pinned keeps the pattern it was approved with, placeholder or
//! not. Pure.

use super::pins::Draft;
use crate::engine::json::{Object, Path, Step, Value};
use crate::engine::placeholder::{self, Found, Machine, Name, Placeholder, Unusable};
use crate::engine::surface::{ItemKey, Surface};
use std::collections::BTreeSet;

/// A placeholder for one text, wherever it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The placeholder.
    pub placeholder: Placeholder,
    /// What it stands for here.
    pub value: String,
    /// What stood there in the second reading.
    pub elsewhere: String,
    /// Where.
    pub places: Vec<(ItemKey, Found)>,
}

/// What a person does not want placeholders for: the placeholder's spelling and the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused(BTreeSet<(String, String)>);

/// What an approval puts in beside what is pinned, and what it pins as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placing {
    /// The placeholders.
    pub proposed: Vec<Proposed>,
    /// The values of this machine that get none.
    pub withheld: Vec<Withheld>,
}

/// A value of this machine that stands in an item and can have no placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Whose value it is.
    pub name: Name,
    /// The value.
    pub value: String,
    /// Why it gets none.
    pub why: Unusable,
    /// An item that has it.
    pub item: ItemKey,
}

impl Proposed {
    /// Whether the two readings differ there; else the text is one that no author writes by chance.
    pub fn differs(&self) -> bool {
        self.value != self.elsewhere
    }

    /// The items it stands in, each once.
    pub fn items(&self) -> BTreeSet<&ItemKey> {
        self.places.iter().map(|(key, _)| key).collect()
    }
}

impl Refused {
    /// Notes a refusal.
    pub fn add(&mut self, proposed: &Proposed) {
        self.0.insert((proposed.placeholder.to_string(), proposed.value.clone()));
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a placeholder for that text was refused.
    pub fn has(&self, placeholder: &Placeholder, text: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&(placeholder.to_string(), text.to_owned()))
    }
}

/// The proposals of a draft in these items, like ones together, in the order they were found.
pub fn grouped(draft: &Draft, within: impl Fn(&ItemKey) -> bool) -> Vec<Proposed> {
    let mut groups: Vec<Proposed> = Vec::new();
    for (key, found) in draft.placeholders.iter().filter(|(key, _)| within(key)) {
        let like =
            |group: &&mut Proposed| group.placeholder == found.placeholder && group.value == found.first;
        let place = (key.clone(), found.clone());
        match groups.iter_mut().find(like) {
            Some(group) => group.places.push(place),
            None => groups.push(Proposed {
                placeholder: found.placeholder.clone(),
                value: found.first.clone(),
                elsewhere: found.second.clone(),
                places: vec![place],
            }),
        }
    }
    groups
}

/// The values of this machine that these items show and for which nothing may stand, each once.
pub fn withheld(surface: &Surface, machine: &Machine, within: impl Fn(&ItemKey) -> bool) -> Vec<Withheld> {
    let in_surface = |(name, value, why): &(Name, String, Unusable)| {
        let (item, _) = surface.items().find(|(key, item)| within(key) && shows(item, value))?;
        Some(Withheld { name: *name, value: value.clone(), why: *why, item: item.clone() })
    };
    machine.unusable().iter().filter_map(in_surface).collect()
}

/// A new pattern, with the strings that still read as they are pinned as they are pinned; `kept` gets
/// their places.
pub fn keep_pinned(
    pinned: &Value,
    proposed: Value,
    offered: &Value,
    machine: &Machine,
    path: &Path,
    kept: &mut BTreeSet<Path>,
) -> Value {
    match (pinned, proposed, offered) {
        (Value::String(old), Value::String(_), Value::String(text))
            if placeholder::matches_text(old, text, machine) =>
        {
            kept.insert(path.clone());
            Value::String(old.clone())
        }
        (Value::Array(old), Value::Array(new), Value::Array(offered))
            if old.len() == new.len() && new.len() == offered.len() =>
        {
            let each = old.iter().zip(new).zip(offered).enumerate();
            let items = each.map(|(at, ((old, new), offered))| {
                keep_pinned(old, new, offered, machine, &path.join(Step::Index(at)), kept)
            });
            Value::Array(items.collect())
        }
        (Value::Object(old), Value::Object(new), Value::Object(offered)) => {
            let member = |(key, new): (&str, &Value)| {
                let value = match (old.get(key), offered.get(key)) {
                    (Some(old), Some(offered)) => {
                        let path = path.join(Step::Key(key.to_owned()));
                        keep_pinned(old, new.clone(), offered, machine, &path, kept)
                    }
                    _ => new.clone(),
                };
                (key.to_owned(), value)
            };
            Value::Object(Object::from_unique(new.iter().map(member).collect()))
        }
        (_, proposed, _) => proposed,
    }
}

/// Whether some string of a value has that text in it.
fn shows(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| shows(item, text)),
        Value::Object(members) => members.iter().any(|(_, value)| shows(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
#[path = "proposals_tests.rs"]
mod tests;
