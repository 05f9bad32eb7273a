//! The canonical form of a value: RFC 8785 (JSON Canonicalization Scheme).
//!
//! Promises: equal values give equal bytes whatever the order of keys or the spelling of numbers and
//! escapes; different values give different bytes. Total: a strict value always has a form.
//! Does not normalise Unicode: text that differs to a model differs here.

use super::json::text::plain_run;
use super::json::{Number, Value};
use std::cmp::Ordering;

/// The order in which the members of an object are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By their keys, as the canonical form has them.
    Canonical,
    /// As they were received.
    Received,
}

/// The canonical bytes of a value.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends the canonical bytes of a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    write_with(value, Order::Canonical, out);
}

/// Appends a value spelled as in its canonical form, the members of each object in that order.
pub fn write_with(value: &Value, order: Order, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(*number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_with(item, order, out);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            let is_in_order = |a: &(&str, &Value), b: &(&str, &Value)| compare_keys(a.0, b.0).is_lt();
            if order == Order::Received || object.iter().is_sorted_by(is_in_order) {
                return write_members(object.iter(), order, out);
            }
            let mut members: Vec<(&str, &Value)> = object.iter().collect();
            members.sort_unstable_by(|a, b| compare_keys(a.0, b.0));
            write_members(members.into_iter(), order, out);
        }
    }
}

fn write_members<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>, order: Order, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        write_with(value, order, out);
    }
    out.push(b'}');
}

/// Appends a string as RFC 8785 §3.2.2.2 escapes it, in quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_run(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { break };
        rest = after;
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0A => b'n',
            0x0C => b'f',
            0x0D => b'r',
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

/// Compares keys by their UTF-16 code units (RFC 8785 §3.2.3).
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    // UTF-8 and UTF-16 order differ only where a surrogate pair meets U+E000..U+FFFF.
    if a.is_ascii() || b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// Appends a number as ECMAScript's `Number::toString` spells it (RFC 8785 §3.2.2.3).
fn write_number(number: Number, out: &mut Vec<u8>) {
    let number = number.get();
    if number.fract() == 0.0 {
        // Strict values hold integers up to 2^53-1 only, below the switch to exponents at 1e21.
        #[allow(clippy::cast_possible_truncation)]
        out.extend_from_slice((number as i64).to_string().as_bytes());
        return;
    }
    // The standard library rounds ties between shortest spellings up; ECMAScript takes the even one.
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
}

#[cfg(test)]
#[path = "canon_tests.rs"]
mod tests;
