//! Digests of files and of folders of files.
//!
//! Promises: a folder's digest is the same on two machines that hold the same files: it is taken over
//! relative paths with `/` and the digest of each file's bytes, sorted; times, owners and modes are
//! left out. A symlink counts by its text and is not followed. No digest is cached between runs: size
//! and time of a file can be set by whoever changes it.

use crate::engine::digest::{Digest, Hashing, Tag};
use crate::engine::json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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

/// The digest of a file's bytes.
pub(super) fn digest(file: &Path) -> io::Result<Digest> {
    let mut file = fs::File::open(file)?;
    let mut hashing = Hashing::new(Tag::File);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hashing.finish());
        }
        hashing.update(&buffer[..read]);
    }
}

impl Listing {
    /// Adds one file under a name.
    pub fn add(&mut self, name: &str, file: &Path) -> io::Result<()> {
        let metadata = fs::symlink_metadata(file)?;
        let content = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(file)?.to_string_lossy().replace('\\', "/"))
        } else {
            digest(file)?.to_string()
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
    pub fn add_folder(&mut self, prefix: &str, folder: &Path, skip: &dyn Fn(&str) -> bool) -> io::Result<()> {
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
                self.add_folder(&path, &entry, skip)?;
            } else {
                self.add(&path, &entry)?;
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
