//! Two JSON values compared: the smallest edits, each with its path.
//!
//! Promises: equal values give no edit, different values at least one; an edit names the whole added
//! or removed value; lists are aligned by name, as sets or in order, never by bare index alone.

use super::super::canon;
use super::super::json::{Object, Path, Step, Value};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::collections::BTreeMap;

/// One difference: what stood at a path and what stands there now.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The path in the item; elements of lists are counted in the offered value, removed ones in the
    /// pinned one, and elements that have a `name` stand under it.
    pub path: Path,
    /// The pinned value; `None` where nothing stood.
    pub before: Option<Value>,
    /// The offered value; `None` where nothing stands.
    pub after: Option<Value>,
}

/// Lists whose order says nothing: they are compared as sets.
const SETS: [&str; 2] = ["required", "enum"];

/// Longer lists are not aligned but compared place by place.
const ALIGNED: usize = 2_000;

/// All differences, in the order of keys.
pub fn compare(before: &Value, after: &Value) -> Vec<Edit> {
    let mut edits = Vec::new();
    values(before, after, &Path::default(), &mut edits);
    edits
}

fn values(before: &Value, after: &Value, path: &Path, out: &mut Vec<Edit>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => objects(old, new, path, out),
        (Value::Array(old), Value::Array(new)) => arrays(old, new, path, out),
        _ => out.push(edit(path.clone(), Some(before), Some(after))),
    }
}

fn objects(old: &Object, new: &Object, path: &Path, out: &mut Vec<Edit>) {
    let old: BTreeMap<&str, &Value> = old.iter().collect();
    let new: BTreeMap<&str, &Value> = new.iter().collect();
    let mut keys: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    keys.sort_unstable_by_key(|key| (!matches!(*key, "description" | "title"), *key));
    keys.dedup();
    for key in keys {
        pair(old.get(key).copied(), new.get(key).copied(), path.join(Step::Key(key.to_owned())), out);
    }
}

fn pair(before: Option<&Value>, after: Option<&Value>, path: Path, out: &mut Vec<Edit>) {
    match (before, after) {
        (Some(before), Some(after)) => values(before, after, &path, out),
        _ => out.push(edit(path, before, after)),
    }
}

fn arrays(old: &[Value], new: &[Value], path: &Path, out: &mut Vec<Edit>) {
    let last = path.0.last();
    let is_set = matches!(last, Some(Step::Key(key)) if SETS.contains(&key.as_str()));
    if is_set && scalars(old) && scalars(new) {
        return sets(old, new, path, out);
    }
    if let (Some(old_names), Some(new_names)) = (by_name(old), by_name(new))
        && old.len().max(new.len()) > 0
    {
        return named(old, &old_names, new, &new_names, path, out);
    }
    let place = |index: usize| path.join(Step::Index(index));
    if old.len().max(new.len()) > ALIGNED {
        for index in 0..old.len().max(new.len()) {
            pair(old.get(index), new.get(index), place(index), out);
        }
        return;
    }
    let texts = |list: &[Value]| list.iter().map(canon::canonical).collect::<Vec<_>>();
    for op in capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new)) {
        if op.tag() == DiffTag::Equal {
            continue;
        }
        let (from, to) = (op.old_range(), op.new_range());
        let both = from.len().min(to.len());
        for step in 0..both {
            values(&old[from.start + step], &new[to.start + step], &place(to.start + step), out);
        }
        let rest = |list: &'_ [Value], range: std::ops::Range<usize>| {
            let indexes = range.start + both..range.end;
            indexes.clone().zip(list[indexes].to_vec()).collect::<Vec<_>>()
        };
        out.extend(rest(old, from).into_iter().map(|(index, value)| edit(place(index), Some(&value), None)));
        out.extend(rest(new, to).into_iter().map(|(index, value)| edit(place(index), None, Some(&value))));
    }
}

/// Compares two lists of scalars as multisets; the same elements in another order are one edit.
fn sets(old: &[Value], new: &[Value], path: &Path, out: &mut Vec<Edit>) {
    let count = |list: &[Value]| {
        let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for value in list {
            *counts.entry(canon::canonical(value)).or_default() += 1;
        }
        counts
    };
    let surplus = |list: &[Value], mut other: BTreeMap<Vec<u8>, usize>| {
        let mut left = Vec::new();
        for (index, value) in list.iter().enumerate() {
            match other.get_mut(&canon::canonical(value)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => left.push(index),
            }
        }
        left
    };
    let (removed, added) = (surplus(old, count(new)), surplus(new, count(old)));
    if removed.is_empty() && added.is_empty() {
        let whole = |list: &[Value]| Some(Value::Array(list.to_vec()));
        return out.push(Edit { path: path.clone(), before: whole(old), after: whole(new) });
    }
    let place = |index: usize| path.join(Step::Index(index));
    out.extend(removed.into_iter().map(|index| edit(place(index), Some(&old[index]), None)));
    out.extend(added.into_iter().map(|index| edit(place(index), None, Some(&new[index]))));
}

/// Compares two lists by the names of their elements; another order alone is one edit.
fn named(
    old: &[Value],
    old_names: &BTreeMap<&str, &Value>,
    new: &[Value],
    new_names: &BTreeMap<&str, &Value>,
    path: &Path,
    out: &mut Vec<Edit>,
) {
    let before = out.len();
    let mut names: Vec<&str> = old_names.keys().chain(new_names.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let place = path.join(Step::Key(name.to_owned()));
        pair(old_names.get(name).copied(), new_names.get(name).copied(), place, out);
    }
    if out.len() == before {
        let whole = |list: &[Value]| Some(Value::Array(list.to_vec()));
        out.push(Edit { path: path.clone(), before: whole(old), after: whole(new) });
    }
}

/// The elements by their `name`, if all have one and no two the same.
fn by_name(list: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    let mut named = BTreeMap::new();
    for value in list {
        if named.insert(value.get("name")?.as_str()?, value).is_some() {
            return None;
        }
    }
    Some(named)
}

fn scalars(list: &[Value]) -> bool {
    !list.iter().any(|value| matches!(value, Value::Array(_) | Value::Object(_)))
}

fn edit(path: Path, before: Option<&Value>, after: Option<&Value>) -> Edit {
    Edit { path, before: before.cloned(), after: after.cloned() }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
