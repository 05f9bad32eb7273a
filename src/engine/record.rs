//! The log's lines: one event each, chained to the line before.
//!
//! A line is the canonical JSON of one object: `seq` counts from 1, `at` is Unix milliseconds, `event`
//! names the kind, `link` is the BLAKE3 of the link before (empty for the first line), a line feed,
//! and the same object without `link`. Changing, dropping, adding or reordering a line breaks every
//! link from there on; a new file starts with `continued`, which carries the last link of the file
//! before. Promises: [`Verifier`] names the first line that does not follow from the one before it.
//!
//! Does not stop an author who recomputes every link after an edit: the log belongs to the account that
//! it watches (`docs/threats.md`). That its end is cut off is noticed by who keeps a note of it
//! elsewhere (`store::log`).

pub mod event;

use super::canon;
use super::digest::{Digest, Tag};
use super::json::{self, Number, Object, Refusal, Value};
pub use event::{Event, NotAnEvent};

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Counts lines from 1, over all files.
    pub seq: u64,
    /// When, in Unix milliseconds, by the clock of the writer.
    pub at: u64,
    /// What happened.
    pub event: Event,
}

/// The end of a log: what the next line is chained to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The link of the last line; `None` before the first.
    last: Option<Digest>,
    /// The number of the last line.
    seq: u64,
}

/// Why a line is not one that this program wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The line is not strict JSON.
    #[error("not JSON: {0}")]
    Json(#[from] Refusal),
    /// The line is JSON, but not spelled the one way lines are.
    #[error("not in canonical form")]
    Spelling,
    /// `link`, `seq` or `at` is missing or of another type.
    #[error("without a valid `{0}`")]
    Field(&'static str),
    /// The event is not one.
    #[error("{0}")]
    Event(#[from] NotAnEvent),
    /// The line's link does not follow from the line before.
    #[error("its link does not follow from the line before")]
    Link,
    /// The line's number does not follow from the line before.
    #[error("line number {found} where {expected} follows")]
    Order {
        /// The number that should stand here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// A file does not start with the link that the file before it ended with.
    #[error("the file does not continue the one before it")]
    Continuation,
}

/// Follows the chain line by line, over files in the order they were written.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    chain: Option<Chain>,
    fresh_file: bool,
    lines: u64,
}

impl Chain {
    /// The chain after a line that stands last in a file; the line is not checked against an earlier one.
    pub fn after(line: &[u8]) -> Result<Self, Damage> {
        let parts = Parts::read(line)?;
        Ok(Self { last: Some(parts.link), seq: parts.seq })
    }

    /// The link of the last line.
    pub fn last(&self) -> Option<Digest> {
        self.last
    }

    /// The chain after a line of that number and link, which stands written elsewhere.
    pub fn after_line(seq: u64, link: Digest) -> Self {
        Self { last: Some(link), seq }
    }

    /// The number of the last line.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Renders the next line, without its line feed, and moves the chain on to it.
    pub fn line(&mut self, at: u64, event: &Event) -> Vec<u8> {
        let mut body = event.to_object();
        body.insert("at", count(at));
        body.insert("seq", count(self.seq + 1));
        let link = link(self.last, &body);
        body.insert("link", link.to_string());
        self.last = Some(link);
        self.seq += 1;
        canon::canonical(&Value::Object(body))
    }
}

impl Record {
    /// Reads one line by itself; its link is not checked against the line before.
    pub fn read(line: &[u8]) -> Result<Self, Damage> {
        let parts = Parts::read(line)?;
        let at = parts.body.get("at").and_then(number).ok_or(Damage::Field("at"))?;
        Ok(Self { seq: parts.seq, at, event: Event::from_object(&parts.body)? })
    }

    /// The record as one object, for `log --format json`.
    pub fn to_value(&self) -> Value {
        let mut object = self.event.to_object();
        object.insert("at", count(self.at));
        object.insert("seq", count(self.seq));
        Value::Object(object)
    }
}

impl Verifier {
    /// A verifier before the first file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells that the lines that follow stand in the next file.
    pub fn next_file(&mut self) {
        self.fresh_file = true;
    }

    /// How many lines were sound so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Where the chain stands.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// Checks the next line, without its line feed.
    pub fn line(&mut self, line: &[u8]) -> Result<Record, Damage> {
        let record = Record::read(line)?;
        let parts = Parts::read(line)?;
        let carried = match &record.event {
            Event::Continued { from, .. } => Some(*from),
            Event::Missing { from, .. } => *from,
            _ => None,
        };
        let before = match (&self.chain, carried) {
            // The oldest file that is kept may continue one that was removed: its word is taken.
            (None, Some(from)) => Chain { last: Some(from), seq: parts.seq.saturating_sub(1) },
            (None, None) => Chain::default(),
            (Some(chain), Some(from)) if chain.last != Some(from) => return Err(Damage::Continuation),
            (Some(_), None) if self.fresh_file => return Err(Damage::Continuation),
            (Some(chain), _) => chain.clone(),
        };
        let expected = before.seq + 1;
        if parts.seq != expected {
            return Err(Damage::Order { expected, found: parts.seq });
        }
        if link(before.last, &parts.body) != parts.link {
            return Err(Damage::Link);
        }
        self.chain = Some(Chain { last: Some(parts.link), seq: parts.seq });
        self.fresh_file = false;
        self.lines += 1;
        Ok(record)
    }
}

/// A line taken apart: the object without its link, and what stands in every line.
struct Parts {
    body: Object,
    link: Digest,
    seq: u64,
}

impl Parts {
    fn read(line: &[u8]) -> Result<Self, Damage> {
        let value = json::parse(line)?;
        if canon::canonical(&value) != line {
            return Err(Damage::Spelling);
        }
        let Value::Object(mut body) = value else { return Err(Damage::Field("event")) };
        let link = body.remove("link");
        let link = link.as_ref().and_then(Value::as_str).and_then(|text| text.parse().ok());
        let seq = body.get("seq").and_then(number).filter(|seq| *seq > 0);
        Ok(Self { link: link.ok_or(Damage::Field("link"))?, seq: seq.ok_or(Damage::Field("seq"))?, body })
    }
}

fn link(before: Option<Digest>, body: &Object) -> Digest {
    let mut bytes = before.map(|link| link.to_string()).unwrap_or_default().into_bytes();
    bytes.push(b'\n');
    canon::write(&Value::Object(body.clone()), &mut bytes);
    Digest::of_bytes(Tag::LogLine, &bytes)
}

/// A whole number as a value; what no double holds exactly is cut to the largest that is safe.
fn count(number: u64) -> Value {
    #[allow(clippy::cast_precision_loss)]
    let double = (number as f64).min(json::MAX_SAFE_INTEGER);
    Number::new(double).map_or(Value::Null, Value::Number)
}

/// The whole number that a value is.
fn number(value: &Value) -> Option<u64> {
    let double = value.as_f64().filter(|double| *double >= 0.0 && double.fract() == 0.0)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(double as u64)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
