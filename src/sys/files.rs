//! Files of ours and of others, written so that nobody ever reads half of one.
//!
//! Promises: a file is replaced whole or not at all (temporary file beside it, fsync, rename, sync of
//! the directory); a symlink is followed and stays; permissions and, where we may, the owner are kept;
//! private files are 0600 in 0700 directories from their first byte. A second mcpwatch waits.
//!
//! Does not keep ACLs, extended attributes or hard links, and cannot stop a program that takes no lock
//! of ours: [`replace`] compares right before the rename and leaves a gap of microseconds.

use crate::engine::digest::{Digest, Tag};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The most that is read of a file of ours; a lock of 64 MiB has thousands of tools.
pub const LIMIT: u64 = 64 * 1024 * 1024;

/// How long a second writer waits for the first.
pub const WAIT: Duration = Duration::from_secs(10);

/// The end of our temporary files' names; a writer that was killed leaves one behind.
const UNFINISHED: &str = ".mcpwatch-new";

/// How old a temporary file is before a later writer clears it away.
const STALE: Duration = Duration::from_secs(60);

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As it was; a new file as the umask has it.
    Shared,
    /// Its owner alone, whatever it was.
    Private,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be written; what stood there still stands.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than we read.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// Another mcpwatch writes it and does not come to an end.
    #[error("another mcpwatch is writing {}", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It is not what it was when it was read; nothing was written.
    #[error("{} has changed meanwhile", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A private file or directory that others can write to.
    #[error("{} is not private: {reason}", path.display())]
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Holds the right to write one file until it is dropped.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct Guard(#[allow(dead_code)] File);

impl FilesError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            FilesError::Read { .. } => "Check that it is a file and that you may read it.",
            FilesError::Write { .. } => "Check the disk, and that you may write to it and to its folder.",
            FilesError::TooLarge { .. } => {
                "This is no file that mcpwatch wrote; look at it before removing it."
            }
            FilesError::Busy { .. } => "Wait for it or end it, then run the command again.",
            FilesError::Changed { .. } => "Run the command again.",
            FilesError::NotPrivate { .. } => {
                "Make it yours alone (`chmod go= FILE`), and look at what it holds: others could have changed it."
            }
        }
        .to_owned()
    }
}

/// Reads a whole file of at most `limit` bytes; `None` if there is none.
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FilesError> {
    let refuse = |source| FilesError::Read { path: path.to_owned(), source };
    let Some((file, length)) = open(path)? else { return Ok(None) };
    // One byte more, so that the end is seen without growing.
    let size = usize::try_from(length.min(limit)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(size + 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() as u64 > limit {
        return Err(FilesError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
}

/// Shows a file of at most `limit` bytes piece by piece, without keeping it; `None` if there is none.
pub fn read_in_pieces(
    path: &Path,
    limit: u64,
    mut show: impl FnMut(&[u8]),
) -> Result<Option<()>, FilesError> {
    let Some((file, _)) = open(path)? else { return Ok(None) };
    let mut length = 0;
    each_piece(file.take(limit + 1), |piece| {
        length += piece.len() as u64;
        show(piece);
    })
    .map_err(|source| FilesError::Read { path: path.to_owned(), source })?;
    if length > limit {
        return Err(FilesError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(Some(()))
}

/// Reads to the end, and shows each piece on its way.
pub fn each_piece(mut source: impl Read, mut show: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => show(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens a file, and tells its length; `None` if there is none.
fn open(path: &Path) -> Result<Option<(File, u64)>, FilesError> {
    let refuse = |source| FilesError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(refuse(source)),
    };
    let metadata = file.metadata().map_err(refuse)?;
    if !metadata.is_file() {
        return Err(refuse(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
    }
    Ok(Some((file, metadata.len())))
}

/// Reads a file that must be ours alone, in a folder that is ours alone; `None` if there is none.
pub fn read_private(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FilesError> {
    let Some(bytes) = read(path, limit)? else { return Ok(None) };
    if let Some(folder) = path.parent() {
        check_private(folder)?;
    }
    check_private_file(path)?;
    Ok(Some(bytes))
}

/// Replaces a file by these bytes, or creates it with its folders.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), FilesError> {
    write_if(path, bytes, access, |_| true)
}

/// Replaces a file only if it still holds `expected` (`None`: does not exist).
pub fn replace(path: &Path, expected: Option<&[u8]>, bytes: &[u8], access: Access) -> Result<(), FilesError> {
    let limit = expected.map_or(0, |expected| expected.len() as u64);
    write_if(path, bytes, access, |target| match read(target, limit) {
        Ok(now) => now.as_deref() == expected,
        Err(_) => false,
    })
}

/// Removes a file; that there is none is no error.
pub fn remove(path: &Path) -> Result<(), FilesError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FilesError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes sure that a directory exists and belongs to this account alone.
pub fn private_dir(path: &Path) -> Result<(), FilesError> {
    let refuse = |source| FilesError::Write { path: path.to_owned(), source };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(refuse)?;
    check_private(path)
}

/// Whether a directory belongs to this account alone; too open a mode of our own is closed.
fn check_private(path: &Path) -> Result<(), FilesError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let refuse = |source| FilesError::Write { path: path.to_owned(), source };
        let metadata = fs::metadata(path).map_err(refuse)?;
        let not = |reason| Err(FilesError::NotPrivate { path: path.to_owned(), reason });
        if metadata.uid() != nix::unistd::geteuid().as_raw() {
            return not("it belongs to another account");
        }
        if metadata.mode() & 0o022 != 0 {
            return not("others can write to it");
        }
        if metadata.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(refuse)?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Whether a file belongs to this account and nobody else can write to it.
fn check_private_file(path: &Path) -> Result<(), FilesError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path);
        let metadata = metadata.map_err(|source| FilesError::Read { path: path.to_owned(), source })?;
        let not = |reason| Err(FilesError::NotPrivate { path: path.to_owned(), reason });
        if metadata.uid() != nix::unistd::geteuid().as_raw() {
            return not("it belongs to another account");
        }
        if metadata.mode() & 0o022 != 0 {
            return not("others can write to it");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Waits for the right to write `path`; `guards` is our folder for such locks.
pub fn guard(guards: &Path, path: &Path, wait: Duration) -> Result<Guard, FilesError> {
    private_dir(guards)?;
    let target = resolve(path);
    let name = Digest::of_bytes(Tag::File, target.as_os_str().as_encoded_bytes()).short();
    let file = guards.join(format!("{name}.guard"));
    let refuse = |source| FilesError::Write { path: file.clone(), source };
    let open = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&file);
    let open = open.map_err(refuse)?;
    let start = Instant::now();
    loop {
        match open.try_lock() {
            Ok(()) => return Ok(Guard(open)),
            Err(TryLockError::Error(source)) => return Err(refuse(source)),
            Err(TryLockError::WouldBlock) if start.elapsed() >= wait => {
                return Err(FilesError::Busy { path: path.to_owned() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// The file that a path leads to: symlinks followed even if the last one dangles, its folder made
/// absolute. Two spellings of one place give one answer.
pub fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return plain(real);
    }
    let mut target = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => break,
        }
    }
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (fs::canonicalize(parent), target.file_name()) {
        (Ok(parent), Some(name)) => plain(parent).join(name),
        _ => std::path::absolute(&target).unwrap_or(target),
    }
}

/// Messages and what is written down show it, so it is spelled as people do.
fn plain(path: PathBuf) -> PathBuf {
    if cfg!(windows) { PathBuf::from(super::program::spelled(&path)) } else { path }
}

fn write_if(
    path: &Path,
    bytes: &[u8],
    access: Access,
    proceed: impl FnOnce(&Path) -> bool,
) -> Result<(), FilesError> {
    let target = resolve(path);
    let refuse = |source| FilesError::Write { path: path.to_owned(), source };
    let folder = target.parent().unwrap_or(Path::new("."));
    match access {
        Access::Private => private_dir(folder)?,
        Access::Shared => fs::create_dir_all(folder).map_err(refuse)?,
    }
    let prefix = format!(".{}.", target.file_name().unwrap_or_default().to_string_lossy());
    clear_unfinished(folder, &prefix);
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        return Err(refuse(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only")));
    }
    let mut fresh = create(folder, &prefix, access).map_err(refuse)?;
    fresh.write_all(bytes).map_err(refuse)?;
    if let (Access::Shared, Some(old)) = (access, &old) {
        keep_owner(fresh.as_file(), old);
        fresh.as_file().set_permissions(old.permissions()).map_err(refuse)?;
    }
    fresh.as_file().sync_all().map_err(refuse)?;
    if !proceed(&target) {
        return Err(FilesError::Changed { path: path.to_owned() });
    }
    rename(fresh, &target).map_err(refuse)?;
    sync_folder(folder).map_err(refuse)
}

/// Creates the temporary file with the mode that a new file has in the end.
fn create(folder: &Path, prefix: &str, access: Access) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if access == Access::Private { 0o600 } else { 0o666 };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = access;
    builder.tempfile_in(folder)
}

/// Gives a new file the owner of the old one; only root may, and nobody else needs it.
fn keep_owner(file: &File, old: &fs::Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let same = file.metadata().is_ok_and(|new| new.uid() == old.uid() && new.gid() == old.gid());
        if !same {
            // A refusal leaves the file ours, as every editor that writes this way does.
            let _ = fchown(file, Some(old.uid()), Some(old.gid()));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, old);
}

fn rename(mut fresh: tempfile::NamedTempFile, target: &Path) -> io::Result<()> {
    // On Windows a virus scanner or an editor holds a file for a moment.
    let attempts = if cfg!(windows) { 20 } else { 1 };
    for attempt in 1.. {
        match fresh.persist(target) {
            Ok(_) => return Ok(()),
            Err(error) if attempt >= attempts => return Err(error.error),
            Err(error) => fresh = error.file,
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Clears away what killed writers left; whatever fails here does not matter.
fn clear_unfinished(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(prefix) || !name.ends_with(UNFINISHED) {
            continue;
        }
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let age = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if age.is_some_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
