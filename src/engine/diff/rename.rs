//! Renames: one removed and one added that are equal in the rest.
//!
//! Promises: only equality makes a rename; what merely looks alike stays a removal and an addition.

use super::super::canon;
use super::super::json::{Step, Value};
use super::super::surface::{ItemKey, Kind};
use super::noise::without_titles;
use super::place::Part;
use super::{Change, Class, Edit, What};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Marks added items that equal a removed one of their kind in all but the name.
pub(super) fn items(changes: &mut [Change]) {
    let mut removed: HashMap<(Kind, Vec<u8>), Vec<ItemKey>> = HashMap::new();
    for change in changes.iter().rev() {
        if let What::Removed { value } = &change.what
            && let Some(rest) = nameless(change.key.kind, value)
        {
            removed.entry((change.key.kind, rest)).or_default().push(change.key.clone());
        }
    }
    for change in changes.iter_mut() {
        if let What::Added { value, renamed_from } = &mut change.what
            && let Some(rest) = nameless(change.key.kind, value)
        {
            *renamed_from = removed.get_mut(&(change.key.kind, rest)).and_then(Vec::pop);
        }
    }
}

/// The canonical form of an item without its name, if it is an object that has one.
fn nameless(kind: Kind, value: &Value) -> Option<Vec<u8>> {
    let mut object = value.as_object()?.clone();
    object.remove(kind.name_field()?)?;
    Some(canon::canonical(&Value::Object(object)))
}

/// Joins a removed and an added parameter (or field of a result) that are equal in the rest into one
/// edit, with the changes of `required` that follow from it.
pub(super) fn parameters(edits: &mut Vec<Edit>) {
    let mut removed: BTreeMap<(bool, Vec<u8>), Vec<usize>> = BTreeMap::new();
    let whole = |edit: &Edit| {
        let (is_input, name) = match &edit.part {
            Part::Parameter(name) => (true, name),
            Part::Output(name) => (false, name),
            _ => return None,
        };
        let value = match (&edit.before, &edit.after) {
            (Some(value), None) | (None, Some(value)) => value,
            _ => return None,
        };
        let itself =
            matches!(edit.path.0.last(), Some(Step::Key(last)) if last == name) && edit.path.0.len() <= 3;
        let rest = without_titles(name, value);
        // Two parameters that say nothing are alike by chance.
        let says = rest.get("description").is_some();
        (itself && says).then(|| (is_input, canon::canonical(&rest)))
    };
    for (index, edit) in edits.iter().enumerate().rev() {
        if edit.after.is_none()
            && let Some(key) = whole(edit)
        {
            removed.entry(key).or_default().push(index);
        }
    }
    let mut gone = BTreeSet::new();
    let mut pairs = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        if edit.before.is_none()
            && let Some(key) = whole(edit)
            && let Some(old) = removed.get_mut(&key).and_then(Vec::pop)
        {
            pairs.push((old, index));
        }
    }
    for (old, new) in pairs {
        let (from, to) = (edits[old].part.clone(), edits[new].part.clone());
        let (Some(from), Some(to)) = (from.name(), to.name()) else {
            continue;
        };
        let required = |name: &str, is_new: bool, edits: &[Edit]| {
            let same = |edit: &Edit| {
                let value = if is_new { &edit.after } else { &edit.before };
                let other = if is_new { &edit.before } else { &edit.after };
                let listed = matches!(edit.path.0.get(1), Some(Step::Key(key)) if key == "required");
                let root = edit.path.0.first() == edits[new].path.0.first();
                listed
                    && root
                    && edit.path.0.len() == 3
                    && other.is_none()
                    && *value == Some(Value::from(name))
            };
            edits.iter().position(same)
        };
        match (required(from, false, edits), required(to, true, edits)) {
            (Some(first), Some(second)) => gone.extend([old, first, second]),
            (None, None) => gone.extend([old]),
            _ => continue,
        }
        let (from, to) = (Value::from(from), Value::from(to));
        let edit = &mut edits[new];
        (edit.before, edit.after, edit.class) = (Some(from), Some(to), Class::Renamed);
    }
    let mut index = 0;
    edits.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}
