//! Backups of clients' files, so that `unwrap` can give them back byte for byte.
//!
//! One private folder: `wraps.json` says which file was wrapped and what it was before and after;
//! beside it lie the bytes before, verbatim (a client's file can hold secrets, hence 0600). Promises:
//! a backup that is not what the index says is an error. Does not touch the clients' files (`edit`),
//! and nothing depends on it: an entry can be unwrapped by its text alone.

use super::format::{self, Reader, StoreError, count, path_text};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{Object, Path, Step, Value};
use crate::sys::files::{self, Access};
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::{self, PathBuf};

const VERSION: u32 = 1;

/// The index of what was wrapped.
#[derive(Debug)]
pub struct Wraps<'a> {
    paths: &'a Paths,
}

/// One wrapped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The digest of the file as it was, which is that of the backup.
    pub before: Digest,
    /// The digest of the file as we left it.
    pub after: Digest,
    /// The entries that were wrapped when we left it, by their paths of keys.
    pub entries: Vec<Path>,
    /// When, in Unix milliseconds.
    pub at: u64,
}

/// How a wrapped file stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It is as we left it: the backup can be put back.
    Untouched,
    /// Somebody edited it since: only our entries may be changed.
    Edited,
}

impl<'a> Wraps<'a> {
    /// The index in our directories.
    pub fn of(paths: &'a Paths) -> Self {
        Self { paths }
    }

    /// All wrapped files, by their path with symlinks followed.
    pub fn all(&self) -> Result<BTreeMap<PathBuf, Wrapped>, StoreError> {
        Ok(self.load()?.0)
    }

    /// What is known of a file.
    pub fn get(&self, path: &path::Path) -> Result<Option<Wrapped>, StoreError> {
        Ok(self.all()?.remove(&files::resolve(path)))
    }

    /// Backs up a file that is about to be written: call it before the client's file is replaced.
    ///
    /// Of a file that is wrapped already and untouched since, the first backup stays.
    pub fn record(
        &self,
        path: &path::Path,
        before: &[u8],
        after: &[u8],
        entries: &[Path],
        now: u64,
    ) -> Result<(), StoreError> {
        let path = files::resolve(path);
        self.change(|wraps| {
            let now_there = digest(before);
            let first = wraps.get(&path).filter(|old| old.after == now_there).map(|old| old.before);
            if first.is_none() {
                files::write(&self.backup_file(&path), before, Access::Private)?;
            }
            let before = first.unwrap_or(now_there);
            let entries = entries.to_vec();
            wraps.insert(path, Wrapped { before, after: digest(after), entries, at: now });
            Ok(())
        })
    }

    /// The bytes that a file had before it was wrapped, and whether they may simply be put back over
    /// `current`; `None` if nothing is kept.
    pub fn backup(&self, path: &path::Path, current: &[u8]) -> Result<Option<(Vec<u8>, Since)>, StoreError> {
        let path = files::resolve(path);
        let Some(wrapped) = self.all()?.remove(&path) else { return Ok(None) };
        let file = self.backup_file(&path);
        let Some(bytes) = files::read_private(&file, files::LIMIT)? else { return Ok(None) };
        if digest(&bytes) != wrapped.before {
            let expected = "the bytes that the index names";
            return Err(StoreError::Damaged { path: file, place: Default::default(), expected });
        }
        let since = if digest(current) == wrapped.after { Since::Untouched } else { Since::Edited };
        Ok(Some((bytes, since)))
    }

    /// Forgets a file and removes its backup: call it after the client's file was given back.
    pub fn forget(&self, path: &path::Path) -> Result<(), StoreError> {
        let path = files::resolve(path);
        self.change(|wraps| {
            wraps.remove(&path);
            Ok(files::remove(&self.backup_file(&path))?)
        })
    }

    fn index_file(&self) -> PathBuf {
        self.paths.wraps_dir().join("wraps.json")
    }

    fn backup_file(&self, path: &path::Path) -> PathBuf {
        let name = Digest::of_bytes(Tag::File, path.as_os_str().as_encoded_bytes()).to_string();
        self.paths.wraps_dir().join(name.replace("blake3:", "") + ".backup")
    }

    fn load(&self) -> Result<(BTreeMap<PathBuf, Wrapped>, Object), StoreError> {
        let file = self.index_file();
        let Some(mut reader) = format::open(&file, VERSION)? else { return Ok(Default::default()) };
        let mut wraps = BTreeMap::new();
        for (path, value, place) in reader.map("files")? {
            let mut entry = Reader::open(&file, place, value)?;
            let (before, after) = (entry.digest("before")?, entry.digest("after")?);
            let entries = read_entries(&mut entry)?;
            wraps.insert(PathBuf::from(path), Wrapped { before, after, entries, at: entry.count("at")? });
        }
        Ok((wraps, reader.rest()))
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<PathBuf, Wrapped>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let file = self.index_file();
        let _guard = files::guard(&self.paths.guards_dir(), &file, files::WAIT)?;
        let (mut wraps, mut out) = self.load()?;
        change(&mut wraps)?;
        let mut entries = Object::new();
        for (path, wrapped) in &wraps {
            let mut entry = Object::new();
            entry.insert("before", wrapped.before.to_string());
            entry.insert("after", wrapped.after.to_string());
            let paths =
                wrapped.entries.iter().map(|path| Value::Array(path.0.iter().filter_map(key).collect()));
            entry.insert("entries", paths.collect::<Vec<_>>());
            entry.insert("at", count(wrapped.at));
            entries.insert(path_text(path)?, entry);
        }
        out.insert("files", entries);
        format::save(&file, VERSION, out)
    }
}

fn read_entries(entry: &mut Reader<'_>) -> Result<Vec<Path>, StoreError> {
    let Some(value) = entry.take("entries") else { return Ok(Vec::new()) };
    let path = |value: &Value| -> Option<Path> {
        let keys = value.as_array()?.iter().map(|key| Some(Step::Key(key.as_str()?.to_owned())));
        keys.collect::<Option<_>>().map(Path)
    };
    let paths = value.as_array().and_then(|paths| paths.iter().map(path).collect());
    paths.ok_or_else(|| entry.damaged("entries", "a list of lists of keys"))
}

fn key(step: &Step) -> Option<Value> {
    match step {
        Step::Key(key) => Some(key.as_str().into()),
        Step::Index(_) => None,
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of_bytes(Tag::File, bytes)
}

#[cfg(test)]
#[path = "wraps_tests.rs"]
mod tests;
