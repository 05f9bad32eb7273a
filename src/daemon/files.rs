//! Watches files by their folders, so that one that is replaced or does not exist yet is watched too.
//!
//! Promises: many changes in a short time are one; where the system gives no watch (too many, a
//! network drive) those files are polled. Says only that something changed, never what.

use futures_util::FutureExt;
use notify::{Event as Change, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// How long after the first change the others may come.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(300);

/// How often files are looked at that cannot be watched.
pub(super) const POLL: Duration = Duration::from_secs(60);

/// What a file looks like from outside.
type Look = Option<(SystemTime, u64)>;

/// The watched files.
pub(super) struct Files {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    /// The files that count; shared with the watcher's thread.
    wanted: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// Files that are polled, and how they looked.
    polled: BTreeMap<PathBuf, Look>,
    changed: Arc<Notify>,
}

impl Files {
    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let changed = Arc::new(Notify::new());
        let wanted = Arc::new(Mutex::new(BTreeSet::new()));
        let (notify, counts) = (Arc::clone(&changed), Arc::clone(&wanted));
        let watcher = notify::recommended_watcher(move |change: notify::Result<Change>| {
            if matters(&change, &counts.lock().unwrap_or_else(PoisonError::into_inner)) {
                notify.notify_one();
            }
        });
        Self { watcher: watcher.ok(), folders: BTreeSet::new(), wanted, polled: BTreeMap::new(), changed }
    }

    /// Watches exactly these files from now on.
    pub(super) fn set(&mut self, files: &BTreeSet<PathBuf>) {
        files.clone_into(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        let folders: BTreeSet<PathBuf> = files.iter().filter_map(|file| nearest_folder(file)).collect();
        if let Some(watcher) = &mut self.watcher {
            for gone in self.folders.difference(&folders) {
                let _ = watcher.unwatch(gone);
            }
        }
        let mut watched: BTreeSet<PathBuf> = self.folders.intersection(&folders).cloned().collect();
        for folder in &folders {
            let watching =
                |watcher: &mut RecommendedWatcher| watcher.watch(folder, RecursiveMode::NonRecursive).is_ok();
            if watched.contains(folder) || self.watcher.as_mut().is_some_and(watching) {
                watched.insert(folder.clone());
            }
        }
        let unwatched =
            |file: &&PathBuf| nearest_folder(file).is_none_or(|folder| !watched.contains(&folder));
        self.polled = files.iter().filter(unwatched).map(|file| (file.clone(), look(file))).collect();
        self.folders = watched;
    }

    /// Waits until something changed, and a little longer for what belongs to it. Polls only if there
    /// is something to poll.
    pub(super) async fn changed(&mut self) {
        loop {
            if self.polled.is_empty() {
                self.changed.notified().await;
                break;
            }
            tokio::select! {
                () = self.changed.notified() => break,
                () = tokio::time::sleep(POLL) => {
                    let mut other = false;
                    for (file, known) in &mut self.polled {
                        let now = look(file);
                        other |= *known != now;
                        *known = now;
                    }
                    if other {
                        break;
                    }
                }
            }
        }
        tokio::time::sleep(DEBOUNCE).await;
        // What came meanwhile belongs to it.
        let _ = self.changed.notified().now_or_never();
    }
}

/// Whether a change touches a file that counts, or may have: an overflow, an unnamed one.
fn matters(change: &notify::Result<Change>, wanted: &BTreeSet<PathBuf>) -> bool {
    let Ok(change) = change else { return true };
    if change.kind.is_access() {
        return false;
    }
    // A folder on the way to a file that does not exist yet counts as well.
    let touches = |path: &PathBuf| wanted.contains(path) || wanted.iter().any(|file| file.starts_with(path));
    change.need_rescan() || change.paths.is_empty() || change.paths.iter().any(touches)
}

/// The nearest folder above a file that exists.
fn nearest_folder(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
}

fn look(file: &Path) -> Look {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tokio::time::timeout;

    async fn hears(files: &mut Files, within: u64) -> bool {
        timeout(Duration::from_millis(within), files.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_that_appears_changes_or_is_replaced_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (file, deep) = (base.join("mcp.json"), base.join("new/deep/mcp.json"));
        let mut files = Files::new();
        files.set(&BTreeSet::from([file.clone(), deep.clone()]));
        assert!(!hears(&mut files, 100).await, "nothing happened yet");
        fs::write(&file, "1").unwrap();
        assert!(hears(&mut files, 3000).await, "it appeared");
        fs::write(base.join("other"), "1").unwrap();
        assert!(!hears(&mut files, 600).await, "another file does not count");
        fs::write(base.join("temporary"), "2").unwrap();
        fs::rename(base.join("temporary"), &file).unwrap();
        assert!(hears(&mut files, 3000).await, "it was replaced");
        fs::create_dir_all(deep.parent().unwrap()).unwrap();
        assert!(hears(&mut files, 3000).await, "the way to it appeared");
        files.set(&BTreeSet::from([file, deep.clone()]));
        fs::write(&deep, "1").unwrap();
        assert!(hears(&mut files, 3000).await, "it appeared in a new folder");
    }

    #[test]
    fn what_cannot_be_watched_is_polled() {
        let mut files = Files::new();
        files.watcher = None;
        let file = PathBuf::from("/somewhere/mcp.json");
        files.set(&BTreeSet::from([file.clone()]));
        assert!(files.polled.contains_key(&file));
    }
}
