//! Edits on few lines: where, and the words or values that differ.
//!
//! Promises: every edit of a decision is shown once; one that stands for many says where the others
//! are, and shows each different surrounding of a changed text.

use super::item::{self, json, property_lines, title};
use super::label::{colon, keyword, listed, part_names, whole_label, within};
use super::{Line, Mark, Role, Span, plural, text, wrap};
use crate::engine::diff::place::Part;
use crate::engine::diff::{Change, ChangeSet, Class, Edit, EditRef, Like, Same, Sort};
use crate::engine::json::{Step, Value};
use crate::engine::show;
use crate::engine::surface::Kind;
use std::collections::BTreeSet;

/// Additions no longer than this share a row with others of the same item.
const SHORT: usize = 120;
/// Surroundings shown of a text that changed alike in several places.
const SURROUNDINGS: usize = 3;

/// The lines of edits that make one decision.
pub(super) fn edited(set: &ChangeSet, likes: &[Like], full: bool) -> Vec<Line> {
    let same = || likes.iter().flat_map(|like| &like.variants);
    let items: BTreeSet<usize> = same().flat_map(|same| &same.places).map(|place| place.change).collect();
    if items.len() == 1 { one_item(set, likes, full) } else { many_items(set, likes, &items, full) }
}

/// The lines of the edits of one item.
fn one_item(set: &ChangeSet, likes: &[Like], full: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let same: Vec<&Same> = likes.iter().flat_map(|like| &like.variants).collect();
    let edits: Vec<(&Change, &Edit)> =
        same.iter().flat_map(|same| &same.places).filter_map(|place| set.edit(*place)).collect();
    let parts: BTreeSet<&Part> = edits.iter().map(|(_, edit)| &edit.part).collect();
    let Some((change, _)) = edits.first() else {
        return lines;
    };
    let names =
        if parts.contains(&Part::Whole) { String::new() } else { format!(": {}", part_names(&parts)) };
    lines.extend(wrap::text(Role::Heading, format!("{}{names}", title(&change.key)), 2));
    for same in same {
        let places: Vec<&Edit> = same.places.iter().filter_map(|place| Some(set.edit(*place)?.1)).collect();
        let [first, rest @ ..] = places.as_slice() else { continue };
        let label = match rest {
            [] if parts.len() == 1 => within(change.key.kind, first),
            [] => whole_label(change.key.kind, first),
            _ => {
                let names: Vec<String> =
                    places.iter().map(|edit| whole_label(change.key.kind, edit)).collect();
                lines.extend(wrap::text(Role::Note, format!("the same in {}", listed(&names, full)), 2));
                String::new()
            }
        };
        lines.extend(edit_lines(&colon(&label), change.key.kind, first, full));
        lines.extend(surroundings(set, same, "", full));
    }
    lines
}

/// The lines of equal or like edits of several items.
fn many_items(set: &ChangeSet, likes: &[Like], items: &BTreeSet<usize>, full: bool) -> Vec<Line> {
    let changes: Vec<&Change> = items.iter().filter_map(|index| set.changes.get(*index)).collect();
    let kinds: BTreeSet<Kind> = changes.iter().map(|change| change.key.kind).collect();
    let kind = match kinds.iter().next() {
        Some(kind) if kinds.len() == 1 => kind.plural(),
        _ => "items",
    };
    let mut whats: Vec<String> = likes.iter().filter_map(|like| what(set, like)).collect();
    whats.dedup();
    let heading = format!("in {} {kind}: {}", show::count(changes.len()), whats.join(", "));
    let mut lines = wrap::text(Role::Heading, heading, 2);
    let (small, large): (Vec<&Like>, Vec<&Like>) = likes.iter().partition(|like| is_small(set, like));
    let rows = small.len() > 1;
    if likes.iter().any(|like| like.variants.len() == 1) {
        let names: Vec<String> = changes.iter().map(|change| show::name(&change.key.name)).collect();
        lines.extend(wrap::text(Role::Note, listed(&names, full), 2));
    }
    if rows {
        lines.extend(row_each(set, &small, items, full));
    }
    for like in if rows { large } else { likes.iter().collect() } {
        for same in &like.variants {
            lines.extend(one_of_many(set, like, same, full));
        }
    }
    lines
}

/// Whether like additions are short enough, and few enough in each item, to share a row with others.
fn is_small(set: &ChangeSet, like: &Like) -> bool {
    let places = || like.variants.iter().flat_map(|same| &same.places);
    let items: BTreeSet<usize> = places().map(|place| place.change).collect();
    let short = |place: &EditRef| match set.edit(*place) {
        Some((_, Edit { before: None, after: Some(value), part: Part::Field(_), .. })) => {
            let text = json(value, true);
            text.len() <= SHORT && !text.contains('⏎')
        }
        _ => false,
    };
    like.variants.len() > 1 && places().count() == items.len() && places().all(short)
}

/// One line an item, with what each of several like additions gave it.
fn row_each(set: &ChangeSet, likes: &[&Like], items: &BTreeSet<usize>, full: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for item in items {
        let places = likes.iter().flat_map(|like| &like.variants).flat_map(|same| &same.places);
        let own = places.filter(|place| place.change == *item).filter_map(|place| set.edit(*place));
        let mut name = String::new();
        let cells: Vec<String> = own
            .map(|(change, edit)| {
                name = show::name(&change.key.name);
                let value = edit.after.as_ref().map(|value| json(value, full)).unwrap_or_default();
                format!("{} {value}", whole_label(change.key.kind, edit))
            })
            .collect();
        lines.extend(wrap::text(Role::Added, format!("{name}: {}", cells.join(" · ")), 2));
    }
    lines
}

/// The lines of one edit that stands in one item or more, among like ones.
fn one_of_many(set: &ChangeSet, like: &Like, same: &Same, full: bool) -> Vec<Line> {
    let edits: Vec<(&Change, &Edit)> = same.places.iter().filter_map(|place| set.edit(*place)).collect();
    let Some((change, edit)) = edits.first() else {
        return Vec::new();
    };
    let kind = change.key.kind;
    let mut lines = Vec::new();
    let keyword = keyword(kind, edit);
    // Where the keyword stands, if the items' own names do not say it.
    let place = |(change, edit): &(&Change, &Edit)| {
        let whole = whole_label(kind, edit);
        let itself = keyword.starts_with("properties.") && within(kind, edit).is_empty();
        let whole = if itself { String::new() } else { whole };
        let inside = whole.strip_suffix(&keyword).unwrap_or(&whole).trim_end_matches(['.', ' ']).to_owned();
        (show::name(&change.key.name), inside)
    };
    let places: Vec<(String, String)> = edits.iter().map(place).collect();
    let insides: BTreeSet<&str> = places.iter().map(|(_, inside)| inside.as_str()).collect();
    let label = if like.variants.len() == 1 {
        let inside: Vec<String> = insides.iter().filter(|s| !s.is_empty()).map(|s| (*s).to_owned()).collect();
        if !inside.is_empty() && inside != ["input"] {
            lines.extend(wrap::text(Role::Note, format!("in {}", listed(&inside, full)), 2));
        }
        keyword
    } else if let [(name, inside)] = places.as_slice() {
        if inside.is_empty() { name.clone() } else { format!("{name} {inside}") }
    } else if insides.len() == 1 {
        let names: Vec<String> = places.iter().map(|(name, _)| name.clone()).collect();
        let inside = insides.first().copied().unwrap_or("");
        let space = if inside.is_empty() { "" } else { " " };
        format!("{}{space}{inside}", listed(&names, full))
    } else {
        let names: Vec<String> = places.iter().map(|(name, inside)| format!("{name} {inside}")).collect();
        listed(&names, full)
    };
    lines.extend(edit_lines(&colon(&label), kind, edit, full));
    lines.extend(surroundings(set, same, &colon(&label), full));
    lines
}

/// What happened, for the heading of many: "title added", "parameter x added".
fn what(set: &ChangeSet, like: &Like) -> Option<String> {
    let (change, edit) = set.edit(*like.variants.first()?.places.first()?)?;
    if edit.class == Class::References {
        return Some("references".to_owned());
    }
    if edit.class == Class::Renamed {
        return Some("parameter renamed".to_owned());
    }
    if edit.class == Class::Spacing {
        return Some(format!("white space in {}", keyword(change.key.kind, edit)));
    }
    let verb = match like.sort {
        Sort::Added => "added",
        Sort::Removed => "removed",
        Sort::Cut => "cut",
        Sort::Changed => "changed",
    };
    let keyword = keyword(change.key.kind, edit);
    let keyword = match keyword.strip_prefix("properties.") {
        Some(name) => format!("parameter {name}"),
        None => keyword,
    };
    Some(format!("{keyword} {verb}"))
}

/// The lines of one edit under the name of its item.
pub(super) fn alone(item: &str, kind: Kind, edit: &Edit, full: bool) -> Vec<Line> {
    edit_lines(&format!("{item} {}: ", whole_label(kind, edit)), kind, edit, full)
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
            wrap::text(Role::Note, "`$ref`s are written out or drawn together: compared by what they say", 2)
        }
        (Some(Value::String(before)), Some(Value::String(after))) if edit.class == Class::Spacing => {
            let (old, new) = (before.chars().count(), after.chars().count());
            let (word, count) = if new < old { ("fewer", old - new) } else { ("more", new - old) };
            let text =
                format!("{label}the same words, {} characters of white space {word}", show::count(count));
            wrap::text(Role::Note, text, 2)
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
            required(label, edit, before.as_ref().or(after.as_ref()))
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
            property_lines(&around_property(label, last), last, value, false, 0, full)
        }
        (None, Some(Value::Object(schema))) if matches!(last, "inputSchema" | "outputSchema") => {
            let of = if last == "inputSchema" { "" } else { "returns " };
            item::schema_lines(of, schema, full)
        }
        (None, Some(value)) if under == "arguments" && kind == Kind::Prompt => {
            item::argument_lines(value, full)
        }
        (None, Some(after)) => wrap::text(Role::Added, format!("{label}{}", json(after, full)), 2),
        (Some(_), None) if edit.class == Class::Widening => {
            wrap::text(Role::Removed, format!("{label}false: other fields are accepted now"), 2)
        }
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

/// The line of a name that came into or went from a `required`.
fn required(label: &str, edit: &Edit, name: Option<&Value>) -> Vec<Line> {
    let name = name.and_then(Value::as_str).unwrap_or("");
    let (role, word) = match edit.after {
        Some(_) => (Role::Added, "now required"),
        None => (Role::Removed, "no longer required"),
    };
    let own = edit.part.name() == Some(name) && edit.path.0.len() == 3;
    let told = own && label.contains(&show::name(name));
    let whose = if told { String::new() } else { format!(": {}", show::name(name)) };
    let label = if label == "required: " { "" } else { label };
    wrap::text(role, format!("{label}{word}{whose}"), 2)
}

/// A label without the property it ends with, whose own line names it.
fn around_property(label: &str, name: &str) -> String {
    let label = label.strip_suffix(": ").unwrap_or(label);
    let label = label.strip_suffix(show::name(name).as_str()).unwrap_or(label).trim_end_matches(['.', ' ']);
    let label = match label {
        "parameter" | "properties" => "",
        "result field" => "returns",
        other => other.strip_suffix("parameter").or(other.strip_suffix("properties")).unwrap_or(other),
    };
    let label = label.trim_end_matches(['.', ' ']);
    if label.is_empty() { String::new() } else { format!("{label}: ") }
}

fn gone(label: &str, before: &Value, full: bool) -> Vec<Line> {
    let max = if full { usize::MAX } else { 160 };
    let said = match before {
        Value::String(text) => show::line(text, max),
        other => show::line(&json(other, full), max),
    };
    wrap::text(Role::Removed, format!("{label}{said}"), 2)
}

/// The other surroundings in which the same words changed: all of them if the words are so few that
/// what they do depends on where they stand.
fn surroundings(set: &ChangeSet, group: &Same, label: &str, full: bool) -> Vec<Line> {
    let mut seen: Vec<Vec<Line>> = Vec::new();
    // The same surroundings but for the item's own name are the same.
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut max = SURROUNDINGS;
    for (change, edit) in group.places.iter().filter_map(|place| set.edit(*place)) {
        let (Some(Value::String(before)), Some(Value::String(after))) = (&edit.before, &edit.after) else {
            return Vec::new();
        };
        if group.places.len() < 2 || matches!(edit.class, Class::Renamed | Class::Spacing) {
            return Vec::new();
        }
        let lines = text::again(label, before, after);
        let text: String = lines.iter().map(Line::text).collect();
        let is_first = known.is_empty();
        if known.insert(text.replace(&change.key.name, "")) && !is_first {
            seen.push(lines);
        } else if is_first && (full || text::is_short(before, after)) {
            max = usize::MAX;
        }
    }
    let rest = seen.len().saturating_sub(max);
    let mut lines: Vec<Line> = seen.into_iter().take(max).flatten().collect();
    if rest > 0 {
        let s = plural(rest, "text", "texts");
        lines.push(Line::new(Role::Note, format!("and the same words in {} more {s}", show::count(rest))));
    }
    lines
}
