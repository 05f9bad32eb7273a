//! Reading a list of the server: page by page, with limits, to its end or to a refusal.

use super::lists::{Line, Reading, State};
use super::verdict::Offered;
use super::{Approval, Gate, Own, Record, Side, words};
use crate::engine::json::Value;
use crate::engine::jsonrpc::{self, Id, Message, Shape};
use crate::engine::surface::{Era, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// A list's answer up to this size is kept, so that an equal one need not be read again.
const MAX_KEPT_LINE: usize = 2 << 20;

impl Gate {
    /// Begins to read a list, unless that is under way.
    pub(super) fn start_reading(&mut self, era: Era, kind: Kind) {
        let id = self.own_id();
        let deadline = self.now + self.config.limits.answer;
        let started = self.now;
        let list = self.lists.entry((era, kind)).or_default();
        if list.reading.is_some() {
            return;
        }
        list.due = None;
        list.started = Some(started);
        list.reading = Some(Reading {
            started,
            id: id.clone(),
            deadline,
            items: BTreeMap::new(),
            ttl: None,
            cursors: BTreeSet::new(),
            is_overtaken: false,
            line: None,
            count: 0,
            bytes: 0,
        });
        self.ask_page(era, kind, &id, None);
    }

    fn ask_page(&mut self, era: Era, kind: Kind, id: &Id, cursor: Option<&str>) {
        let Some(method) = kind.list_method() else { return };
        self.own.insert(id.clone(), Own::List(era, kind));
        let params = self.client.list_params(era, cursor);
        self.send(Side::Server, jsonrpc::request(id, method, params.as_ref()));
    }

    /// The quick way for a list that is, but for its id, the same bytes as last time: it was valid
    /// then, so it is now, and says the same. Long lists, read page by page, do not take it.
    pub(super) fn repeated_page(&mut self, bytes: &[u8]) -> bool {
        let found = self.lists.iter_mut().find(|(_, list)| {
            let (Some(reading), Some(line)) = (&list.reading, &list.line) else { return false };
            reading.cursors.is_empty() && line.is_repeated(bytes, &reading.id)
        });
        let Some((&(era, kind), list)) = found else { return false };
        let Some(reading) = list.reading.take() else { return false };
        self.own.remove(&reading.id);
        list.state = State::Read(reading.started);
        self.reading_done(era, kind, reading.is_overtaken);
        true
    }

    /// An answer to a request of ours.
    pub(super) fn page_answered(&mut self, era: Era, kind: Kind, message: &Message<'_>) {
        if let Shape::Error(_) = message.shape {
            let code = message.value(&["error", "code"]).and_then(|code| code.as_f64());
            return self.list_refused(era, kind, code);
        }
        let result = message.value(&["result"]);
        let read = match result {
            Some(result) => self.read_page(era, kind, message, result),
            None => Err("the answer has no result".to_owned()),
        };
        match read {
            Ok(Some(next)) => self.next_page(era, kind, &next),
            Ok(None) => self.finish_reading(era, kind),
            Err(why) => self.fail_reading(era, kind, &why),
        }
    }

    fn next_page(&mut self, era: Era, kind: Kind, cursor: &str) {
        let id = self.own_id();
        let deadline = self.now + self.config.limits.answer;
        let Some(reading) = self.lists.get_mut(&(era, kind)).and_then(|list| list.reading.as_mut()) else {
            return;
        };
        reading.id = id.clone();
        reading.deadline = deadline;
        self.ask_page(era, kind, &id, Some(cursor));
    }

    /// Takes in one page; gives the cursor of the next.
    fn read_page(
        &mut self,
        era: Era,
        kind: Kind,
        message: &Message<'_>,
        result: Value,
    ) -> Result<Option<String>, String> {
        let limits = self.config.limits;
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return Ok(None) };
        let Some(reading) = &mut list.reading else { return Ok(None) };
        reading.bytes = reading.bytes.saturating_add(message.text().len());
        if reading.bytes > limits.list {
            return Err("the list is longer than the limit".to_owned());
        }
        let Value::Object(mut envelope) = result else {
            return Err("the answer is no object".to_owned());
        };
        let Some(Value::Array(items)) = envelope.remove(kind.key()) else {
            return Err(format!("the answer has no list of {}", kind.plural()));
        };
        for item in items {
            reading.count += 1;
            let name = kind.name_field().and_then(|field| item.get(field)).and_then(Value::as_str);
            // What has no name cannot be called and is never served.
            let Some(name) = name else { continue };
            match reading.items.get_mut(name) {
                Some(known) => known.is_ambiguous = true,
                None => {
                    let name = name.to_owned();
                    reading.items.insert(name, Offered { value: item, is_ambiguous: false });
                }
            }
        }
        let ttl = envelope.get("ttlMs").and_then(Value::as_f64).filter(|ttl| *ttl >= 0.0);
        // A strict number that is not negative fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ttl = ttl.map(|ttl| ttl as u64);
        reading.ttl = reading.ttl.into_iter().chain(ttl).min();
        let next = match envelope.remove("nextCursor") {
            None | Some(Value::Null) => None,
            Some(Value::String(cursor)) if cursor.is_empty() => None,
            Some(Value::String(cursor)) => Some(cursor),
            Some(_) => return Err("the cursor of the next page is no string".to_owned()),
        };
        let is_whole = next.is_none() && reading.cursors.is_empty();
        if is_whole && message.text().len() <= MAX_KEPT_LINE {
            let id = message.outline.span(&["id"]);
            reading.line = id.map(|id| Line { bytes: message.text().as_bytes().to_vec(), id });
        }
        let Some(next) = next else { return Ok(None) };
        let pages = reading.cursors.len() + 1;
        if pages >= limits.pages || reading.count >= limits.pages.saturating_mul(1_000) {
            return Err(format!("the list does not end after {pages} pages"));
        }
        if !reading.cursors.insert(next.clone()) {
            return Err("the list's pages lead back to each other".to_owned());
        }
        Ok(Some(next))
    }

    /// A list that is read whole is judged, and everything that waited for it goes on.
    fn finish_reading(&mut self, era: Era, kind: Kind) {
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        let Some(reading) = list.reading.take() else { return };
        let is_changed = list.offered != reading.items || !matches!(list.state, State::Read(_));
        list.state = State::Read(reading.started);
        list.ttl = reading.ttl;
        list.line = reading.line;
        list.offered = reading.items;
        if is_changed {
            self.judge_list(era, kind);
        }
        self.reading_done(era, kind, reading.is_overtaken);
    }

    /// What comes after every reading that was judged.
    fn reading_done(&mut self, era: Era, kind: Kind, is_overtaken: bool) {
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        list.is_dirty = is_overtaken;
        list.setbacks = if is_overtaken { list.setbacks.saturating_add(1) } else { 0 };
        let waiters = std::mem::take(&mut list.waiters);
        self.answer_waiters(era, kind, waiters);
        self.list_settled(era, kind);
    }

    /// A list that cannot be read: approved definitions are served, calls are refused.
    pub(super) fn fail_reading(&mut self, era: Era, kind: Kind, why: &str) {
        self.record(Record::Unreadable(kind, why.to_owned()));
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        if let Some(reading) = list.reading.take() {
            self.own.remove(&reading.id);
        }
        list.state = State::Failed;
        list.setbacks = list.setbacks.saturating_add(1);
        list.line = None;
        self.judge_list(era, kind);
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        let waiters = std::mem::take(&mut list.waiters);
        self.answer_waiters(era, kind, waiters);
        self.list_settled(era, kind);
    }

    /// The server answers a list with an error: it has none, or it will not say.
    fn list_refused(&mut self, era: Era, kind: Kind, code: Option<f64>) {
        let has_pins = self.judge().is_some_and(|judge| judge.names(kind).next().is_some());
        if has_pins {
            return self.fail_reading(era, kind, "the server answered with an error");
        }
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        let Some(reading) = list.reading.take() else { return };
        list.state = State::Read(reading.started);
        list.is_dirty = reading.is_overtaken;
        list.offered.clear();
        list.line = None;
        self.judge_list(era, kind);
        let Some(list) = self.lists.get_mut(&(era, kind)) else { return };
        let waiters = std::mem::take(&mut list.waiters);
        let code = code.filter(|code| (-32_768.0..=-1.0).contains(code)).unwrap_or(-32_603.0);
        // The range is checked above.
        #[allow(clippy::cast_possible_truncation)]
        let code = code as i32;
        if matches!(self.approval, Approval::Pinned(_)) {
            for waiter in waiters {
                self.send_on(waiter.stream, jsonrpc::error(&waiter.id, code, words::LIST_ERROR));
            }
        } else {
            self.answer_waiters(era, kind, waiters);
        }
        self.list_settled(era, kind);
    }
}

impl Line {
    /// Whether `bytes` is this line with another id.
    fn is_repeated(&self, bytes: &[u8], id: &Id) -> bool {
        if bytes.len() != self.bytes.len() {
            return false;
        }
        let mut own = Vec::new();
        id.write(&mut own);
        bytes[self.id.clone()] == own[..]
            && bytes[..self.id.start] == self.bytes[..self.id.start]
            && bytes[self.id.end..] == self.bytes[self.id.end..]
    }
}
