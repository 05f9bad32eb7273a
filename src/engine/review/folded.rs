//! What is told in bulk: removals and noise.

use super::item::title;
use super::label::{listed, part_names};
use super::{Line, Role, plural, wrap};
use crate::engine::diff::place::Part;
use crate::engine::diff::{Change, ChangeSet, Class, Edit, EditRef};
use crate::engine::show;
use crate::engine::surface::Kind;
use std::collections::{BTreeMap, BTreeSet};

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
                listed(&names, full)
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
        let text = format!("{} of {}", part_names(&parts), listed(&items, full));
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
