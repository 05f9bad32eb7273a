//! Watches files that may be replaced, removed, linked elsewhere, or not exist yet.
//!
//! Promises: a burst of changes is told once, a moment after its first; nothing is lost when the wait is
//! dropped; what the system cannot watch (too many, a network drive) is looked at now and then instead.
//! Opening and reading files wakes nobody. Says only that something changed, never what.

#[cfg(target_os = "linux")]
#[path = "watch/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "watch/other.rs"]
mod system;

use futures_util::FutureExt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use system::System;

/// What a file looks like from outside.
type Look = Option<(SystemTime, u64)>;

/// Files that are watched until this is dropped.
pub struct Files {
    /// How long after the first change the others of a burst may come.
    settle: Duration,
    /// How often files are looked at that cannot be watched.
    poll: Duration,
    /// `None` where the system gives no watch at all.
    system: Option<System>,
    wanted: BTreeSet<PathBuf>,
    /// Files that are polled, and how they looked.
    polled: BTreeMap<PathBuf, Look>,
    /// Whether a change was seen that was not told yet.
    pending: bool,
}

impl Files {
    /// Watches nothing yet. To be called within a runtime.
    pub fn new(settle: Duration, poll: Duration) -> Self {
        let system = System::new();
        Self { settle, poll, system, wanted: BTreeSet::new(), polled: BTreeMap::new(), pending: false }
    }

    /// Watches exactly these files from now on.
    pub fn set(&mut self, files: &BTreeSet<PathBuf>) {
        files.clone_into(&mut self.wanted);
        self.arm();
    }

    /// Waits until something changed, and a little longer for what belongs to it. What changes after
    /// this returned is told by the next call.
    pub async fn changed(&mut self) {
        while !self.pending {
            self.pending = match &mut self.system {
                None => self.poll().await,
                Some(system) if self.polled.is_empty() => {
                    system.touched().await;
                    true
                }
                Some(system) => tokio::select! {
                    () = system.touched() => true,
                    () = tokio::time::sleep(self.poll) => looks_other(&mut self.polled),
                },
            };
        }
        tokio::time::sleep(self.settle).await;
        // What came meanwhile belongs to it.
        if let Some(system) = &mut self.system {
            while system.touched().now_or_never().is_some() {}
        }
        // A file or folder that came with the change is watched before anybody reads what is in it.
        self.arm();
        self.pending = false;
    }

    async fn poll(&mut self) -> bool {
        tokio::time::sleep(self.poll).await;
        looks_other(&mut self.polled)
    }

    fn arm(&mut self) {
        let unwatched = match &mut self.system {
            Some(system) => system.set(&self.wanted),
            None => self.wanted.clone(),
        };
        self.polled = unwatched.into_iter().map(|file| (file.clone(), look(&file))).collect();
    }
}

/// The nearest folder above a file that exists.
fn nearest_folder(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// Whether a path of an event is a file that counts, or a folder on the way to one.
fn leads_to(path: &Path, wanted: &BTreeSet<PathBuf>) -> bool {
    wanted.contains(path) || wanted.iter().any(|file| file.starts_with(path))
}

fn looks_other(polled: &mut BTreeMap<PathBuf, Look>) -> bool {
    let mut other = false;
    for (file, known) in polled {
        let now = look(file);
        other |= *known != now;
        *known = now;
    }
    other
}

fn look(file: &Path) -> Look {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
