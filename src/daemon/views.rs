//! What daemon and gate see of one server, side by side.
//!
//! Promises: a server that shows one list to the gate and another to the daemon, twice over, is told as
//! what it is (`split-view`); one that merely changed in between is not.

use super::event::{Change, Effect, Now};
use super::state::{State, log, log_change};
use super::tell;
use crate::alert::text::Notice;
use crate::engine::digest::{Digest, Tag};
use crate::engine::record;
use crate::engine::record::event::View;
use crate::ipc::message::ServerId;
use crate::survey::sighted::SPLIT_VIEW;

/// Who saw something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The daemon, on a connection of its own.
    Daemon,
    /// A gate.
    Gate,
}

/// What each of them saw last.
#[derive(Debug, Default)]
pub(super) struct Views {
    daemon: Option<Seen>,
    gate: Option<Seen>,
    /// The last three sightings: who, and whether it was as approved.
    last: Vec<(Who, bool)>,
}

/// A change that waits for a person.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) change: Change,
    /// The local minute and the time at which it was first seen.
    pub(super) minute: u16,
}

impl Views {
    /// What waits, the gate's view before the daemon's.
    pub(super) fn waiting(&self) -> Option<&Seen> {
        self.gate.as_ref().or(self.daemon.as_ref())
    }

    /// Whether that offer waits already.
    pub(super) fn knows(&self, offer: &Digest) -> bool {
        [&self.gate, &self.daemon].into_iter().flatten().any(|seen| seen.change.offer == *offer)
    }

    /// Forgets everything: a decision was taken.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes a sighting; tells whether the two contradict each other.
    fn note(&mut self, who: Who, as_pinned: bool) -> bool {
        if self.last.last() == Some(&(who, as_pinned)) {
            return false;
        }
        self.last.push((who, as_pinned));
        if self.last.len() > 3 {
            self.last.remove(0);
        }
        // One says changed, the other as approved, and the first says changed again.
        matches!(self.last[..], [(a, false), (b, true), (c, false)] if a == c && a != b)
    }

    fn slot(&mut self, who: Who) -> &mut Option<Seen> {
        match who {
            Who::Daemon => &mut self.daemon,
            Who::Gate => &mut self.gate,
        }
    }
}

/// Someone saw the server as it was approved.
pub(super) fn as_pinned(state: &mut State, now: Now, id: &ServerId, who: Who) -> Vec<Effect> {
    let server = state.server(id);
    let other_waits = match who {
        Who::Daemon => server.views.gate.is_some(),
        Who::Gate => server.views.daemon.is_some(),
    };
    *server.views.slot(who) = None;
    server.views.note(who, true);
    if other_waits {
        // Is it the server that went back, or does it depend on who asks? The other looks again.
        server.course.urgent |= who == Who::Gate;
        return Vec::new();
    }
    settle(state, now, id)
}

/// Someone saw what is not approved.
pub(super) fn changed(state: &mut State, now: Now, id: &ServerId, who: Who, change: Change) -> Vec<Effect> {
    let server = state.server(id);
    let known = server.views.knows(&change.offer);
    let minute = server.views.slot(who).as_ref().map_or(now.minute, |seen| seen.minute);
    let split = server.views.note(who, false);
    *server.views.slot(who) = Some(Seen { change: change.clone(), minute });
    let mut out = Vec::new();
    if !known {
        let view = if who == Who::Gate { View::Gate } else { View::Daemon };
        out.extend(log_change(id, view, &change));
    }
    if split {
        let set = Digest::of_bytes(Tag::Offer, format!("split {}", change.offer).as_bytes());
        out.push(log(record::Event::Finding {
            server: id.name.clone(),
            code: SPLIT_VIEW.to_owned(),
            severity: "critical".to_owned(),
            place: "what it shows the gate and what it shows the daemon".to_owned(),
        }));
        let notice = Notice::SplitView { server: state.name(id), since: tell::time_of_day(minute) };
        out.extend(tell::tell(state, now, id, notice, set, &[]));
    } else if !known {
        // The gate's sighting of a remote server is compared with one of our own.
        if who == Who::Gate {
            state.server(id).course.urgent = true;
        }
        out.extend(tell::change(state, now, id, &change, minute));
    }
    out
}

/// Nothing waits any more: takes the notification away.
pub(super) fn settle(state: &mut State, _now: Now, id: &ServerId) -> Vec<Effect> {
    state.server(id).pending = None;
    state.missed.retain(|missed| missed.server != *id);
    state.pace.settled(&super::state::key(id)).map(Effect::Unshow).into_iter().collect()
}
