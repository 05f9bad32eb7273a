//! Newer versions of floating packages: which launch fetches one, and which servers have none.
//!
//! A floating spec (`npx -y pkg`) stands still behind the gate, at its pinned version. `upgrade` starts
//! it once at the newest that the launch asks for (within its range, under its tag), so that it can be read
//! and reviewed; its package manager fetches it.
//!
//! Promises: asks no registry; the configured launch stays the one that is pinned, whichever version of
//! its package was started to read it.

use super::plan::{Server, Standing};
use super::reading::Shown;
use super::run::Version;
use super::{machine, pins};
use crate::engine::launchpin::{Artifact, Launch};
use crate::engine::lockfile::ServerPin;
use crate::engine::show;
use crate::launch;
use std::path::PathBuf;

/// Why there is nothing that could be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// Nothing is pinned that could move.
    #[error("nothing is pinned of {name}")]
    NotPinned {
        /// The server.
        name: String,
    },
    /// What it runs was never seen on this system.
    #[error("what {name} runs on this system is not pinned")]
    NotPinnedHere {
        /// The server.
        name: String,
    },
    /// Its configuration names an exact version.
    #[error("{name} is configured to run exactly {package}")]
    Exact {
        /// The server.
        name: String,
        /// The package with its version.
        package: String,
        /// The client's file.
        file: PathBuf,
    },
    /// It is no package of a registry.
    #[error("{name} is no package that a package manager could fetch: it is {what}")]
    NoPackage {
        /// The server.
        name: String,
        /// What it is.
        what: String,
    },
    /// No other version can be asked for in its launch.
    #[error("the launch of {name} has no place for another version of {package}")]
    NoPlace {
        /// The server.
        name: String,
        /// The package with its version.
        package: String,
        /// The client's file.
        file: PathBuf,
    },
}

impl UpgradeError {
    /// What to do instead.
    pub fn hint(&self) -> String {
        match self {
            UpgradeError::NotPinned { .. } => "Run `mcpwatch init` to review and pin it.".to_owned(),
            UpgradeError::NotPinnedHere { name } => {
                format!("Review it here first: `mcpwatch approve {}`.", show::name(name))
            }
            UpgradeError::Exact { name, file, .. } | UpgradeError::NoPlace { name, file, .. } => format!(
                "Write another version into {}, then review it: `mcpwatch approve {}`.",
                file.display(),
                show::name(name)
            ),
            UpgradeError::NoPackage { name, .. } => format!(
                "Update it as you installed it, then review what changed: `mcpwatch approve {}`.",
                show::name(name)
            ),
        }
    }
}

/// Whether a server is one whose newest version can be fetched.
pub fn can(server: &Server) -> Result<(), UpgradeError> {
    let name = show::name(&server.name);
    let Some(pin) = &server.pin else { return Err(UpgradeError::NotPinned { name }) };
    let Some(artifact) = pinned(pin) else { return Err(UpgradeError::NotPinnedHere { name }) };
    let file = server.entry().map(|entry| entry.file.clone()).unwrap_or_default();
    let package = show::line(&artifact.describe(), 200);
    match artifact {
        Artifact::Package { floating: true, .. } => {}
        Artifact::Package { .. } => return Err(UpgradeError::Exact { name, package, file }),
        Artifact::Script { .. } | Artifact::Binary { .. } | Artifact::Remote | Artifact::Unknown(_) => {
            return Err(UpgradeError::NoPackage { name, what: package });
        }
    }
    // Whether it may be started at all is told with the reading.
    let Standing::Ready(Launch::Command(command)) = &server.standing else { return Ok(()) };
    if launch::upgrade_launch(command, artifact, 0).is_some() {
        return Ok(());
    }
    Err(UpgradeError::NoPlace { name, package, file })
}

/// The version that is pinned here, and the one that was seen, of the same package.
pub fn versions<'a>(server: &'a Server, shown: &'a Shown) -> Option<(&'a str, &'a str)> {
    match (server.pin.as_ref().and_then(pinned)?, &shown.artifact) {
        (
            Artifact::Package { ecosystem, name, version, .. },
            Artifact::Package { ecosystem: other, name: same, version: seen, .. },
        ) if ecosystem == other && name == same => Some((version, seen)),
        _ => None,
    }
}

/// What is started to read a server.
pub(super) fn launch(server: &Server, launch: &Launch, version: Version) -> Launch {
    let artifact = server.pin.as_ref().and_then(pinned);
    let (Launch::Command(command), Some(artifact)) = (launch, artifact) else { return launch.clone() };
    let wrapped = server.entries.iter().any(|entry| !entry.disabled && entry.wrapped.is_some());
    match version {
        Version::Newest => {
            let newest = launch::upgrade_launch(command, artifact, machine::now());
            Launch::Command(newest.unwrap_or_else(|| command.clone()))
        }
        Version::Clients if wrapped => Launch::Command(launch::pinned_launch(command, artifact)),
        Version::Clients => launch.clone(),
    }
}

/// What was seen, as the configured launch asks for it: whether that floats is no matter of the version
/// that was started to read it.
pub(super) fn as_configured(server: &Server, mut shown: Shown) -> Shown {
    let Some(pin) = &server.pin else { return shown };
    if let (Some(Artifact::Package { floating: true, .. }), true) = (pinned(pin), pin.launch == shown.launch)
        && let Artifact::Package { floating, .. } = &mut shown.artifact
    {
        *floating = true;
    }
    shown
}

fn pinned(pin: &ServerPin) -> Option<&Artifact> {
    pin.artifacts.get(&pins::platform()).or_else(|| pin.artifacts.get(launch::ANY_PLATFORM))
}
