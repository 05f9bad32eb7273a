//! From edits to decisions: what a person is asked, as few questions as can each be judged.
//!
//! A decision is one new item, one edited item, one edit that many items share (equal, or alike: the
//! same small thing came, went or was cut), all removals, or all noise. An item's own edits are one
//! question, because an answer to some of them alone would have no effect. `docs/quiet.md` tells how
//! they count.
//!
//! Promises: every edit but what a server says of itself without words is in exactly one decision; the order is
//! fixed, weightiest first.

use super::super::canon;
use super::super::json::{Step, Value};
use super::super::surface::{ItemKey, Kind};
use super::place::{Part, key, schema_place};
use super::words::{self, Piece};
use super::{Change, Class, Decision, Edit, EditRef, Like, Same, Sort, Subject, Weight, What};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The same edit in so many items is asked once, even if those items have other edits too.
const MANY: usize = 4;

/// What was added is alike only if it is no longer than this (in bytes, with words and without);
/// larger things are read one by one.
const SMALL: (usize, usize) = (240, 2_000);

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
                        _ if is_quiet(change.key.kind, edit) => {}
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

/// One edit on its way into a decision.
struct Atom {
    place: EditRef,
    sort: Sort,
    /// What equal edits have in common.
    exact: Vec<u8>,
    /// What like edits have in common; `None` if only equal ones are alike.
    alike: Option<Vec<u8>>,
}

/// Edits that may be decided together: alike, or equal if `alike` is not set.
struct Group {
    atoms: Vec<Atom>,
    alike: bool,
}

impl Group {
    fn items(&self) -> BTreeSet<usize> {
        self.atoms.iter().map(|atom| atom.place.change).collect()
    }
}

/// Groups edits: like and equal ones in many items first, then what is left of each item.
fn edited(changes: &[Change], places: Vec<EditRef>) -> Vec<Vec<Like>> {
    let atoms: Vec<Atom> = places
        .into_iter()
        .filter_map(|place| at(changes, place).map(|(change, edit)| atom(change.key.kind, edit, place)))
        .collect();
    let mut total: HashMap<usize, usize> = HashMap::new();
    for atom in &atoms {
        *total.entry(atom.place.change).or_default() += 1;
    }
    let (mut groups, singles) = gather(atoms, true);
    let (equal, mut rest) = gather(singles, false);
    groups.extend(equal);
    let (kept, dropped) = worth_sharing(groups, Vec::new(), &total);
    // Like edits that are not worth a question may still hold equal ones that are.
    let (equal, left) = gather(dropped.into_iter().flat_map(|group| group.atoms).collect(), false);
    rest.extend(left);
    let (kept, dropped) = worth_sharing(equal, kept, &total);
    rest.extend(dropped.into_iter().flat_map(|group| group.atoms));

    // What concerns the very same items is read together.
    let mut by_items: BTreeMap<BTreeSet<usize>, Vec<Like>> = BTreeMap::new();
    for group in kept {
        by_items.entry(group.items()).or_default().extend(likes(group.atoms, group.alike));
    }
    let mut by_item: BTreeMap<usize, Vec<Atom>> = BTreeMap::new();
    for atom in rest {
        by_item.entry(atom.place.change).or_default().push(atom);
    }
    let alone = by_item.into_values().map(|atoms| likes(atoms, false));
    let mut all: Vec<Vec<Like>> = by_items.into_values().chain(alone).collect();
    for likes in &mut all {
        likes.sort_by_key(|like| like.variants.first().and_then(|same| same.places.first().copied()));
    }
    all
}

/// Puts atoms of one key together that stand in several items; the others are left over.
fn gather(atoms: Vec<Atom>, alike: bool) -> (Vec<Group>, Vec<Atom>) {
    let mut groups: BTreeMap<Vec<u8>, Vec<Atom>> = BTreeMap::new();
    let mut left = Vec::new();
    for atom in atoms {
        match (alike, &atom.alike) {
            (true, Some(key)) => groups.entry(key.clone()).or_default().push(atom),
            (true, None) => left.push(atom),
            (false, _) => groups.entry(atom.exact.clone()).or_default().push(atom),
        }
    }
    let least = if alike { 3 } else { 2 };
    let mut kept = Vec::new();
    for atoms in groups.into_values() {
        let group = Group { atoms, alike };
        if group.items().len() < least { left.extend(group.atoms) } else { kept.push(group) }
    }
    (kept, left)
}

/// Keeps those groups that save a reader something: more than one item has no other edit left, or
/// the very same edit stands in many items. `kept` is kept in any case.
fn worth_sharing(
    mut groups: Vec<Group>,
    kept: Vec<Group>,
    total: &HashMap<usize, usize>,
) -> (Vec<Group>, Vec<Group>) {
    let mut dropped = Vec::new();
    groups.sort_by_key(|group| group.items().len());
    let mut covered: HashMap<usize, usize> = HashMap::new();
    for atom in groups.iter().chain(&kept).flat_map(|group| &group.atoms) {
        *covered.entry(atom.place.change).or_default() += 1;
    }
    loop {
        let settles =
            |items: BTreeSet<usize>| items.iter().filter(|item| covered.get(item) >= total.get(item)).count();
        let worthless = groups.iter().position(|group| {
            let items = group.items();
            let repeated = !group.alike && items.len() >= MANY;
            !repeated && settles(items) < 2
        });
        let Some(index) = worthless else { break };
        let group = groups.remove(index);
        for atom in &group.atoms {
            covered.entry(atom.place.change).and_modify(|count| *count -= 1);
        }
        dropped.push(group);
    }
    groups.extend(kept);
    (groups, dropped)
}

/// Atoms as edits of one sort, equal ones together; unless they are `alike`, each its own.
fn likes(atoms: Vec<Atom>, alike: bool) -> Vec<Like> {
    let mut variants: BTreeMap<(Sort, Vec<u8>), Vec<EditRef>> = BTreeMap::new();
    for atom in atoms {
        variants.entry((atom.sort, atom.exact)).or_default().push(atom.place);
    }
    let mut same: Vec<(Sort, Same)> =
        variants.into_iter().map(|((sort, _), places)| (sort, Same { places })).collect();
    same.sort_by_key(|(_, same)| same.places.first().copied());
    if alike {
        let sort = same.first().map_or(Sort::Changed, |(sort, _)| *sort);
        return vec![Like { sort, variants: same.into_iter().map(|(_, same)| same).collect() }];
    }
    same.into_iter().map(|(sort, same)| Like { sort, variants: vec![same] }).collect()
}

/// Finds what an edit has in common with others: the kind, the schema keyword and what happened; for
/// equal edits also both values, of a changed text the words that changed.
fn atom(kind: Kind, edit: &Edit, place: EditRef) -> Atom {
    let mut key = format!("{kind:?}\n").into_bytes();
    let steps = match schema_place(kind, &edit.path) {
        Some(place) => place.keyword,
        None => &edit.path.0,
    };
    for step in steps {
        match step {
            Step::Key(step) => canon::write_string(step, &mut key),
            Step::Index(_) => key.extend_from_slice(b"[]"),
        }
    }
    let mut exact = key.clone();
    exact.extend_from_slice(format!("\n{:?}\n", edit.class).as_bytes());
    let mut sort = Sort::Changed;
    match (&edit.before, &edit.after) {
        _ if edit.class == Class::References => {}
        (Some(Value::String(before)), Some(Value::String(after))) => {
            let pieces = words::compare(before.trim_ascii(), after.trim_ascii());
            let adds = |piece: &Piece| matches!(piece, Piece::Added(text) if !text.trim_ascii().is_empty());
            let cut = !matches!(edit.class, Class::Renamed | Class::Spacing);
            if cut && !pieces.iter().any(adds) {
                sort = Sort::Cut;
            }
            for piece in pieces {
                match &piece {
                    Piece::Equal(_) => continue,
                    Piece::Removed(_) => exact.push(b'-'),
                    Piece::Added(_) => exact.push(b'+'),
                }
                canon::write_string(piece.text(), &mut exact);
            }
        }
        (before, after) => {
            sort = match (before, after) {
                (None, _) => Sort::Added,
                (_, None) => Sort::Removed,
                _ => Sort::Changed,
            };
            for value in [before, after] {
                exact.push(b'|');
                if let Some(value) = value {
                    canon::write(value, &mut exact);
                }
            }
        }
    }
    let most = if edit.class == Class::Words { SMALL.0 } else { SMALL.1 };
    let small =
        |value: &Option<Value>| value.as_ref().is_none_or(|value| canon::canonical(value).len() <= most);
    let alike = match sort {
        Sort::Added => small(&edit.after),
        Sort::Removed | Sort::Cut => true,
        Sort::Changed => false,
    };
    key.extend_from_slice(format!("\n{sort:?}").as_bytes());
    Atom { place, sort, exact, alike: alike.then_some(key) }
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
        Subject::Edited(likes) => {
            let same = likes.iter().flat_map(|like| &like.variants);
            let all: Vec<EditRef> = same.flat_map(|same| same.places.iter().copied()).collect();
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
        Class::References | Class::Spacing | Class::Cosmetic => Weight::Cosmetic,
        Class::Schema | Class::Widening => Weight::Schema,
        Class::Words if change.key.kind == Kind::Instructions => Weight::Instructions,
        Class::Words if change.key.kind == Kind::Tool && description => Weight::Instructions,
        Class::Words | Class::Renamed => Weight::Words,
    }
}

/// Whether an edit asks nothing: what a server says of itself without words, such as its version.
pub fn is_quiet(kind: Kind, edit: &Edit) -> bool {
    kind == Kind::ServerInfo && edit.class == Class::Cosmetic
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
