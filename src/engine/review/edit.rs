//! Edits on few lines: where, and the words or values that differ.
//!
//! Promises: every edit of a decision is shown once; one that stands for many says where the others
//! are, and shows each different surrounding of a changed text.

use super::item::{self, json, property_lines, title};
use super::{Line, Mark, Role, Span, plural, text, wrap};
use crate::engine::diff::place::Part;
use crate::engine::diff::{Change, ChangeSet, Class, Edit, EditRef, Same};
use crate::engine::json::{Step, Value};
use crate::engine::show;
use crate::engine::surface::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// Names listed before the rest is told by its number.
const NAMES: usize = 12;
/// Surroundings shown of a text that changed alike in several places.
const SURROUNDINGS: usize = 3;

/// The lines of edits that make one decision.
pub(super) fn edited(set: &ChangeSet, same: &[Same], full: bool) -> Vec<Line> {
    let places: Vec<EditRef> = same.iter().flat_map(|same| same.places.iter().copied()).collect();
    let units: BTreeSet<(usize, &Part)> =
        places.iter().filter_map(|place| Some((place.change, &set.edit(*place)?.1.part))).collect();
    let items: BTreeSet<usize> = units.iter().map(|(change, _)| *change).collect();
    let mut lines = heading(set, &items, &units, full);
    let one = units.len() == 1;
    for group in same {
        let Some((change, edit)) = group.places.first().and_then(|place| set.edit(*place)) else {
            continue;
        };
        let parts: BTreeSet<&Part> =
            group.places.iter().filter_map(|place| Some(&set.edit(*place)?.1.part)).collect();
        let label = label(change.key.kind, edit, one || parts.len() > 1);
        if !one && parts.len() > 1 {
            let names: Vec<String> = parts.iter().map(|part| part_name(part)).collect();
            lines.extend(wrap::text(Role::Note, format!("in {}:", listed(&names, full)), 2));
        }
        lines.extend(edit_lines(&label, change.key.kind, edit, full));
        lines.extend(surroundings(set, group, &label, full));
    }
    lines
}

fn heading(
    set: &ChangeSet,
    items: &BTreeSet<usize>,
    units: &BTreeSet<(usize, &Part)>,
    full: bool,
) -> Vec<Line> {
    let changes: Vec<&Change> = items.iter().filter_map(|index| set.changes.get(*index)).collect();
    let parts: BTreeSet<&Part> = units.iter().map(|(_, part)| *part).collect();
    let part = match parts.iter().next() {
        Some(Part::Whole) | None => String::new(),
        Some(part) if parts.len() == 1 => format!(": {}", part_name(part)),
        _ => format!(": the same in {} parts", show::count(units.len())),
    };
    if let [change] = changes.as_slice() {
        return vec![Line::new(Role::Heading, format!("{}{part}", title(&change.key)))];
    }
    let kinds: BTreeSet<Kind> = changes.iter().map(|change| change.key.kind).collect();
    let kind = match kinds.iter().next() {
        Some(kind) if kinds.len() == 1 => kind.plural(),
        _ => "items",
    };
    let names: Vec<String> = changes.iter().map(|change| show::name(&change.key.name)).collect();
    let mut lines = vec![Line::new(Role::Heading, format!("in {} {kind}{part}", show::count(names.len())))];
    lines.extend(wrap::text(Role::Note, listed(&names, full), 2));
    lines
}

/// What a part is called.
fn part_name(part: &Part) -> String {
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

/// Where an edit stands within its part, ended by a space.
fn label(kind: Kind, edit: &Edit, within_part: bool) -> String {
    let steps = &edit.path.0;
    let top = match &edit.part {
        Part::Parameter(_) if kind == Kind::Prompt => 2,
        Part::Parameter(_) | Part::Output(_) => 3,
        Part::Schema(..) => 2,
        Part::Field(field) => field.split('.').count(),
        Part::Whole => 0,
    };
    let required = steps.get(1) == Some(&Step::Key("required".to_owned())) && steps.len() == 3;
    let keep_last = matches!(edit.part, Part::Schema(..));
    let skip = if !within_part { top.saturating_sub(usize::from(keep_last)).min(1) } else { top };
    if required {
        return String::new();
    }
    let mut out = String::new();
    for step in steps.iter().skip(skip.min(steps.len())) {
        match step {
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&show::name(key));
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    if out.is_empty() { out } else { out + ": " }
}

/// The lines of one edit.
fn edit_lines(label: &str, kind: Kind, edit: &Edit, full: bool) -> Vec<Line> {
    let steps = &edit.path.0;
    let last = match steps.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    let under = match steps.iter().rev().nth(1) {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    match (&edit.before, &edit.after) {
        _ if edit.class == Class::References => {
            wrap::text(Role::Note, "`$ref`s are written out or drawn together; what they say is equal", 2)
        }
        (Some(Value::String(before)), Some(Value::String(after))) if edit.class == Class::Renamed => {
            let spans = vec![
                Span::new(Mark::Plain, "renamed, otherwise equal: "),
                Span::new(Mark::Removed, show::name(before)),
                Span::new(Mark::Plain, " → "),
                Span::new(Mark::Added, show::name(after)),
            ];
            wrap::spans(Role::Context, spans, 2)
        }
        (before, after) if under == "required" && before.is_none() != after.is_none() => {
            let name = before.as_ref().or(after.as_ref()).and_then(Value::as_str).unwrap_or("");
            let (role, word) = if after.is_some() {
                (Role::Added, "now required")
            } else {
                (Role::Removed, "no longer required")
            };
            let whose = if edit.part.name() == Some(name) && steps.len() == 3 {
                String::new()
            } else {
                format!(": {}", show::name(name))
            };
            wrap::text(role, format!("{word}{whose}"), 2)
        }
        (Some(Value::String(before)), Some(Value::String(after))) => {
            text::changed(label, before, after, full)
        }
        (None, Some(Value::String(after)))
            if matches!(last, "description" | "title") || edit.part == Part::Whole =>
        {
            text::added(label, after)
        }
        (None, Some(value)) if under == "properties" && kind == Kind::Tool => {
            property_lines("", last, value, false, 0, full)
        }
        (None, Some(Value::Object(schema))) if matches!(last, "inputSchema" | "outputSchema") => {
            let of = if last == "inputSchema" { "" } else { "returns " };
            item::schema_lines(of, schema, full)
        }
        (None, Some(value)) if under == "arguments" && kind == Kind::Prompt => {
            item::argument_lines(value, full)
        }
        (None, Some(after)) => wrap::text(Role::Added, format!("{label}{}", json(after, full)), 2),
        (Some(before), None) => gone(label, before, full),
        (Some(before), Some(after)) => {
            let (before, after) = (json(before, full), json(after, full));
            let spans = vec![
                Span::new(Mark::Plain, label),
                Span::new(Mark::Removed, before),
                Span::new(Mark::Plain, " "),
                Span::new(Mark::Added, after),
            ];
            wrap::spans(Role::Context, spans, 2)
        }
        (None, None) => Vec::new(),
    }
}

fn gone(label: &str, before: &Value, full: bool) -> Vec<Line> {
    let max = if full { usize::MAX } else { 160 };
    let said = match before {
        Value::String(text) => show::line(text, max),
        other => show::line(&json(other, full), max),
    };
    wrap::text(Role::Removed, format!("{label}{said}"), 2)
}

/// The other surroundings in which the same words changed.
fn surroundings(set: &ChangeSet, group: &Same, label: &str, full: bool) -> Vec<Line> {
    let mut seen: Vec<Vec<Line>> = Vec::new();
    for (change, edit) in group.places.iter().filter_map(|place| set.edit(*place)) {
        if let (Some(Value::String(before)), Some(Value::String(after))) = (&edit.before, &edit.after)
            && edit.class != Class::Renamed
        {
            let _ = change;
            let lines = text::changed(label, before, after, full);
            if !seen.contains(&lines) {
                seen.push(lines);
            }
        }
    }
    let max = if full { usize::MAX } else { SURROUNDINGS };
    let rest = seen.len().saturating_sub(1).saturating_sub(max);
    let mut lines: Vec<Line> = seen.into_iter().skip(1).take(max).flatten().collect();
    if rest > 0 {
        let s = plural(rest, "text", "texts");
        lines.push(Line::new(Role::Note, format!("and the same words in {} more {s}", show::count(rest))));
    }
    lines
}

/// The lines of what was removed.
pub(super) fn removed(set: &ChangeSet, items: &[usize], parts: &[EditRef], full: bool) -> Vec<Line> {
    let mut lines = vec![Line::new(Role::Heading, "removed")];
    let mut kinds: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    for change in items.iter().filter_map(|index| set.changes.get(*index)) {
        kinds.entry(change.key.kind).or_default().push(show::name(&change.key.name));
    }
    for (kind, names) in kinds {
        let text = if kind.is_single() {
            kind.singular().to_owned()
        } else {
            format!(
                "{} {}: {}",
                show::count(names.len()),
                plural(names.len(), kind.singular(), kind.plural()),
                names.join(", ")
            )
        };
        lines.extend(wrap::text(Role::Removed, text, 2));
    }
    let mut of_item: BTreeMap<usize, BTreeSet<&Part>> = BTreeMap::new();
    for place in parts {
        if let Some((_, edit)) = set.edit(*place) {
            of_item.entry(place.change).or_default().insert(&edit.part);
        }
    }
    let mut alike: BTreeMap<BTreeSet<&Part>, Vec<String>> = BTreeMap::new();
    for (change, parts) in of_item {
        if let Some(change) = set.changes.get(change) {
            alike.entry(parts).or_default().push(title(&change.key));
        }
    }
    for (parts, items) in alike {
        let parts: Vec<String> = parts.into_iter().map(part_name).collect();
        let text = format!("{} of {}", parts.join(", "), listed(&items, full));
        lines.extend(wrap::text(Role::Removed, text, 2));
    }
    lines
}

/// The lines of noise: one, unless unfolded.
pub(super) fn noise(set: &ChangeSet, places: &[EditRef], full: bool) -> Vec<Line> {
    let edits: Vec<(&Change, &Edit)> = places.iter().filter_map(|place| set.edit(*place)).collect();
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (_, edit) in &edits {
        if let Class::Noise(noise) = edit.class {
            *kinds.entry(noise.text()).or_default() += 1;
        }
    }
    let told: Vec<String> =
        kinds.into_iter().map(|(text, count)| format!("{} × {text}", show::count(count))).collect();
    let count = show::count(edits.len());
    let heading = format!("noise, {count} {}: {}", plural(edits.len(), "edit", "edits"), told.join("; "));
    let mut lines = wrap::text(Role::Heading, heading, 2);
    if full {
        for (change, edit) in edits {
            let path = show::line(&edit.path.to_string(), usize::MAX);
            lines.extend(wrap::text(Role::Note, format!("{} {path}", title(&change.key)), 2));
        }
    }
    lines
}

/// Names with commas; after [`NAMES`] of them the rest is told by its number.
fn listed(names: &[String], full: bool) -> String {
    if full || names.len() <= NAMES + 1 {
        return names.join(", ");
    }
    format!("{} and {} more", names[..NAMES].join(", "), show::count(names.len() - NAMES))
}
