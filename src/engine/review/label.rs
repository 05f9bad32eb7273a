//! What the parts and places of an item are called in a review.
//!
//! Promises: every name a server chose goes through `show`.

use crate::engine::diff::Edit;
use crate::engine::diff::place::{Part, schema_place};
use crate::engine::json::Step;
use crate::engine::show;
use crate::engine::surface::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// Names listed before the rest is told by its number.
const NAMES: usize = 12;

pub(super) fn colon(label: &str) -> String {
    if label.is_empty() { String::new() } else { format!("{label}: ") }
}

/// The steps from the innermost schema on, without places in lists.
pub(super) fn keyword(kind: Kind, edit: &Edit) -> String {
    match schema_place(kind, &edit.path) {
        Some(place) => dotted(place.keyword, false),
        None => dotted(&edit.path.0, false),
    }
}

pub(super) fn dotted(steps: &[Step], places: bool) -> String {
    let mut out = String::new();
    let mut in_set = false;
    for step in steps {
        match step {
            Step::Key(key) => {
                in_set = matches!(key.as_str(), "enum" | "required");
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&show::name(key));
            }
            Step::Index(index) if places && !in_set => out.push_str(&format!("[{index}]")),
            Step::Index(_) => {}
        }
    }
    out
}

/// The name of the part and the place within it.
pub(super) fn whole_label(kind: Kind, edit: &Edit) -> String {
    let part = if edit.part == Part::Whole { String::new() } else { part_name(&edit.part) };
    let inner = within(kind, edit);
    if inner.is_empty() { part } else { format!("{part} {inner}").trim_start().to_owned() }
}

/// What parts are called, those of one sort under one word.
pub(super) fn part_names(parts: &BTreeSet<&Part>) -> String {
    let mut sorts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut names = Vec::new();
    for part in parts {
        match part {
            Part::Parameter(name) => sorts.entry("parameter").or_default().push(show::name(name)),
            Part::Output(name) => sorts.entry("result field").or_default().push(show::name(name)),
            other => names.push(part_name(other)),
        }
    }
    for (sort, of) in sorts {
        let s = if of.len() == 1 { "" } else { "s" };
        names.push(format!("{sort}{s} {}", of.join(", ")));
    }
    names.join(", ")
}

/// What a part is called.
pub(super) fn part_name(part: &Part) -> String {
    match part {
        Part::Field(field) => show::name(field),
        Part::Parameter(name) => format!("parameter {}", show::name(name)),
        Part::Output(name) => format!("result field {}", show::name(name)),
        Part::Schema(root, keyword) => {
            let of = if root == "inputSchema" { "input" } else { "result" };
            format!("{of} {}", show::name(keyword))
        }
        Part::Whole => "the whole".to_owned(),
    }
}

/// Where an edit stands within its part.
pub(super) fn within(kind: Kind, edit: &Edit) -> String {
    let steps = &edit.path.0;
    let top = match &edit.part {
        Part::Parameter(_) if kind == Kind::Prompt => 2,
        Part::Parameter(_) | Part::Output(_) => 3,
        Part::Schema(_, keyword) => 1 + keyword.split('.').count(),
        Part::Field(field) => field.split('.').count(),
        Part::Whole => 0,
    };
    dotted(steps.get(top..).unwrap_or(&[]), true)
}

/// Names with commas; after [`NAMES`] of them the rest is told by its number.
pub(super) fn listed(names: &[String], full: bool) -> String {
    if full || names.len() <= NAMES + 1 {
        return names.join(", ");
    }
    format!("{} and {} more", names[..NAMES].join(", "), show::count(names.len() - NAMES))
}
