//! A decision was written to the store: the gates are woken first, then it is announced.
//!
//! The message is a hint. Whatever it says, pins and trust are read again from disk, by the gates and
//! by us; a forged one costs a reading and an announcement that a person may wonder about.

use super::super::event::{Effect, Now};
use super::super::state::{State, key};
use super::super::{tell, views};
use crate::alert::text::{Name, Notice, Verb};
use crate::engine::digest::{Digest, Tag};
use crate::ipc::message::{Decided, Push, Reply};

/// Takes in a decision.
pub(crate) fn approve(state: &mut State, now: Now, decided: &Decided) -> (Reply, Vec<Effect>) {
    let id = &decided.server;
    let mut out = state.push_all(&Push::PinsChanged(vec![id.clone()]));
    if state.servers.contains_key(id) {
        state.memory.decided(id);
        out.extend(views::settle(state, id));
        // What came before a decision counts no more.
        out.extend(state.pace.settled(&key(id)).map(Effect::Unshow));
        out.push(Effect::Remember);
        state.server(id).views.clear();
    }
    out.push(Effect::LookUp);
    let notice = Notice::Decided {
        server: state.name(id),
        verb: Verb::of_command(&decided.verb),
        items: decided.items,
        terminal: Name::new(decided.terminal.clone(), 0),
        at: tell::time_of_day(now.minute),
    };
    let set = format!("decided\n{}\n{}\n{}\n{}", id.scope, id.name, decided.verb, now.wall);
    let text = notice.text();
    if state.no_desktop.is_some() {
        state.miss(now.wall, id, text.summary);
    } else {
        // Every decision is announced: no pace, no quiet hours.
        out.push(Effect::Show(id.clone(), Digest::of_bytes(Tag::Offer, set.as_bytes()), text, 0));
    }
    (Reply::Done, out)
}
