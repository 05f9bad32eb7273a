//! Lockfiles on disk: finding, loading and saving them.
//!
//! Promises: a lock is searched upward from a project's folder to its repository's root and no
//! further; what is saved is first read back by the strict reader; nothing is saved over a file that
//! is no longer the one that was loaded. Does not decide whether a lock is trusted (`trust`).

use super::trust::{Standing, Trust};
use crate::engine::digest::{Digest, Hashing, Tag};
use crate::engine::lockfile::{self, LockError, Lockfile, Part, ServerPin};
use crate::sys::files::{self, Access, FilesError};
use std::fs;
use std::path::{Path, PathBuf};

/// The name of every lock.
pub const NAME: &str = "mcp.lock";

/// How many folders a search through a repository looks into.
const MOST_FOLDERS: usize = 50_000;

/// Folders that hold other people's files.
const FOREIGN: [&str; 4] = ["node_modules", "target", "venv", "site-packages"];

/// What marks the root of a repository.
const REPOSITORY: [&str; 3] = [".git", ".hg", ".jj"];

/// A lock as it was found on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Its file, symlinks followed: what trust is bound to.
    pub path: PathBuf,
    /// Its raw bytes.
    pub bytes: Vec<u8>,
    /// The digest of the raw bytes: what trust is bound to.
    pub digest: Digest,
    /// What it says.
    pub lockfile: Lockfile,
}

/// A lock whose content is known to the byte and not read yet.
pub struct Unread {
    /// Its file, symlinks followed: what trust is bound to.
    pub path: PathBuf,
    /// The digest of its raw bytes: what trust is bound to.
    pub digest: Digest,
    /// How its content stands.
    pub standing: Standing,
    asked: PathBuf,
    bytes: Vec<u8>,
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocksError {
    /// It could not be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is no lock that this program can use.
    #[error("{}: {error}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why, with the place.
        error: Box<LockError>,
    },
    /// What was to be saved cannot be read back; a mistake of ours.
    #[error("refusing to write {}: it could not be read back: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, with the place.
        error: Box<LockError>,
    },
}

/// The locks of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The locks, sorted.
    pub locks: Vec<PathBuf>,
    /// Whether every folder was looked into; a repository of more than 50,000 folders is not.
    pub is_complete: bool,
}

impl LocksError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            LocksError::Files(error) => error.hint(),
            LocksError::Lock { error, .. } => error.hint(),
            LocksError::Unreadable { .. } => {
                "Nothing was changed. Please report this with the message.".to_owned()
            }
        }
    }
}

/// The digest that trust is bound to.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::of_bytes(Tag::Lock, bytes)
}

/// Loads a lock and verifies every digest in it; `None` if there is none.
pub fn load(path: &Path) -> Result<Option<Loaded>, LocksError> {
    Ok(load_standing(path, None)?.map(|(loaded, _)| loaded))
}

/// Loads a lock and tells how its content stands. Digests in it are verified when it is trusted, so
/// the one comparison of its raw bytes is enough after that.
pub fn load_standing(path: &Path, trust: Option<&Trust>) -> Result<Option<(Loaded, Standing)>, LocksError> {
    let Some(unread) = look(path, trust)? else { return Ok(None) };
    let lockfile = unread.lockfile()?;
    let Unread { path, digest, standing, bytes, .. } = unread;
    Ok(Some((Loaded { path, bytes, digest, lockfile }, standing)))
}

/// The digest of a lock's content and how it stands, without keeping it; `None` if there is none.
pub fn standing(path: &Path, trust: Option<&Trust>) -> Result<Option<(Digest, Standing)>, LocksError> {
    let mut hashing = Hashing::new(Tag::Lock);
    let Some(()) = files::read_in_pieces(path, files::LIMIT, |piece| hashing.update(piece))? else {
        return Ok(None);
    };
    let digest = hashing.finish();
    let standing = |trust: &Trust| trust.standing(&files::resolve(path), &digest);
    Ok(Some((digest, trust.map_or(Standing::Never, standing))))
}

/// Tells how a lock's content stands, without reading what it says; `None` if there is none.
pub fn look(path: &Path, trust: Option<&Trust>) -> Result<Option<Unread>, LocksError> {
    let Some(bytes) = files::read(path, files::LIMIT)? else { return Ok(None) };
    let (digest, resolved) = (digest(&bytes), files::resolve(path));
    let standing = trust.map_or(Standing::Never, |trust| trust.standing(&resolved, &digest));
    Ok(Some(Unread { path: resolved, digest, standing, asked: path.to_owned(), bytes }))
}

impl Unread {
    /// What it pins of one server, `None` if nothing. Of a trusted lock no other server is read, and no
    /// more than was asked for; any other is verified as a whole.
    pub fn server(&self, name: &str, part: Part) -> Result<Option<ServerPin>, LocksError> {
        match self.standing {
            Standing::Trusted => {
                lockfile::parse_trusted_server(&self.bytes, name, part).map_err(|error| self.error(error))
            }
            Standing::Changed { .. } | Standing::Never => Ok(self.lockfile()?.servers.remove(name)),
        }
    }

    fn lockfile(&self) -> Result<Lockfile, LocksError> {
        let read = match self.standing {
            Standing::Trusted => lockfile::parse_trusted(&self.bytes),
            Standing::Changed { .. } | Standing::Never => lockfile::parse_bytes(&self.bytes),
        };
        read.map_err(|error| self.error(error))
    }

    fn error(&self, error: LockError) -> LocksError {
        LocksError::Lock { path: self.asked.clone(), error: Box::new(error) }
    }
}

/// The bytes of a lock, read back before anybody sees them.
pub fn render(path: &Path, lockfile: &Lockfile) -> Result<Vec<u8>, LocksError> {
    let text = lockfile::render(lockfile);
    match lockfile::parse(&text) {
        Ok(_) => Ok(text.into_bytes()),
        Err(error) => Err(LocksError::Unreadable { path: path.to_owned(), error: Box::new(error) }),
    }
}

/// Writes rendered bytes over the lock that was loaded (`None`: there was none).
///
/// The caller holds the guard on `path`. Decisions go through `decide`; this is for what carries no
/// approval, like `fmt`.
pub fn save(path: &Path, loaded: Option<&Loaded>, bytes: &[u8]) -> Result<(), LocksError> {
    let expected = loaded.map(|loaded| loaded.bytes.as_slice());
    if expected == Some(bytes) {
        return Ok(());
    }
    Ok(files::replace(path, expected, bytes, Access::Shared)?)
}

/// The root of the repository that a folder lies in.
pub fn repository_root(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    folder
        .ancestors()
        .find(|folder| REPOSITORY.iter().any(|mark| folder.join(mark).exists()))
        .map(Path::to_owned)
}

/// The lock that governs a project's folder: the nearest upward, up to the repository's root.
///
/// Outside a repository only the folder itself counts: what lies above it can be anybody's.
pub fn governing(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    let root = repository_root(&folder).unwrap_or_else(|| folder.clone());
    folder
        .ancestors()
        .take_while(|ancestor| ancestor.starts_with(&root))
        .map(|ancestor| ancestor.join(NAME))
        .find(|path| path.is_file())
}

/// Where the lock of a project's folder is or would be.
pub fn for_project(folder: &Path) -> PathBuf {
    governing(folder).unwrap_or_else(|| folder.join(NAME))
}

/// All locks at and below a folder, not counting installed packages, hidden folders and links.
pub fn all_below(folder: &Path) -> Found {
    let mut found = Found { locks: Vec::new(), is_complete: true };
    let mut folders = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        looked += 1;
        if looked > MOST_FOLDERS {
            found.is_complete = false;
            break;
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if name == NAME && entry.path().is_file() {
                found.locks.push(entry.path());
            } else if kind.is_dir() && !name.starts_with('.') && !FOREIGN.contains(&&*name) {
                folders.push(entry.path());
            }
        }
    }
    found.locks.sort();
    found
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
