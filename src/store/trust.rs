//! The trust store: what this person accepted on this machine.
//!
//! One private file, `trust.json`. Trust in a lock is bound to its path and to the digest of its raw
//! bytes; only the newest content of a path counts. What the person rejected or revoked outranks
//! every trusted lock. Approvals that end (once, until a date) live here and never enter a lock. The
//! random key of this machine, under which masked values are compared, lives here too.
//!
//! Promises: a store that cannot be read entirely is an error, never taken for an empty one. Does not
//! ask anybody anything, and is changed by [`super::decide`] and [`update`] only.

mod brought;
mod change;
mod file;
mod witness;

use super::format::StoreError;
use crate::engine::approval::{Level, Lifetime};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::Object;
use crate::engine::lockfile::{Definition, Lockfile, Pin};
use crate::engine::surface::ItemKey;
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(in crate::store) use brought::save;
pub use brought::{is_own, may_be_brought};
pub use witness::is_as_written;

/// Keyed digests of the masked values of one server, by place.
pub type Values = BTreeMap<String, Digest>;

/// Everything this person accepted on this machine.
#[derive(Clone, PartialEq)]
pub struct Trust {
    /// How firmly a decision has to be answered for; sticky.
    pub level: Level,
    /// Whether a lock may bring its own trust: `--trust-lock`, and a moved `MCPWATCH_HOME`.
    pub allows_brought: bool,
    key: [u8; 32],
    locks: BTreeMap<PathBuf, Trusted>,
    denials: Vec<Denial>,
    grants: Vec<Grant>,
    values: BTreeMap<PathBuf, BTreeMap<String, Values>>,
    accepted: BTreeMap<String, Digest>,
    /// The last line of the log when this was saved.
    logged: Option<(u64, Digest)>,
    unknown: Object,
}

/// The trusted content of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The digest of the lock's raw bytes. They are kept among the offers.
    pub digest: Digest,
    /// The content before, until the new one is on disk: trust is written before the lock.
    pub replaces: Option<Digest>,
    /// When it was trusted, in Unix milliseconds.
    pub at: u64,
    /// How firmly it was answered for.
    pub level: Level,
}

/// How a lock's content stands with this person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "only `Trusted` may be obeyed"]
pub enum Standing {
    /// It is the newest content that was trusted at this path.
    Trusted,
    /// Another content was trusted here; this one arrived by other means.
    Changed {
        /// What was trusted, to show what changed in it.
        trusted: Digest,
    },
    /// Nothing was ever trusted at this path.
    Never,
}

/// What a refusal is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An item.
    Item(ItemKey),
    /// The launch.
    Launch,
    /// The artifact on a platform.
    Artifact(String),
}

/// A refusal that outranks every trusted lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The server's name.
    pub server: String,
    /// What is refused.
    pub subject: Subject,
    /// Exactly which definition, launch or artifact.
    pub digest: Digest,
    /// Whether it was never approved, or once was.
    pub how: Denied,
    /// When, in Unix milliseconds.
    pub at: u64,
}

/// The two ways of refusing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Seen and turned down.
    Rejected,
    /// Approved before, and taken back.
    Revoked,
}

/// An approval that ends; the lock does not know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The lock in whose place it stands.
    pub lock: PathBuf,
    /// The server's name.
    pub server: String,
    /// The item.
    pub key: ItemKey,
    /// What was approved.
    pub definition: Definition,
    /// How long; never [`Lifetime::UntilChange`], which is a lock's.
    pub lifetime: Lifetime,
    /// The session of the gate that uses an approval for one session, once one does.
    pub session: Option<String>,
    /// When, in Unix milliseconds.
    pub at: u64,
}

/// What an approval that ends is measured by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The civil date here and now, `YYYY-MM-DD`.
    pub today: &'a str,
    /// The session of the gate that asks; without one, approvals for one session do not count.
    pub session: Option<&'a str>,
}

/// Loads the trust store; `None` if this person has none yet.
pub fn load(paths: &Paths) -> Result<Option<Trust>, StoreError> {
    file::load(&paths.trust_file())
}

/// Changes the trust store, creating it if there is none; a second mcpwatch waits.
///
/// For what is no decision about a lock (those go through [`super::decide`]): a session takes up an
/// approval, a level is enrolled.
pub fn update<T>(paths: &Paths, change: impl FnOnce(&mut Trust) -> T) -> Result<T, StoreError> {
    let file = paths.trust_file();
    let _guard = files::guard(&paths.guards_dir(), &file, files::WAIT)?;
    let mut trust = match file::load(&file)? {
        Some(trust) => trust,
        None => Trust::new()?,
    };
    let before = trust.clone();
    let answer = change(&mut trust);
    if trust != before || !file.exists() {
        save(paths, &trust)?;
    }
    Ok(answer)
}

impl Trust {
    /// An empty store with a fresh key.
    pub fn new() -> Result<Self, StoreError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| StoreError::NoRandom(error.to_string()))?;
        Ok(Self::with_key(key))
    }

    /// An empty store with a given key; for tests.
    pub fn with_key(key: [u8; 32]) -> Self {
        Self {
            level: Level::Terminal,
            allows_brought: false,
            key,
            locks: BTreeMap::new(),
            denials: Vec::new(),
            grants: Vec::new(),
            values: BTreeMap::new(),
            accepted: BTreeMap::new(),
            logged: None,
            unknown: Object::new(),
        }
    }

    /// How a lock's content stands; `path` with symlinks followed, as [`super::locks::Loaded`] has it.
    pub fn standing(&self, path: &Path, digest: &Digest) -> Standing {
        match self.locks.get(path) {
            None => Standing::Never,
            Some(trusted) if trusted.digest == *digest => Standing::Trusted,
            // The lock was not written yet when we were interrupted: the old one was trusted as well.
            Some(trusted) if trusted.replaces.as_ref() == Some(digest) => Standing::Trusted,
            Some(trusted) => Standing::Changed { trusted: trusted.digest },
        }
    }

    /// The paths that were ever trusted, with their newest content.
    pub fn locks(&self) -> impl Iterator<Item = (&Path, &Trusted)> {
        self.locks.iter().map(|(path, trusted)| (path.as_path(), trusted))
    }

    /// The refusal of exactly this, if there is one.
    pub fn denial(&self, server: &str, subject: &Subject, digest: &Digest) -> Option<&Denial> {
        self.denials.iter().find(|denial| denial.is_of(server, subject) && denial.digest == *digest)
    }

    /// All refusals.
    pub fn denials(&self) -> &[Denial] {
        &self.denials
    }

    /// All approvals that end.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// A trusted lock as it counts for this person now: what was refused is gone, what was approved
    /// for a time stands in its item's place.
    pub fn effective(&self, path: &Path, mut lockfile: Lockfile, moment: &Moment<'_>) -> Lockfile {
        for grant in self.grants.iter().filter(|grant| grant.lock == path && grant.holds(moment)) {
            if let Some(server) = lockfile.servers.get_mut(&grant.server) {
                let empty = || Pin { definitions: Vec::new() };
                server.items.entry(grant.key.clone()).or_insert_with(empty).set(grant.definition.clone());
            }
        }
        for denial in &self.denials {
            let Subject::Item(key) = &denial.subject else { continue };
            let Some(server) = lockfile.servers.get_mut(&denial.server) else { continue };
            let Some(pin) = server.items.get_mut(key) else { continue };
            pin.definitions.retain(|definition| definition.digest != denial.digest);
            if pin.definitions.is_empty() {
                server.items.remove(key);
            }
        }
        lockfile
    }

    /// Gives the approvals for one session that nobody uses yet to this session.
    pub fn claim(&mut self, path: &Path, server: &str, session: &str) {
        let free = |grant: &&mut Grant| {
            grant.lifetime == Lifetime::Once && grant.session.is_none() && grant.is_at(path, server)
        };
        for grant in self.grants.iter_mut().filter(free) {
            grant.session = Some(session.to_owned());
        }
    }

    /// The digest of a value that must not be guessed, under this machine's key.
    pub fn keyed(&self, tag: Tag, value: &[u8]) -> Digest {
        Digest::keyed(&self.key, tag, value)
    }

    /// Keyed digests of masked values, as `launchpin::masked_values` gives them with their places.
    pub fn keyed_values(&self, raw: &[(String, String)]) -> Values {
        let keyed = |(place, value): &(String, String)| {
            // The place is part of it, so that swapped values differ and equal values do not show.
            let bytes = [place.as_bytes(), b"\0", value.as_bytes()].concat();
            (place.clone(), self.keyed(Tag::Launch, &bytes))
        };
        raw.iter().map(keyed).collect()
    }

    /// The keyed digests of a server's masked values, as they were when its launch was approved.
    pub fn values(&self, path: &Path, server: &str) -> Option<&Values> {
        self.values.get(path)?.get(server)
    }

    /// The last line of the log when this store was saved, by number and link.
    pub fn logged(&self) -> Option<(u64, Digest)> {
        self.logged
    }

    /// What was accepted under a name of ours (weakened settings, for one).
    pub fn accepted(&self, what: &str) -> Option<Digest> {
        self.accepted.get(what).copied()
    }

    /// Accepts something under a name of ours.
    pub fn accept(&mut self, what: &str, digest: Digest) {
        self.accepted.insert(what.to_owned(), digest);
    }
}

impl Denial {
    fn is_of(&self, server: &str, subject: &Subject) -> bool {
        self.server == server && self.subject == *subject
    }
}

impl Grant {
    /// Whether it counts at that moment.
    pub fn holds(&self, moment: &Moment<'_>) -> bool {
        match &self.lifetime {
            Lifetime::Until(_) => self.lifetime.holds_on(moment.today),
            Lifetime::Once => match (&self.session, moment.session) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(own), Some(asking)) => own == asking,
            },
            Lifetime::UntilChange => false,
        }
    }

    fn is_at(&self, path: &Path, server: &str) -> bool {
        self.lock == path && self.server == server
    }
}

impl std::fmt::Debug for Trust {
    /// Never shows the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust")
            .field("level", &self.level)
            .field("locks", &self.locks)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
