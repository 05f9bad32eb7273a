//! Looks again, now.

use super::super::event::Effect;
use super::super::state::State;
use crate::ipc::message::{Reply, ServerId};

/// Looks configurations up again, and reads one server or all.
pub(crate) fn scan(state: &mut State, server: Option<&ServerId>) -> (Reply, Vec<Effect>) {
    for (id, known) in &mut state.servers {
        known.course.urgent |= server.is_none_or(|server| server == id);
    }
    (Reply::Done, vec![Effect::LookUp])
}
