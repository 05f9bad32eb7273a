//! Where in an item an edit stands: which part of it a person would name, and which JSON Schema
//! keyword it touches.
//!
//! Promises: only the objects that JSON Schema reads as schemas are schema positions; the values of
//! `default`, `enum`, `const` and `examples` never are, whatever they look like.

use super::super::json::{Path, Step};
use super::super::surface::Kind;

/// Keywords whose value is a map of schemas.
const MAPS: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose value is a schema; `items` may be a list of them.
const SINGLE: [&str; 12] = [
    "items",
    "additionalProperties",
    "additionalItems",
    "contains",
    "contentSchema",
    "else",
    "if",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// A place relative to the innermost schema around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaPlace<'a> {
    /// The steps after the innermost schema; for a schema itself, the steps that lead to it from the
    /// schema around it (`properties`, `x`).
    pub keyword: &'a [Step],
    /// The key under which the schema around stands in a map of schemas.
    pub key: Option<&'a str>,
}

/// The part of an item that an edit belongs to, as a person would name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A field of the item itself: `description`, `annotations`, …
    Field(String),
    /// One parameter of a tool, or one argument of a prompt.
    Parameter(String),
    /// One field of a tool's result.
    Output(String),
    /// Something else in a schema: the schema's name and the keyword.
    Schema(String, String),
    /// The whole item.
    Whole,
}

/// Finds the schema around a path into an item, or `None` outside of schemas.
pub fn schema_place(kind: Kind, path: &Path) -> Option<SchemaPlace<'_>> {
    let steps = &path.0;
    let root = matches!(key(steps.first()), Some("inputSchema" | "outputSchema"));
    if kind != Kind::Tool || !root {
        return None;
    }
    // `at` is where the innermost schema begins, `outer` where the one around it does.
    let (mut at, mut outer) = (1, 0);
    let mut name = None;
    let mut outer_name = None;
    loop {
        let rest = &steps[at..];
        let deeper = match (key(rest.first()), rest.get(1)) {
            (Some(map), Some(Step::Key(_))) if MAPS.contains(&map) => 2,
            (Some(list), Some(Step::Index(_))) if LISTS.contains(&list) || list == "items" => 2,
            (Some(single), _) if SINGLE.contains(&single) => 1,
            _ => break,
        };
        outer = at;
        outer_name = name;
        let map = key(rest.first()).is_some_and(|map| MAPS.contains(&map));
        name = if map { key(rest.get(1)) } else { None };
        at += deeper;
    }
    let itself = at == steps.len();
    let (start, key) = if itself { (outer, outer_name) } else { (at, name) };
    Some(SchemaPlace { keyword: &steps[start..], key })
}

/// The part of an item that a path belongs to. `element` is the text of a list element at the path,
/// so that an element of `required` belongs to the parameter it names.
pub fn part(kind: Kind, path: &Path, element: Option<&str>) -> Part {
    let steps = &path.0;
    let Some(first) = key(steps.first()) else {
        return Part::Whole;
    };
    let (second, third) = (key(steps.get(1)), key(steps.get(2)));
    match (kind, first, second) {
        (Kind::Tool, "inputSchema" | "outputSchema", Some(second)) => {
            let one = if first == "inputSchema" { Part::Parameter } else { Part::Output };
            match (second, third, element) {
                ("properties", Some(name), _) => one(name.to_owned()),
                ("required", _, Some(name)) => one(name.to_owned()),
                ("$defs" | "definitions", Some(name), _) => {
                    Part::Schema(first.to_owned(), format!("{second}.{name}"))
                }
                _ => Part::Schema(first.to_owned(), second.to_owned()),
            }
        }
        (Kind::Prompt, "arguments", Some(name)) => Part::Parameter(name.to_owned()),
        (_, "_meta", Some(name)) => Part::Field(format!("_meta.{name}")),
        _ => Part::Field(first.to_owned()),
    }
}

impl Part {
    /// The name of the parameter or of the field of a result.
    pub fn name(&self) -> Option<&str> {
        match self {
            Part::Parameter(name) | Part::Output(name) => Some(name),
            Part::Field(_) | Part::Schema(..) | Part::Whole => None,
        }
    }
}

/// The key of a step that is one.
pub fn key(step: Option<&Step>) -> Option<&str> {
    if let Some(Step::Key(key)) = step { Some(key) } else { None }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
