//! A connection that broke, and a session that began anew: nothing of before holds, and nothing is lost.
//!
//! Promises: no call reaches a new session before that session's own lists were read and judged; what
//! never reached the server is judged again as if the client had just sent it.

use super::lists::State;
use super::opening::is_date;
use super::pending::Caller;
use super::{Gate, Open, Own, Side, words};
use crate::engine::json::{Object, Value};
use crate::engine::jsonrpc::{self, Envelope, Id, Message, Shape};
use crate::engine::surface::{Era, Kind};

impl Gate {
    /// Signals may have been missed: everything that was read is in doubt, and is read again soon.
    pub(super) fn reconnected(&mut self) {
        self.doubt_all();
        self.read_again();
    }

    /// The server began a new session: what it says of itself is judged, and all lists are read again.
    pub(super) fn renewed(&mut self, answer: &[u8]) {
        self.own.clear();
        self.server_open.clear();
        self.unopened = None;
        for list in self.lists.values_mut() {
            list.reading = None;
            list.line = None;
            list.state = State::Unread;
        }
        let is_judged = match jsonrpc::read(answer) {
            Ok(Envelope::Single(message)) => self.judge_renewed(&message),
            Ok(Envelope::Batch(_)) | Err(_) => false,
        };
        if !is_judged {
            self.drop_frame(Side::Server, "the opening of a new session cannot be read".to_owned());
        }
        // The session is open only now: the client said this once, and does not know of another.
        self.send(Side::Server, jsonrpc::notification("notifications/initialized", None));
        self.doubt_all();
        self.read_again();
    }

    /// A message that never reached the server: a request is judged again, everything else had its time.
    pub(super) fn undelivered(&mut self, message: &[u8]) {
        match jsonrpc::read(message) {
            Ok(Envelope::Single(message)) => self.again(&message),
            Ok(Envelope::Batch(elements)) => {
                for message in elements.iter().filter_map(|element| jsonrpc::read_element(element).ok()) {
                    self.again(&message);
                }
            }
            Err(_) => {}
        }
    }

    /// A request will not be answered: whoever waits for it is told.
    pub(super) fn failed(&mut self, id: &Id, why: &str) {
        if let Some(Own::List(era, kind)) = self.own.remove(id) {
            return self.fail_reading(era, kind, why);
        }
        let Some(open) = self.open.remove(id) else { return };
        self.listens.retain(|listen| listen.id != *id);
        for (stream, id) in open.followers.iter().chain([&(open.stream, id.clone())]) {
            self.send_on(*stream, jsonrpc::error(id, words::FAILED, why));
        }
    }

    fn again(&mut self, message: &Message<'_>) {
        let Shape::Request(id, _) = &message.shape else { return };
        // A reading of ours began anew with the session.
        let Some(open) = self.open.remove(id) else { return };
        let Open { stream, followers, is_cancelled, .. } = open;
        if is_cancelled && followers.is_empty() {
            return;
        }
        self.stream = stream;
        self.listens.retain(|listen| listen.id != *id);
        // Outside a step for its frame, there is nothing to forward: it goes on as bytes of ours.
        self.batch = Some(Vec::new());
        self.client_says(message);
        for (side, bytes) in self.batch.take().unwrap_or_default() {
            self.send(side, bytes);
        }
        self.follow(id, followers, message);
    }

    /// Those who waited for the same answer wait for it again.
    fn follow(&mut self, id: &Id, followers: Vec<(super::Stream, Id)>, message: &Message<'_>) {
        if let Some(open) = self.open.get_mut(id) {
            open.followers.extend(followers);
            return;
        }
        let waits = self.pending.iter_mut().find(|pending| pending.callers.iter().any(|own| own.id == *id));
        if let Some(pending) = waits {
            let params = message.value(&["params"]);
            for (stream, id) in followers {
                let bytes = jsonrpc::request(&id, &pending.request.method, params.as_ref());
                pending.callers.push(Caller { stream, id, bytes });
            }
            return;
        }
        for (stream, id) in followers {
            self.send_on(stream, jsonrpc::error(&id, words::BLOCKED, words::SESSION_OVER));
        }
    }

    fn judge_renewed(&mut self, message: &Message<'_>) -> bool {
        let result = message.value(&["result"]).unwrap_or(Value::Null);
        let version = result.get("protocolVersion").and_then(Value::as_str).filter(|text| is_date(text));
        let Some(version) = version.map(str::to_owned) else { return false };
        self.render_opening(&result, version, &mut Object::new())
    }

    /// Plans a reading of every list that was ever read.
    fn read_again(&mut self) {
        let places: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in places {
            self.schedule(era, kind);
        }
    }
}
