//! One view of JSON, JSONC and TOML: nodes with their places.
//!
//! Promises: keys keep their order, a duplicate key stays visible, every node knows where it stands.
//! Does not copy: a node borrows the parsed tree, so that a file of megabytes costs its parse alone.

use super::problem::{Fault, Place};
use crate::engine::jsonc;
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The formats of client files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, also with comments and trailing commas.
    Json,
    /// TOML.
    Toml,
}

/// A parsed file.
pub enum Document<'a> {
    /// JSON or JSONC.
    Json(ast::Value<'a>),
    /// TOML.
    Toml(Spanned<DeValue<'a>>),
}

/// A value somewhere in a document.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    /// Of a JSON document.
    Json(&'a ast::Value<'a>),
    /// Of a TOML document.
    Toml(&'a Spanned<DeValue<'a>>),
}

/// A member of an object or table.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Its key, unescaped.
    pub key: &'a str,
    /// Where the key stands, in bytes.
    pub offset: usize,
    /// Its value.
    pub node: Node<'a>,
}

impl<'a> Document<'a> {
    /// Parses a text.
    pub fn parse(text: &'a str, format: Format) -> Result<Self, (Fault, Option<Place>)> {
        match format {
            Format::Json => json(text).map(Self::Json),
            Format::Toml => toml(text).map(Self::Toml),
        }
    }

    /// The outermost value.
    pub fn root(&'a self) -> Node<'a> {
        match self {
            Self::Json(value) => Node::Json(value),
            Self::Toml(value) => Node::Toml(value),
        }
    }
}

impl<'a> Node<'a> {
    /// What this is called in messages.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Json(value) => match value {
                ast::Value::StringLit(_) => "a string",
                ast::Value::NumberLit(_) => "a number",
                ast::Value::BooleanLit(_) => "a boolean",
                ast::Value::Object(_) => "an object",
                ast::Value::Array(_) => "an array",
                ast::Value::NullKeyword(_) => "null",
            },
            Self::Toml(value) => match value.get_ref() {
                DeValue::String(_) => "a string",
                DeValue::Integer(_) | DeValue::Float(_) => "a number",
                DeValue::Boolean(_) => "a boolean",
                DeValue::Datetime(_) => "a date",
                DeValue::Array(_) => "an array",
                DeValue::Table(_) => "a table",
            },
        }
    }

    /// Where it starts, in bytes.
    pub fn offset(self) -> usize {
        match self {
            Self::Json(value) => value.range().start,
            Self::Toml(value) => value.span().start,
        }
    }

    /// The members in the order written, duplicates included; `None` for what is no object.
    pub fn members(self) -> Option<Vec<Member<'a>>> {
        match self {
            Self::Json(ast::Value::Object(object)) => Some(object.properties.iter().map(property).collect()),
            Self::Json(_) => None,
            Self::Toml(value) => {
                let table = value.get_ref().as_table()?;
                let mut members: Vec<_> = table.iter().map(pair).collect();
                members.sort_by_key(|member| member.offset);
                Some(members)
            }
        }
    }

    /// The member of that key; of duplicates the last, as most clients take it.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        match self {
            Self::Json(ast::Value::Object(object)) => {
                object.properties.iter().rev().find(|p| p.name.as_str() == key).map(|p| Node::Json(&p.value))
            }
            Self::Json(_) => None,
            Self::Toml(value) => Some(Node::Toml(value.get_ref().as_table()?.get(key)?)),
        }
    }

    /// The value at a path of keys.
    pub fn at(self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A key that stands more than once in this object, with the place of the second.
    pub fn duplicate(self) -> Option<(&'a str, usize)> {
        let Self::Json(ast::Value::Object(object)) = self else { return None };
        let mut seen = std::collections::HashSet::new();
        let twice = object.properties.iter().find(|property| !seen.insert(property.name.as_str()))?;
        Some((twice.name.as_str(), twice.range.start))
    }

    /// The elements of an array.
    pub fn elements(self) -> Option<Vec<Node<'a>>> {
        match self {
            Self::Json(ast::Value::Array(array)) => Some(array.elements.iter().map(Node::Json).collect()),
            Self::Json(_) => None,
            Self::Toml(value) => Some(value.get_ref().as_array()?.iter().map(Node::Toml).collect()),
        }
    }

    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Json(ast::Value::StringLit(text)) => Some(&text.value),
            Self::Json(_) => None,
            Self::Toml(value) => value.get_ref().as_str(),
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::Json(ast::Value::BooleanLit(truth)) => Some(truth.value),
            Self::Json(_) => None,
            Self::Toml(value) => value.get_ref().as_bool(),
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Json(ast::Value::NullKeyword(_)))
    }

    /// The text of a number or boolean, as written.
    pub fn as_scalar(self) -> Option<String> {
        match self {
            Self::Json(ast::Value::NumberLit(number)) => Some(number.value.to_owned()),
            Self::Json(ast::Value::BooleanLit(truth)) => Some(truth.value.to_string()),
            Self::Json(_) => None,
            Self::Toml(value) => match value.get_ref() {
                DeValue::Integer(number) => Some(number.as_str().to_owned()),
                DeValue::Float(number) => Some(number.as_str().to_owned()),
                DeValue::Boolean(truth) => Some(truth.to_string()),
                _ => None,
            },
        }
    }
}

fn property<'a>(property: &'a ast::ObjectProp<'a>) -> Member<'a> {
    Member { key: property.name.as_str(), offset: property.range.start, node: Node::Json(&property.value) }
}

fn pair<'a>((key, value): (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>)) -> Member<'a> {
    Member { key: key.get_ref(), offset: key.span().start, node: Node::Toml(value) }
}

/// JSON as the most generous of the clients read it: comments and trailing commas, nothing looser.
fn json(text: &str) -> Result<ast::Value<'_>, (Fault, Option<Place>)> {
    match jsonc::parse(text) {
        Ok(value) => value.ok_or((Fault::Empty, None)),
        Err(error) => {
            let place = Some(Place::at(text, error.range().start));
            let words = lower_first(&error.kind().to_string());
            let at_end = text[error.range().end.min(text.len())..].trim().is_empty();
            let cut = match error.kind() {
                ParseErrorKind::UnterminatedArray
                | ParseErrorKind::UnterminatedObject
                | ParseErrorKind::UnterminatedCommentBlock => true,
                ParseErrorKind::String(_) | ParseErrorKind::ExpectedColonAfterObjectKey => at_end,
                ParseErrorKind::ExpectedObjectValue => at_end,
                _ => false,
            };
            let fault = if cut { Fault::Truncated(words) } else { Fault::Syntax("JSON", words) };
            Err((fault, place))
        }
    }
}

fn toml(text: &str) -> Result<Spanned<DeValue<'_>>, (Fault, Option<Place>)> {
    match DeTable::parse(text) {
        Ok(table) => Ok(Spanned::new(table.span(), DeValue::Table(table.into_inner()))),
        Err(error) => {
            let place = error.span().map(|span| Place::at(text, span.start));
            Err((Fault::Syntax("TOML", error.message().to_owned()), place))
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
