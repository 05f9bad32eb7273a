//! What a launch runs, beside what is pinned of that.
//!
//! Promises: compared before anything is started and again before its first message counts; what was
//! pinned and cannot be seen is never taken for the same. Does not start anything.

use super::Pins;
use crate::engine::gate::Approval;
use crate::engine::launchpin::{self, Artifact, Launch};
use crate::ipc::message::Cause;
use crate::launch::{self, Platform, Resolved};
use crate::survey::{judge, target};

/// Whether what runs is what is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Runs {
    /// It is, or nothing is pinned of it.
    AsPinned,
    /// It is, but what it depends on is not: told, and stopped by nothing, because dependencies float on
    /// honest machines with every installation.
    Dependencies(String),
    /// It cannot be seen before it was started.
    Unseen,
    /// It is something else.
    Otherwise,
}

impl Pins {
    /// What to start: the launch as it stands, a floating package at its pinned version.
    pub fn start(&self, approval: &Approval) -> Launch {
        let Launch::Command(launch) = &self.asked.launch else { return self.asked.launch.clone() };
        let Some(artifact) = pinned_artifact(approval) else { return self.asked.launch.clone() };
        Launch::Command(launch::pinned_launch(launch, artifact))
    }

    /// Compares what a launch will run with what is pinned of it.
    pub fn will_run(&self, launch: &Launch, approval: &Approval) -> Runs {
        if *launch == self.asked.launch {
            return compare(pinned_artifact(approval), || self.before().artifact.clone());
        }
        self.runs(launch, approval)
    }

    /// Compares what a launch runs now with what is pinned of it.
    pub fn runs(&self, launch: &Launch, approval: &Approval) -> Runs {
        compare(pinned_artifact(approval), || {
            target::artifact_after(launch, &self.cwd, &self.digests).artifact
        })
    }

    /// What was read of files for a first comparison is not needed after the second.
    pub fn forget_digests(&self) {
        self.digests.forget();
    }

    pub(super) fn before(&self) -> &Resolved {
        self.before.get_or_init(|| target::artifact_after(&self.asked.launch, &self.cwd, &self.digests))
    }

    /// What a change of the surface comes from, given that what runs was compared.
    pub fn cause(&self, approval: &Approval, runs: &Runs) -> Cause {
        match (&self.asked.launch, pinned_artifact(approval), runs) {
            (Launch::Url(_), ..) => Cause::Remote,
            (
                _,
                Some(Artifact::Package { .. } | Artifact::Script { .. } | Artifact::Binary { .. }),
                Runs::AsPinned,
            ) => Cause::SameArtifact,
            (_, _, Runs::Otherwise | Runs::Dependencies(_)) => Cause::Upgrade,
            (_, _, Runs::AsPinned | Runs::Unseen) => Cause::Unknown,
        }
    }
}

fn compare(pinned: Option<&Artifact>, now: impl FnOnce() -> Artifact) -> Runs {
    let Some(pinned) = pinned else { return Runs::AsPinned };
    if matches!(pinned, Artifact::Remote | Artifact::Unknown(_)) {
        return Runs::AsPinned;
    }
    let now = now();
    if matches!(now, Artifact::Unknown(_)) {
        return Runs::Unseen;
    }
    let changes = launchpin::compare_artifacts(pinned, &now);
    if changes.iter().any(judge::decides) {
        return Runs::Otherwise;
    }
    let asks = changes.iter().find(|change| judge::asks(change));
    asks.map_or(Runs::AsPinned, |change| Runs::Dependencies(change.to_string()))
}

fn pinned_artifact(approval: &Approval) -> Option<&Artifact> {
    match approval {
        Approval::Pinned(approved) => {
            let artifacts = &approved.pin.artifacts;
            artifacts.get(&Platform::current().key()).or_else(|| artifacts.get(launch::ANY_PLATFORM))
        }
        Approval::Nobody | Approval::Closed(_) => None,
    }
}

/// Whether what is pinned to run is a single file.
pub fn is_one_file(approval: &Approval) -> bool {
    matches!(pinned_artifact(approval), Some(Artifact::Script { .. } | Artifact::Binary { .. }))
}

/// What runs cannot be seen though it was when it was pinned.
pub const ARTIFACT_UNSEEN: &str = "what it runs cannot be found out on this machine, and was approved, so it was not let through. The user can look at it with `mcpwatch check`.";

/// What runs is not what is pinned.
pub const ARTIFACT_CHANGED: &str = "what it runs is not what was approved, so it was not let through. The user can look at it with `mcpwatch check`.";
