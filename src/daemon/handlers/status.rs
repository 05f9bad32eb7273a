//! How things stand.

use super::super::event::{Effect, Known, Now, Standing};
use super::super::state::{Server, State, key};
use crate::engine::settings::Watch;
use crate::ipc::message::{Reply, ServerId, ServerStatus, Status};

/// Answers how things stand.
pub(crate) fn status(state: &mut State, now: Now) -> (Reply, Vec<Effect>) {
    let servers = state.servers.iter().map(|(id, server)| one(state, now, id, server)).collect();
    let status = Status {
        servers,
        out_of_reach: state.out_of_reach.clone(),
        no_notifications: state.no_desktop.clone(),
        no_log: no_log(state),
        missed: state.missed.iter().cloned().collect(),
    };
    (Reply::Status(status), Vec::new())
}

/// Why the log cannot be written: by us, else by a gate.
fn no_log(state: &State) -> Option<String> {
    let gates = state.peers.values().filter_map(|peer| peer.gate.as_ref());
    let mut gates = gates.filter_map(|gate| {
        let name = crate::engine::show::name(&gate.gate.server.name);
        gate.gate.no_log.as_ref().map(|why| format!("the gate of {name} says: {why}"))
    });
    state.no_log.clone().or_else(|| gates.next())
}

fn one(state: &State, now: Now, id: &ServerId, server: &Server) -> ServerStatus {
    let (gates, held) = state.gates(id);
    let mode = server.known.as_ref().map_or(Watch::GateOnly, |known| known.mode);
    let waiting = server.views.waiting().map_or(0, |seen| seen.change.items.len().max(1));
    let ago = |steady: u64| now.wall.saturating_sub(now.steady.saturating_sub(steady));
    ServerStatus {
        server: id.clone(),
        watch: mode.name().to_owned(),
        state: words(server, gates),
        is_well: is_well(server),
        gates,
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        held,
        flapping: state.pace.is_flapping(now.wall, &key(id)),
        last_read: server.course.last_read.map_or(0, ago),
    }
}

/// Whether it is watched as its owner agreed, and the last reading did not fail.
fn is_well(server: &Server) -> bool {
    let is_watched = |known: &Known| known.standing == Standing::Agreed && known.mode != Watch::Off;
    server.failure.is_none() && server.known.as_ref().is_some_and(is_watched)
}

fn words(server: &Server, gates: u32) -> String {
    let Some(known) = &server.known else { return "known through its gate only".to_owned() };
    match known.standing {
        Standing::New => return "not approved; never started".to_owned(),
        Standing::Untrusted => return "its lock is not trusted here; never started".to_owned(),
        Standing::OtherLaunch => return "starts by another command or address than approved".to_owned(),
        Standing::Disabled => return "disabled by its client".to_owned(),
        Standing::Agreed => {}
    }
    if let Some(why) = &server.failure {
        return why.clone();
    }
    if server.views.split {
        return "shows different lists to different readers".to_owned();
    }
    let course = &server.course;
    match (known.mode, course.connected, course.busy) {
        (Watch::Off, ..) => "not watched, as you asked",
        (Watch::GateOnly, ..) => "watched through its gate",
        (_, _, true) => "being read",
        (_, true, _) if !course.deaf => "connected",
        _ if gates > 0 && !known.remote => "watched through its gate",
        _ if server.crowded => {
            "read now and then: too many descriptors would be open to stay connected to all"
        }
        _ => "read now and then",
    }
    .to_owned()
}
