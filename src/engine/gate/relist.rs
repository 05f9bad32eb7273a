//! When lists are read: for a call that relies on one, on a sign of change, and with age.
//!
//! Promises: signals cost at most one reading per `debounce`; readings that fail or that a signal
//! overtakes come ever more slowly; a server that never answers is not waited for for ever; with
//! nothing waiting and no calls flowing there is no deadline, so an idle gate sleeps.

use super::lists::{List, State};
use super::{Expect, Gate};
use crate::engine::surface::{Era, Kind};

/// After so many readings in a row that failed or were overtaken, calls are refused at once.
pub const MAX_SETBACKS: u32 = 3;

/// The longest time between two attempts.
const MAX_BACK_OFF: u64 = 60_000;

/// How long a server that is busy with calls may owe a list.
const MAX_BUSY: u64 = 600_000;

impl Gate {
    /// The server signalled that lists may have changed.
    pub(super) fn signal(&mut self, kinds: &[Kind]) {
        let eras: Vec<(Era, Kind)> =
            self.lists.keys().filter(|(_, kind)| kinds.contains(kind)).copied().collect();
        for (era, kind) in eras {
            if let Some(list) = self.lists.get_mut(&(era, kind)) {
                list.doubt();
            }
            self.schedule(era, kind);
        }
    }

    /// Everything that was read is in doubt at once: an approval, another client, a new connection.
    pub(super) fn doubt_all(&mut self) {
        let wanted: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in wanted {
            let Some(list) = self.lists.get_mut(&(era, kind)) else { continue };
            list.doubt();
            list.setbacks = 0;
            let is_wanted = !list.waiters.is_empty() || self.is_awaited(era, kind);
            if is_wanted && self.lists.get(&(era, kind)).is_some_and(|list| list.reading.is_none()) {
                self.start_reading(era, kind);
            }
        }
    }

    /// Makes sure that a list is read soon, for a call; `false` if that has gone wrong too often.
    pub(super) fn want(&mut self, era: Era, kind: Kind) -> bool {
        let list = self.lists.entry((era, kind)).or_default();
        if list.reading.is_some() {
            return true;
        }
        let retry = list.started.unwrap_or(0) + back_off(self.config.limits.debounce, list.setbacks);
        if list.setbacks >= MAX_SETBACKS && self.now < retry {
            return false;
        }
        if list.state == State::Failed && self.now < retry {
            return false;
        }
        if list.due.is_none() {
            self.start_reading(era, kind);
        }
        true
    }

    /// Plans the reading that a signal asks for.
    pub(super) fn schedule(&mut self, era: Era, kind: Kind) {
        let (now, debounce) = (self.now, self.config.limits.debounce);
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        if list.reading.is_some() {
            // It is read again once this reading is done.
            return;
        }
        let earliest = list.started.map_or(now, |started| started + back_off(debounce, list.setbacks));
        list.due = Some(earliest.max(now));
    }

    /// Does what is due.
    pub(super) fn run_due(&mut self) {
        if self.deadline().is_none_or(|deadline| self.now < deadline) {
            return;
        }
        let places: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in places {
            let Some(list) = self.lists.get(&(era, kind)) else { continue };
            if self.list_deadline(list).is_none_or(|deadline| self.now < deadline) {
                continue;
            }
            if list.reading.is_some() {
                self.fail_reading(era, kind, "the server did not answer in time");
            } else {
                self.start_reading(era, kind);
            }
        }
        self.end_waiting();
    }

    /// When something is to be done about a list.
    pub(super) fn list_deadline(&self, list: &List) -> Option<u64> {
        if let Some(reading) = &list.reading {
            let is_busy = self.open.values().any(|open| matches!(open.expect, Expect::Call(_)));
            return Some(if is_busy { reading.started + MAX_BUSY } else { reading.deadline });
        }
        // Three quarters of the way, so that calls that keep flowing never have to wait for it.
        let verify = self.config.limits.verify / 4 * 3;
        let aged = match list.state {
            State::Read(at) if self.last_call.is_some_and(|last| last > at) => Some(
                at + list
                    .ttl
                    .filter(|ttl| *ttl > 0)
                    .map_or(verify, |ttl| ttl.clamp(1_000, verify.max(1_000))),
            ),
            State::Read(_) | State::Unread | State::Failed => None,
        };
        list.due.into_iter().chain(aged).min()
    }

    /// A server that has just answered a call had no time for a list before.
    pub(super) fn server_was_busy(&mut self) {
        let deadline = self.now + self.config.limits.answer;
        for reading in self.lists.values_mut().filter_map(|list| list.reading.as_mut()) {
            reading.deadline = reading.deadline.max(deadline);
        }
    }
}

/// The time between two attempts after so many setbacks.
pub fn back_off(debounce: u64, setbacks: u32) -> u64 {
    debounce.saturating_mul(1 << setbacks.min(10)).min(MAX_BACK_OFF.max(debounce))
}
