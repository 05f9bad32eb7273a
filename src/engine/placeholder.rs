//! Placeholders: patterns that stand for spans of text which differ between honest machines.
//!
//! A pattern is a JSON value as the lockfile holds it. In its strings, `${home}` stands for this
//! machine's home folder, and so on for every [`Name`]; `${date}` and `${timestamp}` stand for the
//! narrow forms that `dates.rs` lists; `${set:a,b,c}` stands for exactly these single tokens in any order.
//! `${dollar}{` stands for the two characters `${`, so text of a server never reads as a placeholder.
//!
//! Promises: a placeholder matches only what this machine's value really is, never free text; what
//! cannot be read as a pattern matches nothing; `matches(literal(x), x)` holds on every machine.
//! Keys of objects are never patterns: a key names what a model passes back, and must not vary.
//!
//! Does not: find the machine's values out (the shells do, see [`Machine`]), nor approve anything; a
//! [`Proposal`] becomes a pin only when a person takes it.

use super::json::{Object, Path, Step, Value};
use std::fmt;

mod dates;
mod machine;
mod pattern;
mod propose;
mod sets;

pub use machine::{MAX_VALUE, Machine, Unusable};
pub use propose::{AROUND, Found, Proposal, propose, propose_but, propose_text, replace_paths};

use pattern::Segment;

/// A value of this machine that a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// `${home}`: the home folder of the account database, never `$HOME`.
    Home,
    /// `${cwd}`: the folder the server is started in.
    Cwd,
    /// `${user}`: the account's name.
    User,
    /// `${host}`: the machine's host name.
    Host,
    /// `${tz}`: the name of the time zone.
    Tz,
    /// `${shell}`: the account's shell.
    Shell,
    /// `${tmp}`: the folder for temporary files.
    Tmp,
    /// `${app}`: the package's own folder, its npx or uv cache folder, or `/nix/store/HASH-`.
    App,
}

/// What a placeholder is, as a proposal names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// A value of this machine.
    Value(Name),
    /// A date.
    Date,
    /// A moment.
    Timestamp,
    /// Exactly these tokens in any order, joined by a comma (and a space, if `true`).
    Set(Vec<String>, bool),
}

/// A string of a lockfile that is no pattern of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{what}` at {path} is not a placeholder of this version")]
pub struct BadPattern {
    /// The text from `${` on, cut at 40 characters.
    pub what: String,
    /// Where in the value.
    pub path: Path,
}

impl Name {
    /// Every name; where two values are equal, the earlier one is proposed.
    pub const ALL: [Name; 8] =
        [Name::Home, Name::Cwd, Name::App, Name::Tmp, Name::User, Name::Host, Name::Tz, Name::Shell];

    /// What stands between `${` and `}`.
    pub fn key(self) -> &'static str {
        match self {
            Name::Home => "home",
            Name::Cwd => "cwd",
            Name::User => "user",
            Name::Host => "host",
            Name::Tz => "tz",
            Name::Shell => "shell",
            Name::Tmp => "tmp",
            Name::App => "app",
        }
    }

    /// Whether the value is the path of a folder or file.
    pub fn is_path(self) -> bool {
        match self {
            Name::Home | Name::Cwd | Name::App | Name::Tmp | Name::Shell => true,
            Name::User | Name::Host | Name::Tz => false,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placeholder::Value(name) => write!(f, "${{{name}}}"),
            Placeholder::Date => f.write_str("${date}"),
            Placeholder::Timestamp => f.write_str("${timestamp}"),
            Placeholder::Set(tokens, spaced) => {
                write!(f, "${{set:{}}}", tokens.join(if *spaced { ", " } else { "," }))
            }
        }
    }
}

/// Up to so many members, looking each of them up is quicker than sorting.
const FEW: usize = 16;

/// Whether what is offered is what the pattern stands for on this machine.
#[must_use]
pub fn matches(pattern: &Value, offered: &Value, machine: &Machine) -> bool {
    match (pattern, offered) {
        (Value::String(pattern), Value::String(offered)) => matches_text(pattern, offered, machine),
        (Value::Array(pattern), Value::Array(offered)) => {
            pattern.len() == offered.len()
                && pattern.iter().zip(offered).all(|(pattern, offered)| matches(pattern, offered, machine))
        }
        (Value::Object(pattern), Value::Object(offered)) => {
            if pattern.len() != offered.len() {
                return false;
            }
            if pattern.len() <= FEW {
                // Keys are unique, so that as many that are all found are the same.
                return pattern.iter().all(|(key, pattern)| {
                    offered.get(key).is_some_and(|offered| matches(pattern, offered, machine))
                });
            }
            sorted(pattern)
                .into_iter()
                .zip(sorted(offered))
                .all(|((key, pattern), (other, offered))| key == other && matches(pattern, offered, machine))
        }
        (pattern, offered) => pattern == offered,
    }
}

/// [`matches()`] for one string, such as an argument or the URI that names a resource.
#[must_use]
pub fn matches_text(pattern: &str, offered: &str, machine: &Machine) -> bool {
    if !pattern.contains("${") {
        return pattern == offered;
    }
    let Ok(segments) = pattern::parse(pattern) else { return false };
    // All places of `offered` that the segments so far can end at; a handful at most.
    let mut ends = vec![0];
    for segment in &segments {
        let mut next = Vec::new();
        for start in ends {
            lengths(segment, &offered[start..], machine, |length| next.push(start + length));
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return false;
        }
        ends = next;
    }
    ends.last() == Some(&offered.len())
}

/// The members by key, so that objects of any size compare in short time.
fn sorted(object: &Object) -> Vec<(&str, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members
}

/// The lengths of text at the start of `rest` that a segment can stand for.
fn lengths(segment: &Segment, rest: &str, machine: &Machine, mut found: impl FnMut(usize)) {
    match segment {
        Segment::Literal(text) => {
            if rest.starts_with(text.as_str()) {
                found(text.len());
            }
        }
        Segment::Placeholder(placeholder) => machine.lengths(placeholder, rest, found),
    }
}

/// What the pattern stands for on this machine. A date is today's, a timestamp is now; what this
/// machine has no usable value for stays as it is spelled.
pub fn fill(pattern: &Value, machine: &Machine) -> Value {
    map_strings(pattern, &|text| fill_text(text, machine))
}

/// [`fill`] for one string.
pub fn fill_text(pattern: &str, machine: &Machine) -> String {
    let Ok(segments) = pattern::parse(pattern) else { return pattern.to_owned() };
    let text = |segment: &Segment| match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Placeholder(placeholder) => machine.fill(placeholder),
    };
    segments.iter().map(text).collect()
}

/// The pattern that stands for exactly this value, on every machine.
pub fn literal(value: &Value) -> Value {
    map_strings(value, &literal_text)
}

/// [`literal`] for one string.
pub fn literal_text(text: &str) -> String {
    text.replace("${", "${dollar}{")
}

/// Whether the pattern has a placeholder: something that may differ between machines.
pub fn has_placeholder(pattern: &Value) -> bool {
    match pattern {
        Value::String(text) => text.contains("${") && pattern::is_varying(text),
        Value::Array(items) => items.iter().any(has_placeholder),
        Value::Object(object) => object.iter().any(|(_, value)| has_placeholder(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Refuses what is no pattern of this version, with its place.
pub fn check(pattern: &Value) -> Result<(), BadPattern> {
    check_at(pattern, &Path::default())
}

fn check_at(pattern: &Value, path: &Path) -> Result<(), BadPattern> {
    match pattern {
        Value::String(text) => match pattern::parse(text) {
            Ok(_) => Ok(()),
            Err(what) => Err(BadPattern { what: what.chars().take(40).collect(), path: path.clone() }),
        },
        Value::Array(items) => {
            let places = items.iter().enumerate();
            places.into_iter().try_for_each(|(index, item)| check_at(item, &path.join(Step::Index(index))))
        }
        Value::Object(object) => {
            let check = |(key, value): (&str, &Value)| check_at(value, &path.join(Step::Key(key.to_owned())));
            object.iter().try_for_each(check)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The value with every string (keys aside) replaced.
fn map_strings(value: &Value, map: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(map(text)),
        Value::Array(items) => Value::Array(items.iter().map(|item| map_strings(item, map)).collect()),
        Value::Object(object) => {
            let member = |(key, value): (&str, &Value)| (key.to_owned(), map_strings(value, map));
            Value::Object(Object::from_unique(object.iter().map(member).collect()))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
#[path = "placeholder_tests.rs"]
mod tests;
