//! The settings in force: what `config.toml` says, as far as a person accepted it and a policy allows it.
//!
//! Promises: what loosens the watch holds only once exactly these values were accepted on this machine
//! (`mcpwatch trust --settings`), and never below the machine's policy; a file that cannot be read is an
//! error, never the defaults. Gate, daemon and commands all ask here.

use super::policy;
use super::{Ground, SurveyError};
use crate::engine::digest::Digest;
use crate::engine::settings::policy::Policy;
use crate::engine::settings::{self, Settings, SettingsError};
use crate::store::trust::Trust;
use crate::sys::files::{self, FilesError};
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The largest `config.toml`.
const LIMIT: u64 = 1 << 20;

/// The name under which loosened settings are accepted in the trust store.
pub const ACCEPTED: &str = "settings";

/// What holds here and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The settings.
    pub settings: Settings,
    /// The policy.
    pub policy: Policy,
    /// What the file says that loosens the watch, by key.
    pub weakened: BTreeMap<String, String>,
    /// What a person accepts with that; `None` if there is nothing.
    pub digest: Option<Digest>,
    /// Whether exactly that was accepted.
    pub is_accepted: bool,
}

/// Why the settings cannot be used.
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

/// The settings in force for whom this trust store is.
pub fn in_force(paths: &Paths, trust: Option<&Trust>) -> Result<InForce, SurveyError> {
    let policy = policy::load(paths)?;
    let said = read(paths)?;
    let (weakened, digest) = (said.weakened(), said.weakened_digest());
    let is_accepted = digest.is_some() && trust.and_then(|trust| trust.accepted(ACCEPTED)) == digest;
    let settings = if digest.is_none() || is_accepted { said } else { said.hardened() };
    Ok(InForce { settings: policy.bound(settings), policy, weakened, digest, is_accepted })
}

/// The same for a command.
pub fn of(ground: &Ground) -> Result<InForce, SurveyError> {
    in_force(&ground.paths, ground.trust.as_ref())
}

fn read(paths: &Paths) -> Result<Settings, ConfigError> {
    let path = paths.config_file();
    let Some(bytes) = files::read(&path, LIMIT)? else { return Ok(Settings::default()) };
    let text = String::from_utf8(bytes).map_err(|_| ConfigError::NotText(path.clone()))?;
    settings::parse(&text).map_err(|error| ConfigError::Content { path, error })
}
