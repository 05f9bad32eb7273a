//! The canonical form of a value: RFC 8785 (JSON Canonicalization Scheme).
//!
//! Promises: equal values give equal bytes whatever the order of keys or the spelling of numbers and
//! escapes; different values give different bytes. Total: a strict value always has a form.
//! Does not normalise Unicode: text that differs to a model differs here.

use super::json::{Number, Object, Value};
use std::cmp::Ordering;

/// Gives the members of an object in some order.
pub type Members = for<'a> fn(&'a Object) -> Vec<(&'a str, &'a Value)>;

/// The canonical bytes of a value.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends the canonical bytes of a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    write_with(value, sorted, out);
}

/// Appends a value spelled as in its canonical form, the members of each object in the order that `members`
/// gives.
pub fn write_with(value: &Value, members: Members, out: &mut Vec<u8>) {
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
                write_with(item, members, out);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (index, (key, value)) in members(object).into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_with(value, members, out);
            }
            out.push(b'}');
        }
    }
}

/// Appends a string as RFC 8785 §3.2.2.2 escapes it, in quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..index]);
        start = index + 1;
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
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// Compares keys by their UTF-16 code units (RFC 8785 §3.2.3).
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    // UTF-8 and UTF-16 order differ only where a surrogate pair meets U+E000..U+FFFF.
    if a.is_ascii() || b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

fn sorted(object: &Object) -> Vec<(&str, &Value)> {
    let mut members: Vec<(&str, &Value)> = object.iter().collect();
    if !members.is_sorted_by(|a, b| compare_keys(a.0, b.0).is_lt()) {
        members.sort_unstable_by(|a, b| compare_keys(a.0, b.0));
    }
    members
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
