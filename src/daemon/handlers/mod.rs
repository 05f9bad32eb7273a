//! Requests of other processes; each file bears the name of the command that sends it.

pub(super) mod approve;
pub(super) mod run;
mod scan;
mod status;
mod stop;

use super::event::{Effect, Now, Ticket};
use super::state::State;
use crate::ipc::message::Request;
use crate::ipc::server::PeerId;

/// Answers a request, at once and always.
pub(super) fn handle(
    state: &mut State,
    now: Now,
    peer: PeerId,
    ticket: Ticket,
    request: Request,
) -> Vec<Effect> {
    let (reply, mut effects) = match request {
        Request::Status => status::status(state, now),
        Request::Approve(decided) => approve::approve(state, now, &decided),
        Request::Run(news) => run::run(state, now, peer, news),
        Request::Scan { server } => scan::scan(state, server.as_ref()),
        Request::Stop => stop::stop(),
    };
    effects.insert(0, Effect::Reply(ticket, reply));
    effects
}
