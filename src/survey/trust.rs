//! A lock that this person has not trusted as it is: what it holds, and what changed in it.
//!
//! Promises: what changed is told with the same grouped review as a change of a server; nothing is
//! started for it. Trust itself is given by [`super::decide`].

use super::locks::LockUse;
use super::plan::{Plan, Server};
use super::{Ground, SurveyError, machine, pins, values};
use crate::engine::diff::{self, Cause, ChangeSet, Context, View};
use crate::engine::digest::Tag;
use crate::engine::launchpin::{self, Artifact, ArtifactChange, LaunchChange};
use crate::engine::lockfile::{self, Lockfile, ServerPin};
use crate::engine::placeholder::{self, Machine};
use crate::engine::surface::Surface;
use crate::store::decide::RawValues;
use crate::store::offers::Offers;
use crate::store::trust::Standing;
use std::path::Path;

/// What changed of one server between two locks.
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub what: What,
}

/// What happened to a server.
pub enum What {
    /// It is new.
    Added(ServerPin),
    /// It is gone.
    Removed,
    /// It is pinned otherwise.
    Changed {
        /// Its launch.
        launch: Vec<LaunchChange>,
        /// What it runs.
        artifact: Vec<ArtifactChange>,
        /// What it shows.
        set: ChangeSet,
    },
}

/// The lock's content that was trusted last, if it is still kept.
pub fn trusted_before(lock: &LockUse, ground: &Ground) -> Result<Option<Lockfile>, SurveyError> {
    let Standing::Changed { trusted } = lock.standing else { return Ok(None) };
    let bytes = Offers::of(&ground.paths).get(Tag::Lock, &trusted)?;
    Ok(bytes.and_then(|bytes| lockfile::parse_bytes(&bytes).ok()))
}

/// What changed from one lock to another.
pub fn differences(before: &Lockfile, after: &Lockfile, folder: &Path) -> Vec<Difference> {
    let machine = machine::here(folder, &[]);
    let mut found = Vec::new();
    for (name, pin) in &after.servers {
        match before.servers.get(name) {
            None => found.push(Difference { name: name.clone(), what: What::Added(pin.clone()) }),
            Some(old) if old == pin => {}
            Some(old) => found.push(Difference { name: name.clone(), what: changed(old, pin, &machine) }),
        }
    }
    for name in before.servers.keys().filter(|name| !after.servers.contains_key(*name)) {
        found.push(Difference { name: name.clone(), what: What::Removed });
    }
    found
}

/// Everything that a pin holds, as additions to nothing.
pub fn whole(pin: &ServerPin, folder: &Path) -> ChangeSet {
    let machine = machine::here(folder, &[]);
    let nothing = ServerPin::new(pin.launch.clone(), pin.protocol.clone());
    diff::compare(&nothing, &surface(pin, &machine, View::Full), &context(&machine, View::Full))
}

/// What a pin stands for, as a server would show it here.
pub fn surface_of(pin: &ServerPin, folder: &Path) -> Surface {
    surface(pin, &machine::here(folder, &[]), View::Full)
}

/// The masked values of the launches that a lock governs here, for comparing later.
pub fn values(plan: &Plan, lock: usize) -> Vec<(String, RawValues)> {
    let raw = |server: &Server| {
        server.pin.as_ref()?;
        Some((server.name.clone(), values::of(server)))
    };
    plan.servers.iter().filter(|server| server.lock == lock).filter_map(raw).collect()
}

fn changed(old: &ServerPin, new: &ServerPin, machine: &Machine) -> What {
    let launch = launchpin::compare(&old.launch, &new.launch);
    let mut artifact = Vec::new();
    for (platform, after) in &new.artifacts {
        match old.artifacts.get(platform) {
            Some(before) => artifact.extend(launchpin::compare_artifacts(before, after)),
            None => artifact.push(ArtifactChange::Other { from: "nothing".to_owned(), to: words(after) }),
        }
    }
    let full = diff::compare(old, &surface(new, machine, View::Full), &context(machine, View::Full));
    let set = if full.is_empty() {
        diff::compare(old, &surface(new, machine, View::Empty), &context(machine, View::Empty))
    } else {
        full
    };
    What::Changed { launch, artifact, set }
}

fn words(artifact: &Artifact) -> String {
    artifact.describe()
}

fn context(machine: &Machine, view: View) -> Context<'_> {
    Context { machine, view, platform: pins::platform(), cause: Cause::Unknown }
}

fn surface(pin: &ServerPin, machine: &Machine, view: View) -> Surface {
    let mut surface = Surface::new(pin.protocol.clone());
    let context = context(machine, view);
    for (key, pin) in &pin.items {
        if let Some(definition) = diff::applicable(pin, &context).first() {
            surface.add(key.clone(), placeholder::fill(&definition.value, machine));
        }
    }
    surface
}
