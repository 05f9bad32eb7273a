//! Calls that wait: first for a list to be read, then, if a person can be asked, for the person.
//!
//! Promises: a call leaves here towards the server only when a list that was read after it came, or
//! after the approval came, offers its item as approved; equal calls that wait for a person become
//! one; what is cancelled never goes on; waiting ends at `hold` with a refusal.

use super::relist::MAX_SETBACKS;
use super::verdict::{Action, Verdict};
use super::{Approval, Expect, Gate, Mode, Open, Output, Record, Side, Stream};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{Object, Value};
use crate::engine::jsonrpc::{Id, Message};
use crate::engine::surface::{Era, ItemKey, Kind};

/// A call that waits.
#[derive(Debug)]
pub struct Pending {
    /// The call, and those that are equal to it.
    pub callers: Vec<Caller>,
    /// What it asks for.
    pub request: Request,
    /// The list it waits for.
    pub list: Kind,
    /// Whether it waits for a person and not only for the list.
    pub is_held: bool,
    /// Until when; the end of time while it waits for a list, which ends by itself.
    pub deadline: u64,
    /// Over method and parameters, to find equal calls.
    equal: Digest,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where it came.
    pub stream: Stream,
    /// Its id.
    pub id: Id,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// What a call asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The era it is asked in.
    pub era: Era,
    /// Its method.
    pub method: String,
    /// The item that must be approved.
    pub key: ItemKey,
    /// What the answer must be.
    pub expect: Expect,
}

impl Gate {
    /// Lets a call wait for a list.
    pub(super) fn wait(&mut self, id: Id, request: Request, message: &Message<'_>) {
        let list = request.key.kind;
        let bytes = message.text().as_bytes().to_vec();
        let waiting: usize =
            self.pending.iter().flat_map(|pending| &pending.callers).map(|c| c.bytes.len()).sum();
        let is_full = waiting + bytes.len() > self.config.limits.waiting
            || self.pending.len() >= self.config.limits.open;
        if is_full || !self.want(request.era, list) {
            let verdict = Verdict::Unreadable;
            return self.refuse(self.stream, &id, &request, verdict);
        }
        let equal = equal(&request.method, message);
        let callers = vec![Caller { stream: self.stream, id, bytes }];
        self.pending.push(Pending { callers, request, list, is_held: false, deadline: u64::MAX, equal });
    }

    /// Lets a call wait for a person.
    pub(super) fn hold(&mut self, id: Id, request: Request, message: &Message<'_>) {
        let bytes = message.text().as_bytes().to_vec();
        let equal = equal(&request.method, message);
        let list = request.key.kind;
        let callers = vec![Caller { stream: self.stream, id, bytes }];
        self.hold_pending(Pending { callers, request, list, is_held: true, deadline: 0, equal });
    }

    fn hold_pending(&mut self, mut pending: Pending) {
        let key = pending.request.key.clone();
        if let Some(same) =
            self.pending.iter_mut().find(|other| other.is_held && other.equal == pending.equal)
        {
            same.callers.append(&mut pending.callers);
            return;
        }
        pending.is_held = true;
        pending.deadline = self.now + self.config.limits.hold;
        self.pending.push(pending);
        self.record(Record::Held(key.clone()));
        self.emit(Output::Ask(vec![key]));
    }

    /// A reading of a list has ended: what waits for it goes on, is held or is refused.
    pub(super) fn list_settled(&mut self, era: Era, kind: Kind) {
        let Some(list) = self.lists.get(&(era, kind)) else { return };
        let is_fresh = list.is_fresh(self.now, self.config.limits.verify);
        let is_hopeless = list.setbacks >= MAX_SETBACKS;
        if list.is_dirty {
            self.schedule(era, kind);
        }
        if !self.is_awaited(era, kind) {
            return;
        }
        let all = std::mem::take(&mut self.pending);
        for pending in all {
            if pending.list != kind || pending.request.era != era {
                self.pending.push(pending);
                continue;
            }
            let verdict = self.verdict(era, &pending.request.key);
            let can_hold = pending.is_held || self.can_hold();
            match (verdict.action(can_hold), is_fresh) {
                (Action::Pass, true) => self.release(pending),
                (Action::Hold, true) if pending.is_held => self.pending.push(pending),
                (Action::Hold, true) => self.hold_pending(pending),
                (Action::Refuse, true) => self.refuse_pending(&pending, verdict),
                // Overtaken by a signal: it waits for the next reading, but not for ever.
                (Action::Pass | Action::Hold, false) if !is_hopeless => self.pending.push(pending),
                (Action::Refuse, false) if !is_hopeless && verdict != Verdict::Unreadable => {
                    self.pending.push(pending);
                }
                (Action::Pass | Action::Hold | Action::Refuse, false) => {
                    self.refuse_pending(&pending, Verdict::Unreadable);
                }
            }
        }
    }

    /// Whether a call waits for a list.
    pub(super) fn is_awaited(&self, era: Era, kind: Kind) -> bool {
        self.pending.iter().any(|pending| pending.list == kind && pending.request.era == era)
    }

    /// Refuses the calls that waited as long as they may.
    pub(super) fn end_waiting(&mut self) {
        let is_over = |pending: &Pending| pending.deadline <= self.now;
        if !self.pending.iter().any(is_over) {
            return;
        }
        let all = std::mem::take(&mut self.pending);
        let (over, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(is_over);
        self.pending = waiting;
        for pending in over {
            let verdict = self.verdict(pending.request.era, &pending.request.key);
            self.refuse_pending(&pending, verdict);
        }
    }

    /// Takes back a call that waits; it never happened.
    pub(super) fn cancel_pending(&mut self, id: &Id) -> bool {
        let mut is_found = false;
        for pending in &mut self.pending {
            let before = pending.callers.len();
            pending.callers.retain(|caller| caller.id != *id);
            is_found |= pending.callers.len() < before;
        }
        self.pending.retain(|pending| !pending.callers.is_empty());
        is_found
    }

    /// Whether a call with this id waits.
    pub(super) fn is_pending(&self, id: &Id) -> bool {
        self.pending.iter().flat_map(|pending| &pending.callers).any(|caller| caller.id == *id)
    }

    /// What is approved has changed: everything is judged again, and read again where calls wait.
    pub(super) fn approve(&mut self, approval: Approval) {
        self.approval = approval;
        let places: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in &places {
            self.judge_list(*era, *kind);
        }
        self.judge_opening();
        self.judge_others();
        for (era, kind) in places {
            self.announce_if_moved(era, kind);
        }
        if matches!(self.approval, Approval::Closed(_)) {
            for pending in std::mem::take(&mut self.pending) {
                self.refuse_pending(&pending, Verdict::Unreadable);
            }
        }
        self.doubt_all();
    }

    /// The mode was tightened: everything is judged as if it had been approved just now.
    pub(super) fn enforce(&mut self) {
        if self.config.mode != Mode::Enforce {
            self.config.mode = Mode::Enforce;
            self.approve(self.approval.clone());
        }
    }

    /// Whether a person can be asked has changed; calls that wait for one wait on.
    pub(super) fn set_can_ask(&mut self, can_ask: bool) {
        self.can_ask = can_ask;
    }

    /// Whether calls can wait for a person.
    pub(super) fn can_hold(&self) -> bool {
        self.can_ask && self.config.limits.hold > 0
    }

    /// Answers a call that waits, and all that are equal to it, with our words.
    pub(super) fn refuse_pending(&mut self, pending: &Pending, verdict: Verdict) {
        for caller in &pending.callers {
            self.refuse(caller.stream, &caller.id, &pending.request, verdict);
        }
    }

    /// Sends a call that waited to the server, once for all that are equal.
    fn release(&mut self, pending: Pending) {
        let Pending { callers, request, is_held, .. } = pending;
        let mut callers = callers.into_iter();
        let Some(first) = callers.next() else { return };
        if is_held {
            self.record(Record::Released(request.key.clone()));
        }
        let followers = callers.map(|caller| (caller.stream, caller.id)).collect();
        let Request { era, method, expect, key } = request;
        let call = self.waiting_call_begins(&key, &method, &first.bytes);
        self.send(Side::Server, first.bytes);
        let open = Open { stream: first.stream, era, method, expect, is_cancelled: false, call, followers };
        self.open.insert(first.id, open);
    }
}

/// Over what a call asks, without its `_meta`, which says how and not what.
fn equal(method: &str, message: &Message<'_>) -> Digest {
    let mut params = match message.value(&["params"]) {
        Some(Value::Object(params)) => params,
        _ => Object::new(),
    };
    params.remove("_meta");
    let call: Object =
        [("method", Value::from(method)), ("params", Value::Object(params))].into_iter().collect();
    Digest::of(Tag::Offer, &Value::Object(call))
}
