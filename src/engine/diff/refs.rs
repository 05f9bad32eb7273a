//! Schemas that say the same with and without `$ref`.
//!
//! Promises: references are written out only where that shows fewer differences than the text as it
//! stands; nothing a schema says is lost by it: definitions that nothing names and references that
//! cannot be written out stay where they are, and the edit that says so names both whole schemas.

use super::super::json::{Object, Path, Step, Value};
use super::super::surface::Kind;
use super::place::Part;
use super::{Class, Edit, tree};
use std::collections::BTreeSet;

/// No schema is written out to more values than this.
const MAX_VALUES: usize = 20_000;

/// All differences of an item, classified.
pub(super) fn compare(kind: Kind, before: &Value, after: &Value) -> Vec<Edit> {
    let plain = tree::compare(before, after);
    let edits = match written_out(kind, before, after, &plain) {
        Some(edits) => edits,
        None => plain.into_iter().map(|edit| Edit::new(kind, edit)).collect(),
    };
    edits.into_iter().flat_map(|edit| unwrap_schema(kind, edit)).collect()
}

/// The differences after writing references out, if they are fewer.
fn written_out(kind: Kind, before: &Value, after: &Value, plain: &[tree::Edit]) -> Option<Vec<Edit>> {
    let (Value::Object(mut old), Value::Object(mut new)) = (before.clone(), after.clone()) else {
        return None;
    };
    if kind != Kind::Tool || plain.len() < 2 {
        return None;
    }
    let mut rewritten = Vec::new();
    for root in ["inputSchema", "outputSchema"] {
        let (Some(first), Some(second)) = (before.get(root), after.get(root)) else {
            continue;
        };
        let (a, b) = (write_out(first)?, write_out(second)?);
        if (a == *first && b == *second) || first == second {
            continue;
        }
        old.insert(root, a);
        new.insert(root, b);
        rewritten.push(Edit {
            path: Path(vec![Step::Key(root.to_owned())]),
            part: Part::Schema(root.to_owned(), "$ref".to_owned()),
            before: Some(first.clone()),
            after: Some(second.clone()),
            class: Class::References,
        });
    }
    let edits = tree::compare(&Value::Object(old), &Value::Object(new));
    let fewer = !rewritten.is_empty() && edits.len() + rewritten.len() < plain.len();
    fewer.then(|| {
        let rest = edits.into_iter().map(|edit| Edit::new(kind, edit));
        rewritten.into_iter().chain(rest).collect()
    })
}

/// A schema with its own `$defs` written out in place; `None` if that gets too large.
pub fn write_out(schema: &Value) -> Option<Value> {
    let mut state = State { root: schema, budget: MAX_VALUES, kept: BTreeSet::new(), used: BTreeSet::new() };
    let resolved = state.value(schema, &mut Vec::new())?;
    let Value::Object(mut object) = resolved else {
        return Some(resolved);
    };
    for map in ["$defs", "definitions"] {
        let Some(Value::Object(definitions)) = schema.get(map) else {
            continue;
        };
        // Definitions that stay do so as they are; one that is still needed may name any other.
        let needed = |name: &str| {
            let pointer = format!("#/{map}/{name}");
            !state.kept.is_empty() || !state.used.contains(&pointer)
        };
        let rest: Object = definitions
            .iter()
            .filter(|(name, _)| needed(name))
            .map(|(name, definition)| (name, definition.clone()))
            .collect();
        if rest.is_empty() && !definitions.is_empty() {
            object.remove(map);
        } else {
            object.insert(map, rest);
        }
    }
    Some(Value::Object(object))
}

struct State<'a> {
    root: &'a Value,
    budget: usize,
    /// Definitions that some reference still needs.
    kept: BTreeSet<String>,
    /// Definitions that some reference named.
    used: BTreeSet<String>,
}

impl State<'_> {
    fn value(&mut self, value: &Value, open: &mut Vec<String>) -> Option<Value> {
        self.budget = self.budget.checked_sub(1)?;
        match value {
            Value::Array(list) => {
                let list: Option<Vec<Value>> = list.iter().map(|value| self.value(value, open)).collect();
                Some(Value::Array(list?))
            }
            Value::Object(object) => self.object(object, open),
            _ => Some(value.clone()),
        }
    }

    fn object(&mut self, object: &Object, open: &mut Vec<String>) -> Option<Value> {
        if let Some(pointer) = object.get("$ref").and_then(Value::as_str) {
            self.used.insert(pointer.to_owned());
            let target = pointer.strip_prefix("#/").and_then(|path| {
                let keys: Vec<&str> = path.split('/').collect();
                let own = matches!(keys.as_slice(), ["$defs" | "definitions", _]);
                if own { self.root.at(&keys)?.as_object() } else { None }
            });
            let siblings =
                |target: &Object| object.iter().all(|(key, _)| key == "$ref" || !target.contains_key(key));
            match target {
                Some(target) if !open.iter().any(|name| name == pointer) && siblings(target) => {
                    let mut merged = target.clone();
                    for (key, value) in object.iter().filter(|(key, _)| *key != "$ref") {
                        merged.insert(key, value.clone());
                    }
                    open.push(pointer.to_owned());
                    let resolved = self.object(&merged, open);
                    open.pop();
                    return resolved;
                }
                _ => {
                    self.kept.insert(pointer.to_owned());
                }
            }
        }
        let mut members = Object::new();
        for (key, value) in object.iter() {
            members.insert(key, self.value(value, open)?);
        }
        Some(Value::Object(members))
    }
}

/// Splits an added or removed map of properties into its parameters, so that each is its own edit.
fn unwrap_schema(kind: Kind, edit: Edit) -> Vec<Edit> {
    let is_map =
        edit.path.0.len() == 2 && matches!(edit.path.0.last(), Some(Step::Key(key)) if key == "properties");
    let map = match (&edit.before, &edit.after) {
        (Some(Value::Object(map)), None) | (None, Some(Value::Object(map))) => map,
        _ => return vec![edit],
    };
    if kind != Kind::Tool || !is_map || map.is_empty() {
        return vec![edit];
    }
    let one = |(key, value): (&str, &Value)| {
        let path = edit.path.join(Step::Key(key.to_owned()));
        let side = |there: bool| there.then(|| value.clone());
        let (before, after) = (side(edit.before.is_some()), side(edit.after.is_some()));
        Edit::new(kind, tree::Edit { path, before, after })
    };
    map.iter().map(one).collect()
}
