//! Watching the few files that a gate depends on.
//!
//! Promises: a change is told within a tenth of a second, and a burst of them once; a file that does
//! not exist yet is seen when it appears, as long as its folder exists. Where the system cannot watch,
//! the files are looked at every two seconds instead.

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// How long a burst of changes may take until it is told.
const SETTLE: Duration = Duration::from_millis(20);

/// How often files are looked at where they cannot be watched.
const POLL: Duration = Duration::from_secs(2);

/// Watches files until it is dropped.
pub struct Watch {
    files: Vec<PathBuf>,
    /// `None` where the system cannot watch.
    watcher: Option<RecommendedWatcher>,
    /// The folders that are watched: of each file its own, or the nearest above that exists.
    folders: BTreeSet<PathBuf>,
    changes: mpsc::Receiver<()>,
    stamps: Vec<Option<Stamp>>,
}

/// What a file looked like.
type Stamp = (SystemTime, u64);

impl Watch {
    /// Begins to watch.
    pub fn new(files: &[PathBuf]) -> Self {
        let (told, changes) = mpsc::channel(1);
        let names: Vec<PathBuf> = files.to_vec();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_ours = event.map_or(true, |event| {
                !event.kind.is_access() && event.paths.iter().any(|path| is_one_of(path, &names))
            });
            if is_ours {
                // One change that is not taken yet says as much as two.
                let _full = told.try_send(());
            }
        });
        let stamps = files.iter().map(|file| stamp(file)).collect();
        let folders = BTreeSet::new();
        let mut watch = Self { files: files.to_vec(), watcher: watcher.ok(), folders, changes, stamps };
        watch.look_at_folders();
        watch
    }

    /// Waits for the next change. What changes after this returned is told by the next call.
    pub async fn changed(&mut self) {
        if self.watcher.is_some() && self.changes.recv().await.is_some() {
            tokio::time::sleep(SETTLE).await;
            while self.changes.try_recv().is_ok() {}
            // A folder that came with the change is watched before anybody reads what is in it.
            self.look_at_folders();
            return;
        }
        loop {
            tokio::time::sleep(POLL).await;
            let stamps: Vec<Option<Stamp>> = self.files.iter().map(|file| stamp(file)).collect();
            if stamps != self.stamps {
                self.stamps = stamps;
                return;
            }
        }
    }

    /// Watches the folders that exist now and no others; gives up where one cannot be watched.
    fn look_at_folders(&mut self) {
        let folders: BTreeSet<PathBuf> = self.files.iter().filter_map(|file| existing_folder(file)).collect();
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.folders.difference(&folders) {
            // A folder that was removed is not watched any more anyway.
            let _gone = watcher.unwatch(gone);
        }
        // One that was removed and made again looks the same, so all are asked for anew.
        let is_watched = folders.iter().all(|folder| {
            let _again = watcher.unwatch(folder);
            watcher.watch(folder, RecursiveMode::NonRecursive).is_ok()
        });
        if !is_watched {
            self.watcher = None;
        }
        self.folders = folders;
    }
}

/// Whether a path of an event is one of the files or leads to one that did not exist.
fn is_one_of(path: &Path, files: &[PathBuf]) -> bool {
    files.iter().any(|file| file.starts_with(path))
}

/// The folder of a file, or the nearest one above that exists.
fn existing_folder(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = file.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
