//! Masking: the one place that decides what is a secret, for lock, log, stderr and screen.
//!
//! Promises: a span that is masked is seen to be masked ([`MARK`] on a screen, [`PINNED_MARK`] in a
//! pin); what is left is the text as it was. Secrets are found by the name they are given under, by
//! their shape, and by value where it is known ([`Known`]).
//!
//! Does not: promise to know every secret. A short password in the middle of a sentence has no
//! shape; that is why headers and environment values are masked whole, whatever they look like.

use super::json::{Object, Path, Step, Value};
use std::borrow::Cow;
use std::ops::Range;

mod fields;
mod tokens;

/// What stands for a secret on a screen, in a log and in a server's stderr.
pub const MARK: &str = "***";

/// What stands for a secret in a launch pin.
pub const PINNED_MARK: &str = "${masked}";

/// The shortest value that is looked for in other text: `1` and `true` are no secrets.
const MIN_KNOWN: usize = 6;

/// Secret values that are known from a launch, to be found wherever they turn up.
#[derive(Clone, Default)]
pub struct Known(Vec<(String, String)>);

/// Masks what is a secret by name or shape.
pub fn mask_text(text: &str) -> Cow<'_, str> {
    replace(text, spans(text), MARK)
}

/// Masks what is a secret in a URL: user-info, secret-looking parameters, tokens by shape.
pub fn mask_url(url: &str) -> Cow<'_, str> {
    mask_text(url)
}

/// The secrets of a text by name or shape, in order and apart.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = fields::spans(text);
    spans.extend(tokens::spans(text));
    join(spans)
}

/// Whether a value given under this name (of a flag, a variable, a parameter, a field) is a secret.
pub fn is_secret_name(name: &str) -> bool {
    fields::is_secret_name(name)
}

/// The arguments with their secrets replaced, and whether each had one.
pub fn mask_args(args: &[String], mark: &str) -> Vec<(String, bool)> {
    arg_spans(args)
        .into_iter()
        .zip(args)
        .map(|(spans, arg)| (!spans.is_empty(), replace(arg, spans, mark)))
        .map(|(masked, text)| (text.into_owned(), masked))
        .collect()
}

/// The secrets of each argument. A flag with a secret-looking name makes the next argument one.
pub(super) fn arg_spans(args: &[String]) -> Vec<Vec<Range<usize>>> {
    let mut before: Option<&str> = None;
    let mut all = Vec::with_capacity(args.len());
    for arg in args {
        all.push(fields::arg_spans(before, arg));
        before = Some(arg);
    }
    all
}

/// The text with spans replaced by a mark.
pub(super) fn replace<'a>(text: &'a str, spans: Vec<Range<usize>>, mark: &str) -> Cow<'a, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        masked.push_str(&text[from..span.start]);
        masked.push_str(mark);
        from = span.end;
    }
    masked.push_str(&text[from..]);
    Cow::Owned(masked)
}

/// Sorts spans and joins those that overlap.
pub(super) fn join(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.retain(|span| !span.is_empty());
    spans.sort_by_key(|span| (span.start, span.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

impl Known {
    /// Collects values with the names they were given under. What is too short to be told from an
    /// ordinary word, or neither named nor shaped like a secret, is left out.
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut known = Vec::new();
        for (name, value) in values {
            // A scheme before a credential is not part of it.
            let bare = value.split_once(' ').map_or(value.as_str(), |(_, credential)| credential.trim());
            for value in [value.trim(), bare] {
                let secret = is_secret_name(&name) || !tokens::spans(value).is_empty();
                let new = || !known.iter().any(|(_, other)| other == value);
                if secret && value.len() >= MIN_KNOWN && new() {
                    known.push((name.clone(), value.to_owned()));
                }
            }
        }
        // The longest first, so that a value inside another does not leave the rest of it.
        known.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.cmp(b)));
        Self(known)
    }

    /// Both at once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.cmp(b)));
        self
    }

    /// Masks the known values, and what is a secret by name or shape.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut spans = self::spans(text);
        for (_, value) in &self.0 {
            spans.extend(text.match_indices(value.as_str()).map(|(at, found)| at..at + found.len()));
        }
        replace(text, join(spans), MARK)
    }

    /// The same for every text in a value, and for whatever stands under a secret's name.
    pub fn mask_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.mask(text).as_ref()),
            Value::Array(items) => items.iter().map(|item| self.mask_value(item)).collect::<Vec<_>>().into(),
            Value::Object(object) => {
                let mut masked = Object::new();
                for (key, value) in object.iter() {
                    let is_plain = matches!(value, Value::Null | Value::Bool(_));
                    let value = match is_secret_name(key) && !is_plain {
                        true => Value::from(MARK),
                        false => self.mask_value(value),
                    };
                    masked.insert(self.mask(key).as_ref(), value);
                }
                Value::Object(masked)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// The name of a known value that a text holds.
    pub fn find(&self, text: &str) -> Option<&str> {
        self.0.iter().find(|(_, value)| text.contains(value.as_str())).map(|(name, _)| name.as_str())
    }

    /// The first place where a value, its keys included, holds a known secret, and that one's name.
    pub fn find_in(&self, value: &Value) -> Option<(Path, &str)> {
        if self.0.is_empty() {
            return None;
        }
        self.find_at(value, &Path::default())
    }

    fn find_at(&self, value: &Value, path: &Path) -> Option<(Path, &str)> {
        match value {
            Value::String(text) => self.find(text).map(|name| (path.clone(), name)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| self.find_at(item, &path.join(Step::Index(index)))),
            Value::Object(object) => object.iter().find_map(|(key, value)| {
                let in_key = self.find(key).map(|name| (path.clone(), name));
                in_key.or_else(|| self.find_at(value, &path.join(Step::Key(key.to_owned()))))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
