//! The one place of this module that touches the machine: reading a file, listing a folder, asking
//! for the home folder and the environment.

use super::places::{Os, Places};
use super::text::MAX_BYTES;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What discovery asks of a file system.
pub trait Files {
    /// A file's bytes; `None` if there is no such file. At most [`MAX_BYTES`] and one more.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// The names in a folder, sorted; none if there is no such folder.
    fn names(&self, folder: &Path) -> Vec<String>;

    /// Whether something stands at that path.
    fn exists(&self, path: &Path) -> bool;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// A file system without files, for asking where would be looked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Files for Nothing {
    fn read(&self, _: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn names(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        // A named pipe or a device would keep us waiting: only plain files are opened.
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => {}
            Ok(about) if about.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => return Err(io::Error::other("not a plain file")),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}

impl Places {
    /// The places of whoever runs this: the home folder as Node and Python find it, and the environment.
    pub fn of_this_machine() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { os: Os::this(), home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")), vars }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
