//! Parameters of tools that a schema marks to be repeated in HTTP header fields (`x-mcp-header`,
//! 2026-07-28), and schemas that mark in a way that is not allowed.
//!
//! Promises: pure; a mark is found wherever a schema can stand, and one that does not stand on a plain
//! path of `properties` from the root makes the whole schema unfit, as does one whose name is no field
//! name, is there twice, or marks what is no text, integer or truth value. Instances (`default`, `enum`)
//! hold no marks.

use super::json::{Object, Value};

/// The key that marks a parameter.
const MARK: &str = "x-mcp-header";

/// A parameter that is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where its value stands in the arguments.
    pub path: Vec<String>,
    /// The name that its header field ends with, as written.
    pub name: String,
}

/// Why clients over HTTP must leave a tool away. Never holds a server's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A mark is no text, empty, or no name of a header field.
    #[error("x-mcp-header is no name of a header field")]
    Name,
    /// Two marks have one name; upper and lower case are the same.
    #[error("two parameters have the same x-mcp-header")]
    Twice,
    /// A mark stands on something else than a text, an integer or a truth value.
    #[error("x-mcp-header stands on a parameter that is no string, integer or boolean")]
    Type,
    /// A mark stands where no argument is surely found.
    #[error("x-mcp-header stands where no single parameter is meant")]
    Place,
}

/// The marks of a tool's input schema.
pub fn of(schema: &Value) -> Result<Vec<Mark>, Unfit> {
    let mut found = Vec::new();
    match schema.as_object() {
        Some(object) if object.get(MARK).is_some() => Err(Unfit::Place),
        Some(object) => schema_marks(object, Some(&mut Vec::new()), &mut found),
        None => Ok(()),
    }?;
    Ok(found)
}

/// Walks one schema; `path` is where its value stands, if only `properties` led here.
fn schema_marks(
    schema: &Object,
    mut path: Option<&mut Vec<String>>,
    found: &mut Vec<Mark>,
) -> Result<(), Unfit> {
    for (key, value) in schema.iter() {
        match key {
            MARK => {
                let path = path.as_deref().ok_or(Unfit::Place)?;
                found.push(mark(value, schema, path, found)?);
            }
            "properties" => members(value, path.as_deref_mut(), found)?,
            "$defs" | "definitions" | "dependentSchemas" | "patternProperties" => {
                members(value, None, found)?
            }
            "default" | "const" | "enum" | "examples" => {}
            _ => within(value, found)?,
        }
    }
    Ok(())
}

/// Walks a map from names to schemas.
fn members(map: &Value, mut path: Option<&mut Vec<String>>, found: &mut Vec<Mark>) -> Result<(), Unfit> {
    for (name, schema) in map.as_object().into_iter().flat_map(Object::iter) {
        let Some(schema) = schema.as_object() else { continue };
        match &mut path {
            Some(path) => {
                path.push(name.to_owned());
                schema_marks(schema, Some(path), found)?;
                path.pop();
            }
            None => schema_marks(schema, None, found)?,
        }
    }
    Ok(())
}

/// Walks whatever may hold schemas in which nothing may be marked.
fn within(value: &Value, found: &mut Vec<Mark>) -> Result<(), Unfit> {
    match value {
        Value::Object(schema) => schema_marks(schema, None, found),
        Value::Array(values) => values.iter().try_for_each(|value| within(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn mark(value: &Value, schema: &Object, path: &[String], found: &[Mark]) -> Result<Mark, Unfit> {
    let name = value.as_str().filter(|name| is_token(name)).ok_or(Unfit::Name)?;
    if found.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
        return Err(Unfit::Twice);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string" | "integer" | "boolean") => Ok(Mark { path: path.to_vec(), name: name.to_owned() }),
        Some(_) | None => Err(Unfit::Type),
    }
}

/// Whether a text can stand in a header field's name.
fn is_token(name: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_one)
}

#[cfg(test)]
#[path = "marks_tests.rs"]
mod tests;
