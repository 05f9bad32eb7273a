//! What gates tell.

use super::super::event::{Change, Effect, Item, Now};
use super::super::state::{GateState, State};
use super::super::views;
use crate::alert::text;
use crate::engine::digest::{Digest, Tag};
use crate::engine::surface::ItemKey;
use crate::ipc::message::{Cause, GateNews, ItemNews, Reply, ServerId, What};
use crate::ipc::server::PeerId;

/// Items of one message that are looked at.
const ITEMS: usize = 200;

/// Takes in what a gate tells.
pub(crate) fn run(state: &mut State, now: Now, peer: PeerId, news: GateNews) -> (Reply, Vec<Effect>) {
    if let GateNews::Attached(gate) = news {
        let id = gate.server.clone();
        // Nobody but us looks at what it would run the next time.
        let course = &mut state.server(&id).course;
        course.program |= course.last_read.is_none();
        if let Some(peer) = state.peers.get_mut(&peer) {
            peer.gate = Some(GateState { gate, held: 0 });
        }
        return (Reply::Askable(state.askable()), Vec::new());
    }
    let Some(id) = server_of(state, peer) else {
        return (Reply::Failed("this gate did not say which server it stands before".to_owned()), Vec::new());
    };
    let effects = match news {
        GateNews::Attached(_) => Vec::new(),
        GateNews::Clear => views::as_pinned(state, now, &id, views::Who::Gate),
        GateNews::Listed { full, .. } => {
            let mut out = views::as_pinned(state, now, &id, views::Who::Gate);
            if full {
                out.extend(views::denied(state, now, &id));
            }
            out
        }
        GateNews::Offered { offer, items, cause } => match change(&offer, &items, cause) {
            Some(change) => views::changed(state, now, &id, views::Who::Gate, change),
            None => return (Reply::Failed("that offer is not one".to_owned()), Vec::new()),
        },
        GateNews::Holding { waiting, .. } => {
            if let Some(gate) = state.peers.get_mut(&peer).and_then(|peer| peer.gate.as_mut()) {
                gate.held = waiting;
            }
            Vec::new()
        }
        GateNews::Log { trouble } => {
            if let Some(gate) = state.peers.get_mut(&peer).and_then(|peer| peer.gate.as_mut()) {
                gate.gate.no_log = trouble;
            }
            Vec::new()
        }
    };
    (Reply::Done, effects)
}

/// Forgets a peer; a server that only its gate told of goes with it.
pub(crate) fn closed(state: &mut State, now: Now, peer: PeerId) {
    let id = server_of(state, peer);
    state.peers.remove(&peer);
    let Some(id) = id else { return };
    let server = state.server(&id);
    // What its program may have become meanwhile is looked at by ourselves.
    server.course.active = now.steady;
    // And what it saw is compared with what we are shown.
    server.course.urgent |= server.views.is_sighted();
    if server.known.is_none() && state.gates(&id).0 == 0 {
        state.servers.remove(&id);
    }
}

fn server_of(state: &State, peer: PeerId) -> Option<ServerId> {
    let gate = state.peers.get(&peer)?.gate.as_ref()?;
    Some(gate.gate.server.clone())
}

fn change(offer: &str, items: &[ItemNews], cause: Cause) -> Option<Change> {
    let item = |news: &ItemNews| {
        let what = match news.what {
            What::Changed => text::What::Changed,
            What::New => text::What::New,
            What::Removed => text::What::Removed,
        };
        let key = ItemKey::new(news.kind.parse().ok()?, news.name.as_str());
        let nothing = || Digest::of_bytes(Tag::Offer, b"");
        let digest = if news.digest.is_empty() { nothing() } else { news.digest.parse().ok()? };
        Some(Item { what, key, digest })
    };
    let cause = match cause {
        Cause::SameArtifact => text::Cause::SameArtifact,
        Cause::Upgrade => text::Cause::Upgrade,
        Cause::Launch => text::Cause::Launch,
        Cause::Remote => text::Cause::Remote,
        Cause::Unknown => text::Cause::Unknown,
    };
    let items = items.iter().take(ITEMS).filter_map(item).collect();
    Some(Change { offer: offer.parse().ok()?, items, cause, findings: Vec::new() })
}
