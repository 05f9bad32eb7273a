//! What a run stands on: the machine, the current folder, variables, and whom this person trusts.

use super::{SurveyError, machine};
use crate::discover::{Entry, Os, Places, Vars};
use crate::engine::launchpin::{self, LaunchPin};
use crate::engine::placeholder::{Machine, Name};
use crate::store::trust::{self, Trust};
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The surroundings of a run.
pub struct Ground {
    /// Our own directories.
    pub paths: Paths,
    /// Where clients keep their configurations.
    pub places: Places,
    /// The current folder.
    pub cwd: PathBuf,
    /// What variables in configurations stand for.
    pub vars: Vars,
    /// Whom this person trusts; `None` before the first decision.
    pub trust: Option<Trust>,
    machine: Machine,
}

impl Ground {
    /// The ground of this process, with the values of `--env-file`.
    pub fn of_this_process(file: BTreeMap<String, String>) -> Result<Self, SurveyError> {
        let cwd = std::env::current_dir().map_err(SurveyError::Folder)?;
        let paths = Paths::system()?;
        let places = Places::of_this_machine();
        let vars = Vars {
            os: Os::this(),
            home: places.home.clone(),
            env: places.vars.clone(),
            file,
            workspace: cwd.clone(),
        };
        let trust = trust::load(&paths)?;
        Ok(Self { paths, places, cwd, vars, trust, machine: machine::account() })
    }

    /// The launch pin of an entry as it is written: nothing is expanded, so it can be had of entries
    /// that nobody asked for, and is the same for everyone who has that configuration.
    pub fn pin_of(&self, entry: &Entry) -> LaunchPin {
        let machine = match entry.folder.as_ref().or(entry.base.as_ref()) {
            Some(folder) => self.machine.clone().with(Name::Cwd, folder.to_string_lossy()),
            None => self.machine.clone(),
        };
        launchpin::pin(&entry.launch, &machine)
    }

    /// Whether a pinned launch is the one that an entry configures.
    pub fn is_pinned_launch(&self, pinned: &LaunchPin, entry: &Entry) -> bool {
        launchpin::compare(pinned, &self.pin_of(entry)).is_empty()
    }

    /// The folder a server is started in, where its entry says nothing else.
    pub fn folder_of<'a>(&'a self, entry: &'a Entry) -> &'a Path {
        entry.folder.as_deref().unwrap_or(&self.cwd)
    }
}
