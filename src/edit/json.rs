//! JSON and JSONC: commands. The parser gives spans, the edit replaces spans of the text.

use super::splice::{Splice, line_of};
use super::{EditError, Wrapper, json_remote};
use crate::engine::json::{Path, Step};
use crate::engine::jsonc;
use crate::engine::wrapping::{self, Wrapped};
use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use std::collections::HashSet;

/// An entry's object in its text, and what starts the server in it.
pub(super) struct Entry<'a> {
    pub text: &'a str,
    pub path: &'a Path,
    pub object: &'a Object<'a>,
    /// The key of the command: `command`, or `path` inside of Zed's older `command` object.
    pub command: &'static str,
}

pub(super) fn wrap(text: &str, path: &Path, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    on_entry(text, path, |entry| {
        let Some(command) = entry.object.get(entry.command) else {
            return json_remote::wrap(entry, wrapper);
        };
        let Value::StringLit(literal) = &command.value else {
            return Err(entry.shape("has a command that is no string"));
        };
        let original = &text[literal.range.start..literal.range.end];
        let mut splice = Splice::default();
        splice.replace(literal.range.start..literal.range.end, quote(wrapper.exe));
        match entry.args()? {
            Some(args) => {
                let mut ours: Vec<_> = wrapping::before_command(wrapper.lock, wrapper.name, false)
                    .iter()
                    .map(|word| quote(word))
                    .collect();
                ours.push(original.to_owned());
                insert_first(text, args, &ours, &mut splice);
            }
            None => {
                let mut ours: Vec<_> = wrapping::before_command(wrapper.lock, wrapper.name, true)
                    .iter()
                    .map(|word| quote(word))
                    .collect();
                ours.push(original.to_owned());
                let gap = Gap::between(text, command, entry.object);
                let list = format!("{},{}{}[{}]", "", gap.lead, gap.key("args"), ours.join(gap.comma));
                splice.insert(command.range.end, list);
            }
        }
        Ok(splice.apply(text))
    })
}

pub(super) fn unwrap(text: &str, path: &Path) -> Result<String, EditError> {
    on_entry(text, path, |entry| {
        let wrapped = entry.wrapped().ok_or_else(|| EditError::NotWrapped { path: path.clone() })?;
        if wrapped.remote {
            return json_remote::unwrap(entry);
        }
        let (Some(command), Some(args)) = (entry.object.get(entry.command), entry.args()?) else {
            return Err(entry.shape("has no list of arguments any more"));
        };
        let value = |at: usize| args.elements[at].range();
        let original = value(wrapped.ours - 1);
        let literal = command.value.range();
        let mut splice = Splice::default();
        splice.replace(literal.start..literal.end, &text[original.start..original.end]);
        match args.elements.get(wrapped.ours) {
            Some(next) => splice.replace(value(0).start..next.range().start, ""),
            None if wrapped.bare => {
                let Some(property) = entry.object.get("args") else {
                    return Err(entry.shape("has no list of arguments any more"));
                };
                splice.replace(member_span(text, entry.object, property), "");
            }
            None => {
                let end = comma_after(text, original.end).unwrap_or(original.end);
                splice.replace(value(0).start..end, "");
            }
        }
        Ok(splice.apply(text))
    })
}

pub(super) fn wrapped(text: &str, path: &Path) -> Result<Option<Wrapped>, EditError> {
    on_entry(text, path, |entry| Ok(entry.wrapped()))
}

impl Entry<'_> {
    /// How it is wrapped, if it is.
    pub fn wrapped(&self) -> Option<Wrapped> {
        let command = self.object.get_string(self.command)?;
        let args: Vec<&str> = match self.object.get_array("args") {
            Some(args) => args
                .elements
                .iter()
                .map(|element| element.as_string_lit().map(|word| word.value.as_ref()).unwrap_or_default())
                .collect(),
            None => Vec::new(),
        };
        wrapping::recognise(&command.value, &args)
    }

    fn args(&self) -> Result<Option<&Array<'_>>, EditError> {
        match self.object.get("args") {
            None => Ok(None),
            Some(property) => match &property.value {
                Value::Array(array) => Ok(Some(array)),
                _ => Err(self.shape("has arguments that are no list")),
            },
        }
    }

    /// The refusal to edit it.
    pub fn shape(&self, why: &'static str) -> EditError {
        EditError::Shape { path: self.path.clone(), why }
    }
}

/// Finds the entry, refusing duplicate keys on the way and in it.
pub(super) fn on_entry<T>(
    text: &str,
    path: &Path,
    edit: impl FnOnce(&Entry<'_>) -> Result<T, EditError>,
) -> Result<T, EditError> {
    let missing = || EditError::Missing { path: path.clone() };
    let value = parse(text)?.ok_or_else(missing)?;
    let mut object = value.as_object().ok_or_else(missing)?;
    unique(text, object)?;
    for step in &path.0 {
        let Step::Key(key) = step else { return Err(missing()) };
        object = object.get_object(key).ok_or_else(missing)?;
        unique(text, object)?;
    }
    let mut entry = Entry { text, path, object, command: "command" };
    if let Some(inner) = object.get_object("command") {
        unique(text, inner)?;
        entry = Entry { object: inner, command: "path", ..entry };
    }
    edit(&entry)
}

/// Parses a text as the most generous of the clients read it.
pub(super) fn parse(text: &str) -> Result<Option<Value<'_>>, EditError> {
    match jsonc::parse(text) {
        Ok(value) => Ok(value),
        Err(error) => {
            let line = line_of(text, error.range().start);
            Err(EditError::Syntax { line, message: error.kind().to_string() })
        }
    }
}

/// How members are set apart where a new one goes.
pub(super) struct Gap<'a> {
    /// White space before a member's key.
    pub lead: &'a str,
    /// What stands between elements on one line.
    pub comma: &'static str,
    colon: &'static str,
}

impl<'a> Gap<'a> {
    /// As it is around a member.
    pub fn between(text: &'a str, member: &ObjectProp<'_>, object: &Object<'_>) -> Self {
        let start = member.range.start;
        let before = &text[object.range.start + 1..start];
        let white = before.trim_end_matches([' ', '\t', '\r', '\n']);
        let lead = &text[start - (before.len() - white.len())..start];
        // Of several empty lines before the member, one line end is enough.
        let lead = lead.rfind('\n').map_or(lead, |at| {
            let at = if lead[..at].ends_with('\r') { at - 1 } else { at };
            &lead[at..]
        });
        let value = member.value.range();
        let colon = if text[..value.start].ends_with(':') { ":" } else { ": " };
        let tight = colon == ":" && !lead.contains('\n');
        let lead = if tight || lead.contains('\n') { lead } else { " " };
        Self { lead, comma: if tight { "," } else { ", " }, colon }
    }

    /// A key with its colon.
    pub fn key(&self, key: &str) -> String {
        format!("{}{}", quote(key), self.colon)
    }
}

/// A JSON string.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The span of a member and the comma that goes with it.
pub(super) fn member_span(
    text: &str,
    object: &Object<'_>,
    member: &ObjectProp<'_>,
) -> std::ops::Range<usize> {
    let (start, end) = (member.range.start, member.range.end);
    let index = object.properties.iter().position(|other| other.range.start == start).unwrap_or(0);
    if index > 0 {
        // From the end of the member before: its comma goes, one after this one stays.
        return object.properties[index - 1].range.end..end;
    }
    match object.properties.get(1) {
        Some(next) => start..next.range.start,
        None => start..comma_after(text, end).unwrap_or(end),
    }
}

/// Puts elements before the others, set apart as those are.
fn insert_first(text: &str, array: &Array<'_>, ours: &[String], splice: &mut Splice) {
    let Some(first) = array.elements.first().map(|element| element.range()) else {
        splice.insert(array.range.start + 1, ours.join(", "));
        return;
    };
    let before = &text[array.range.start + 1..first.start];
    let white = &before[before.trim_end_matches([' ', '\t', '\r', '\n']).len()..];
    let between = if let Some(at) = white.rfind('\n') {
        let at = if white[..at].ends_with('\r') { at - 1 } else { at };
        format!(",{}", &white[at..])
    } else {
        let next = array.elements.get(1).map(|second| &text[first.end..second.range().start]);
        if next == Some(",") { ",".to_owned() } else { ", ".to_owned() }
    };
    let mut words = ours.join(&between);
    words.push_str(&between);
    splice.insert(first.start, words);
}

/// The end of a comma after a place, if only white space is before it.
fn comma_after(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let gap = rest.len() - rest.trim_start().len();
    rest[gap..].starts_with(',').then_some(at + gap + 1)
}

fn unique(text: &str, object: &Object<'_>) -> Result<(), EditError> {
    let mut seen = HashSet::new();
    match object.properties.iter().find(|property| !seen.insert(property.name.as_str())) {
        None => Ok(()),
        Some(twice) => {
            let line = line_of(text, twice.range.start);
            Err(EditError::DuplicateKey { line, key: twice.name.as_str().to_owned() })
        }
    }
}
