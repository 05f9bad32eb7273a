//! Where our processes meet: a socket in a private folder, or a named pipe that only this account opens.
//!
//! Promises: the folder is a real one (no link), of this account, closed to others, and it is held open
//! while the socket in it is used, so that nobody can put another in its place; the process at the
//! other end belongs to this account, checked at both ends; one daemon at a time, held by a lock that
//! ends with its process.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Listener, Stream, connect};
#[cfg(windows)]
pub use windows::{Listener, Stream, connect};

use super::IpcError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The claim to be the one daemon; given back when dropped or when the process ends.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims the folder for this process, or tells who has it.
    pub fn take(folder: &Path) -> Result<Self, IpcError> {
        prepare(folder)?;
        let path = folder.join("daemon.lock");
        let socket = |source| IpcError::Socket { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600).custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits());
        }
        let lock = options.open(&path).map_err(socket)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(IpcError::Running(owner(&pid_file(folder)))),
            Err(TryLockError::Error(source)) => return Err(socket(source)),
        }
        // A file of its own: where locks are mandatory nobody could read the locked one.
        let _ = std::fs::remove_file(pid_file(folder));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(pid_file(folder)).map_err(socket)?;
        write!(file, "{}", std::process::id()).map_err(socket)?;
        Ok(Self { _lock: lock })
    }

    /// The process that has the claim, if one has.
    pub fn holder(folder: &Path) -> Option<u32> {
        let lock = File::open(folder.join("daemon.lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => owner(&pid_file(folder)),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

/// Makes the folder, private from its first moment; one that is there is checked when it is used.
fn prepare(folder: &Path) -> Result<(), IpcError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| IpcError::Socket { path: folder.to_owned(), source })?;
    #[cfg(unix)]
    unix::open_folder(folder)?;
    Ok(())
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("daemon.pid")
}

fn owner(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
