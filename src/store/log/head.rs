//! The note of where the log ends, kept in another folder, so that a log that was cut off or taken away
//! is noticed.
//!
//! One small file says which line was written last and which of them the disk was
//! made to keep; the trust store itself says which line was the last when it was saved, for the case that
//! the note went with the log. Promises: whoever reads the note before the log never takes a log that
//! grows meanwhile for one that was cut. The note is not forced to the disk: a machine that loses its
//! power may come back with an older one, which says less and nothing wrong.
//!
//! Does not stop who edits log, note and trust store alike: all of them belong to the account.

use super::open;
use crate::engine::digest::Digest;
use crate::engine::json::{self, Number, Object, Value};
use crate::engine::lockfile::render_value;
use crate::store::trust;
use crate::sys::files;
use crate::sys::paths::Paths;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Bytes of the file: one write that no reader sees half of.
const SIZE: usize = 512;

/// How often a note that cannot be read is read again, in case that it was being written.
const TRIES: u32 = 5;

/// A line: its number and its link.
pub type Line = (u64, Digest);

/// What is noted of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the oldest line that is kept.
    pub first: u64,
    /// The last line that was written.
    pub last: Line,
    /// The last line that was forced to the disk.
    pub durable: Option<Line>,
}

/// Where the note is.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    paths: Paths,
}

/// What a note says of the log beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// There was no log yet.
    Nothing,
    /// This.
    Head(Head),
    /// The note is gone or damaged.
    Gone,
}

impl Anchor {
    pub(super) fn of(paths: &Paths) -> Self {
        Self { paths: paths.clone() }
    }

    /// What is noted; `has_lines` says that there is a log to be noted of.
    pub(super) fn read(&self, has_lines: bool) -> Noted {
        for again in 0..TRIES {
            match self.parse() {
                Ok(Some(head)) => return Noted::Head(head),
                Ok(None) => break,
                Err(_) if again + 1 < TRIES => std::thread::sleep(Duration::from_millis(2)),
                Err(_) => break,
            }
        }
        let trusted = trust::load(&self.paths).ok().flatten().and_then(|trust| trust.logged());
        match trusted {
            Some(last) if !has_lines => Noted::Head(Head { first: 1, last, durable: Some(last) }),
            None if !has_lines && !self.file().exists() => Noted::Nothing,
            Some(_) | None => Noted::Gone,
        }
    }

    /// Notes where the log ends now; the caller holds the log's lock.
    pub(super) fn write(&self, head: &Head) -> io::Result<()> {
        let line = |(seq, link): Line| {
            let mut line = Object::new();
            line.insert("link", link.to_string());
            line.insert("seq", count(seq));
            Value::Object(line)
        };
        let mut note = Object::new();
        note.insert("first", count(head.first));
        note.insert("last", line(head.last));
        if let Some(durable) = head.durable {
            note.insert("durable", line(durable));
        }
        let mut text = render_value(&Value::Object(note)).into_bytes();
        text.resize(SIZE - 1, b' ');
        text.push(b'\n');
        let path = self.file();
        let begin = || open(&path, OpenOptions::new().write(true).create(true));
        let mut file = match begin() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(&path);
                files::private_dir(folder).map_err(|error| io::Error::other(error.to_string()))?;
                begin()?
            }
            file => file?,
        };
        file.write_all(&text)
    }

    /// Whether a person decided something here, which the log would tell of.
    pub(super) fn has_decisions(&self) -> bool {
        self.paths.trust_file().exists()
    }

    fn parse(&self) -> io::Result<Option<Head>> {
        let text = files::read_private(&self.file(), SIZE as u64);
        let Some(text) = text.map_err(|error| io::Error::other(error.to_string()))? else { return Ok(None) };
        let value =
            json::parse(text.trim_ascii_end()).map_err(|error| io::Error::other(error.to_string()))?;
        head(&value).map(Some).ok_or_else(|| io::Error::other("not a note of ours"))
    }

    fn file(&self) -> PathBuf {
        self.paths.log_note()
    }
}

/// The last line that is noted, for the trust store to remember.
pub fn last_line(paths: &Paths) -> Option<Line> {
    Anchor::of(paths).parse().ok().flatten().map(|head| head.last)
}

fn head(value: &Value) -> Option<Head> {
    let note = value.as_object()?;
    let line = |value: &Value| {
        let line = value.as_object()?;
        Some((number(line.get("seq")?)?, line.get("link")?.as_str()?.parse().ok()?))
    };
    Some(Head {
        first: number(note.get("first")?)?,
        last: line(note.get("last")?)?,
        durable: match note.get("durable") {
            Some(durable) => Some(line(durable)?),
            None => None,
        },
    })
}

fn number(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|number| *number >= 1.0 && number.fract() == 0.0)?;
    // Strict values hold integers up to 2^53-1 only.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(number as u64)
}

fn count(number: u64) -> Value {
    #[allow(clippy::cast_precision_loss)]
    Number::new(number as f64).map_or(Value::Null, Value::Number)
}
