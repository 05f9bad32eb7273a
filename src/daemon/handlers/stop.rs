//! Ends the service.

use super::super::event::Effect;
use crate::ipc::message::Reply;

/// Ends the daemon as SIGTERM does.
pub(crate) fn stop() -> (Reply, Vec<Effect>) {
    (Reply::Done, vec![Effect::Stop])
}
