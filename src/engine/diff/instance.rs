//! Resources that an approved template already stands for.
//!
//! Promises: such a resource says nothing that its URI does not: no title, description or further
//! field, and a name that is part of the URI. What says more is an addition like any other.

use crate::engine::gate::template_admits;
use crate::engine::json::Value;
use crate::engine::lockfile::ServerPin;
use crate::engine::placeholder::{self, Machine};
use crate::engine::surface::{ItemKey, Kind};

/// Whether a listed resource is an instance of a pinned template and says nothing more.
pub(super) fn is_instance(pinned: &ServerPin, key: &ItemKey, value: &Value, machine: &Machine) -> bool {
    let Value::Object(object) = value else {
        return false;
    };
    let says_nothing = |(field, value): (&str, &Value)| match field {
        "uri" => true,
        "size" => value.as_f64().is_some(),
        "name" => value.as_str().is_some_and(|name| !name.is_empty() && stands_in(name, &key.name)),
        "mimeType" => value.as_str().is_some_and(is_media_type),
        _ => false,
    };
    let templates = pinned.items.keys().filter(|item| item.kind == Kind::Template);
    let admits = |template: &ItemKey| {
        let template = placeholder::fill_text(&template.name, machine);
        template.contains('{') && template_admits(&template, &key.name)
    };
    key.kind == Kind::Resource && object.iter().all(says_nothing) && templates.into_iter().any(admits)
}

/// Whether a name is a part of a URI, its spaces perhaps written `%20`.
fn stands_in(name: &str, uri: &str) -> bool {
    uri.contains(name) || uri.contains(&name.replace(' ', "%20"))
}

/// Whether a text has the form of a media type, short and without words.
fn is_media_type(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '+' | '-' | '_' | ';' | '=');
    text.len() <= 80 && text.matches('/').count() == 1 && text.chars().all(plain)
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
