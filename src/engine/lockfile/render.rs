//! The one rendering of a lockfile.
//!
//! Promises: keys sorted as RFC 8785 sorts them, two-space indent, one newline at the end; the same
//! pins give the same bytes. Characters that a screen does not show (bidi marks, zero-width spaces,
//! tags, …) are written as escapes, so that a reviewer of `git diff` sees them.

use super::{Condition, Definition, Lockfile, Pin, ServerPin, VERSION};
use crate::engine::canon;
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{Object, Value};
use crate::engine::surface::{ItemKey, Kind};

/// Renders a lockfile.
pub fn render(lockfile: &Lockfile) -> String {
    let mut out = render_value(&to_value(lockfile));
    out.push('\n');
    out
}

/// Renders any value the way a lockfile is rendered, without the newline at the end.
pub fn render_value(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// Whether a character is written as an escape because a screen would hide it.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}')
}

fn to_value(lockfile: &Lockfile) -> Value {
    let mut file = lockfile.unknown.clone();
    let servers: Object =
        lockfile.servers.iter().map(|(name, server)| (name.as_str(), server_value(server))).collect();
    file.insert("servers", servers);
    file.insert("version", VERSION);
    Value::Object(file)
}

fn server_value(server: &ServerPin) -> Value {
    let mut rest = server.unknown.clone();
    let mut out = Object::new();
    out.insert("launch", sealed(Tag::Launch, server.launch.to_value(), rest.remove("launch")));
    let mut rests = rest.remove("artifacts");
    let mut artifacts = Object::new();
    for (platform, artifact) in &server.artifacts {
        let extra = take(&mut rests, platform);
        artifacts.insert(platform.as_str(), sealed(Tag::Artifact, artifact.to_value(), extra));
    }
    if !artifacts.is_empty() {
        out.insert("artifacts", artifacts);
    }
    out.insert("protocol", server.protocol.as_str());
    if !server.open.is_empty() {
        let open: Vec<Value> = server.open.iter().map(|kind| kind.key().into()).collect();
        out.insert("open", open);
    }
    for kind in Kind::ALL {
        let mut extras = rest.remove(kind.key());
        if kind.is_single() {
            if let Some(pin) = server.items.get(&ItemKey::single(kind)) {
                out.insert(kind.key(), pin_value(pin, extras));
            }
            continue;
        }
        let mut pins = Object::new();
        for (key, pin) in server.items.iter().filter(|(key, _)| key.kind == kind) {
            let extra = take(&mut extras, &key.name);
            pins.insert(key.name.as_str(), pin_value(pin, extra));
        }
        if !pins.is_empty() {
            out.insert(kind.key(), pins);
        }
    }
    merge(&mut out, Some(Value::Object(rest)));
    Value::Object(out)
}

/// A pin: its first definition in the pin's own object, the others under `variants`.
fn pin_value(pin: &Pin, extra: Option<Value>) -> Value {
    let mut definitions: Vec<&Definition> = pin.definitions.iter().collect();
    definitions.sort_by(|a, b| a.when.cmp(&b.when));
    let mut out = Object::new();
    let mut rest = extra;
    let mut rests = take(&mut rest, "variants");
    let mut variants = Vec::new();
    for (index, definition) in definitions.into_iter().enumerate() {
        if index == 0 {
            out = definition_value(definition);
            continue;
        }
        let mut variant = definition_value(definition);
        merge(&mut variant, take(&mut rests, &(index - 1).to_string()));
        variants.push(Value::Object(variant));
    }
    if !variants.is_empty() {
        out.insert("variants", variants);
    }
    merge(&mut out, rest);
    Value::Object(out)
}

fn definition_value(definition: &Definition) -> Object {
    let mut out = Object::new();
    out.insert("definition", definition.value.clone());
    out.insert("digest", definition.digest.to_string());
    if let Some(when) = &definition.when {
        let condition: Object = match when {
            Condition::Platform(platform) => [("platform", platform.as_str())],
            Condition::FullClient => [("client", "full")],
            Condition::EmptyClient => [("client", "empty")],
        }
        .into_iter()
        .collect();
        out.insert("when", condition);
    }
    out
}

/// A launch or artifact with unknown members kept, and a digest over all of it.
fn sealed(tag: Tag, value: Value, extra: Option<Value>) -> Value {
    let Value::Object(mut object) = value else {
        return value;
    };
    merge(&mut object, extra);
    let digest = Digest::of(tag, &Value::Object(object.clone()));
    object.insert("digest", digest.to_string());
    Value::Object(object)
}

/// Takes a member out of an optional object.
fn take(from: &mut Option<Value>, key: &str) -> Option<Value> {
    match from {
        Some(Value::Object(object)) => object.remove(key),
        _ => None,
    }
}

/// Adds members that are not there yet.
fn merge(into: &mut Object, extra: Option<Value>) {
    let Some(Value::Object(extra)) = extra else {
        return;
    };
    for (key, value) in extra {
        if !into.contains_key(&key) {
            into.insert(key, value);
        }
    }
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let mut members: Vec<(&str, &Value)> = object.iter().collect();
            members.sort_by(|a, b| canon::compare_keys(a.0, b.0));
            for (index, (key, value)) in members.into_iter().enumerate() {
                open(if index == 0 { '{' } else { ',' }, depth + 1, out);
                write_text(key, out);
                out.push_str(": ");
                write(value, depth + 1, out);
            }
            close('}', depth, out);
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                open(if index == 0 { '[' } else { ',' }, depth + 1, out);
                write(item, depth + 1, out);
            }
            close(']', depth, out);
        }
        Value::String(text) => write_text(text, out),
        plain => out.push_str(&String::from_utf8_lossy(&canon::canonical(plain))),
    }
}

fn open(mark: char, depth: usize, out: &mut String) {
    out.push(mark);
    indent(depth, out);
}

fn close(mark: char, depth: usize, out: &mut String) {
    indent(depth, out);
    out.push(mark);
}

fn indent(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn write_text(text: &str, out: &mut String) {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    canon::write_string(text, &mut bytes);
    let quoted = String::from_utf8_lossy(&bytes);
    if !quoted.chars().any(is_hidden) {
        return out.push_str(&quoted);
    }
    for c in quoted.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
}
