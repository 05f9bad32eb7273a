//! What a file of settings says, `config.toml` and policies alike.
//!
//! Promises: what cannot be read as text, or says what no settings say, is an error with its file.

use crate::engine::settings::SettingsError;
use crate::sys::files::FilesError;
use std::path::{Path, PathBuf};

/// Why a file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is not UTF-8.
    #[error("{} is not UTF-8", .0.display())]
    NotText(PathBuf),
    /// It says what no settings say.
    #[error("{}: {error}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: SettingsError,
    },
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            ConfigError::Files(error) => error.hint(),
            ConfigError::NotText(_) => "Save it as UTF-8.".to_owned(),
            ConfigError::Content { error, .. } => error.hint(),
        }
    }
}

/// Reads the bytes of a file by the rules of its kind.
pub fn read<T>(
    path: &Path,
    bytes: Vec<u8>,
    parse: impl FnOnce(&str) -> Result<T, SettingsError>,
) -> Result<T, ConfigError> {
    let text = String::from_utf8(bytes).map_err(|_| ConfigError::NotText(path.to_owned()))?;
    parse(&text).map_err(|error| ConfigError::Content { path: path.to_owned(), error })
}
