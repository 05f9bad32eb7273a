//! Strict JSON: the one value type for everything a server or a lockfile says.
//!
//! Promises: one text has one meaning. What two readers could read differently is refused, with its
//! place: duplicate keys at any depth (compared after unescaping), integers beyond ±(2^53−1) in any
//! spelling, lone surrogates, non-finite numbers, nesting over [`MAX_DEPTH`], a byte order mark,
//! anything after the value. Never panics, never drops a field, keeps the order of keys as received.
//!
//! Does not: build on `serde_json`, whose numbers and maps change meaning with features that any
//! other crate in the build may switch on (`arbitrary_precision`, `preserve_order`, `float_roundtrip`).

pub mod scan;
pub mod text;
pub mod write;

use std::fmt;

mod parse;

pub use parse::parse;

/// The deepest nesting of arrays and objects that is read; one level more is refused.
pub const MAX_DEPTH: usize = 128;

/// The largest integer that every JSON reader agrees on (RFC 8259 §6, RFC 7493 §2.2).
pub const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A strict JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A string of Unicode scalar values.
    String(String),
    /// An array, in order.
    Array(Vec<Value>),
    /// An object, its keys unique.
    Object(Object),
}

/// A finite IEEE 754 double whose integer values lie within ±(2^53−1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(f64);

/// An object: unique keys in the order received. Equality ignores the order.
#[derive(Clone, Debug, Default)]
pub struct Object(Vec<(String, Value)>);

/// One step of a path into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
}

/// A path into a value, rendered like `$.tools[3].inputSchema["x y"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// Why a text is not strict JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at {path} (byte {offset})")]
pub struct Refusal {
    /// What is wrong.
    pub reason: Reason,
    /// Where in the value.
    pub path: Path,
    /// Where in the text, in bytes from its start.
    pub offset: usize,
}

/// The kinds of refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The text starts with U+FEFF (RFC 8259 §8.1 lets a reader refuse it).
    #[error("a byte order mark")]
    ByteOrderMark,
    /// The bytes are not UTF-8.
    #[error("bytes that are not UTF-8")]
    NotUtf8,
    /// The text is not JSON; what was expected.
    #[error("not JSON: expected {0}")]
    Expected(&'static str),
    /// A key stands twice in one object.
    #[error("a duplicate key")]
    DuplicateKey,
    /// A `\ud800`-like escape without its other half.
    #[error("a lone surrogate")]
    LoneSurrogate,
    /// An integer beyond ±(2^53−1), however spelled.
    #[error("an integer beyond 2^53-1")]
    UnsafeInteger,
    /// A number that no double holds, or `NaN` or `Infinity`.
    #[error("a number that is not finite")]
    NotFinite,
    /// More than [`MAX_DEPTH`] levels.
    #[error("nesting deeper than 128 levels")]
    TooDeep,
    /// More text after the value.
    #[error("text after the value")]
    Trailing,
}

impl Value {
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(number.get()) } else { None }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// A member of an object; `None` for a missing member and for anything that is no object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// The value at a path of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// What JSON calls this kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Number(Number(f64::from(number)))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::Array(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

impl Number {
    /// A number that strict JSON admits, or `None`.
    pub fn new(number: f64) -> Option<Self> {
        let safe = number.is_finite() && (number.fract() != 0.0 || number.abs() <= MAX_SAFE_INTEGER);
        safe.then_some(Self(number))
    }

    /// The value as a double.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Object {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member of that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether the key is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Members in the order received.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Sets a member, replacing one of the same key in its place.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }

    /// An object of members whose keys are known to differ, without looking each of them up.
    pub(crate) fn from_unique(members: Vec<(String, Value)>) -> Self {
        Self(members)
    }

    /// The members, in order; for building an object without repeated look-ups, keys must be unique.
    pub fn into_members(self) -> Vec<(String, Value)> {
        self.0
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// Later members replace earlier ones of the same key.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Self::new();
        for (key, value) in members {
            object.insert(key, value);
        }
        object
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        if self.0.iter().zip(&other.0).all(|(a, b)| a.0 == b.0) {
            return self.0.iter().zip(&other.0).all(|(a, b)| a.1 == b.1);
        }
        let sorted = |object: &'_ Self| {
            let mut order: Vec<usize> = (0..object.len()).collect();
            order.sort_by(|a, b| object.0[*a].0.cmp(&object.0[*b].0));
            order
        };
        sorted(self).into_iter().zip(sorted(other)).all(|(a, b)| self.0[a] == other.0[b])
    }
}

impl Path {
    /// The path one step further.
    pub fn join(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key is short and plain enough to stand after a dot.
fn is_plain(key: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    !key.is_empty() && key.len() <= 64 && key.chars().all(word)
}

impl Refusal {
    fn new(reason: Reason, offset: usize) -> Self {
        Self { reason, path: Path::default(), offset }
    }

    /// Adds the step that leads to where the error was found; paths grow from the inside out.
    fn within(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
pub(crate) mod tests;
