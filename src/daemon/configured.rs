//! What changed in what is configured: a server that appeared, another launch, a gate taken out.
//!
//! Promises: such an edit is announced, and nothing it names is started or contacted before its owner
//! agreed; what was configured when the daemon first ran is the measure, and is kept over restarts.

use super::event::{Configured, Effect, Known, Now, Standing};
use super::memory::Remembered;
use super::state::{State, key, log};
use super::{tell, views};
use crate::alert::text::{Cause, Name, Notice};
use crate::engine::digest::{Digest, Tag};
use crate::engine::record;
use crate::ipc::message::ServerId;
use std::collections::BTreeSet;

/// Takes in what was looked up.
pub(super) fn take(state: &mut State, now: Now, configured: Configured) -> Vec<Effect> {
    let mut out = Vec::new();
    let first = state.memory.is_blank();
    let before = state.memory.clone();
    state.memory.looked();
    state.out_of_reach = configured.out_of_reach;
    let named: BTreeSet<ServerId> = configured.servers.iter().map(|known| known.id.clone()).collect();
    for known in configured.servers {
        let remembered = before.get(&known.id);
        out.extend(one(state, now, &known, remembered, first));
        state.memory.put(&known.id, Remembered { launch: known.launch, wrapped: known.wrapped });
        let server = state.server(&known.id);
        let other = server.known.as_ref().is_some_and(|old| *old != known);
        // A decision may have made it as approved, or another launch may run another program.
        server.course.urgent |= other;
        server.course.program |= server.known.as_ref().is_some_and(|old| old.launch != known.launch);
        server.known = Some(known);
    }
    for id in before.ids().filter(|id| !named.contains(id)) {
        state.memory.forget(id);
        out.push(log_edit(id, "", "no longer configured"));
    }
    let gone: Vec<ServerId> = state.servers.keys().filter(|id| !named.contains(id)).cloned().collect();
    for id in gone {
        if state.gates(&id).0 > 0 {
            state.server(&id).known = None;
            continue;
        }
        if state.servers.get(&id).is_some_and(|server| server.course.connected || server.course.busy) {
            out.push(Effect::Close(id.clone()));
        }
        out.extend(views::settle(state, &id));
        out.extend(state.pace.settled(&key(&id)).map(Effect::Unshow));
        state.servers.remove(&id);
    }
    if state.memory != before {
        out.push(Effect::Remember);
    }
    out
}

/// What is new about one server.
fn one(
    state: &mut State,
    now: Now,
    known: &Known,
    remembered: Option<&Remembered>,
    first: bool,
) -> Vec<Effect> {
    let id = &known.id;
    let mut out = Vec::new();
    state.server(id);
    let (server, client) = (state.name(id), Name::new(known.client.clone(), 0));
    let set = |what: &str| {
        Digest::of_bytes(
            Tag::Offer,
            format!("{what}\n{}\n{}\n{}", id.scope, id.name, known.launch).as_bytes(),
        )
    };
    match remembered {
        None if known.standing == Standing::New && !first => {
            out.push(log_edit(id, &known.client, "appeared"));
            let notice = Notice::Appeared { server: server.clone(), client };
            out.extend(tell::tell(state, now, id, notice, set("appeared"), &[]));
        }
        None => {}
        Some(old) => {
            if old.launch != known.launch {
                out.push(log_edit(id, &known.client, "starts by another command or address"));
                if known.standing == Standing::New {
                    let notice = Notice::Appeared { server: server.clone(), client: client.clone() };
                    out.extend(tell::tell(state, now, id, notice, set("appeared"), &[]));
                }
            }
            if old.wrapped && !known.wrapped && known.should_be_wrapped {
                out.push(log_edit(id, &known.client, "taken out of the gate"));
                let notice = Notice::Unwrapped { server: server.clone(), client };
                out.extend(tell::tell(state, now, id, notice, set("unwrapped"), &[]));
            }
        }
    }
    let was =
        state.servers.get(id).and_then(|server| server.known.as_ref()).map(|old| (old.standing, old.launch));
    if known.standing == Standing::OtherLaunch && was != Some((Standing::OtherLaunch, known.launch)) {
        let notice = Notice::Change {
            server,
            items: Vec::new(),
            cause: Cause::Launch,
            since: tell::time_of_day(now.minute),
            held: state.gates(id).1,
        };
        out.extend(tell::tell(state, now, id, notice, set("launch"), &[]));
    }
    out
}

fn log_edit(id: &ServerId, client: &str, what: &str) -> Effect {
    log(record::Event::Configuration {
        client: client.to_owned(),
        server: id.name.clone(),
        what: what.to_owned(),
    })
}
