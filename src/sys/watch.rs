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

/// The most links on the way to a file that are followed.
const LINKS: usize = 8;

/// What a file looks like from outside. Package managers give every file the same time, so there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    modified: Option<SystemTime>,
    length: u64,
    /// Its device, number, and the time of its last change, where the system tells.
    identity: Option<(u64, u64, i64, i64)>,
}

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
    polled: BTreeMap<PathBuf, Option<Look>>,
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
        let ways: BTreeSet<PathBuf> = self.wanted.iter().flat_map(|file| ways(file)).collect();
        let unwatched = match &mut self.system {
            Some(system) => system.set(&ways),
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

fn looks_other(polled: &mut BTreeMap<PathBuf, Option<Look>>) -> bool {
    let mut other = false;
    for (file, known) in polled {
        let now = look(file);
        other |= *known != now;
        *known = now;
    }
    other
}

/// What a file looks like now, wherever a link leads; `None` if it is not there.
pub fn look(file: &Path) -> Option<Look> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let identity = None;
    Some(Look { modified: metadata.modified().ok(), length: metadata.len(), identity })
}

/// A file, every link on the way to it, and the file by the way each of them leads.
fn ways(file: &Path) -> Vec<PathBuf> {
    let mut ways = vec![file.to_owned()];
    let mut way = file.to_owned();
    for _ in 0..LINKS {
        let above: Vec<&Path> = way.ancestors().collect();
        let link = above.into_iter().rev().find_map(|part| Some((part, std::fs::read_link(part).ok()?)));
        let Some((part, target)) = link else { break };
        let (Ok(rest), Some(folder)) = (way.strip_prefix(part), part.parent()) else { break };
        let mut next = folder.join(target);
        if !rest.as_os_str().is_empty() {
            next.push(rest);
        }
        ways.extend([part.to_owned(), next.clone()]);
        way = next;
    }
    ways
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
