//! Which lock governs which entry.
//!
//! A project's lock lies in the folder of the project's configuration or above it, up to the root of
//! the repository; everything that is configured for the user has one lock in the data directory. A
//! lock of a project never governs the user's entries. `--lock FILE` governs whatever the run is about.

use super::{Ground, SurveyError};
use crate::discover::Entry;
use crate::engine::lockfile::Lockfile;
use crate::store::locks::{self, Loaded};
use crate::store::trust::{Moment, Standing, Trust};
use std::path::{Path, PathBuf};

/// One lock of a run.
#[derive(Clone, Debug)]
pub struct LockUse {
    /// The file; it need not exist yet.
    pub path: PathBuf,
    /// Whether it is the lock of a project.
    pub project: bool,
    /// What it holds; `None` if there is no such file.
    pub loaded: Option<Loaded>,
    /// How its content stands with this person.
    pub standing: Standing,
    /// What counts of it for this person today, where that is not all of it: what was refused is gone,
    /// what was approved for a time stands in its item's place.
    pub effective: Option<Lockfile>,
}

impl LockUse {
    /// What it pins for this person, if it is there.
    pub fn lockfile(&self) -> Option<&Lockfile> {
        self.effective.as_ref().or(self.loaded.as_ref().map(|loaded| &loaded.lockfile))
    }

    /// Whether this person trusts exactly this content on this machine.
    pub fn is_trusted(&self) -> bool {
        match self.standing {
            Standing::Trusted => true,
            Standing::Changed { .. } | Standing::Never => false,
        }
    }
}

/// Loads a lock and looks up how it stands.
pub fn load(path: &Path, project: bool, ground: &Ground) -> Result<LockUse, SurveyError> {
    load_for(ground.trust.as_ref(), path, project)
}

fn load_for(trust: Option<&Trust>, path: &Path, project: bool) -> Result<LockUse, SurveyError> {
    let (loaded, standing) = match locks::load_standing(path, trust)? {
        Some((loaded, standing)) => (Some(loaded), standing),
        None => (None, Standing::Never),
    };
    let mut lock = LockUse { path: path.to_owned(), project, loaded, standing, effective: None };
    if let (true, Some(loaded), Some(trust)) = (lock.is_trusted(), &lock.loaded, trust) {
        let today = jiff::Zoned::now().date().to_string();
        // An approval for one session of the gate is none for a reading of ours.
        let moment = Moment { today: &today, session: None };
        let effective = trust.effective(&loaded.path, loaded.lockfile.clone(), &moment);
        lock.effective = (effective != loaded.lockfile).then_some(effective);
    }
    Ok(lock)
}

/// The lock of an entry: `given` if there is one, the project's, or the user's.
pub fn path_for(entry: &Entry, given: Option<&Path>, user: &Path) -> PathBuf {
    match (given, &entry.folder) {
        (Some(given), _) => given.to_owned(),
        (None, Some(folder)) if entry.scope.is_project() => locks::for_project(folder),
        (None, _) => user.to_owned(),
    }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
