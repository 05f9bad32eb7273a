//! The named pipe on Windows: its name follows from the folder, its access list admits the owner alone
//! and nobody over the network, and the first instance must be the daemon's own.
//!
//! Does not check the account at the other end: the access list does that for clients, and a client
//! that met a squatter's pipe has only lost a hint.

use super::super::IpcError;
use crate::engine::digest::{Digest, Tag};
use interprocess::os::windows::named_pipe::PipeListenerOptions;
use interprocess::os::windows::named_pipe::pipe_mode::Bytes;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use std::io;
use std::path::{Path, PathBuf};
use widestring::U16CString;

/// A connection to another process of ours.
pub type Stream = DuplexPipeStream<Bytes>;

/// Protected from inheritance; everything for the owner, nothing for anybody else.
const OWNER_ONLY: &str = "D:P(A;;GA;;;OW)";

/// Takes connections from processes of this account.
#[derive(Debug)]
pub struct Listener {
    listener: PipeListener<Bytes, Bytes>,
    path: PathBuf,
}

impl Listener {
    /// Opens the pipe that belongs to that folder.
    pub fn bind(folder: &Path) -> Result<Self, IpcError> {
        Self::bind_for(folder, OWNER_ONLY)
    }

    fn bind_for(folder: &Path, access: &str) -> Result<Self, IpcError> {
        super::prepare(folder)?;
        let path = name(folder);
        let socket = |source| IpcError::Socket { path: path.clone(), source };
        let access = U16CString::from_str(access).map_err(|error| socket(io::Error::other(error)))?;
        let access = SecurityDescriptor::deserialize(&access).map_err(socket)?;
        let options = PipeListenerOptions::new().path(path.as_path()).security_descriptor(Some(access));
        let listener = options.create_tokio_duplex::<Bytes>().map_err(socket)?;
        Ok(Self { listener, path })
    }

    /// The next connection.
    pub async fn accept(&self) -> io::Result<Option<Stream>> {
        self.listener.accept().await.map(Some)
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Connects to the daemon of that folder.
pub async fn connect(folder: &Path) -> Result<Stream, IpcError> {
    let path = name(folder);
    match DuplexPipeStream::connect_by_path(path.as_path()).await {
        Ok(stream) => Ok(stream),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(IpcError::NoDaemon),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(IpcError::Stranger { path }),
        Err(source) => Err(IpcError::Socket { path, source }),
    }
}

fn name(folder: &Path) -> PathBuf {
    let digest = Digest::of_bytes(Tag::File, folder.to_string_lossy().as_bytes());
    PathBuf::from(format!(r"\\.\pipe\mcpwatch-{}", digest.short()))
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
