//! Noise: the closed list of edits that change nothing a model or a person would read.
//!
//! Promises: an edit is noise only if it is one of [`Noise`], exactly and at its place in a JSON
//! Schema; an edit that changes a visible character of a description never is. What opens a schema
//! (`additionalProperties`) is a widening and never noise.

use super::super::json::{Object, Path, Step, Value};
use super::super::surface::Kind;
use super::place::{SchemaPlace, schema_place};

/// The whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Noise {
    /// `$schema` went from one published dialect to another.
    Dialect,
    /// An empty `properties` or `required` came or went.
    Empty,
    /// `required` or `enum` holds the same in another order.
    Order,
    /// A `title` came or went that only repeats the key it stands under.
    RepeatedTitle,
    /// Spaces, tabs or line ends at the ends of a `description` or `title`.
    Ends,
}

/// The dialects that JSON Schema published; with and without `#`, `http` and `https`.
const DIALECTS: [&str; 5] = [
    "json-schema.org/draft-04/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft/2020-12/schema",
];

/// Whether an edit is noise, and which.
pub fn noise(kind: Kind, path: &Path, before: Option<&Value>, after: Option<&Value>) -> Option<Noise> {
    let place = schema_place(kind, path)?;
    let [Step::Key(keyword)] = place.keyword else {
        return None;
    };
    match (keyword.as_str(), before, after) {
        ("$schema", Some(before), Some(after)) => {
            (is_dialect(before) && is_dialect(after)).then_some(Noise::Dialect)
        }
        ("properties" | "required", None, Some(value)) | ("properties" | "required", Some(value), None) => {
            is_empty(keyword, value).then_some(Noise::Empty)
        }
        ("required" | "enum", Some(Value::Array(before)), Some(Value::Array(after))) => {
            same_elements(before, after).then_some(Noise::Order)
        }
        ("title", ..) if repeats(&place, before) && repeats(&place, after) => Some(Noise::RepeatedTitle),
        ("title" | "description", Some(Value::String(before)), Some(Value::String(after))) => {
            let text = |text: &'_ str| text.trim_matches([' ', '\t', '\r', '\n']).to_owned();
            (text(before) == text(after)).then_some(Noise::Ends)
        }
        _ => None,
    }
}

/// Whether an edit opens a schema for more than it took before.
pub fn widens(kind: Kind, path: &Path, before: Option<&Value>, after: Option<&Value>) -> bool {
    let Some(place) = schema_place(kind, path) else {
        return false;
    };
    let open = |value: Option<&Value>| match value {
        None | Some(Value::Bool(true)) => true,
        Some(Value::Object(object)) => object.is_empty(),
        _ => false,
    };
    let last = place.keyword.last();
    let opens = |name: &str| matches!(name, "additionalProperties" | "unevaluatedProperties");
    matches!(last, Some(Step::Key(name)) if opens(name)) && !open(before) && open(after)
}

impl Noise {
    /// What happened, for the review's folded line.
    pub fn text(self) -> &'static str {
        match self {
            Noise::Dialect => "`$schema` names another published dialect",
            Noise::Empty => "an empty `properties` or `required` came or went",
            Noise::Order => "the order within `required` or `enum`",
            Noise::RepeatedTitle => "a `title` that repeats its key came or went",
            Noise::Ends => "white space at the ends of a text",
        }
    }
}

fn is_dialect(value: &Value) -> bool {
    let Some(uri) = value.as_str() else {
        return false;
    };
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or("");
    DIALECTS.contains(&uri.strip_suffix('#').unwrap_or(uri))
}

fn is_empty(keyword: &str, value: &Value) -> bool {
    match value {
        Value::Object(object) => keyword == "properties" && object.is_empty(),
        Value::Array(list) => keyword == "required" && list.is_empty(),
        _ => false,
    }
}

fn same_elements(before: &[Value], after: &[Value]) -> bool {
    let sorted = |list: &[Value]| {
        let mut texts: Vec<Vec<u8>> = list.iter().map(super::super::canon::canonical).collect();
        texts.sort_unstable();
        texts
    };
    sorted(before) == sorted(after)
}

/// Whether a title is absent or says no more than the key: the same letters and digits.
fn repeats(place: &SchemaPlace<'_>, title: Option<&Value>) -> bool {
    let Some(key) = place.key else {
        return false;
    };
    match title {
        None => true,
        Some(Value::String(title)) => fold(title) == fold(key),
        Some(_) => false,
    }
}

/// Whether a keyword of a new schema says no more than noise would: a title that repeats its key, or a
/// published dialect.
pub fn is_folded(key: &str, keyword: &str, value: &Value) -> bool {
    match keyword {
        "title" => value.as_str().is_some_and(|title| !key.is_empty() && fold(title) == fold(key)),
        "$schema" => is_dialect(value),
        _ => false,
    }
}

/// A schema without what noise may take away, for asking whether two are equal but for noise.
pub fn without_titles(name: &str, schema: &Value) -> Value {
    let Value::Object(object) = schema else {
        return schema.clone();
    };
    let repeated = |key: &str, value: &Value| {
        key == "title" && value.as_str().is_some_and(|title| fold(title) == fold(name))
    };
    let kept: Object = object
        .iter()
        .filter(|(key, value)| !repeated(key, value))
        .map(|(key, value)| (key, value.clone()))
        .collect();
    Value::Object(kept)
}

fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
#[path = "noise_tests.rs"]
mod tests;
