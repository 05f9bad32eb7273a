//! A whole new item on few lines: all its words, in the order a reader wants them.
//!
//! Promises: every field of the item is shown; JSON Schema is told in one line a parameter where it
//! is simple, and as it stands where it is not. A `title` that only repeats its key and the name of a
//! published dialect are folded unless `full`, as noise is.

use super::{Line, Mark, Role, Span, plural, text, wrap};
use crate::engine::canon;
use crate::engine::diff::noise;
use crate::engine::diff::{ChangeSet, What};
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

/// The lines of a tool's schema: one a parameter, then what else it says.
pub(super) fn schema_lines(label: &str, schema: &Object, full: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(words) = schema.get("description").and_then(Value::as_str) {
        lines.extend(text::added(label, words));
    }
    lines.extend(properties(label, schema, 0, full));
    let rest = rest("", schema, &["type", "properties", "required", "description"], full);
    let kind = type_name(schema);
    let kind = if kind == "object" || kind.is_empty() { None } else { Some(kind) };
    let all: Vec<String> = kind.into_iter().chain(rest).collect();
    if !all.is_empty() {
        let of = if label.is_empty() { "input" } else { "result" };
        lines.extend(wrap::text(Role::Added, format!("{of}: {}", all.join(" · ")), 2));
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
    let mut facts = Vec::new();
    let kind = type_name(schema);
    if !kind.is_empty() {
        facts.push(kind);
    }
    if required {
        facts.push("required".to_owned());
    }
    let inner = inner_object(schema);
    let mut told = vec!["type", "description"];
    match inner {
        Some(Inner::Own(_)) => told.extend(["properties", "required"]),
        Some(Inner::Items(_)) => told.push("items"),
        None if is_simple_items(schema) => told.push("items"),
        None => {}
    }
    facts.extend(rest(name, schema, &told, full));
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
    match inner {
        Some(Inner::Own(schema)) => lines.extend(properties("", schema, depth + 1, full)),
        Some(Inner::Items(items)) => {
            let rest = rest("", items, &["type", "properties", "required"], full);
            if !rest.is_empty() {
                let text = format!("{indent}  each: {}", rest.join(", "));
                lines.extend(wrap::text(Role::Added, text, indent.len() + 4));
            }
            lines.extend(properties("", items, depth + 1, full));
        }
        None => {}
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
    let words = object.get("description").and_then(Value::as_str).unwrap_or("");
    text::added(&format!("argument {}{facts}: ", show::name(name)), words)
}

/// A schema's type in a word or two; empty if it says none, or none that is simple.
fn type_name(schema: &Object) -> String {
    let own = match schema.get("type") {
        Some(Value::String(name)) => show::name(name),
        Some(Value::Array(names)) => {
            let names: Vec<String> = names.iter().filter_map(Value::as_str).map(show::name).collect();
            names.join("|")
        }
        Some(other) => canonical(other),
        None => String::new(),
    };
    match schema.get("items") {
        Some(Value::Object(items)) if is_simple_items(schema) || is_object(items) => {
            format!("{own} of {}", type_name(items))
        }
        _ => own,
    }
}

/// Whether a list's elements are told by their type alone.
fn is_simple_items(schema: &Object) -> bool {
    match schema.get("items") {
        Some(Value::Object(items)) => items.len() == 1 && matches!(items.get("type"), Some(Value::String(_))),
        _ => false,
    }
}

fn is_object(schema: &Object) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object") && has_properties(schema)
}

fn has_properties(schema: &Object) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}

enum Inner<'a> {
    Own(&'a Object),
    Items(&'a Object),
}

/// The object with properties that a property is, or is a list of.
fn inner_object(schema: &Object) -> Option<Inner<'_>> {
    if has_properties(schema) {
        return Some(Inner::Own(schema));
    }
    let items = schema.get("items")?.as_object()?;
    is_object(items).then_some(Inner::Items(items))
}

/// Whatever a schema says besides, as `keyword value`.
fn rest(name: &str, schema: &Object, told: &[&str], full: bool) -> Vec<String> {
    let plain = |key: &str, value: &Value| match key {
        "description" => matches!(value, Value::String(_)),
        "properties" | "items" => matches!(value, Value::Object(_)),
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

/// A value as JSON on one line, neutral; inline data is cut unless `full`.
pub(super) fn json(value: &Value, full: bool) -> String {
    if full {
        show::line(&canonical(value), usize::MAX)
    } else {
        show::line(&canonical(&cut_data(value)), usize::MAX)
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

fn canonical(value: &Value) -> String {
    String::from_utf8_lossy(&canon::canonical(value)).into_owned()
}
