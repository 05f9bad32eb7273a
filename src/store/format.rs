//! The JSON files that only we write: versioned, strict, refused whole when one field is wrong.
//!
//! Promises: a file that cannot be read entirely is an error, never treated as missing and never
//! replaced; fields of a later program are kept. Does not know what the files mean.

use crate::engine::digest::Digest;
use crate::engine::json::{self, Number, Object, Path as Place, Refusal, Step, Value};
use crate::engine::lockfile::render_value;
use crate::sys::files::{self, Access, FilesError};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Why a file of the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is not the JSON that we wrote.
    #[error("{} is damaged: {refusal}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What the strict reader says.
        refusal: Refusal,
    },
    /// A field is missing or of another type.
    #[error("{} is damaged: expected {expected} at {place}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What should be there.
        expected: &'static str,
    },
    /// A later mcpwatch wrote it.
    #[error("{} has format version {found}, and this mcpwatch reads version {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
        /// The version we know.
        known: u32,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandom(String),
    /// A path that JSON cannot hold.
    #[error("the path {} is not Unicode", .0.display())]
    NotUnicode(PathBuf),
}

/// One object of such a file while it is read; what nobody took is unknown and kept.
pub(super) struct Reader<'a> {
    file: &'a Path,
    place: Place,
    members: Object,
}

impl StoreError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            StoreError::Files(error) => error.hint(),
            StoreError::NotJson { path, .. } | StoreError::Damaged { path, .. } => {
                let after = match path.file_name() {
                    Some(name) if name == "trust.json" => {
                        ": nothing is trusted or refused then, and `mcpwatch trust` asks again for each lock"
                    }
                    _ => ", then run the command again",
                };
                format!("Restore {} from a backup, or move it away{after}.", path.display())
            }
            StoreError::Newer { .. } => "Upgrade mcpwatch; nothing was changed.".to_owned(),
            StoreError::NoRandom(_) => "Check that the system's random source is reachable.".to_owned(),
            StoreError::NotUnicode(_) => "Rename the folder.".to_owned(),
        }
    }
}

/// Opens a file of ours; `None` if there is none.
pub(super) fn open(path: &Path, known: u32) -> Result<Option<Reader<'_>>, StoreError> {
    let Some(bytes) = files::read_private(path, files::LIMIT)? else { return Ok(None) };
    let value =
        json::parse(&bytes).map_err(|refusal| StoreError::NotJson { path: path.to_owned(), refusal })?;
    let mut reader = Reader::open(path, Place::default(), value)?;
    let found = reader.count("version")?;
    if found > u64::from(known) {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(Some(reader))
}

/// Writes a file of ours.
pub(super) fn save(path: &Path, version: u32, members: Object) -> Result<(), StoreError> {
    Ok(files::write(path, &render(version, members), Access::Private)?)
}

/// The bytes of a file of ours.
pub(super) fn render(version: u32, mut members: Object) -> Vec<u8> {
    members.insert("version", version);
    (render_value(&members.into()) + "\n").into_bytes()
}

/// A number of milliseconds or bytes; what JSON cannot hold exactly becomes the largest it can.
pub(super) fn count(number: u64) -> Value {
    #[allow(clippy::cast_precision_loss)]
    let exact = Number::new(number.min((1 << 53) - 1) as f64);
    exact.map_or(Value::Null, Value::Number)
}

/// A path as a string.
pub(super) fn path_text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::NotUnicode(path.to_owned()))
}

impl<'a> Reader<'a> {
    pub(super) fn open(file: &'a Path, place: Place, value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Object(members) => Ok(Self { file, place, members }),
            _ => Err(StoreError::Damaged { path: file.to_owned(), place, expected: "an object" }),
        }
    }

    /// An error at a member.
    pub(super) fn damaged(&self, key: &str, expected: &'static str) -> StoreError {
        let place = self.place.join(Step::Key(key.to_owned()));
        StoreError::Damaged { path: self.file.to_owned(), place, expected }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.members.remove(key)
    }

    pub(super) fn text(&mut self, key: &str) -> Result<String, StoreError> {
        match self.take(key) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(self.damaged(key, "a string")),
        }
    }

    pub(super) fn text_or_none(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.damaged(key, "a string")),
        }
    }

    /// A string that means something.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &str, expected: &'static str) -> Result<T, StoreError> {
        self.text(key)?.parse().map_err(|_| self.damaged(key, expected))
    }

    pub(super) fn digest(&mut self, key: &str) -> Result<Digest, StoreError> {
        self.parsed(key, "a digest")
    }

    pub(super) fn digest_or_none(&mut self, key: &str) -> Result<Option<Digest>, StoreError> {
        if self.members.contains_key(key) { self.digest(key).map(Some) } else { Ok(None) }
    }

    pub(super) fn count(&mut self, key: &str) -> Result<u64, StoreError> {
        let number = self.take(key).and_then(|value| value.as_f64());
        let number = number.filter(|number| *number >= 0.0 && number.fract() == 0.0);
        // Strict values hold integers up to 2^53-1 only.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        number.map(|number| number as u64).ok_or_else(|| self.damaged(key, "a whole number"))
    }

    /// A truth value; false if it is missing.
    pub(super) fn truth(&mut self, key: &str) -> Result<bool, StoreError> {
        match self.take(key) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(truth),
            Some(_) => Err(self.damaged(key, "true or false")),
        }
    }

    /// The members of an object; none if it is missing.
    pub(super) fn map(&mut self, key: &str) -> Result<Vec<(String, Value, Place)>, StoreError> {
        let place = self.place.join(Step::Key(key.to_owned()));
        let members = match self.take(key) {
            None => return Ok(Vec::new()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(self.damaged(key, "an object")),
        };
        let placed = |(key, value): (String, Value)| {
            let place = place.join(Step::Key(key.clone()));
            (key, value, place)
        };
        Ok(members.into_iter().map(placed).collect())
    }

    /// The objects of an array; none if it is missing.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Reader<'a>>, StoreError> {
        let place = self.place.join(Step::Key(key.to_owned()));
        let items = match self.take(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.damaged(key, "an array")),
        };
        let open = |(index, item)| Reader::open(self.file, place.join(Step::Index(index)), item);
        items.into_iter().enumerate().map(open).collect()
    }

    /// The keys that nobody took yet.
    pub(super) fn keys(&self) -> Vec<String> {
        self.members.iter().map(|(key, _)| key.to_owned()).collect()
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Object {
        self.members
    }
}
