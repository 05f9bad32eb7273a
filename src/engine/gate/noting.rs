//! What is written down of sessions and calls: who opened, what was called, how it ended.
//!
//! Promises: a record follows what it is about, so that writing it delays nobody; contents of arguments
//! are handed out to be digested, and kept nowhere here.

use super::{Gate, Open, Record};
use crate::engine::jsonrpc::{Envelope, Id, Message, Shape, read};
use crate::engine::record::event::Outcome;
use crate::engine::surface::{ItemKey, Kind};

/// Answers longer than this are not looked into for what they say of themselves.
const SHORT: usize = 64 << 10;

impl Gate {
    /// Notes that a call goes to the server; gives its number.
    pub(super) fn call_begins(&mut self, key: &ItemKey, method: &str, message: &Message<'_>) -> Option<u64> {
        let ((Kind::Tool, "tools/call") | (Kind::Prompt, "prompts/get")) = (key.kind, method) else {
            return None;
        };
        self.calls += 1;
        let arguments = message.raw(&["params", "arguments"]).unwrap_or("{}").as_bytes().to_vec();
        self.record(Record::Called { call: self.calls, item: key.clone(), arguments });
        Some(self.calls)
    }

    /// The same of a call that waited, by its bytes.
    pub(super) fn waiting_call_begins(&mut self, key: &ItemKey, method: &str, bytes: &[u8]) -> Option<u64> {
        match read(bytes) {
            Ok(Envelope::Single(message)) => self.call_begins(key, method, &message),
            Ok(Envelope::Batch(_)) | Err(_) => None,
        }
    }

    /// Notes how a call ended.
    pub(super) fn call_ends(&mut self, open: &Open, outcome: Outcome) {
        if let Some(call) = open.call {
            self.record(Record::Ended { call, outcome });
        }
    }

    /// Notes how a call was answered.
    pub(super) fn call_is_answered(&mut self, open: &Open, message: &Message<'_>) {
        let says_error = || {
            message.text().len() <= SHORT
                && message.raw(&["result", "isError"]).is_some_and(|raw| raw == "true")
        };
        let outcome = match message.shape {
            Shape::Error(_) => Outcome::Error,
            _ if says_error() => Outcome::Error,
            _ => Outcome::Result,
        };
        self.call_ends(open, outcome);
    }

    /// Notes that the client took a call back; what is answered later says nothing more.
    pub(super) fn call_is_cancelled(&mut self, id: &Id) {
        if let Some(call) = self.open.get_mut(id).and_then(|open| open.call.take()) {
            self.record(Record::Ended { call, outcome: Outcome::Cancelled });
        }
    }

    /// Notes that a conversation was opened.
    pub(super) fn session_opens(&mut self, protocol: &str) {
        let client = self.client.name.clone();
        self.record(Record::Opened { client, protocol: protocol.to_owned() });
    }
}
