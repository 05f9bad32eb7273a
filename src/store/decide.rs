//! The one writer of decisions: from what a person (or a script) decided to lock and trust store.
//!
//! Promises: an approval changes the lock it was reviewed against and no other; nothing is added to a
//! lock whose present content this person does not trust; the level in force is never lowered; trust
//! is written before the lock and the old content pruned after, so that a crash at any point leaves a
//! lock that is trusted; a secret that a server echoed stops the write. A script's decision changes
//! the lock and gives no trust, and never takes back a refusal.
//!
//! Does not ask, show or log anything: `survey` does, with the answer of [`decide`].

mod apply;

use super::format::StoreError;
use super::locks::{self, LocksError};
use super::offers::{Offers, OffersError};
use super::trust::{self, Standing, Subject, Trust};
use crate::engine::approval::{self, Level, Lifetime};
use crate::engine::digest::{Digest, Tag};
use crate::engine::launchpin::{Artifact, LaunchPin};
use crate::engine::lockfile::{self, Echo, Lockfile, Pin, ServerPin};
use crate::engine::secret::Known;
use crate::engine::surface::{ItemKey, Kind};
use crate::sys::files::{self, FilesError};
use crate::sys::paths::Paths;
use std::path::{Path, PathBuf};

/// Masked values of a launch with their places, as `launchpin::masked_values` gives them.
pub type RawValues = Vec<(String, String)>;

/// One decision. Definitions come from the offer that was displayed.
///
/// Keys of items that are pinned are those of the lock ([`ServerPin::key_for`] finds them); of others
/// as offered.
#[derive(Clone)]
pub enum Act {
    /// Takes in a server, whole.
    Add {
        /// Its name in the lock.
        server: String,
        /// Everything that was approved of it.
        pin: ServerPin,
        /// What its launch masks.
        values: RawValues,
    },
    /// Lets a server go.
    Remove {
        /// Its name.
        server: String,
    },
    /// Approves an item, replacing what was pinned of it.
    Approve {
        /// The server's name.
        server: String,
        /// The item.
        key: ItemKey,
        /// Its definitions; those of other platforms and clients have to be among them.
        pin: Pin,
        /// The offer that was displayed, which has to be kept still.
        offer: Digest,
        /// For how long.
        lifetime: Lifetime,
    },
    /// Approves that an item is gone.
    Drop {
        /// The server's name.
        server: String,
        /// The item.
        key: ItemKey,
    },
    /// Approves another launch.
    Launch {
        /// The server's name.
        server: String,
        /// The launch.
        launch: LaunchPin,
        /// What it masks.
        values: RawValues,
    },
    /// Approves an artifact on a platform; `any` replaces those of all platforms.
    Artifact {
        /// The server's name.
        server: String,
        /// The platform, or `any`.
        platform: String,
        /// The artifact.
        artifact: Artifact,
    },
    /// Notes the protocol version that a server speaks now; no approval by itself.
    Protocol {
        /// The server's name.
        server: String,
        /// The version.
        protocol: String,
    },
    /// Declares a list open, or closed again.
    Open {
        /// The server's name.
        server: String,
        /// The kind; only resources can be open.
        kind: Kind,
        /// Whether it is open from now on.
        open: bool,
    },
    /// Turns down what is offered.
    Reject {
        /// The server's name.
        server: String,
        /// What.
        subject: Subject,
        /// Exactly which: of an item the digest as offered (and in a second act that of the definition
        /// as it would be pinned, where placeholders make it another), [`launch_digest`] or
        /// [`artifact_digest`].
        digest: Digest,
    },
    /// Takes back an approval: the pin leaves the lock, and its definitions are refused from now on.
    Revoke {
        /// The server's name.
        server: String,
        /// The item; `None` for the server with everything it shows.
        key: Option<ItemKey>,
    },
    /// Trusts the lock as it is, after its reader saw what changed in it.
    Trust {
        /// What the launches of its servers mask on this machine, by server.
        values: Vec<(String, RawValues)>,
    },
    /// Takes back the trust in the lock, whatever it holds.
    Distrust,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person who answered at this level, where the policy demands at least `floor`.
    Person {
        /// The level of the answer.
        level: Level,
        /// The least that the policy allows.
        floor: Option<Level>,
    },
    /// A script (`--yes`, `--expect`): the lock is written and nothing is trusted.
    Script,
}

/// Decisions about one lock.
pub struct Request<'a> {
    /// The lock.
    pub lock: &'a Path,
    /// The digest of the lock's bytes that the review was made against; `None`: there was no lock.
    pub base: Option<Digest>,
    /// The decisions, in order.
    pub acts: Vec<Act>,
    /// Who decided.
    pub by: By,
    /// Secrets that must not be written.
    pub secrets: &'a Known,
    /// Now, in Unix milliseconds.
    pub now: u64,
    /// The civil date here and now, `YYYY-MM-DD`.
    pub today: &'a str,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The lock, symlinks followed.
    pub lock: PathBuf,
    /// The digest of its bytes now; `None` if there is no lock.
    pub digest: Option<Digest>,
    /// Whether it was written.
    pub written: bool,
    /// Whether this person trusts it now.
    pub trusted: bool,
}

/// Why nothing was decided; lock and trust store are as they were.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The trust store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock cannot be used.
    #[error(transparent)]
    Locks(#[from] LocksError),
    /// The lock's trusted content could not be kept.
    #[error(transparent)]
    Offers(#[from] OffersError),
    /// The lock is not what the review was made against.
    #[error("{} has changed since it was reviewed", .0.display())]
    Stale(PathBuf),
    /// Nobody on this machine trusts the lock as it is.
    #[error("{} is not trusted as it is", .0.display())]
    Untrusted(PathBuf),
    /// The answer was not firm enough.
    #[error("this decision needs the level `{needed}`, and was answered at `{given}`")]
    Level {
        /// What is enrolled, or what the policy demands.
        needed: Level,
        /// What was answered.
        given: Level,
    },
    /// A script asked for what only a person can give.
    #[error("{0} needs a person")]
    NeedsPerson(&'static str),
    /// There is nothing to trust.
    #[error("there is no lock {}", .0.display())]
    NoLock(PathBuf),
    /// No such server in the lock.
    #[error("{} has no such server", .0.display())]
    NoServer(PathBuf, String),
    /// No such item pinned.
    #[error("nothing of that name is pinned in {}", .0.display())]
    NoItem(PathBuf, ItemKey),
    /// The offer that was displayed is not kept any more.
    #[error("what was displayed is not kept any more")]
    NoOffer(Digest),
    /// A server echoes a secret in its own text.
    #[error("refusing to write {}: it would hold {echo}", path.display())]
    Secret {
        /// The lock.
        path: PathBuf,
        /// The secret's name and where it would stand.
        echo: Box<Echo>,
    },
}

impl From<FilesError> for DecideError {
    fn from(error: FilesError) -> Self {
        StoreError::Files(error).into()
    }
}

impl DecideError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            DecideError::Store(error) => return error.hint(),
            DecideError::Locks(error) => return error.hint(),
            DecideError::Offers(error) => return error.hint(),
            DecideError::Stale(_) | DecideError::NoOffer(_) => "Review it again (`mcpwatch approve`).",
            DecideError::Untrusted(_) => "Look at what changed in it, and accept it: `mcpwatch trust`.",
            DecideError::Level { .. } => {
                "Run the command where that level can be answered; `mcpwatch status` says what is missing."
            }
            DecideError::NoLock(_) => "`mcpwatch init` makes one.",
            DecideError::NeedsPerson(_) => "Run the command in a terminal.",
            DecideError::NoServer(..) | DecideError::NoItem(..) => "`mcpwatch status` lists what is pinned.",
            DecideError::Secret { .. } => {
                "The server repeats a secret that it was given. Report it to its author, and give it \
                 another secret; it cannot be pinned as it is."
            }
        }
        .to_owned()
    }
}

/// Carries decisions out. All of them, or none.
pub fn decide(paths: &Paths, request: Request<'_>) -> Result<Decided, DecideError> {
    let path = files::resolve(request.lock);
    let _lock_guard = files::guard(&paths.guards_dir(), &path, files::WAIT)?;
    let _trust_guard = files::guard(&paths.guards_dir(), &paths.trust_file(), files::WAIT)?;
    let loaded = locks::load(&path)?;
    let digest = loaded.as_ref().map(|loaded| loaded.digest);
    if digest != request.base {
        return Err(DecideError::Stale(request.lock.to_owned()));
    }
    let stored = trust::load(paths)?;
    let person = match request.by {
        By::Script => None,
        By::Person { level, floor } => {
            let trust = stored.clone().map_or_else(Trust::new, Ok)?;
            let needed = approval::needed(trust.level, floor);
            // Refusing needs no means that could be missing.
            let refuses = |act: &Act| matches!(act, Act::Reject { .. } | Act::Revoke { .. } | Act::Distrust);
            if level < needed && !request.acts.iter().all(refuses) {
                return Err(DecideError::Level { needed, given: level });
            }
            Some((trust, level))
        }
    };
    let mut work = apply::Work {
        path: &path,
        lockfile: loaded.as_ref().map_or_else(Lockfile::default, |loaded| loaded.lockfile.clone()),
        trust: person,
        stored,
        trusts: false,
        request: &request,
    };
    if let Some(loaded) = &loaded {
        work.check_standing(loaded)?;
    }
    let offers = Offers::of(paths);
    for act in &request.acts {
        if let Act::Approve { offer, .. } = act {
            offers.get(Tag::Offer, offer)?.ok_or(DecideError::NoOffer(*offer))?;
        }
        work.act(act)?;
    }
    if let Some(echo) = lockfile::find_secret(&work.lockfile, request.secrets) {
        return Err(DecideError::Secret { path, echo: Box::new(echo) });
    }
    work.finish(paths, loaded)
}

/// Renders a lock anew (`mcpwatch fmt`). It says what it said before, so trust in it goes along.
pub fn format(paths: &Paths, lock: &Path, now: u64) -> Result<Decided, DecideError> {
    let path = files::resolve(lock);
    let _lock_guard = files::guard(&paths.guards_dir(), &path, files::WAIT)?;
    let _trust_guard = files::guard(&paths.guards_dir(), &paths.trust_file(), files::WAIT)?;
    let loaded = locks::load(&path)?.ok_or_else(|| DecideError::NoLock(lock.to_owned()))?;
    let bytes = locks::render(&path, &loaded.lockfile)?;
    let digest = locks::digest(&bytes);
    let mut trust = trust::load(paths)?;
    let trusted =
        trust.as_ref().is_some_and(|trust| trust.standing(&path, &loaded.digest) == Standing::Trusted);
    let decided =
        Decided { lock: path.clone(), digest: Some(digest), written: bytes != loaded.bytes, trusted };
    if !decided.written {
        return Ok(decided);
    }
    if let (true, Some(trust)) = (trusted, &mut trust) {
        Offers::of(paths).put_lock(&bytes)?;
        let level = trust.level;
        trust.trust(&path, digest, Some(loaded.digest), level, now);
        trust::save(paths, trust)?;
    }
    locks::save(&path, Some(&loaded), &bytes)?;
    if let (true, Some(trust)) = (trusted, &mut trust) {
        trust.settle(&path, Some(&digest));
        trust::save(paths, trust)?;
        apply::release(paths, trust, &loaded.digest);
    }
    Ok(decided)
}

/// The lock as it was trusted, to show what changed in one that arrived otherwise
/// ([`Standing::Changed`] names the digest); `None` if it is not kept any more.
pub fn trusted_lock(paths: &Paths, trusted: &Digest) -> Result<Option<Lockfile>, DecideError> {
    let Some(bytes) = Offers::of(paths).get(Tag::Lock, trusted)? else { return Ok(None) };
    let error = |error| LocksError::Lock { path: paths.offers_dir(), error: Box::new(error) };
    Ok(Some(lockfile::parse_bytes(&bytes).map_err(error)?))
}

/// The digest that a refusal of a launch names.
pub fn launch_digest(launch: &LaunchPin) -> Digest {
    Digest::of(Tag::Launch, &launch.to_value())
}

/// The digest that a refusal of an artifact names.
pub fn artifact_digest(artifact: &Artifact) -> Digest {
    Digest::of(Tag::Artifact, &artifact.to_value())
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
