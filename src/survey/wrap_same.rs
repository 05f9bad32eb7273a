//! Whether two texts of a client's file say the same to the client.
//!
//! A backup belongs to the account, and so does the index beside it: whoever edits both can have any
//! bytes put back. So a backup decides how a file is spelled (comments, spaces), never what it says.
//! Promises: texts that cannot be read are never the same.

use crate::discover;
use crate::edit::Format;
use crate::engine::jsonc;
use jsonc_parser::ast::Value;

/// Whether two files hold the same values, in the same order where the format has one.
pub(super) fn is_same(format: Format, one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (discover::decode(one), discover::decode(other)) else { return false };
    match format {
        Format::Json => match (jsonc::parse(&one.text), jsonc::parse(&other.text)) {
            (Ok(Some(one)), Ok(Some(other))) => is_same_value(&one, &other),
            _ => false,
        },
        Format::Toml => match (one.text.parse::<toml::Table>(), other.text.parse::<toml::Table>()) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        },
    }
}

fn is_same_value(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::StringLit(one), Value::StringLit(other)) => one.value == other.value,
        (Value::NumberLit(one), Value::NumberLit(other)) => one.value == other.value,
        (Value::BooleanLit(one), Value::BooleanLit(other)) => one.value == other.value,
        (Value::NullKeyword(_), Value::NullKeyword(_)) => true,
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.elements.iter().zip(&other.elements);
            one.elements.len() == other.elements.len() && pairs.all(|(one, other)| is_same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut pairs = one.properties.iter().zip(&other.properties);
            one.properties.len() == other.properties.len()
                && pairs.all(|(one, other)| {
                    one.name.as_str() == other.name.as_str() && is_same_value(&one.value, &other.value)
                })
        }
        _ => false,
    }
}
