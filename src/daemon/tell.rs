//! From what happened to a notification, or to the reason why there is none.

use super::event::{Change, Effect, Item, Now};
use super::memory::Told;
use super::state::{Pending, Server, State, key, log};
use crate::alert::pace::{Ask, Step, Why};
use crate::alert::text::{Cause, Notice, What};
use crate::engine::digest::Digest;
use crate::engine::record;
use crate::engine::surface::Kind;
use crate::ipc::message::ServerId;

/// Tells of a change.
pub(super) fn change(
    state: &mut State,
    now: Now,
    id: &ServerId,
    change: &Change,
    minute: u16,
) -> Vec<Effect> {
    let notice = Notice::Change {
        server: state.name(id),
        items: counted(&change.items),
        cause: change.cause.clone(),
        since: time_of_day(minute),
        held: state.gates(id).1,
    };
    tell(state, now, id, notice, change.set(), &change.items)
}

/// Tells of a newer version that is at hand, which waits while the server is as approved; or that there
/// is none any more.
pub(super) fn newer(state: &mut State, now: Now, id: &ServerId, artifact: Option<Digest>) -> Vec<Effect> {
    let Some(artifact) = artifact else {
        return state.memory.forget_staying(id).then_some(Effect::Remember).into_iter().collect();
    };
    let notice = Notice::Artifact { server: state.name(id), newer: true };
    let out = tell(state, now, id, notice, artifact, &[]);
    if let Some(told) = state.memory.told(id, &artifact) {
        state.memory.tell(id, Told { stays: true, ..told });
    }
    out
}

/// Tells of something that is about one change set, once, at the pace that the user can bear: what was
/// shown by an earlier daemon is listed and not shown again.
pub(super) fn tell(
    state: &mut State,
    now: Now,
    id: &ServerId,
    notice: Notice,
    set: Digest,
    items: &[Item],
) -> Vec<Effect> {
    let versions: Vec<_> = items.iter().map(|item| (item.key.clone(), item.digest)).collect();
    let flapping = state.pace.see(now.wall, &key(id), set, &versions);
    say(state, now, id, Pending { notice, set, flapping, until: 0 })
}

/// Shows a notice, lets it wait, or says why not; each thing is written down once.
fn say(state: &mut State, now: Now, id: &ServerId, pending: Pending) -> Vec<Effect> {
    let (text, set) = (pending.notice.text(), pending.set);
    let ask = Ask { set, severity: text.severity, flapping: pending.flapping };
    let before = state.memory.told(id, &set);
    let told = before.unwrap_or(Told { set, at: now.wall, shown: false, stays: false });
    if told.shown {
        state.miss(told.at, id, text.summary);
        return Vec::new();
    }
    let mut out = Vec::new();
    if before.is_none() {
        state.memory.tell(id, told);
        out.push(Effect::Remember);
    }
    let silent = |why: &str| {
        let text = format!("{} ({why})", text.summary);
        let said = log(record::Event::Alert { server: id.name.clone(), text, shown: false });
        before.is_none().then_some(said)
    };
    if let Some(why) = state.no_desktop.clone() {
        state.miss(told.at, id, text.summary.clone());
        out.extend(silent(&why));
        return out;
    }
    // One that waits is not pushed out by what is less urgent.
    let waits = state.server(id).pending.as_ref();
    let is_outranked =
        waits.is_some_and(|other| other.set != set && other.notice.text().severity > text.severity);
    match state.pace.decide(now.wall, now.minute, &key(id), &ask, &state.rules) {
        Step::Show { replaces } => {
            let server = state.server(id);
            server.shown = Some(set);
            if !is_outranked {
                server.pending = None;
            }
            // Counts from now on; its number comes when it is on the screen.
            state.pace.shown(now.wall, &key(id), set, replaces);
            state.memory.tell(id, Told { shown: true, ..told });
            state.miss(told.at, id, text.summary.clone());
            let said =
                record::Event::Alert { server: id.name.clone(), text: text.summary.clone(), shown: true };
            return vec![Effect::Show(id.clone(), set, text, replaces), log(said), Effect::Remember];
        }
        Step::Wait { .. } if is_outranked => {
            out.extend(silent("something more urgent waits"));
            state.miss(told.at, id, text.summary);
        }
        Step::Wait { until } => wait(state, now, id, pending, until),
        Step::Later { why, until } => {
            out.extend(silent(words(why)));
            state.miss(told.at, id, text.summary);
            if !is_outranked {
                wait(state, now, id, pending, until);
            }
        }
        Step::Silent(Why::Same) => {}
        Step::Silent(why) => {
            out.extend(silent(words(why)));
            state.miss(told.at, id, text.summary);
        }
    }
    out
}

/// Keeps a notice until then, a time of the wall clock.
fn wait(state: &mut State, now: Now, id: &ServerId, pending: Pending, until: u64) {
    let until = now.steady + until.saturating_sub(now.wall);
    state.server(id).pending = Some(Pending { until, ..pending });
}

/// Why something is not shown, for the log.
fn words(why: Why) -> &'static str {
    match why {
        Why::Same => "shown before",
        Why::Flapping => "it changes all the time",
        Why::Off => "switched off",
        Why::Quiet => "quiet hours",
    }
}

/// Somebody can be told now: what waits and was never shown is shown.
pub(super) fn untold(state: &mut State, now: Now) -> Vec<Effect> {
    let waiting = |(id, server): (&ServerId, &Server)| {
        let seen = server.views.waiting()?;
        let told = state.memory.told(id, &seen.change.set())?;
        (!told.shown).then(|| (id.clone(), seen.change.clone(), seen.minute))
    };
    let untold: Vec<_> = state.servers.iter().filter_map(waiting).collect();
    untold.iter().flat_map(|(id, seen, minute)| change(state, now, id, seen, *minute)).collect()
}

/// Shows the notice whose minute has come, or lets it wait on.
pub(super) fn ripe(state: &mut State, now: Now, id: &ServerId) -> Vec<Effect> {
    let Some(mut pending) = state.server(id).pending.take() else { return Vec::new() };
    pending.flapping &= state.pace.is_flapping(now.wall, &key(id));
    say(state, now, id, pending)
}

/// A minute of the day as people write it.
pub(super) fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// A cause as the log names it.
pub(super) fn cause_word(cause: &Cause) -> &'static str {
    match cause {
        Cause::SameArtifact => "same-artifact",
        Cause::Upgrade => "upgrade",
        Cause::Launch => "launch",
        Cause::Remote => "remote",
        Cause::Unknown => "unknown",
    }
}

/// Items counted by what happened to them and by kind.
fn counted(items: &[Item]) -> Vec<(What, Kind, u32)> {
    let mut counted: Vec<(What, Kind, u32)> = Vec::new();
    for item in items {
        match counted.iter_mut().find(|(what, kind, _)| *what == item.what && *kind == item.key.kind) {
            Some((_, _, number)) => *number += 1,
            None => counted.push((item.what, item.key.kind, 1)),
        }
    }
    counted.sort();
    counted
}
