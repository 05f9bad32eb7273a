//! Comparing what was seen of a server with its pin.
//!
//! Promises: a server is *as pinned* only if it was read whole and nothing that a person would have
//! to decide differs; what is no decision by itself (the version a server says it has, that an artifact
//! cannot be seen today) is told and does not count. Pure.

use super::pins::{self, Draft, Echo};
use super::reading::{Failure, Shown};
use super::sighted::Seen;
use crate::discover::Unresolved;
use crate::engine::diff::{self, Cause, ChangeSet, Context, View};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{Object, Value};
use crate::engine::launchpin::{self, Artifact, ArtifactChange, Launch, LaunchChange};
use crate::engine::lockfile::ServerPin;
use crate::engine::surface::{ItemKey, Kind, Surface};

/// How one server stands.
pub enum Outcome {
    /// Nothing differs that has to be decided.
    AsPinned(Box<Change>),
    /// Something has to be decided.
    Changed(Box<Change>),
    /// It was read, and nothing is pinned of it.
    NotPinned(Box<New>),
    /// It could not be read or not be judged.
    Failed(Failure),
    /// It may not be started.
    NotStarted(Unresolved),
    /// Every client is told not to start it.
    Disabled,
}

/// A server that differs from its pin, or hardly.
pub struct Change {
    /// What differs in its launch.
    pub launch: Vec<LaunchChange>,
    /// Places of its launch whose masked values are others than when it was approved here.
    pub values: Vec<String>,
    /// What differs in what it runs.
    pub artifact: Vec<ArtifactChange>,
    /// What differs in what it shows, as a capable client sees it.
    pub full: ChangeSet,
    /// What differs beyond that for clients without capabilities.
    pub empty: Option<ChangeSet>,
    /// What a gate saw that stands in the place of what was read.
    pub seen: Option<Seen>,
    /// What is left to look at, where other sessions of a gate saw something else again.
    pub rest: Option<Rest>,
    /// The digest of everything that was seen.
    pub offer: Digest,
    /// What was seen.
    pub shown: Shown,
}

/// What other sessions of a gate are laid over, one after the other.
#[derive(Clone)]
pub struct Rest {
    /// What the reading gave by itself.
    pub base: Base,
    /// The gates' offers that were looked at.
    pub passed: Vec<Digest>,
}

/// What a reading gave by itself.
#[derive(Clone)]
pub enum Base {
    /// Everything that the server showed.
    Read(Box<Shown>),
    /// Nothing, of this launch.
    Unread(Launch, Failure),
}

/// A server that is not pinned yet.
pub struct New {
    /// What it shows, as additions to nothing.
    pub full: ChangeSet,
    /// The pin it would get.
    pub draft: Result<Draft, Echo>,
    /// The digest of everything that was seen.
    pub offer: Digest,
    /// What was seen.
    pub shown: Shown,
}

/// Compares what was seen with a pin. `changed_values` names the masked places of the launch that
/// hold other values than when they were approved on this machine.
pub fn change(pin: &ServerPin, shown: Shown, platform: &str, changed_values: Vec<String>) -> Change {
    let launch = launchpin::compare(&pin.launch, &shown.launch);
    let pinned = pin.artifacts.get(platform).or_else(|| pin.artifacts.get("any"));
    let artifact = pinned.map(|old| launchpin::compare_artifacts(old, &shown.artifact)).unwrap_or_default();
    let cause = cause(&launch, &artifact, pinned);
    let offered = with_requests(pin, &shown.full);
    let context =
        |view| Context { machine: &shown.machine, view, platform: platform.to_owned(), cause: cause.clone() };
    let full = diff::compare(pin, &offered, &context(View::Full));
    let empty = shown.empty.as_ref().and_then(|empty| {
        let set = diff::compare(pin, &with_requests(pin, empty), &context(View::Empty));
        let is_new = |change: &&diff::Change| full.change(&change.key) != Some(change);
        let keys: Vec<&ItemKey> = set.changes.iter().filter(is_new).map(|change| &change.key).collect();
        if keys.is_empty() {
            return None;
        }
        let (pin, empty) = only(pin, empty, &keys);
        Some(diff::compare(&pin, &empty, &context(View::Empty)))
    });
    let offer = offer(&shown);
    Change { launch, values: changed_values, artifact, full, empty, seen: None, rest: None, offer, shown }
}

/// What is seen of a server that is not pinned.
pub fn new(shown: Shown, platform: &str) -> New {
    let nothing = ServerPin::new(shown.launch.clone(), shown.protocol.clone());
    let context = Context {
        machine: &shown.machine,
        view: View::Full,
        platform: platform.to_owned(),
        cause: Cause::Unknown,
    };
    let full = diff::compare(&nothing, &shown.full, &context);
    let draft = pins::draft(&shown);
    New { full, draft, offer: offer(&shown), shown }
}

impl Change {
    /// Whether a person has to decide something.
    pub fn waits(&self) -> bool {
        let surface = self.full.interrupts() || self.empty.as_ref().is_some_and(ChangeSet::interrupts);
        surface || !self.launch.is_empty() || !self.values.is_empty() || self.artifact.iter().any(asks)
    }

    /// The outcome it comes to.
    pub fn outcome(self) -> Outcome {
        if self.waits() { Outcome::Changed(Box::new(self)) } else { Outcome::AsPinned(Box::new(self)) }
    }
}

/// Whether a difference of what runs is a question of a review. Other dependencies are: the package's
/// own files can be equal while what they load is another's. Where they differ between systems they are
/// pinned apart, so a difference here is one of the same system.
pub fn asks(change: &ArtifactChange) -> bool {
    decides(change) || matches!(change, ArtifactChange::Dependencies(_))
}

/// Whether a difference of what runs stops a start before anybody was asked. Dependencies alone float
/// on honest machines with every installation, so they are left to the next review, and an artifact that
/// cannot be seen today is said and not held against the server.
pub fn decides(change: &ArtifactChange) -> bool {
    match change {
        ArtifactChange::Version { .. }
        | ArtifactChange::Files { .. }
        | ArtifactChange::Content { .. }
        | ArtifactChange::Path { .. }
        | ArtifactChange::Other { .. } => true,
        ArtifactChange::Dependencies(_) | ArtifactChange::Unseen(_) | ArtifactChange::Floating(_) => false,
    }
}

fn cause(launch: &[LaunchChange], artifact: &[ArtifactChange], pinned: Option<&Artifact>) -> Cause {
    // A launch that asks for another version of the same package is an upgrade; it is shown beside it.
    let upgrade = artifact.iter().find_map(|change| match change {
        ArtifactChange::Version { from, to, .. } => Some((from.clone(), to.clone())),
        _ => None,
    });
    match (upgrade, pinned) {
        (Some((from, to)), _) => Cause::Upgrade { from, to },
        (None, _) if !launch.is_empty() => Cause::LaunchChanged,
        (None, None | Some(Artifact::Remote | Artifact::Unknown(_))) => Cause::Unknown,
        (None, Some(_)) if artifact.iter().any(|change| matches!(change, ArtifactChange::Unseen(_))) => {
            Cause::Unknown
        }
        (None, Some(_)) if artifact.is_empty() => Cause::NothingUpgraded,
        (None, Some(_)) => Cause::ArtifactChanged,
    }
}

/// The surface with the pinned kinds of request in it: that a server did not happen to send one while
/// it was read says nothing.
fn with_requests(pin: &ServerPin, surface: &Surface) -> Surface {
    let mut surface = surface.clone();
    for key in pin.items.keys().filter(|key| key.kind == Kind::Request) {
        if surface.get(key).is_none() {
            surface.add(key.clone(), Value::Bool(true));
        }
    }
    surface
}

/// Pin and surface with these items alone.
fn only(pin: &ServerPin, surface: &Surface, keys: &[&ItemKey]) -> (ServerPin, Surface) {
    let mut pin = pin.clone();
    pin.items.retain(|key, _| keys.contains(&key));
    let mut few = Surface::new(surface.protocol.clone());
    for (key, value) in surface.items().filter(|(key, _)| keys.contains(key)) {
        few.add(key.clone(), value.clone());
    }
    (pin, few)
}

/// The bytes of everything that was seen, in one canonical form: what an approval names.
pub fn offer_value(shown: &Shown) -> Value {
    let mut offer = Object::new();
    offer.insert("launch", shown.launch.to_value());
    offer.insert("artifact", shown.artifact.to_value());
    offer.insert("full", shown.full.to_value());
    if let Some(empty) = &shown.empty {
        offer.insert("empty", empty.to_value());
    }
    Value::Object(offer)
}

fn offer(shown: &Shown) -> Digest {
    Digest::of(Tag::Offer, &offer_value(shown))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
