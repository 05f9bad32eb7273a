//! Writing a value as compact JSON in the order it was received.
//!
//! Promises: what is written reads back equal; one value and order gives one text, so nothing of the
//! original spelling (white space, escapes, numbers) survives. Not canonical: see `canon` for that.

use super::{Object, Value};
use crate::engine::canon::{self, Order};

/// The value as compact JSON.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends the value as compact JSON.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    canon::write_with(value, Order::Received, out);
}

/// An object whose first member is an array of these items, about `size` bytes long; `rest` are its other
/// members, none of them called like the first.
pub fn object_of_list<'a>(
    key: &str,
    items: impl Iterator<Item = &'a Value>,
    rest: &Object,
    size: usize,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(size);
    out.push(b'{');
    canon::write_string(key, &mut out);
    out.extend_from_slice(b":[");
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, &mut out);
    }
    out.push(b']');
    for (key, value) in rest.iter() {
        out.push(b',');
        canon::write_string(key, &mut out);
        out.push(b':');
        write(value, &mut out);
    }
    out.push(b'}');
    out
}
