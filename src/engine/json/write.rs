//! Writing a value as compact JSON in the order it was received.
//!
//! Promises: what is written reads back equal; one value and order gives one text, so nothing of the
//! original spelling (white space, escapes, numbers) survives. Not canonical: see `canon` for that.

use super::{Object, Value};
use crate::engine::canon;

/// The value as compact JSON.
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends the value as compact JSON.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    canon::write_with(value, received, out);
}

fn received(object: &Object) -> Vec<(&str, &Value)> {
    object.iter().collect()
}
