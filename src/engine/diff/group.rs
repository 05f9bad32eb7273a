//! From edits to decisions: what a person is asked, as few questions as can each be judged.
//!
//! A decision is one new item, one part of an item that was edited (a description, a parameter, …),
//! one edit that many parts share, all removals, or all noise. `docs/quiet.md` tells how they count.
//!
//! Promises: every edit but the version a server says it has is in exactly one decision; only edits
//! that are equal where they stand share one; the order is fixed, weightiest first.

use super::super::canon;
use super::super::json::{Step, Value};
use super::super::surface::{ItemKey, Kind};
use super::place::{Part, key, schema_place};
use super::words::{self, Piece};
use super::{Change, Class, Decision, Edit, EditRef, Same, Subject, Weight, What};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An edit shared by so many parts stands alone even if those parts have other edits too.
const MANY: usize = 4;

/// A part of an item, by the index of its change.
type Unit = (usize, Part);

/// Groups the differences of a server into decisions, the weightiest first.
pub(super) fn decisions(changes: &[Change]) -> Vec<Decision> {
    let mut out = Vec::new();
    let mut renamed: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    let (mut removed, mut parts, mut noise, mut atoms) = (vec![], vec![], vec![], vec![]);
    let renames: BTreeSet<&ItemKey> = changes
        .iter()
        .filter_map(|change| match &change.what {
            What::Added { renamed_from, .. } => renamed_from.as_ref(),
            _ => None,
        })
        .collect();
    for (index, change) in changes.iter().enumerate() {
        match &change.what {
            What::Added { renamed_from: Some(_), .. } => {
                renamed.entry(change.key.kind).or_default().push(index);
            }
            What::Added { .. } => out.push((Subject::Added(index), vec![])),
            What::Removed { .. } if renames.contains(&change.key) => {}
            What::Removed { .. } => removed.push(index),
            What::Changed { edits, .. } => {
                for (edit, place) in
                    edits.iter().zip(0..).map(|(e, n)| (e, EditRef { change: index, edit: n }))
                {
                    match edit.class {
                        _ if is_version(change.key.kind, edit) => {}
                        Class::Noise(_) => noise.push(place),
                        _ if removes_part(edit) => parts.push(place),
                        _ => atoms.push(place),
                    }
                }
            }
        }
    }
    // A requirement goes with the parameter that was removed.
    let gone: BTreeSet<Unit> = parts.iter().filter_map(|place| unit(changes, *place)).collect();
    let is_gone = |place: &EditRef| {
        let unrequired = edit(changes, *place).is_some_and(|e| e.after.is_none() && is_required(e));
        unrequired && unit(changes, *place).is_some_and(|unit| gone.contains(&unit))
    };
    let (with_parts, atoms): (Vec<_>, Vec<_>) = atoms.into_iter().partition(is_gone);
    parts.extend(with_parts);
    parts.sort_unstable();
    out.extend(renamed.into_values().map(|items| (Subject::Renamed(items), vec![])));
    out.extend(edited(changes, atoms).into_iter().map(|same| (Subject::Edited(same), vec![])));
    if !removed.is_empty() || !parts.is_empty() {
        let touched = removed.clone();
        out.push((Subject::Removed { items: removed, parts }, touched));
    }
    if !noise.is_empty() {
        out.push((Subject::Noise(noise), vec![]));
    }
    let mut decisions: Vec<Decision> = out.into_iter().map(|(subject, _)| weigh(changes, subject)).collect();
    decisions.sort_by(|a, b| {
        (b.weight.cmp(&a.weight)).then(b.items.len().cmp(&a.items.len())).then(a.items.cmp(&b.items))
    });
    decisions
}

/// Groups edits: shared ones first, then what is left of each part.
fn edited(changes: &[Change], atoms: Vec<EditRef>) -> Vec<Vec<Same>> {
    let mut groups: BTreeMap<Vec<u8>, Vec<EditRef>> = BTreeMap::new();
    let mut of_unit: BTreeMap<Unit, usize> = BTreeMap::new();
    for place in atoms {
        if let (Some((change, edit)), Some(unit)) = (at(changes, place), unit(changes, place)) {
            groups.entry(likeness_key(change.key.kind, edit)).or_default().push(place);
            *of_unit.entry(unit).or_default() += 1;
        }
    }
    // Edits that always come together, in the same parts, are one bundle.
    let mut bundles: BTreeMap<BTreeSet<Unit>, Vec<Same>> = BTreeMap::new();
    for places in groups.into_values() {
        let units: BTreeSet<Unit> = places.iter().filter_map(|place| unit(changes, *place)).collect();
        bundles.entry(units).or_default().push(Same { places });
    }
    let counted = bundles.into_values().map(|same| {
        let mut counts: BTreeMap<Unit, usize> = BTreeMap::new();
        for unit in same.iter().flat_map(|same| &same.places).filter_map(|place| unit(changes, *place)) {
            *counts.entry(unit).or_default() += 1;
        }
        (counts, same)
    });
    let (shared, mut left): (Vec<_>, Vec<_>) = counted.partition(|(units, _)| units.len() > 1);
    let (kept, dropped) = worth_sharing(shared, &of_unit);
    left.extend(dropped);

    // Bundles that concern the very same items are read together.
    let mut by_items: BTreeMap<BTreeSet<usize>, Vec<Same>> = BTreeMap::new();
    for (units, same) in kept {
        by_items.entry(units.keys().map(|unit| unit.0).collect()).or_default().extend(same);
    }
    let mut rest: BTreeMap<Unit, Vec<Same>> = BTreeMap::new();
    for place in left.into_iter().flat_map(|(_, same)| same).flat_map(|same| same.places) {
        if let Some(unit) = unit(changes, place) {
            rest.entry(unit).or_default().push(Same { places: vec![place] });
        }
    }
    let mut all: Vec<Vec<Same>> = by_items.into_values().chain(rest.into_values()).collect();
    for same in &mut all {
        same.sort_by_key(|same| same.places.first().copied());
    }
    all
}

/// Edits that always come together, and how many of them stand in each part.
type Bundle = (BTreeMap<Unit, usize>, Vec<Same>);

/// Keeps those bundles that save a reader something: they stand in many parts, or they are all that
/// changed in more than one part. The edits of the others go back to their parts.
fn worth_sharing(mut bundles: Vec<Bundle>, of_unit: &BTreeMap<Unit, usize>) -> (Vec<Bundle>, Vec<Bundle>) {
    let mut dropped = Vec::new();
    bundles.sort_by_key(|(units, _)| units.len());
    loop {
        let mut covered: HashMap<&Unit, usize> = HashMap::new();
        for (unit, count) in bundles.iter().flat_map(|(units, _)| units) {
            *covered.entry(unit).or_default() += count;
        }
        let saves = |units: &BTreeMap<Unit, usize>| {
            units.keys().filter(|unit| covered.get(unit) >= of_unit.get(unit)).count()
        };
        let worthless = bundles.iter().position(|(units, _)| units.len() < MANY && saves(units) < 2);
        match worthless {
            Some(index) => dropped.push(bundles.remove(index)),
            None => return (bundles, dropped),
        }
    }
}

/// What two edits must have in common to be the same: the kind, the schema keyword, and both values;
/// of a changed text the words that changed.
fn likeness_key(kind: Kind, edit: &Edit) -> Vec<u8> {
    let mut text = format!("{:?}\n{:?}\n", kind, edit.class).into_bytes();
    let steps = match schema_place(kind, &edit.path) {
        Some(place) => place.keyword,
        None => &edit.path.0,
    };
    for step in steps {
        match step {
            Step::Key(key) => canon::write_string(key, &mut text),
            Step::Index(_) => text.extend_from_slice(b"[]"),
        }
    }
    text.push(b'\n');
    match (&edit.before, &edit.after) {
        _ if edit.class == Class::References => {}
        (Some(Value::String(before)), Some(Value::String(after))) => {
            for piece in words::compare(before, after) {
                let mark = match &piece {
                    Piece::Equal(_) => continue,
                    Piece::Removed(_) => b'-',
                    Piece::Added(_) => b'+',
                };
                text.push(mark);
                canon::write_string(piece.text(), &mut text);
            }
        }
        (before, after) => {
            for value in [before, after] {
                text.push(b'|');
                if let Some(value) = value {
                    canon::write(value, &mut text);
                }
            }
        }
    }
    text
}

fn weigh(changes: &[Change], subject: Subject) -> Decision {
    let of = |index: &usize| changes.get(*index);
    let places = |places: &[EditRef]| places.iter().map(|place| place.change).collect::<Vec<_>>();
    let (touched, weight) = match &subject {
        Subject::Added(index) => {
            let weight = of(index).map_or(Weight::Words, |change| match change.key.kind {
                Kind::Instructions | Kind::Tool | Kind::Request => Weight::Instructions,
                Kind::Capabilities => Weight::Schema,
                Kind::ServerInfo => Weight::Cosmetic,
                _ => Weight::Words,
            });
            (vec![*index], weight)
        }
        Subject::Renamed(items) => {
            let old = |index: &usize| match &of(index)?.what {
                What::Added { renamed_from: Some(from), .. } => {
                    changes.binary_search_by(|change| change.key.cmp(from)).ok()
                }
                _ => None,
            };
            (items.iter().copied().chain(items.iter().filter_map(old)).collect(), Weight::Words)
        }
        Subject::Edited(same) => {
            let all: Vec<EditRef> = same.iter().flat_map(|same| same.places.iter().copied()).collect();
            let weight = all.iter().filter_map(|place| at(changes, *place)).map(weight_of).max();
            (places(&all), weight.unwrap_or(Weight::Schema))
        }
        Subject::Removed { items, parts } => {
            (items.iter().copied().chain(places(parts)).collect(), Weight::Removal)
        }
        Subject::Noise(parts) => (places(parts), Weight::Noise),
    };
    let items: BTreeSet<ItemKey> = touched.iter().filter_map(of).map(|change| change.key.clone()).collect();
    Decision { subject, weight, items: items.into_iter().collect() }
}

fn weight_of((change, edit): (&Change, &Edit)) -> Weight {
    let description = matches!(&edit.part, Part::Field(field) if field == "description");
    match edit.class {
        Class::Noise(_) => Weight::Noise,
        Class::References | Class::Cosmetic => Weight::Cosmetic,
        Class::Schema | Class::Widening => Weight::Schema,
        Class::Words if change.key.kind == Kind::Instructions => Weight::Instructions,
        Class::Words if change.key.kind == Kind::Tool && description => Weight::Instructions,
        Class::Words | Class::Renamed => Weight::Words,
    }
}

/// Whether an edit is only the version in serverInfo, which every release changes.
fn is_version(kind: Kind, edit: &Edit) -> bool {
    kind == Kind::ServerInfo && edit.path.0.len() == 1 && key(edit.path.0.first()) == Some("version")
}

/// Whether an edit takes a whole parameter or field of a result away.
fn removes_part(edit: &Edit) -> bool {
    let name = edit.part.name();
    let itself = name.is_some() && key(edit.path.0.last()) == name && !is_required(edit);
    let top = match key(edit.path.0.first()) {
        Some("arguments") => 2,
        _ => 3,
    };
    edit.after.is_none() && itself && edit.path.0.len() == top
}

fn is_required(edit: &Edit) -> bool {
    key(edit.path.0.get(1)) == Some("required")
}

fn unit(changes: &[Change], place: EditRef) -> Option<Unit> {
    Some((place.change, edit(changes, place)?.part.clone()))
}

fn edit(changes: &[Change], place: EditRef) -> Option<&Edit> {
    Some(at(changes, place)?.1)
}

fn at(changes: &[Change], place: EditRef) -> Option<(&Change, &Edit)> {
    let change = changes.get(place.change)?;
    let What::Changed { edits, .. } = &change.what else {
        return None;
    };
    Some((change, edits.get(place.edit)?))
}
