//! The socket on Unix.

use super::super::IpcError;
use nix::unistd::Uid;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// A connection to another process of ours.
pub type Stream = UnixStream;

const NAME: &str = "daemon.sock";

/// Takes connections from processes of this account.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// Keeps the folder that was checked.
    folder: File,
}

impl Listener {
    /// Binds the socket in that folder. The caller holds the [`super::Claim`], so one that is there is
    /// a dead one's.
    pub fn bind(folder: &Path) -> Result<Self, IpcError> {
        let path = folder.join(NAME);
        let socket = |source| IpcError::Socket { path: path.clone(), source };
        super::prepare(folder)?;
        let held = open_folder(folder)?;
        let place = within(&held, folder);
        match std::fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.file_type().is_socket() => {
                std::fs::remove_file(&place).map_err(socket)?;
            }
            Ok(_) => return Err(socket(io::Error::other("something that is no socket has its name"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(socket(error)),
        }
        let listener = UnixListener::bind(&place).map_err(socket)?;
        // Nobody else can reach into the folder meanwhile.
        std::fs::set_permissions(&place, Permissions::from_mode(0o600)).map_err(socket)?;
        Ok(Self { listener, path, folder: held })
    }

    /// The next connection; `Ok(None)` for one of another account, which is closed without a word.
    pub async fn accept(&self) -> io::Result<Option<Stream>> {
        let (stream, _) = self.listener.accept().await?;
        Ok(is_own(&stream).then_some(stream))
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let _ = std::fs::remove_file(within(&self.folder, folder));
    }
}

/// Connects to the daemon of that folder.
pub async fn connect(folder: &Path) -> Result<Stream, IpcError> {
    let path = folder.join(NAME);
    let held = match open_folder(folder) {
        Err(IpcError::Socket { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(IpcError::NoDaemon);
        }
        other => other?,
    };
    match UnixStream::connect(within(&held, folder)).await {
        Ok(stream) if is_own(&stream) => Ok(stream),
        Ok(_) => Err(IpcError::Stranger { path }),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Err(IpcError::NoDaemon)
        }
        Err(source) => Err(IpcError::Socket { path, source }),
    }
}

/// Opens a folder, following no link, and checks that it is this account's alone.
pub(super) fn open_folder(folder: &Path) -> Result<File, IpcError> {
    use nix::fcntl::OFlag;
    let flags = OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(folder);
    let wrong = |why: &str| IpcError::Folder { path: folder.to_owned(), why: why.to_owned() };
    let file = match opened {
        Ok(file) => file,
        Err(error)
            if matches!(error.raw_os_error(), Some(code) if code == nix::errno::Errno::ELOOP as i32
            || code == nix::errno::Errno::ENOTDIR as i32) =>
        {
            return Err(wrong("it is a link or no folder"));
        }
        Err(source) => return Err(IpcError::Socket { path: folder.to_owned(), source }),
    };
    let metadata = file.metadata().map_err(|source| IpcError::Socket { path: folder.to_owned(), source })?;
    if metadata.uid() != Uid::effective().as_raw() {
        return Err(wrong("another account owns it"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(wrong("other accounts may enter it"));
    }
    Ok(file)
}

/// The socket's path through the folder that is held open: short, and not to be swapped. Systems
/// without `/proc/self/fd` get the plain path.
fn within(held: &File, folder: &Path) -> PathBuf {
    let through = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
    if cfg!(target_os = "linux") && through.exists() { through.join(NAME) } else { folder.join(NAME) }
}

fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == Uid::effective().as_raw())
}

#[cfg(test)]
#[path = "unix_tests.rs"]
mod tests;
