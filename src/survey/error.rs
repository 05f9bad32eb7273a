//! Why a survey could not go on at all. What goes wrong with one server is that server's result.

use super::content::ConfigError;
use super::pins::Echo;
use super::policy::PolicyError;
use crate::store::StoreError;
use crate::store::decide::DecideError;
use crate::store::locks::LocksError;
use crate::store::log::LogError;
use crate::store::offers::OffersError;
use crate::store::sightings::SightingsError;
use crate::sys::paths::PathsError;
use std::path::PathBuf;

/// A survey could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// There is no current folder.
    #[error("the current folder cannot be found: {0}")]
    Folder(std::io::Error),
    /// Our directories cannot be told.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// A store of ours cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A lock cannot be used.
    #[error(transparent)]
    Locks(#[from] LocksError),
    /// A decision was not carried out.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// What was seen could not be kept.
    #[error(transparent)]
    Offers(#[from] OffersError),
    /// What a gate saw cannot be told.
    #[error(transparent)]
    Sightings(#[from] SightingsError),
    /// A decision was carried out and could not be logged.
    #[error("what was decided stands, but the log could not be written: {0}")]
    Log(#[from] LogError),
    /// The administrator's policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A server echoes a secret.
    #[error(transparent)]
    Echo(#[from] Echo),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A configuration that was asked for is not there.
    #[error("there is no file {}", path.display())]
    NoConfig {
        /// The file.
        path: PathBuf,
    },
}

impl SurveyError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            SurveyError::Folder(_) => "Change to a folder that exists.".to_owned(),
            SurveyError::Paths(error) => error.hint(),
            SurveyError::Store(error) => error.hint(),
            SurveyError::Locks(error) => error.hint(),
            SurveyError::Decide(error) => error.hint(),
            SurveyError::Policy(error) => error.hint(),
            SurveyError::Config(error) => error.hint(),
            SurveyError::Offers(error) => error.hint(),
            SurveyError::Sightings(error) => error.hint(),
            SurveyError::Log(error) => error.hint(),
            SurveyError::Echo(error) => error.hint(),
            SurveyError::Read { .. } => "Check that it is a file that you may read.".to_owned(),
            SurveyError::NoConfig { .. } => "Give --config the path of a client's configuration.".to_owned(),
        }
    }
}
