//! A whole new item on few lines: all its words, in the order a reader wants them.
//!
//! Promises: every field of the item is shown; JSON Schema is told in one line a parameter where it
//! is simple, and as it stands where it is not. A `title` that only repeats its key and the name of a
//! published dialect are folded unless `full`, as noise is.

use super::{Line, Mark, Role, Span, plural, text, wrap};
use crate::engine::canon;
use crate::engine::diff::{ChangeSet, What};
use crate::engine::diff::{noise, refs};
use crate::engine::json::{Object, Value};
use crate::engine::show;
use crate::engine::surface::{ItemKey, Kind};

/// Data URIs are cut after so many characters.
const DATA: usize = 80;

/// The lines of a new item.
pub(super) fn added(set: &ChangeSet, index: usize, full: bool) -> Vec<Line> {
    let Some(change) = set.changes.get(index) else {
        return Vec::new();
    };
    let What::Added { value, .. } = &change.what else {
        return Vec::new();
    };
    let mut lines = vec![Line::new(Role::Heading, format!("new {}", title(&change.key)))];
    lines.extend(whole(change.key.kind, value, full));
    lines
}

/// The lines of items that only have another name.
pub(super) fn renamed(set: &ChangeSet, changes: &[usize]) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in changes.iter().filter_map(|index| set.changes.get(*index)) {
        let What::Added { renamed_from: Some(from), .. } = &change.what else {
            continue;
        };
        if lines.is_empty() {
            let kind = plural(changes.len(), change.key.kind.singular(), change.key.kind.plural());
            let heading = format!("{} {kind} renamed, otherwise equal", show::count(changes.len()));
            lines.push(Line::new(Role::Heading, heading));
        }
        let spans = vec![
            Span::new(Mark::Removed, show::name(&from.name)),
            Span::new(Mark::Plain, " → "),
            Span::new(Mark::Added, show::name(&change.key.name)),
        ];
        lines.extend(wrap::spans(Role::Context, spans, 2));
    }
    lines
}

/// What an item is called in a heading.
pub(super) fn title(key: &ItemKey) -> String {
    if key.kind.is_single() {
        key.kind.singular().to_owned()
    } else {
        format!("{} {}", key.kind.singular(), show::name(&key.name))
    }
}

/// The lines of a whole item.
fn whole(kind: Kind, value: &Value, full: bool) -> Vec<Line> {
    let Value::Object(object) = value else {
        return match value {
            // A kind of request is named by its method alone.
            Value::Bool(true) if kind == Kind::Request => Vec::new(),
            Value::String(words) => text::added("", words),
            other => wrap::text(Role::Added, json(other, full), 2),
        };
    };
    let mut lines = Vec::new();
    let mut small = Vec::new();
    for field in ["title", "description"] {
        match object.get(field) {
            Some(Value::String(words)) => {
                let label = if field == "title" { "title: " } else { "" };
                lines.extend(text::added(label, words));
            }
            Some(other) => {
                lines.extend(wrap::text(Role::Added, format!("{field}: {}", json(other, full)), 2))
            }
            None => {}
        }
    }
    for (field, value) in sorted(object) {
        match (field, value) {
            ("title" | "description", _) => {}
            _ if kind.name_field() == Some(field) => {}
            ("inputSchema", Value::Object(schema)) if kind == Kind::Tool => {
                lines.extend(schema_lines("", schema, full));
            }
            ("outputSchema", Value::Object(schema)) if kind == Kind::Tool => {
                lines.extend(schema_lines("returns ", schema, full));
            }
            ("arguments", Value::Array(list)) if kind == Kind::Prompt => {
                for argument in list {
                    lines.extend(argument_lines(argument, full));
                }
            }
            ("annotations", Value::Object(hints)) if is_flat(hints) => {
                let hint =
                    |(key, value): (&str, &Value)| format!("{} {}", show::name(key), json(value, full));
                small.extend(sorted(hints).into_iter().map(hint));
            }
            _ => small.push(format!("{}: {}", show::name(field), json(value, full))),
        }
    }
    if !small.is_empty() {
        lines.extend(wrap::text(Role::Added, small.join(" · "), 2));
    }
    lines
}

/// The lines of a tool's schema: one a parameter, then what else it says. References to its own
/// definitions are written out.
pub(super) fn schema_lines(label: &str, schema: &Object, full: bool) -> Vec<Line> {
    let whole = Value::Object(schema.clone());
    let resolved = refs::write_out(&whole).unwrap_or(whole);
    let Value::Object(schema) = &resolved else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(words) = schema.get("description").and_then(Value::as_str) {
        lines.extend(text::added(label, words));
    }
    lines.extend(properties(label, schema, 0, full));
    for map in ["$defs", "definitions"] {
        if let Some(Value::Object(definitions)) = schema.get(map) {
            for (name, definition) in sorted(definitions) {
                lines.extend(property_lines("definition ", name, definition, false, 0, full));
            }
        }
    }
    let told = ["properties", "required", "description", "type", "$defs", "definitions"];
    let mut rest = rest("", schema, &told, full);
    if let Some(kind) = schema.get("type").filter(|kind| kind.as_str() != Some("object")) {
        rest.insert(0, format!("type {}", json(kind, full)));
    }
    if !rest.is_empty() {
        let of = if label.is_empty() { "input" } else { "result" };
        lines.extend(wrap::text(Role::Added, format!("{of}: {}", rest.join(" · ")), 2));
    }
    lines
}

/// One line for each property of a schema, those of nested objects indented under it.
fn properties(label: &str, schema: &Object, depth: usize, full: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    if let Some(Value::Array(names)) = schema.get("required") {
        let known = |name: &str| schema.get("properties").and_then(|map| map.get(name)).is_some();
        missing = names.iter().filter_map(Value::as_str).filter(|name| !known(name)).collect();
    }
    if let Some(Value::Object(map)) = schema.get("properties") {
        for (name, property) in map.iter() {
            lines.extend(property_lines(label, name, property, is_required(schema, name), depth, full));
        }
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing.into_iter().map(show::name).collect();
        lines.extend(wrap::text(Role::Added, format!("{label}also required: {}", names.join(", ")), 2));
    }
    lines
}

/// The lines of one property, its nested properties under it.
pub(super) fn property_lines(
    label: &str,
    name: &str,
    property: &Value,
    required: bool,
    depth: usize,
    full: bool,
) -> Vec<Line> {
    let indent = "  ".repeat(depth);
    let head = format!("{indent}{label}{}", show::name(name));
    let Value::Object(schema) = property else {
        return wrap::text(Role::Added, format!("{head}: {}", json(property, full)), indent.len() + 4);
    };
    let shape = shape(schema, full);
    let mut facts = Vec::new();
    if !shape.name.is_empty() {
        facts.push(shape.name);
    }
    if required {
        facts.push("required".to_owned());
    }
    facts.extend(rest(name, schema, &[&shape.told[..], &["description"]].concat(), full));
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let words = schema.get("description").and_then(Value::as_str);
    let colon = if words.is_some() { ": " } else { "" };
    let mut lines = match words {
        Some(words) if words.contains('\n') => text::added(&format!("{head}{facts}{colon}"), words),
        _ => {
            let words = show::line(words.unwrap_or(""), usize::MAX);
            wrap::text(Role::Added, format!("{head}{facts}{colon}{words}"), indent.len() + 4)
        }
    };
    let several = shape.inner.len() > 1;
    for (index, inner) in shape.inner.into_iter().enumerate() {
        if several {
            let text = format!("{indent}  object {}:", index + 1);
            lines.extend(wrap::text(Role::Added, text, indent.len() + 4));
        }
        lines.extend(properties("", inner, depth + 1 + usize::from(several), full));
    }
    lines
}

/// The lines of one argument of a prompt.
pub(super) fn argument_lines(argument: &Value, full: bool) -> Vec<Line> {
    let Some(object) = argument.as_object() else {
        return wrap::text(Role::Added, json(argument, full), 4);
    };
    let name = object.get("name").and_then(Value::as_str).unwrap_or("");
    let mut facts = Vec::new();
    if object.get("required") == Some(&Value::Bool(true)) {
        facts.push("required".to_owned());
    }
    let told = |key: &str, value: &Value| match key {
        "name" => true,
        "required" => matches!(value, Value::Bool(_)),
        "description" => matches!(value, Value::String(_)),
        _ => false,
    };
    let other = sorted(object).into_iter().filter(|(key, value)| !told(key, value));
    facts.extend(other.map(|(key, value)| format!("{} {}", show::name(key), json(value, full))));
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let label = format!("argument {}{facts}", show::name(name));
    match object.get("description").and_then(Value::as_str) {
        Some(words) => text::added(&format!("{label}: "), words),
        None => wrap::text(Role::Added, label, 4),
    }
}

/// What a schema takes, in a few words, and what has to be told under it.
#[derive(Default)]
struct Shape<'a> {
    name: String,
    /// The objects whose properties are told under it.
    inner: Vec<&'a Object>,
    /// The keywords that are told by this.
    told: Vec<&'static str>,
}

/// Tells a schema's shape: `string`, `array of string`, `integer|null`, `object`.
fn shape<'a>(schema: &'a Object, full: bool) -> Shape<'a> {
    let mut shape = Shape::default();
    let names = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) if names.iter().all(|name| name.as_str().is_some()) => {
            names.iter().filter_map(Value::as_str).collect()
        }
        _ => vec![],
    };
    if !names.is_empty() {
        shape.told.push("type");
    }
    shape.name = names.into_iter().map(show::name).collect::<Vec<_>>().join("|");
    if let Some(Value::Object(items)) = schema.get("items") {
        let of = nested(items, full, &mut shape.inner);
        if !of.is_empty() {
            shape.name = format!("{} of {of}", if shape.name.is_empty() { "array" } else { &shape.name });
            shape.told.push("items");
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(list)) = schema.get(keyword) else { continue };
        let variants: Vec<&Object> = list.iter().filter_map(Value::as_object).collect();
        if !shape.name.is_empty() || variants.len() != list.len() {
            continue;
        }
        let names: Vec<String> =
            variants.into_iter().map(|variant| nested(variant, full, &mut shape.inner)).collect();
        shape.name = names.join("|");
        shape.told.push(keyword);
    }
    if has_properties(schema) {
        shape.inner.push(schema);
        shape.told.extend(["properties", "required"]);
    }
    shape
}

/// The shape of a schema within another, with whatever else it says in brackets.
fn nested<'a>(schema: &'a Object, full: bool, inner: &mut Vec<&'a Object>) -> String {
    let shape = shape(schema, full);
    let rest = rest("", schema, &shape.told, full);
    inner.extend(shape.inner);
    let name = if shape.name.is_empty() { "any".to_owned() } else { shape.name };
    if rest.is_empty() { name } else { format!("{name} ({})", rest.join(", ")) }
}

fn has_properties(schema: &Object) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}

/// Whatever a schema says besides, as `keyword value`.
fn rest(name: &str, schema: &Object, told: &[&str], full: bool) -> Vec<String> {
    let plain = |key: &str, value: &Value| match key {
        "description" => matches!(value, Value::String(_)),
        "properties" | "$defs" | "definitions" => matches!(value, Value::Object(_)),
        "required" => value.as_array().is_some_and(|list| list.iter().all(|name| name.as_str().is_some())),
        _ => true,
    };
    let folded = |key: &str, value: &Value| !full && noise::is_folded(name, key, value);
    let mut out = Vec::new();
    for (key, value) in sorted(schema) {
        if told.contains(&key) && plain(key, value) || folded(key, value) {
            continue;
        }
        out.push(match (key, value) {
            ("enum", Value::Array(list)) => {
                let all: Vec<String> = list.iter().map(|value| json(value, full)).collect();
                format!("one of {}", all.join(" "))
            }
            _ => format!("{} {}", show::name(key), json(value, full)),
        });
    }
    out
}

fn is_required(schema: &Object, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array).unwrap_or(&[]);
    names.iter().any(|value| value.as_str() == Some(name))
}

fn is_flat(object: &Object) -> bool {
    !object.iter().any(|(_, value)| matches!(value, Value::Array(_) | Value::Object(_)))
}

/// Members by key, so that the order a server chose does not show.
fn sorted(object: &Object) -> Vec<(&str, &Value)> {
    let mut members: Vec<(&str, &Value)> = object.iter().collect();
    members.sort_by_key(|(key, _)| *key);
    members
}

/// A value as JSON on one line, neutral, with spaces to break at; inline data is cut unless `full`.
pub(super) fn json(value: &Value, full: bool) -> String {
    let mut out = String::new();
    if full {
        spaced(value, &mut out)
    } else {
        spaced(&cut_data(value), &mut out)
    }
    show::line(&out, usize::MAX)
}

fn spaced(value: &Value, out: &mut String) {
    match value {
        Value::Array(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                spaced(value, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (index, (key, value)) in sorted(object).into_iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                spaced(&Value::from(key), out);
                out.push_str(": ");
                spaced(value, out);
            }
            out.push('}');
        }
        _ => out.push_str(&String::from_utf8_lossy(&canon::canonical(value))),
    }
}

fn cut_data(value: &Value) -> Value {
    match value {
        Value::String(uri) if uri.starts_with("data:") && !uri.contains(char::is_whitespace) => {
            Value::String(show::line(uri, DATA))
        }
        Value::Array(list) => Value::Array(list.iter().map(cut_data).collect()),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (key, cut_data(value))).collect())
        }
        _ => value.clone(),
    }
}
