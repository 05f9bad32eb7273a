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
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => write_object(object, out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => canon::write(value, out),
    }
}

fn write_object(object: &Object, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (key, value)) in object.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        canon::write_string(key, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}
