//! Offers: the exact bytes that were seen or shown, content-addressed, private and bounded.
//!
//! An approval names the digest of an offer, so that what is approved is what was displayed. Locks as
//! they were trusted are kept here too, to show what changed in one that arrived otherwise.
//!
//! Promises: what is read has the digest it was asked for; the oldest offers make room, those that
//! are held (evidence that waits, or that somebody reads) never do. Does not know what the bytes mean.

use crate::engine::digest::{Digest, Tag};
use crate::sys::files::{self, Access, FilesError};
use crate::sys::paths::Paths;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How many bytes of offers are kept.
pub const MOST_BYTES: u64 = 128 << 20;

/// How many offers are kept.
pub const MOST_OFFERS: usize = 4096;

/// How long a review may take.
const REVIEW: Duration = Duration::from_secs(24 * 3600);

/// The offers of this account.
#[derive(Clone, Debug)]
pub struct Offers {
    folder: PathBuf,
    most_bytes: u64,
    most_offers: usize,
}

/// Why an offer was not kept or is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum OffersError {
    /// It could not be read or written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Its bytes are not those it was kept for.
    #[error("the kept offer {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Everything that is kept is under review.
    #[error("{} is full of offers under review", folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
    },
}

/// One kept offer, while room is made.
struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    held: bool,
}

impl OffersError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            OffersError::Files(error) => error.hint(),
            OffersError::Damaged { path } => {
                format!("Remove {} and read the server again (`mcpwatch diff`).", path.display())
            }
            OffersError::Full { .. } => {
                "Decide what waits (`mcpwatch status` lists it), then run the command again.".to_owned()
            }
        }
    }
}

impl Offers {
    /// The offers in our directories; nothing is created before the first.
    pub fn of(paths: &Paths) -> Self {
        Self { folder: paths.offers_dir(), most_bytes: MOST_BYTES, most_offers: MOST_OFFERS }
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bytes: u64, offers: usize) -> Self {
        (self.most_bytes, self.most_offers) = (bytes, offers);
        self
    }

    /// Keeps bytes and tells their digest. `tag` is [`Tag::Offer`]; locks are kept by `decide`.
    pub fn put(&self, tag: Tag, bytes: &[u8]) -> Result<Digest, OffersError> {
        let digest = Digest::of_bytes(tag, bytes);
        let path = self.path(&digest);
        if files::read_private(&path, files::LIMIT)?.as_deref() == Some(bytes) {
            touch(&path);
            return Ok(digest);
        }
        self.make_room(bytes.len() as u64)?;
        files::write(&path, bytes, Access::Private)?;
        Ok(digest)
    }

    /// The bytes of a digest; `None` if they are not kept (any more).
    pub fn get(&self, tag: Tag, digest: &Digest) -> Result<Option<Vec<u8>>, OffersError> {
        let path = self.path(digest);
        let Some(bytes) = files::read_private(&path, files::LIMIT)? else { return Ok(None) };
        if Digest::of_bytes(tag, &bytes) != *digest {
            return Err(OffersError::Damaged { path });
        }
        touch(&path);
        Ok(Some(bytes))
    }

    /// Keeps an offer from making room while it is under review.
    pub fn hold(&self, digest: &Digest) -> Result<(), OffersError> {
        Ok(files::write(&self.path(digest).with_extension("held"), b"", Access::Private)?)
    }

    /// Keeps an offer from making room while somebody reads it, for a day at most: who reads may be
    /// killed.
    pub fn review(&self, digest: &Digest) -> Result<(), OffersError> {
        Ok(files::write(&self.path(digest).with_extension("review"), b"", Access::Private)?)
    }

    /// Ends [`Offers::review`].
    pub fn reviewed(&self, digest: &Digest) -> Result<(), OffersError> {
        Ok(files::remove(&self.path(digest).with_extension("review"))?)
    }

    /// Keeps a lock as it was trusted, for as long as it is; there is always room for one.
    pub(super) fn put_lock(&self, bytes: &[u8]) -> Result<Digest, OffersError> {
        let digest = Digest::of_bytes(Tag::Lock, bytes);
        let path = self.path(&digest);
        if files::read_private(&path, files::LIMIT)?.as_deref() != Some(bytes) {
            files::write(&path, bytes, Access::Private)?;
        }
        self.hold(&digest)?;
        Ok(digest)
    }

    /// Ends [`Offers::hold`].
    pub fn release(&self, digest: &Digest) -> Result<(), OffersError> {
        Ok(files::remove(&self.path(digest).with_extension("held"))?)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        // A colon is no character of file names on Windows.
        self.folder.join(digest.to_string().replace("blake3:", "") + ".offer")
    }

    fn make_room(&self, bytes: u64) -> Result<(), OffersError> {
        let mut kept = self.kept();
        kept.sort_by_key(|kept| (kept.held, kept.used));
        let mut total: u64 = kept.iter().map(|kept| kept.bytes).sum();
        let mut count = kept.len();
        for old in kept {
            if total + bytes <= self.most_bytes && count < self.most_offers {
                return Ok(());
            }
            if old.held {
                break;
            }
            files::remove(&old.path)?;
            total -= old.bytes;
            count -= 1;
        }
        if total + bytes <= self.most_bytes && count < self.most_offers {
            return Ok(());
        }
        Err(OffersError::Full { folder: self.folder.clone() })
    }

    fn kept(&self) -> Vec<Kept> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let kept = |entry: fs::DirEntry| {
            let path = entry.path();
            let metadata = entry.metadata().ok()?;
            let is_offer = path.extension().is_some_and(|extension| extension == "offer");
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let held = path.with_extension("held").exists() || is_read(&path);
            is_offer.then_some(Kept { path, bytes: metadata.len(), used, held })
        };
        entries.flatten().filter_map(kept).collect()
    }
}

/// Whether somebody reads an offer, or did within a day.
fn is_read(path: &std::path::Path) -> bool {
    let since = path.with_extension("review").metadata().and_then(|metadata| metadata.modified());
    since.is_ok_and(|since| since.elapsed().unwrap_or_default() < REVIEW)
}

/// Marks an offer as used now; that this fails only makes it leave earlier.
fn touch(path: &std::path::Path) {
    if let Ok(file) = File::options().write(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
#[path = "offers_tests.rs"]
mod tests;
