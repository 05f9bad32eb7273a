//! Sightings: what a gate saw last that nobody approved, one for each session that saw some.
//!
//! A sighting names the offer that holds the bytes, so that a review shows what stood in the data path,
//! which can be something else than what the server shows whoever asks it anew.
//!
//! Promises: the offer of an open sighting never makes room for another; a session has one sighting, its
//! newest, and a server at most [`MOST`]; sightings of sessions that ended go after a week. One that
//! cannot be read is an error, never none.

use super::format::{self, Reader, StoreError, count, path_text};
use super::offers::{Offers, OffersError};
use crate::engine::digest::{Digest, Tag};
use crate::engine::gate::ClientKind;
use crate::engine::json::{Object, Value};
use crate::engine::surface::{ItemKey, Kind};
use crate::sys::files::{self, FilesError};
use crate::sys::paths::Paths;
use std::fs;
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

/// The member of a gate's offer that holds what it saw.
pub const VIEW: &str = "gate";

/// How many sightings of one server are kept.
pub const MOST: usize = 8;

/// How long the sighting of a session that ended is kept, in milliseconds: a week.
pub const LASTS: u64 = 7 * 24 * 3600 * 1000;

/// What one session of a gate saw last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The lock that governs the server, symlinks followed.
    pub lock: PathBuf,
    /// The server's name in it.
    pub server: String,
    /// The session of the gate.
    pub session: String,
    /// What the client calls itself; never for a screen without `show`.
    pub client: Option<String>,
    /// How much the client declares.
    pub kind: ClientKind,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// The offer, as it is kept.
    pub offer: Digest,
    /// The items that differ from what is approved and were not turned down.
    pub items: Vec<(ItemKey, What)>,
    /// Whether the session is over.
    pub ended: bool,
    /// Items of which another reading of the same server showed something else (`split-view`).
    pub split: Vec<ItemKey>,
}

/// What is the matter with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Never approved.
    New,
    /// Approved otherwise.
    Changed,
    /// Approved, and offered no more.
    Removed,
}

/// Why sightings cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum SightingsError {
    /// A file of them cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The offer cannot be kept.
    #[error(transparent)]
    Offers(#[from] OffersError),
}

impl From<FilesError> for SightingsError {
    fn from(error: FilesError) -> Self {
        StoreError::Files(error).into()
    }
}

impl SightingsError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            SightingsError::Store(error) => error.hint(),
            SightingsError::Offers(error) => error.hint(),
        }
    }
}

/// The sightings of this account.
#[derive(Clone, Debug)]
pub struct Sightings {
    folder: PathBuf,
    offers: Offers,
}

impl Sightings {
    /// Those in our directories; nothing is created before the first.
    pub fn of(paths: &Paths) -> Self {
        Self { folder: paths.offers_dir().join("seen"), offers: Offers::of(paths) }
    }

    /// Notes what a session saw, in place of what it saw before. The offer has to be kept already.
    pub fn note(&self, sighting: &Sighting) -> Result<(), SightingsError> {
        let before = self.read(&self.file(&sighting.lock, &sighting.server, &sighting.session))?;
        self.offers.hold(&sighting.offer)?;
        self.write(sighting)?;
        if let Some(before) = before.filter(|before| before.offer != sighting.offer) {
            self.release(&before.offer)?;
        }
        let mut others = self.of_server(&sighting.lock, &sighting.server)?;
        // The newest first, those of sessions that go on before the others.
        others.sort_by_key(|other| (other.ended, std::cmp::Reverse(other.at)));
        for old in others.get(MOST..).unwrap_or_default() {
            self.forget(old)?;
        }
        Ok(())
    }

    /// Notes that another reading showed something else of these items.
    pub fn note_split(&self, sighting: &Sighting, split: &[ItemKey]) -> Result<(), SightingsError> {
        self.write(&Sighting { split: split.to_vec(), ..sighting.clone() })
    }

    /// A session saw everything as approved: its own sighting goes, and those of earlier sessions of
    /// the same client.
    pub fn clear(
        &self,
        lock: &Path,
        server: &str,
        session: &str,
        client: Option<&str>,
    ) -> Result<(), SightingsError> {
        for seen in self.of_server(lock, server)? {
            let is_earlier = seen.ended && client.is_some() && seen.client.as_deref() == client;
            if seen.session == session || is_earlier {
                self.forget(&seen)?;
            }
        }
        Ok(())
    }

    /// A session is over; what it saw last stays to be reviewed.
    pub fn end(&self, lock: &Path, server: &str, session: &str) -> Result<(), SightingsError> {
        match self.read(&self.file(lock, server, session))? {
            Some(seen) => self.write(&Sighting { ended: true, ..seen }),
            None => Ok(()),
        }
    }

    /// What was seen of a server, the newest first.
    pub fn open(&self, lock: &Path, server: &str, now: u64) -> Result<Vec<Sighting>, SightingsError> {
        let mut seen = self.of_server(lock, server)?;
        for old in seen.extract_if(.., |seen| seen.ended && now.saturating_sub(seen.at) > LASTS) {
            self.forget(&old)?;
        }
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.at));
        Ok(seen)
    }

    /// Whether anything may be kept of a server; looks at names only.
    pub fn is_any(&self, lock: &Path, server: &str) -> bool {
        !self.files(&prefix(lock, server)).is_empty()
    }

    /// The bytes that a sighting names; `None` if they are not kept any more.
    pub fn bytes(&self, sighting: &Sighting) -> Result<Option<Vec<u8>>, SightingsError> {
        Ok(self.offers.get(Tag::Offer, &sighting.offer)?)
    }

    /// Lets a sighting go: it was decided on, or is no more.
    pub fn forget(&self, sighting: &Sighting) -> Result<(), SightingsError> {
        files::remove(&self.file(&sighting.lock, &sighting.server, &sighting.session))?;
        self.release(&sighting.offer)
    }

    /// Ends the hold on an offer, unless another sighting names it too.
    fn release(&self, offer: &Digest) -> Result<(), SightingsError> {
        for file in self.files("") {
            if self.read(&file)?.is_some_and(|other| other.offer == *offer) {
                return Ok(());
            }
        }
        Ok(self.offers.release(offer)?)
    }

    fn of_server(&self, lock: &Path, server: &str) -> Result<Vec<Sighting>, SightingsError> {
        let mut found = Vec::new();
        for file in self.files(&prefix(lock, server)) {
            found.extend(self.read(&file)?.filter(|seen| seen.lock == lock && seen.server == server));
        }
        Ok(found)
    }

    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let is_one = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".json")
        };
        entries.flatten().map(|entry| entry.path()).filter(is_one).collect()
    }

    fn file(&self, lock: &Path, server: &str, session: &str) -> PathBuf {
        let session = short(session.as_bytes());
        self.folder.join(format!("{}-{session}.json", prefix(lock, server)))
    }

    fn write(&self, sighting: &Sighting) -> Result<(), SightingsError> {
        let file = self.file(&sighting.lock, &sighting.server, &sighting.session);
        Ok(format::save(&file, VERSION, object(sighting)?)?)
    }

    fn read(&self, file: &Path) -> Result<Option<Sighting>, SightingsError> {
        let Some(mut reader) = format::open(file, VERSION)? else { return Ok(None) };
        let mut items = Vec::new();
        for mut entry in reader.list("items")? {
            let what = match entry.text("what")?.as_str() {
                "new" => What::New,
                "changed" => What::Changed,
                "removed" => What::Removed,
                _ => return Err(entry.damaged("what", "\"new\", \"changed\" or \"removed\"").into()),
            };
            items.push((key(&mut entry)?, what));
        }
        let mut split = Vec::new();
        for mut entry in reader.list("split")? {
            split.push(key(&mut entry)?);
        }
        let kind = match reader.text("declares")?.as_str() {
            "nothing" => ClientKind::Empty,
            "some" => ClientKind::Partial,
            "all" => ClientKind::Full,
            _ => return Err(reader.damaged("declares", "\"nothing\", \"some\" or \"all\"").into()),
        };
        Ok(Some(Sighting {
            lock: PathBuf::from(reader.text("lock")?),
            server: reader.text("server")?,
            session: reader.text("session")?,
            client: reader.text_or_none("client")?,
            kind,
            at: reader.count("at")?,
            offer: reader.digest("offer")?,
            items,
            ended: reader.truth("ended")?,
            split,
        }))
    }
}

fn object(sighting: &Sighting) -> Result<Object, StoreError> {
    let mut out = Object::new();
    out.insert("lock", path_text(&sighting.lock)?);
    out.insert("server", sighting.server.as_str());
    out.insert("session", sighting.session.as_str());
    if let Some(client) = &sighting.client {
        out.insert("client", client.as_str());
    }
    let declares = match sighting.kind {
        ClientKind::Empty => "nothing",
        ClientKind::Partial => "some",
        ClientKind::Full => "all",
    };
    out.insert("declares", declares);
    out.insert("at", count(sighting.at));
    out.insert("offer", sighting.offer.to_string());
    let item = |(key, what): &(ItemKey, What)| {
        let mut entry = named(key);
        let what = match what {
            What::New => "new",
            What::Changed => "changed",
            What::Removed => "removed",
        };
        entry.insert("what", what);
        Value::Object(entry)
    };
    out.insert("items", sighting.items.iter().map(item).collect::<Vec<Value>>());
    out.insert("ended", sighting.ended);
    let split = sighting.split.iter().map(|key| Value::Object(named(key)));
    out.insert("split", split.collect::<Vec<Value>>());
    Ok(out)
}

fn named(key: &ItemKey) -> Object {
    [("kind", key.kind.key()), ("name", key.name.as_str())].into_iter().collect()
}

fn key(entry: &mut Reader<'_>) -> Result<ItemKey, StoreError> {
    let kind: Kind = entry.parsed("kind", "a kind of item")?;
    Ok(ItemKey::new(kind, entry.text("name")?))
}

/// What the names of all files of one server begin with.
fn prefix(lock: &Path, server: &str) -> String {
    short(&[lock.to_string_lossy().as_bytes(), b"\0", server.as_bytes()].concat())
}

fn short(bytes: &[u8]) -> String {
    Digest::of_bytes(Tag::Offer, bytes).to_string().chars().skip("blake3:".len()).take(16).collect()
}

#[cfg(test)]
#[path = "sightings_tests.rs"]
mod tests;
