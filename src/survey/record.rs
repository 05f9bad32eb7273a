//! Decisions as the log keeps them: who, where, about what, and whether they were taken.

use super::announce::terminal;
use crate::engine::approval::Level;
use crate::engine::record::event::Decision;
use crate::store::decide::{Act, By};

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
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map(|user| user.name).unwrap_or_default()
}

#[cfg(not(unix))]
pub(super) fn user() -> String {
    std::env::var("USERNAME").unwrap_or_default()
}
