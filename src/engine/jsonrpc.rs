//! JSON-RPC 2.0 envelopes: what a message is, read by strict rules to its end, and our own messages.
//!
//! Promises: a message is a request, a notification or an answer and nothing in between; its id is a
//! string or an integer, compared by type and value; a member that some reader takes for an envelope
//! member because it ignores case (Go does, with Unicode folding) is refused. Values that pass through
//! are not unpacked: they stay spans of the text.
//!
//! Does not: know methods (`methods`), or decide anything (`gate`).

use super::canon;
use super::json::scan::{Member, Outline, scan, string_of};
use super::json::{Number, Refusal, Value, write};
use std::borrow::Cow;
use std::fmt;

/// The members that an envelope knows.
const KNOWN: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// The id of a request. `1` and `"1"` are two ids; `1` and `1.0` are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer within ±(2^53−1).
    Number(i64),
    /// A string.
    Text(String),
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub shape: Shape<'a>,
    /// Its text and where the outer members stand.
    pub outline: Outline<'a>,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape<'a> {
    /// A request: method and id.
    Request(Id, Cow<'a, str>),
    /// A notification: a method without an id.
    Notification(Cow<'a, str>),
    /// An answer with a result.
    Result(Id),
    /// An answer with an error; without an id where the request could not be read.
    Error(Option<Id>),
}

/// What came as one frame.
#[derive(Clone, Debug)]
pub enum Envelope<'a> {
    /// One message.
    Single(Message<'a>),
    /// A batch (2025-03-26): its elements, each to be read by itself.
    Batch(Vec<&'a str>),
}

/// Why a frame is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not strict JSON.
    #[error("not strict JSON: {0}")]
    Json(#[from] Refusal),
    /// Neither an object nor an array.
    #[error("neither an object nor a batch")]
    NotAMessage,
    /// An empty batch, or a batch in a batch.
    #[error("an empty or nested batch")]
    Batch,
    /// `jsonrpc` is not "2.0".
    #[error("\"jsonrpc\" is not \"2.0\"")]
    Version,
    /// The id is neither a string nor an integer.
    #[error("an id that is neither a string nor an integer")]
    Id,
    /// The members do not make up one kind of message, or have the wrong types.
    #[error("members that do not make up a request, a notification or an answer")]
    Members,
    /// A member that a reader which ignores case takes for another.
    #[error("a member that differs from \"{0}\" only in case")]
    LookAlike(&'static str),
}

/// Reads one frame.
pub fn read(bytes: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let outline = scan(bytes)?;
    if let Some(elements) = outline.elements() {
        if elements.is_empty() {
            return Err(Malformed::Batch);
        }
        return Ok(Envelope::Batch(elements.iter().map(|span| &outline.text()[span.clone()]).collect()));
    }
    Message::of(outline).map(Envelope::Single)
}

/// Reads an element of a batch.
pub fn read_element(text: &str) -> Result<Message<'_>, Malformed> {
    let outline = scan(text.as_bytes())?;
    if outline.elements().is_some() { Err(Malformed::Batch) } else { Message::of(outline) }
}

/// The first of `known` that a member is called like, but for case.
pub fn look_alike<'m, 'a: 'm>(
    members: impl Iterator<Item = &'m Member<'a>>,
    known: &[&'static str],
) -> Option<&'static str> {
    let mut alike = members.filter_map(|member| {
        if known.contains(&member.key.as_ref()) {
            return None;
        }
        known.iter().find(|name| is_folded_equal(&member.key, name)).copied()
    });
    alike.next()
}

impl<'a> Message<'a> {
    /// The whole message.
    pub fn text(&self) -> &'a str {
        self.outline.text()
    }

    /// A string at a path of at most three keys, like `["params", "name"]`.
    pub fn string(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.outline.string(path)
    }

    /// The text at a path of at most three keys.
    pub fn raw(&self, path: &[&str]) -> Option<&'a str> {
        self.outline.raw(path)
    }

    /// The value at a path of at most three keys.
    pub fn value(&self, path: &[&str]) -> Option<Value> {
        // The outline was read by the same rules.
        super::json::parse(self.raw(path)?.as_bytes()).ok()
    }

    fn of(outline: Outline<'a>) -> Result<Self, Malformed> {
        if !outline.is_object() {
            return Err(Malformed::NotAMessage);
        }
        if let Some(known) = look_alike(outline.members(), &KNOWN) {
            return Err(Malformed::LookAlike(known));
        }
        if outline.string(&["jsonrpc"]).as_deref() != Some("2.0") {
            return Err(Malformed::Version);
        }
        let shape = Self::shape(&outline)?;
        Ok(Self { shape, outline })
    }

    fn shape(outline: &Outline<'a>) -> Result<Shape<'a>, Malformed> {
        let id = outline.raw(&["id"]);
        let read_id = |raw: &str| Id::read(raw).ok_or(Malformed::Id);
        let starts = |key: &str, with: &[char]| outline.raw(&[key]).is_none_or(|raw| raw.starts_with(with));
        let has = |key: &str| outline.raw(&[key]).is_some();
        match (has("method"), has("result"), has("error")) {
            (true, false, false) => {
                let method = outline.string(&["method"]).ok_or(Malformed::Members)?;
                if !starts("params", &['{', '[']) {
                    return Err(Malformed::Members);
                }
                match id {
                    Some(raw) => Ok(Shape::Request(read_id(raw)?, method)),
                    None => Ok(Shape::Notification(method)),
                }
            }
            (false, true, false) if !has("params") => {
                Ok(Shape::Result(read_id(id.ok_or(Malformed::Members)?)?))
            }
            (false, false, true) if !has("params") && starts("error", &['{']) => match id {
                Some(raw) if raw != "null" => Ok(Shape::Error(Some(read_id(raw)?))),
                Some(_) | None => Ok(Shape::Error(None)),
            },
            _ => Err(Malformed::Members),
        }
    }
}

impl Id {
    /// Reads the strict JSON text of an id.
    pub fn read(raw: &str) -> Option<Self> {
        if raw.starts_with('"') {
            return Some(Id::Text(string_of(raw)?.into_owned()));
        }
        if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        let number = raw.parse::<i64>().ok().or_else(|| {
            let number = Number::new(raw.parse().ok()?)?.get();
            // An integral strict number is within ±(2^53−1).
            #[allow(clippy::cast_possible_truncation)]
            (number.fract() == 0.0).then_some(number as i64)
        })?;
        Some(Id::Number(number))
    }

    /// The id of a JSON value.
    pub fn of_value(value: &Value) -> Option<Self> {
        Self::read(std::str::from_utf8(&write::to_bytes(value)).ok()?)
    }

    /// Appends the id as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Id::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Id::Text(text) => canon::write_string(text, out),
        }
    }
}

impl fmt::Display for Id {
    /// As JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// An answer with a result, which is given as JSON.
pub fn answer(id: &Id, result: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(result.len() + 128);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    id.write(&mut out);
    out.extend_from_slice(b",\"result\":");
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// An answer whose `result` or `error` is given as JSON.
pub fn copy(id: &Id, member: &str, raw: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + 64);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    id.write(&mut out);
    out.push(b',');
    canon::write_string(member, &mut out);
    out.push(b':');
    out.extend_from_slice(raw.as_bytes());
    out.push(b'}');
    out
}

/// An answer with an error.
pub fn error(id: &Id, code: i32, message: &str) -> Vec<u8> {
    let mut out = b"{\"jsonrpc\":\"2.0\",\"id\":".to_vec();
    id.write(&mut out);
    out.extend_from_slice(format!(",\"error\":{{\"code\":{code},\"message\":").as_bytes());
    canon::write_string(message, &mut out);
    out.extend_from_slice(b"}}");
    out
}

/// A request; the parameters are an object or nothing.
pub fn request(id: &Id, method: &str, params: Option<&Value>) -> Vec<u8> {
    let mut out = b"{\"jsonrpc\":\"2.0\",\"id\":".to_vec();
    id.write(&mut out);
    out.push(b',');
    finish_call(method, params, &mut out);
    out
}

/// A notification; the parameters are an object or nothing.
pub fn notification(method: &str, params: Option<&Value>) -> Vec<u8> {
    let mut out = b"{\"jsonrpc\":\"2.0\",".to_vec();
    finish_call(method, params, &mut out);
    out
}

fn finish_call(method: &str, params: Option<&Value>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"method\":");
    canon::write_string(method, out);
    if let Some(params) = params {
        out.extend_from_slice(b",\"params\":");
        write::write(params, out);
    }
    out.push(b'}');
}

/// Equal under simple case folding, as Go's `encoding/json` compares keys; `name` is ASCII.
fn is_folded_equal(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

#[cfg(test)]
#[path = "jsonrpc_tests.rs"]
mod tests;
