//! The settings in force: what `config.toml` says, as far as a person accepted it and a policy allows it.
//!
//! Promises: what loosens the watch holds only once exactly these values were accepted on this machine
//! (`mcpwatch trust --settings`), and never below the machine's policy; a file that cannot be read is an
//! error, never the defaults. Gate, daemon and commands all ask here.

use super::content::{self, ConfigError};
use super::policy;
use super::{Ground, SurveyError};
use crate::engine::digest::Digest;
use crate::engine::settings::policy::Policy;
use crate::engine::settings::{self, Settings};
use crate::store::trust::Trust;
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;

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

impl InForce {
    /// What loosens the watch, as the file would say it: `key = value`.
    pub fn loosened(&self) -> Vec<String> {
        self.weakened.iter().map(|(key, value)| format!("{key} = {value}")).collect()
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
    content::read(&path, bytes, settings::parse)
}
