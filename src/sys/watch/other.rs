//! The system's own notifications through `notify`, on folders.

use super::{leads_to, nearest_folder};
use notify::{Event as Change, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Everything that is watched.
pub(super) struct System {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    /// The files that count; shared with the watcher's thread.
    wanted: Arc<Mutex<BTreeSet<PathBuf>>>,
    changed: Arc<Notify>,
}

impl System {
    pub(super) fn new() -> Option<Self> {
        let changed = Arc::new(Notify::new());
        let wanted = Arc::new(Mutex::new(BTreeSet::new()));
        let (notify, counts) = (Arc::clone(&changed), Arc::clone(&wanted));
        let watcher = notify::recommended_watcher(move |change: notify::Result<Change>| {
            if counts_to(&change, &counts.lock().unwrap_or_else(PoisonError::into_inner)) {
                notify.notify_one();
            }
        });
        Some(Self { watcher: watcher.ok()?, folders: BTreeSet::new(), wanted, changed })
    }

    /// Watches exactly these files; gives those that cannot be watched.
    pub(super) fn set(&mut self, files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        files.clone_into(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        let folders: BTreeSet<PathBuf> = files.iter().filter_map(|file| nearest_folder(file)).collect();
        for gone in self.folders.difference(&folders) {
            // A folder that was removed is not watched any more anyway.
            let _ = self.watcher.unwatch(gone);
        }
        // One that was removed and made again looks the same, so all are asked for anew.
        let watched: BTreeSet<PathBuf> = folders
            .into_iter()
            .filter(|folder| {
                let _ = self.watcher.unwatch(folder);
                self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok()
            })
            .collect();
        let unwatched =
            |file: &&PathBuf| nearest_folder(file).is_none_or(|folder| !watched.contains(&folder));
        let unwatched = files.iter().filter(unwatched).cloned().collect();
        self.folders = watched;
        unwatched
    }

    /// Waits until a file that counts may have changed.
    pub(super) async fn touched(&mut self) {
        self.changed.notified().await;
    }
}

/// Whether a change touches a file that counts, or may have: an overflow, an unnamed one.
fn counts_to(change: &notify::Result<Change>, wanted: &BTreeSet<PathBuf>) -> bool {
    let Ok(change) = change else { return true };
    if change.kind.is_access() {
        return false;
    }
    change.need_rescan() || change.paths.is_empty() || change.paths.iter().any(|path| leads_to(path, wanted))
}
