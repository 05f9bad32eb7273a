//! Decisions and findings as the log keeps them: who, where, about what, and whether they were taken.

use super::announce::terminal;
use super::judge::{Change, Outcome};
use super::{Ground, machine};
use crate::engine::approval::Level;
use crate::engine::launchpin::ArtifactChange;
use crate::engine::record::event::{Decision, Event};
use crate::engine::show;
use crate::store::decide::{Act, By};
use crate::store::log::Log;

/// The most of a finding's place that is kept.
const PLACE: usize = 400;

/// A log line for each server and kind of decision, before it is known whether they were taken.
pub fn decisions(acts: &[Act], by: By) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for act in acts {
        let (server, verb) = about(act);
        let same = |decision: &&mut Decision| decision.server == server && decision.verb == verb;
        match decisions.iter_mut().find(same) {
            Some(decision) => decision.items += 1,
            None => decisions.push(decision(server, verb, by)),
        }
        if let (Act::Approve { offer, lifetime, .. }, Some(decision)) = (act, decisions.last_mut()) {
            decision.offer = Some(*offer);
            decision.lifetime = Some(lifetime.clone());
        }
    }
    decisions
}

/// What was decided about many servers at once, to be told once; `None` for few.
pub fn as_one(decisions: &[Decision]) -> Option<Decision> {
    const FEW: usize = 3;
    let first = decisions.first().filter(|_| decisions.len() > FEW)?;
    let is_one = decisions.iter().all(|decision| decision.verb == first.verb);
    let items = u64::try_from(decisions.len()).unwrap_or(u64::MAX);
    is_one.then(|| Decision { server: String::new(), offer: None, items, ..first.clone() })
}

/// Reasons to look closer that what a server runs gives: code, severity and place.
pub fn artifact_findings(change: &Change) -> Vec<(String, String, String)> {
    let dependencies = change.artifact.iter().filter_map(|change| match change {
        ArtifactChange::Dependencies(_) => Some(show::line(&change.to_string(), PLACE)),
        _ => None,
    });
    dependencies.map(|place| ("dependencies".to_owned(), "warning".to_owned(), place)).collect()
}

/// Writes down what a reading by a command found; a log that cannot be written takes nothing from it.
pub fn found(server: &str, outcome: &Outcome, ground: &Ground) {
    let found = match outcome {
        Outcome::AsPinned(change) | Outcome::Changed(change) => artifact_findings(change),
        Outcome::NotPinned(new) => match &new.draft {
            Ok(_) => Vec::new(),
            Err(echo) => {
                vec![(
                    "echoed-secret".to_owned(),
                    "critical".to_owned(),
                    show::line(&echo.to_string(), PLACE),
                )]
            }
        },
        Outcome::Failed(_) | Outcome::NotStarted(_) | Outcome::Disabled => Vec::new(),
    };
    let now = machine::now();
    let event =
        |(code, severity, place)| (now, Event::Finding { server: server.to_owned(), code, severity, place });
    let events: Vec<(u64, Event)> = found.into_iter().map(event).collect();
    let _ = Log::of(&ground.paths).append_all(&events);
}

fn decision(server: &str, verb: &str, by: By) -> Decision {
    let (level, terminal) = match by {
        By::Person { level, .. } => (level, terminal()),
        By::Script => (Level::Terminal, String::new()),
    };
    Decision {
        server: server.to_owned(),
        verb: if by == By::Script { format!("{verb} by a script") } else { verb.to_owned() },
        offer: None,
        items: 1,
        level,
        lifetime: None,
        user: user(),
        terminal,
        pid: std::process::id(),
        refused: None,
    }
}

fn about(act: &Act) -> (&str, &'static str) {
    match act {
        Act::Add { server, .. } => (server, "pin"),
        Act::Remove { server } => (server, "remove"),
        Act::Approve { server, .. }
        | Act::Drop { server, .. }
        | Act::Launch { server, .. }
        | Act::Artifact { server, .. }
        | Act::Protocol { server, .. } => (server, "approve"),
        Act::Open { server, .. } => (server, "open"),
        Act::Reject { server, .. } => (server, "reject"),
        Act::Revoke { server, .. } => (server, "revoke"),
        Act::Trust { .. } => ("", "trust"),
        Act::Distrust => ("", "distrust"),
    }
}

#[cfg(unix)]
pub(super) fn user() -> String {
    crate::sys::paths::user().map(|user| user.name.clone()).unwrap_or_default()
}

#[cfg(not(unix))]
pub(super) fn user() -> String {
    std::env::var("USERNAME").unwrap_or_default()
}
