//! JSON and JSONC: remote entries. The address gives way to a command, and the whole entry as it was
//! travels in a variable: its bytes come back when it is unwrapped, and what the client expands in a
//! variable (`${env:TOKEN}`, `${input:id}`) it goes on expanding.

use super::json::{Entry, Gap, member_span, parse, quote};
use super::splice::Splice;
use super::{EditError, Wrapper};
use crate::engine::wrapping::{self, ENTRY_VARIABLE};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

/// The keys that clients write an address under.
const ADDRESSES: [&str; 3] = ["url", "httpUrl", "serverUrl"];

/// The keys of a wrapped remote entry that are ours.
const OURS: [&str; 3] = ["command", "args", "env"];

pub(super) fn wrap(entry: &Entry<'_>, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    let (text, object) = (entry.text, entry.object);
    let mut addresses = ADDRESSES.iter().filter_map(|key| object.get(key));
    let url = addresses.next().ok_or_else(|| entry.shape("has neither a command nor an address"))?;
    if addresses.next().is_some() {
        return Err(entry.shape("has two addresses"));
    }
    if OURS.iter().any(|key| object.get(key).is_some()) {
        return Err(entry.shape("has an address beside keys of a command"));
    }
    let gap = Gap::between(text, url, object);
    let args: Vec<_> = wrapping::for_remote(wrapper.lock, wrapper.client, wrapper.name)
        .iter()
        .map(|word| quote(word))
        .collect();
    let carried = quote(&text[object.range.start..object.range.end]);
    let variables = std::iter::once((ENTRY_VARIABLE, carried))
        .chain(wrapper.forward.iter().map(|(name, value)| (name.as_str(), quote(value))));
    let variables: Vec<_> = variables.map(|(name, value)| format!("{}{value}", gap.key(name))).collect();
    let members = [
        format!("{}{}", gap.key("command"), quote(wrapper.exe)),
        format!("{}[{}]", gap.key("args"), args.join(gap.comma)),
        format!("{}{{{}}}", gap.key("env"), variables.join(gap.comma)),
    ];
    let mut splice = Splice::default();
    splice.replace(url.range.start..url.range.end, members.join(&format!(",{}", gap.lead)));
    // `transport` is what some clients call the `type` of an address; a command needs none there.
    cut(&mut splice, text, object, |key| ["headers", "transport"].contains(&key));
    if let Some(kind) = object.get("type") {
        let span = kind.value.range();
        splice.replace(span.start..span.end, quote("stdio"));
    }
    Ok(splice.apply(text))
}

pub(super) fn unwrap(entry: &Entry<'_>) -> Result<String, EditError> {
    let lost = || entry.shape("has lost the text of its original");
    let carried =
        entry.object.get_object("env").and_then(|env| env.get_string(ENTRY_VARIABLE)).ok_or_else(lost)?;
    let value = parse(&carried.value)?.ok_or_else(lost)?;
    let original = value.as_object().ok_or_else(lost)?;
    let restored = with_later_edits(entry, &carried.value, original);
    let mut splice = Splice::default();
    splice.replace(entry.object.range.start..entry.object.range.end, restored);
    Ok(splice.apply(entry.text))
}

/// Takes members away. One of the object's members stays: its address.
fn cut(splice: &mut Splice, text: &str, object: &Object<'_>, goes: impl Fn(&str) -> bool) {
    let mut is_first = true;
    for (index, member) in object.properties.iter().enumerate() {
        if !goes(member.name.as_str()) {
            is_first = false;
            continue;
        }
        let span = match object.properties.get(index + 1) {
            // No member stays before it, so what sets it apart from the next one goes with it.
            Some(next) if is_first => member.range.start..next.range.start,
            Some(_) | None => member_span(text, object, member),
        };
        splice.replace(span, "");
    }
}

/// The original's text with what was edited since: the values of keys that are not ours.
fn with_later_edits(entry: &Entry<'_>, carried: &str, original: &Object<'_>) -> String {
    let ours = |key: &str| {
        OURS.contains(&key) || ADDRESSES.contains(&key) || ["headers", "type", "transport"].contains(&key)
    };
    let slice = |text: &str, value: &Value<'_>| text[value.range().start..value.range().end].to_owned();
    let mut splice = Splice::default();
    for member in original.properties.iter().filter(|member| !ours(member.name.as_str())) {
        let old = slice(carried, &member.value);
        match entry.object.get(member.name.as_str()).map(|now| slice(entry.text, &now.value)) {
            Some(new) if new == old => {}
            Some(new) => splice.replace(member.value.range().start..member.value.range().end, new),
            None => {}
        }
    }
    cut(&mut splice, carried, original, |key| !ours(key) && entry.object.get(key).is_none());
    let added = entry.object.properties.iter().filter(|member| {
        let key = member.name.as_str();
        !ours(key) && original.get(key).is_none()
    });
    if let Some(last) = original.properties.last() {
        let gap = Gap::between(carried, last, original);
        for member in added {
            let value = slice(entry.text, &member.value);
            splice.insert(last.range.end, format!(",{}{}{value}", gap.lead, gap.key(member.name.as_str())));
        }
    }
    splice.apply(carried)
}
