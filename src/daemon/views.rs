//! What daemon and gate see of one server, side by side.
//!
//! Promises: a change set waits once, whoever saw it and however often; a server that shows one list to a
//! gate and another to the daemon is told as what it is (`split-view`), and one that merely changed in
//! between is not: what a gate kept is compared with a later reading of ours, and before a gate counts as
//! being shown what is approved, it has asked its server again.

use super::event::{Change, Effect, Now, Sighted};
use super::state::{State, log, log_change};
use super::tell;
use crate::alert::text::Notice;
use crate::engine::digest::{Digest, Tag};
use crate::engine::record;
use crate::engine::record::event::View;
use crate::ipc::message::{Push, ServerId};
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
    /// The change of ours that gates were asked about: whether their server shows it to them too.
    asked: Option<Digest>,
    /// The same, once a gate's server showed it what is approved again.
    denied: Option<Digest>,
    /// Whether the two are known to contradict each other.
    pub(super) split: bool,
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

    /// Whether that change set waits already.
    pub(super) fn knows(&self, set: &Digest) -> bool {
        [&self.gate, &self.daemon].into_iter().flatten().any(|seen| seen.change.set() == *set)
    }

    /// Forgets everything: a decision was taken.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether a gate's change waits.
    pub(super) fn is_sighted(&self) -> bool {
        self.gate.is_some()
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
    *server.views.slot(who) = None;
    if server.views.waiting().is_none() {
        return settle(state, id);
    }
    if who == Who::Gate {
        // Is it the server that went back, or does it depend on who asks? We look again.
        server.course.signalled(now.steady);
    }
    Vec::new()
}

/// A gate that was asked has read its server again, as a client of our own capabilities, and was shown
/// what is approved.
pub(super) fn denied(state: &mut State, now: Now, id: &ServerId) -> Vec<Effect> {
    let server = state.server(id);
    let ours = server.views.daemon.as_ref().map(|seen| seen.change.set());
    if server.views.gate.is_none() && ours.is_some() && server.views.asked == ours {
        server.views.denied = ours;
        server.course.signalled(now.steady);
    }
    Vec::new()
}

/// Someone saw what is not approved.
pub(super) fn changed(state: &mut State, now: Now, id: &ServerId, who: Who, change: Change) -> Vec<Effect> {
    let set = change.set();
    let is_logged = state.memory.told(id, &set).is_some();
    let server = state.server(id);
    let known = server.views.knows(&set);
    let minute = server.views.slot(who).as_ref().map_or(now.minute, |seen| seen.minute);
    *server.views.slot(who) = Some(Seen { change: change.clone(), minute });
    let mut out = Vec::new();
    if !known {
        // What a gate saw it wrote down itself.
        if !is_logged && who == Who::Daemon {
            out.extend(log_change(id, View::Daemon, &change));
        }
        out.extend(tell::change(state, now, id, &change, minute));
    }
    let server = state.server(id);
    match who {
        Who::Gate => {
            (server.views.asked, server.views.denied) = (None, None);
            // The gate's sighting of a remote server is compared with a reading of our own.
            server.course.urgent |= !known;
        }
        Who::Daemon if server.views.gate.is_some() => {}
        Who::Daemon if server.views.denied == Some(set) => out.extend(denied_again(state, now, id, &change)),
        Who::Daemon if server.views.asked != Some(set) => {
            server.views.asked = Some(set);
            server.views.denied = None;
            let gates = state.peers.iter().filter(|(_, peer)| peer.is_before(id));
            out.extend(gates.map(|(peer, _)| Effect::Push(*peer, Push::Look(vec![id.clone()]))));
        }
        Who::Daemon => {}
    }
    out
}

/// What a gate kept of a server, compared with a reading of ours.
pub(super) fn sighted(state: &mut State, now: Now, id: &ServerId, seen: Option<Sighted>) -> Vec<Effect> {
    let gates = state.gates(id).0;
    let Some(Sighted { change, split }) = seen else {
        let server = state.server(id);
        // A live gate says itself what it sees, before it is on the disk.
        if gates == 0 && server.views.gate.take().is_some() && server.views.waiting().is_none() {
            return settle(state, id);
        }
        return Vec::new();
    };
    let set = change.set();
    let mut out = Vec::new();
    if state.server(id).views.gate.as_ref().is_none_or(|seen| seen.change.set() != set) {
        // It was compared with the reading that brought it.
        let urgent = state.server(id).course.urgent;
        out.extend(changed(state, now, id, Who::Gate, change));
        state.server(id).course.urgent = urgent;
    }
    if split {
        out.extend(tell_split(state, now, id, &set));
    }
    out
}

/// We are shown something else than a gate, and looked again after it had.
fn denied_again(state: &mut State, now: Now, id: &ServerId, change: &Change) -> Vec<Effect> {
    let set = change.set();
    let mut out = Vec::new();
    if state.memory.told(id, &split_of(&set)).is_none() {
        out.extend(change.items.iter().map(|item| {
            log(record::Event::Finding {
                server: id.name.clone(),
                code: SPLIT_VIEW.to_owned(),
                severity: "critical".to_owned(),
                place: format!("{}/{}", item.key.kind.key(), item.key.name),
            })
        }));
    }
    out.extend(tell_split(state, now, id, &set));
    out
}

fn tell_split(state: &mut State, now: Now, id: &ServerId, set: &Digest) -> Vec<Effect> {
    let server = state.server(id);
    if std::mem::replace(&mut server.views.split, true) {
        return Vec::new();
    }
    let minute = server.views.waiting().map_or(now.minute, |seen| seen.minute);
    let notice = Notice::SplitView { server: state.name(id), since: tell::time_of_day(minute) };
    tell::tell(state, now, id, notice, split_of(set), &[])
}

/// What tells a split view of a change set from others.
fn split_of(set: &Digest) -> Digest {
    Digest::of_bytes(Tag::Offer, format!("split {set}").as_bytes())
}

/// Nothing waits any more, but perhaps a newer version: takes the notification away.
pub(super) fn settle(state: &mut State, id: &ServerId) -> Vec<Effect> {
    let server = state.server(id);
    server.views.clear();
    server.pending = None;
    let shown = server.shown;
    let (went, stays) = state.memory.settle(id);
    state.missed.retain(|missed| missed.server != *id);
    let mut out = Vec::new();
    if let Some(told) = stays {
        let notice = Notice::Artifact { server: state.name(id), newer: true };
        state.miss(told.at, id, notice.text().summary);
    }
    if stays.is_none_or(|told| shown != Some(told.set)) {
        state.server(id).shown = None;
        out.extend(state.pace.went_back(&super::state::key(id)).map(Effect::Unshow));
    }
    if went {
        out.push(Effect::Remember);
    }
    out
}
