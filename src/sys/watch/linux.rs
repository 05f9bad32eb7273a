//! inotify, asked for exactly what changes a file: on each file that exists what is written to it, on its
//! folder what appears and goes. No thread, one descriptor.

use super::{leads_to, nearest_folder};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags as Flags, InitFlags, Inotify, WatchDescriptor};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use tokio::net::unix::pipe::Receiver;

/// How much is read at once: sixteen events with the longest names.
const CHUNK: usize = 4 << 10;

/// What stands before the name of an event: watch, mask, cookie, length of the name.
const HEAD: usize = 16;

/// Everything that is watched.
pub(super) struct System {
    inotify: Inotify,
    /// The same descriptor once more, as the runtime reads it.
    events: Receiver,
    wanted: BTreeSet<PathBuf>,
    /// What each watch stands for.
    places: BTreeMap<WatchDescriptor, Place>,
}

/// What a watch stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// One of the files, wherever a link leads.
    File,
    /// A folder of such files, or on the way to them.
    Folder(PathBuf),
}

impl System {
    pub(super) fn new() -> Option<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok()?;
        let events = Receiver::from_owned_fd_unchecked(inotify.as_fd().try_clone_to_owned().ok()?).ok()?;
        Some(Self { inotify, events, wanted: BTreeSet::new(), places: BTreeMap::new() })
    }

    /// Watches exactly these files; gives those that cannot be watched.
    pub(super) fn set(&mut self, files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let appears = Flags::IN_CREATE | Flags::IN_MOVED_TO | Flags::IN_MOVED_FROM | Flags::IN_DELETE;
        let goes = Flags::IN_DELETE_SELF | Flags::IN_MOVE_SELF;
        let written = Flags::IN_MODIFY | Flags::IN_CLOSE_WRITE | Flags::IN_ATTRIB;
        let inotify = &self.inotify;
        let (mut places, mut unwatched) = (BTreeMap::new(), BTreeSet::new());
        let mut folders: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for file in files {
            let Some(folder) = nearest_folder(file) else {
                unwatched.insert(file.clone());
                continue;
            };
            let is_watched = *folders.entry(folder).or_insert_with_key(|folder| {
                let watch = inotify.add_watch(folder, appears | goes | Flags::IN_ONLYDIR);
                watch.map(|watch| places.insert(watch, Place::Folder(folder.clone()))).is_ok()
            });
            // A link to a folder: only where it leads can change, which its own folder tells.
            let itself = file.is_dir()
                || match inotify.add_watch(file, written | goes) {
                    Ok(watch) => {
                        // One that is a folder to others stays that.
                        places.entry(watch).or_insert(Place::File);
                        true
                    }
                    Err(Errno::ENOENT | Errno::ENOTDIR) => true,
                    Err(_) => false,
                };
            if !is_watched || !itself {
                unwatched.insert(file.clone());
            }
        }
        for gone in self.places.keys().filter(|watch| !places.contains_key(watch)) {
            // One whose file was removed is gone already.
            let _ = inotify.rm_watch(*gone);
        }
        self.places = places;
        files.clone_into(&mut self.wanted);
        unwatched
    }

    /// Waits until a file that counts may have changed.
    pub(super) async fn touched(&mut self) {
        let mut chunk = [0; CHUNK];
        loop {
            if self.events.readable().await.is_err() {
                // Cannot be but at the end of the runtime, and of every wait with it.
                return std::future::pending().await;
            }
            match self.events.try_read(&mut chunk) {
                Ok(read) if self.counts(&chunk[..read]) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Unreadable: everything may have changed.
                Err(_) => return,
            }
        }
    }

    /// Whether any of these events is about a file that counts.
    fn counts(&self, mut events: &[u8]) -> bool {
        let mut counts = false;
        while let Some((head, rest)) = events.split_first_chunk::<HEAD>() {
            let field = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (watch, mask) = (field(0), Flags::from_bits_truncate(field(4)));
            let length = usize::try_from(field(12)).unwrap_or(usize::MAX).min(rest.len());
            let (name, rest) = rest.split_at(length);
            counts |= self.count(watch, mask, CStr::from_bytes_until_nul(name).ok());
            events = rest;
        }
        counts
    }

    fn count(&self, watch: u32, mask: Flags, name: Option<&CStr>) -> bool {
        if mask.contains(Flags::IN_Q_OVERFLOW) {
            return true;
        }
        let place = self.places.iter().find(|(known, _)| known.as_raw().cast_unsigned() == watch);
        match (place.map(|(_, place)| place), name) {
            (Some(Place::Folder(folder)), Some(name)) => {
                leads_to(&folder.join(OsStr::from_bytes(name.to_bytes())), &self.wanted)
            }
            (Some(Place::Folder(_) | Place::File), _) => !mask.contains(Flags::IN_IGNORED),
            (None, _) => false,
        }
    }
}
