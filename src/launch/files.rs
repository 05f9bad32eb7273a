//! Digests of files and of folders of files.
//!
//! Promises: a folder's digest is the same on two machines that hold the same files: it is taken over
//! relative paths with `/` and the digest of each file's bytes, sorted; times, owners and modes are
//! left out. A symlink counts by its text and is not followed. No digest outlives the process that took
//! it, and within one it is taken again unless the system itself says that nothing touched the file.

use crate::engine::digest::{Digest, Hashing, Tag};
use crate::engine::json::Value;
use crate::sys::files;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The most files of one package; beyond, something else was taken for a package.
const MAX_FILES: usize = 100_000;

/// What systems and version control leave in folders.
const NOT_OF_THE_PACKAGE: [&str; 3] = [".DS_Store", ".git", "__pycache__"];

/// The digests of files by their relative path.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    files: BTreeMap<String, String>,
    native: bool,
}

/// Digests that were taken, for whoever looks at the same files a second time moments later.
#[derive(Clone, Debug, Default)]
pub struct Digests(Arc<Mutex<HashMap<PathBuf, (Stamp, Digest)>>>);

/// What the system changes about a file whenever anybody changes the file, its times included; by the
/// clock of the system, which no owner of a file can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "the standard library tells of no such time there"))]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Digests {
    /// The digest of a file's bytes.
    pub(super) fn of(&self, path: &Path) -> io::Result<Digest> {
        let file = fs::File::open(path)?;
        let before = Stamp::of(&file);
        if let Some(before) = before
            && let Some((stamp, digest)) = self.known().get(path)
            && *stamp == before
        {
            return Ok(*digest);
        }
        let mut hashing = Hashing::new(Tag::File);
        files::each_piece(&file, |piece| hashing.update(piece))?;
        let digest = hashing.finish();
        if let Some(stamp) = Stamp::of(&file).filter(|stamp| Some(*stamp) == before && stamp.is_settled()) {
            self.known().insert(path.to_owned(), (stamp, digest));
        }
        Ok(digest)
    }

    /// Forgets them all.
    pub fn forget(&self) {
        *self.known() = HashMap::new();
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, Digest)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    /// `None` where the system does not tell when a file was changed in any way.
    #[cfg(unix)]
    fn of(file: &fs::File) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata().ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    #[cfg(not(unix))]
    fn of(_file: &fs::File) -> Option<Self> {
        None
    }

    /// Whether a change after this would be seen: two changes within one tick of the clock look like one.
    fn is_settled(self) -> bool {
        const TICK: i64 = 2;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).is_ok_and(|now| now - self.changed.0 > TICK)
    }
}

impl Listing {
    /// Adds one file under a name.
    pub fn add(&mut self, name: &str, file: &Path, digests: &Digests) -> io::Result<()> {
        let metadata = fs::symlink_metadata(file)?;
        let content = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(file)?.to_string_lossy().replace('\\', "/"))
        } else {
            digests.of(file)?.to_string()
        };
        self.native |= is_native(name);
        self.files.insert(name.to_owned(), content);
        if self.files.len() > MAX_FILES {
            return Err(io::Error::other("more than 100,000 files"));
        }
        Ok(())
    }

    /// Notes a file that is listed and missing.
    pub fn add_missing(&mut self, name: &str) {
        self.files.insert(name.to_owned(), "missing".to_owned());
    }

    /// Adds the files of a folder, those of folders that `skip` names aside.
    pub fn add_folder(
        &mut self,
        prefix: &str,
        folder: &Path,
        skip: &dyn Fn(&str) -> bool,
        digests: &Digests,
    ) -> io::Result<()> {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        entries.sort();
        for entry in entries {
            let Some(name) = entry.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if NOT_OF_THE_PACKAGE.contains(&name.as_str()) || skip(&path) {
                continue;
            }
            if fs::symlink_metadata(&entry)?.is_dir() {
                self.add_folder(&path, &entry, skip, digests)?;
            } else {
                self.add(&path, &entry, digests)?;
            }
        }
        Ok(())
    }

    /// Whether a file of that name is in.
    pub fn contains(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Whether there is native code among the files.
    pub fn is_native(&self) -> bool {
        self.native
    }

    /// The digest over all.
    pub fn digest(&self) -> Digest {
        digest_pairs(Tag::Artifact, self.files.iter().map(|(name, digest)| (name.as_str(), digest.as_str())))
    }
}

/// One digest over pairs of texts, in the order given.
pub(super) fn digest_pairs<'a>(tag: Tag, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Digest {
    let pair = |(one, two): (&str, &str)| Value::from(vec![Value::from(one), Value::from(two)]);
    Digest::of(tag, &Value::from(pairs.map(pair).collect::<Vec<_>>()))
}

/// Whether a file is code for one kind of machine.
pub(super) fn is_native(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "node" | "so" | "pyd" | "dll" | "dylib" | "exe") || name.contains(".so.")
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
