//! TOML: commands. The parser gives spans, the edit replaces spans of the text, so that comments,
//! quotes, dotted keys, inline tables and line ends stay as they are.

use super::splice::{Splice, line_of};
use super::{EditError, Wrapper, toml_remote};
use crate::engine::json::{Path, Step};
use crate::engine::wrapping::{self, Wrapped};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// An entry's table in its text.
pub(super) struct Entry<'a> {
    pub text: &'a str,
    pub path: &'a Path,
    pub table: &'a DeTable<'a>,
    /// Whether it is written `{ … }`.
    pub inline: bool,
}

/// A key and its value, with their spans.
pub(super) struct Member<'a> {
    pub key: Range<usize>,
    pub span: Range<usize>,
    pub value: &'a DeValue<'a>,
}

/// The span of a list of arguments, and of each of them.
struct Args {
    list: Range<usize>,
    elements: Vec<Range<usize>>,
}

pub(super) fn wrap(text: &str, path: &Path, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    on_entry(text, path, |entry| {
        let Some(command) = entry.member("command") else {
            return toml_remote::wrap(entry, wrapper);
        };
        if command.value.as_str().is_none() {
            return Err(entry.shape("has a command that is no string"));
        }
        let original = text[command.span.clone()].to_owned();
        let mut splice = Splice::default();
        splice.replace(command.span.clone(), quote(wrapper.exe));
        let ours = |bare| {
            let words = wrapping::before_command(wrapper.lock, wrapper.name, bare);
            words.iter().map(|word| quote(word)).chain([original.clone()]).collect::<Vec<_>>()
        };
        match entry.args()? {
            Some(args) => insert_first(text, &args, &ours(false), &mut splice),
            None => {
                let list = format!("{}args = [{}]", entry.gap(&command), ours(true).join(", "));
                splice.insert(command.span.end, list);
            }
        }
        Ok(splice.apply(text))
    })
}

pub(super) fn unwrap(text: &str, path: &Path) -> Result<String, EditError> {
    on_entry(text, path, |entry| {
        let wrapped = entry.wrapped().ok_or_else(|| EditError::NotWrapped { path: path.clone() })?;
        if wrapped.remote {
            return toml_remote::unwrap(entry);
        }
        let (Some(command), Some(Args { elements, .. })) = (entry.member("command"), entry.args()?) else {
            return Err(entry.shape("has no list of arguments any more"));
        };
        let original = &elements[wrapped.ours - 1];
        let mut splice = Splice::default();
        splice.replace(command.span.clone(), &text[original.clone()]);
        match (elements.get(wrapped.ours), entry.member("args")) {
            (Some(next), _) => splice.replace(elements[0].start..next.start, ""),
            (None, Some(args)) if wrapped.bare => splice.replace(entry.removal(&command, &args), ""),
            (None, _) => {
                let rest = &text[original.end..];
                let gap = rest.len() - rest.trim_start().len();
                let end = original.end + if rest[gap..].starts_with(',') { gap + 1 } else { 0 };
                splice.replace(elements[0].start..end, "");
            }
        }
        Ok(splice.apply(text))
    })
}

pub(super) fn wrapped(text: &str, path: &Path) -> Result<Option<Wrapped>, EditError> {
    on_entry(text, path, |entry| Ok(entry.wrapped()))
}

impl<'a> Entry<'a> {
    /// A member written in this table itself, not under a header of its own.
    pub fn member(&self, key: &str) -> Option<Member<'a>> {
        self.members().into_iter().find(|(name, _)| *name == key).map(|(_, member)| member)
    }

    /// The members written in this table itself, in the order of the text.
    pub fn members(&self) -> Vec<(&'a str, Member<'a>)> {
        let mut members: Vec<_> = self
            .table
            .iter()
            .filter(|(_, value)| {
                value.get_ref().as_table().is_none() || self.text[value.span()].starts_with('{')
            })
            .map(|(key, value)| {
                let member = Member { key: key.span(), span: value.span(), value: value.get_ref() };
                (key.get_ref().as_ref(), member)
            })
            .collect();
        members.sort_by_key(|(_, member)| member.key.start);
        members
    }

    /// Whether a key has a table under a header of its own.
    pub fn has_own_header(&self, key: &str) -> bool {
        self.table.contains_key(key) && self.member(key).is_none()
    }

    /// How it is wrapped, if it is.
    pub fn wrapped(&self) -> Option<Wrapped> {
        let command = self.member("command")?.value.as_str()?;
        let args = self.member("args").and_then(|args| args.value.as_array());
        let words: Vec<&str> = args
            .map(|args| args.iter().map(|word| word.get_ref().as_str().unwrap_or_default()).collect())
            .unwrap_or_default();
        wrapping::recognise(command, &words)
    }

    /// What stands between a member and a new one after it: a comma, or a line end with whatever
    /// begins the member's line (indentation, the first parts of a dotted key).
    pub fn gap(&self, member: &Member<'_>) -> String {
        if self.inline {
            return ", ".to_owned();
        }
        let before = &self.text[..member.key.start];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        format!("{end}{}", &before[start..])
    }

    /// The span to cut for taking `args` out again: from the member before it if it follows directly.
    pub fn removal(&self, command: &Member<'_>, args: &Member<'_>) -> Range<usize> {
        let (from, to) = (command.span.end, args.key.start);
        let follows = from <= to && !self.text[from..to].contains(['#', '=']);
        if follows {
            return from..args.span.end;
        }
        let start = self.text[..args.key.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[args.span.end..].find('\n').map_or(self.text.len(), |at| args.span.end + at + 1);
        start..end
    }

    /// The refusal to edit it.
    pub fn shape(&self, why: &'static str) -> EditError {
        EditError::Shape { path: self.path.clone(), why }
    }

    fn args(&self) -> Result<Option<Args>, EditError> {
        let Some(args) = self.member("args") else { return Ok(None) };
        let elements = args.value.as_array().ok_or_else(|| self.shape("has arguments that are no list"))?;
        Ok(Some(Args { list: args.span, elements: elements.iter().map(Spanned::span).collect() }))
    }
}

/// Finds the entry. The parser itself refuses duplicate keys.
pub(super) fn on_entry<T>(
    text: &str,
    path: &Path,
    edit: impl FnOnce(&Entry<'_>) -> Result<T, EditError>,
) -> Result<T, EditError> {
    let missing = || EditError::Missing { path: path.clone() };
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        EditError::Syntax { line, message: error.message().to_owned() }
    })?;
    let (mut table, mut inline) = (root.get_ref(), false);
    for step in &path.0 {
        let Step::Key(key) = step else { return Err(missing()) };
        let value = table.get(key.as_str()).ok_or_else(missing)?;
        table = value.get_ref().as_table().ok_or_else(missing)?;
        inline |= text[value.span()].starts_with('{');
    }
    edit(&Entry { text, path, table, inline })
}

/// A TOML basic string: JSON's escapes, and DEL escaped too.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Puts elements before the others, set apart as those are.
fn insert_first(text: &str, Args { list, elements }: &Args, ours: &[String], splice: &mut Splice) {
    let Some(first) = elements.first() else {
        splice.insert(list.start + 1, ours.join(", "));
        return;
    };
    let before = &text[list.start + 1..first.start];
    let white = &before[before.trim_end_matches([' ', '\t', '\r', '\n']).len()..];
    let between = match white.rfind('\n') {
        Some(at) => {
            let at = if white[..at].ends_with('\r') { at - 1 } else { at };
            format!(",{}", &white[at..])
        }
        None => ", ".to_owned(),
    };
    splice.insert(first.start, format!("{}{between}", ours.join(&between)));
}
