//! Every word that the gate writes to a client or a server.
//!
//! Promises: no text of the server stands in them. A name that is not fit for a sentence appears as
//! our number for it. A refusal stands alone: it says what was stopped, why, since when, and that the
//! user decides; it tells the model not to run anything itself.

use super::pending::Request;
use super::verdict::Verdict;
use super::{Approval, Expect, Gate, Record, Side, Stream, eras};
use crate::engine::json::{self, Object, Value, write};
use crate::engine::jsonrpc::{self, Id};
use crate::engine::surface::{Era, ItemKey};

/// JSON-RPC's code for parameters that are not valid.
pub const INVALID_PARAMS: i32 = -32_602;
/// JSON-RPC's code for a request that is not valid.
pub const INVALID_REQUEST: i32 = -32_600;
/// JSON-RPC's code for a method that is not there.
pub const NO_METHOD: i32 = -32_601;
/// Our code for a request that was not let through.
pub const BLOCKED: i32 = -32_050;

/// The code for a server that is gone or cannot be reached.
pub const FAILED: i32 = -32_000;

/// The name of the only tool of a server that nobody approved.
pub const REVIEW: &str = "mcpwatch_review";

pub const UNKNOWN_CURSOR: &str = "mcpwatch: this cursor does not belong to this list.";
pub const LIST_ERROR: &str = "mcpwatch: the server answered this list with an error.";
pub const OPENING_ERROR: &str = "mcpwatch: the server answered with an error.";
pub const ID_IN_USE: &str = "mcpwatch: a request with this id is still open.";
pub const ID_RESERVED: &str = "mcpwatch: ids with this prefix are not for clients.";
pub const SESSION_OVER: &str =
    "mcpwatch: the session with the server ended, and the request did not reach it.";
pub const TOO_MANY: &str = "mcpwatch: too many requests are open.";
pub const TOO_LONG: &str = "mcpwatch: the message is longer than the limit, and was not sent on.";
pub const NAMELESS: &str = "mcpwatch: the request does not name one item in the way its method asks for.";
pub const NO_PIN: &str = "mcpwatch: this method cannot be approved in this version, so it is not sent on.";
pub const NO_DIRECTORY: &str = "mcpwatch: no approved skill of this server has files in this directory.";
pub const NOT_A_CAPABILITY: &str =
    "mcpwatch: this method belongs to no capability that was approved for this server, so it is not sent on.";
pub const REQUEST_BLOCKED: &str = "mcpwatch: requests of this kind were not approved for this server.";

/// What `mcpwatch_review` looks like in a list.
pub fn review_tool() -> Value {
    let text = r#"{"name":"mcpwatch_review","title":"This server waits for approval","description":"This MCP server has not been approved on this machine, so mcpwatch shows none of its tools. Call this tool, or tell the user, to learn how the user can review and approve it. It does nothing else and cannot approve anything.","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}}"#;
    json::parse(text.as_bytes()).unwrap_or(Value::Null)
}

impl Gate {
    /// Answers a request that does not go to the server, and writes that down.
    pub(super) fn refuse(&mut self, stream: Stream, id: &Id, request: &Request, verdict: Verdict) {
        let why = self.refusal(&request.key, verdict);
        let item = Some(request.key.clone());
        self.record(Record::Refused { method: request.method.clone(), item, why: why.clone() });
        self.blocked(stream, id, request.era, &request.expect, &why);
    }

    /// The answer that says why something was stopped: a result where the method has one for errors.
    pub(super) fn blocked(&mut self, stream: Stream, id: &Id, era: Era, expect: &Expect, why: &str) {
        let bytes = match expect {
            Expect::Call(_) => jsonrpc::answer(id, &error_result(era, why)),
            Expect::Initialize | Expect::Discover | Expect::Prompt | Expect::Contents => {
                jsonrpc::error(id, BLOCKED, why)
            }
            Expect::Ui(_) | Expect::Skill(_) | Expect::File(_) | Expect::Directory(_) => {
                jsonrpc::error(id, BLOCKED, why)
            }
            Expect::Listen | Expect::Plain => jsonrpc::error(id, BLOCKED, why),
        };
        self.send_on(stream, bytes);
    }

    /// Answers a request with an error of ours.
    pub(super) fn error(&mut self, method: &str, id: &Id, code: i32, why: &str) {
        self.record(Record::Refused { method: method.to_owned(), item: None, why: why.to_owned() });
        self.send(Side::Client, jsonrpc::error(id, code, why));
    }

    /// Answers a call of our own tool.
    pub(super) fn answer_review(&mut self, id: &Id, era: Era) {
        let text = match &self.approval {
            Approval::Nobody => format!(
                "mcpwatch: nobody has approved the server {name} on this machine, so none of what it declares \
                 is shown and nothing is sent to it. The user can look at it and approve it with the command \
                 `mcpwatch approve {name}`. {DO_NOT_RUN} Once the user approved it, its tools appear.",
                name = self.label(),
            ),
            Approval::Closed(why) => {
                format!("mcpwatch: the server {} is closed: {why} {DO_NOT_RUN}", self.label())
            }
            Approval::Pinned(_) => format!(
                "mcpwatch: the server {} is approved. List the tools again to see them.",
                self.label()
            ),
        };
        let bytes = jsonrpc::answer(id, &text_result(era, &text, false));
        self.send(Side::Client, bytes);
    }

    /// Why a call of an item is refused.
    fn refusal(&mut self, key: &ItemKey, verdict: Verdict) -> String {
        let name = self.label();
        match &self.approval {
            Approval::Closed(why) => {
                return format!("Blocked by mcpwatch: the server {name} is closed: {why} {DO_NOT_RUN}");
            }
            Approval::Nobody => {
                return format!(
                    "Blocked by mcpwatch: nobody has approved the server {name} on this machine. The user can \
                     review it with the command `mcpwatch approve {name}`. {DO_NOT_RUN}"
                );
            }
            Approval::Pinned(_) => {}
        }
        let item = self.item_label(key);
        let since = self.since(key);
        let review =
            format!("The user can review it with the command `mcpwatch approve {name}`. {DO_NOT_RUN}");
        let what = match verdict {
            Verdict::Changed => {
                let deaf = self.client.deaf.map_or(String::new(), |client| {
                    format!(" {client} shows the new text only after a restart: it does not notice when tools change.")
                });
                format!("changed since it was approved{since}. {review}{deaf}")
            }
            Verdict::New => format!("is new and nobody has approved it{since}. {review}"),
            Verdict::Rejected => format!("was rejected by the user{since}. {DO_NOT_RUN}"),
            Verdict::Ambiguous => {
                format!(
                    "is offered more than once under one name{since}, so it cannot be told which is meant."
                )
            }
            Verdict::Unfit => {
                "marks its parameters in a way that clients must not take over HTTP (x-mcp-header); who maintains \
                 the server can correct it."
                    .to_owned()
            }
            Verdict::Removed => format!("is no longer offered by the server{since}."),
            Verdict::Unlisted => "is not offered by the server.".to_owned(),
            Verdict::Unreadable | Verdict::Approved => {
                "cannot be checked: the server did not give a list that can be read and stays the same."
                    .to_owned()
            }
        };
        format!("Blocked by mcpwatch: the {item} of the server {name} {what} Nothing was sent to the server.")
    }

    /// The server's name, fit for a sentence.
    pub(super) fn label(&self) -> String {
        if is_plain(&self.config.name) { self.config.name.clone() } else { "behind this gate".to_owned() }
    }

    /// An item, fit for a sentence.
    pub(super) fn item_label(&mut self, key: &ItemKey) -> String {
        if key.kind.is_single() {
            return key.kind.singular().to_owned();
        }
        if is_plain(&key.name) {
            return format!("{} {}", key.kind.singular(), key.name);
        }
        if self.numbers.len() >= MANY_NUMBERS {
            self.numbers.clear();
        }
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        format!("{} no. {number}", key.kind.singular())
    }

    fn since(&self, key: &ItemKey) -> String {
        let Some((_, _, at)) = self.judged.get(key) else { return String::new() };
        let moment = i64::try_from(*at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        moment.map_or(String::new(), |moment| moment.strftime(" (seen since %Y-%m-%d %H:%M UTC)").to_string())
    }
}

/// The most names that have a number of ours.
const MANY_NUMBERS: usize = 10_000;

const DO_NOT_RUN: &str = "Tell the user; do not run it yourself.";

/// A result that says that a call did not succeed.
pub fn error_result(era: Era, text: &str) -> Vec<u8> {
    text_result(era, text, true)
}

fn text_result(era: Era, text: &str, is_error: bool) -> Vec<u8> {
    let content: Object = [("type", "text"), ("text", text)].into_iter().collect();
    let mut result = Object::new();
    result.insert("content", vec![Value::Object(content)]);
    result.insert("isError", is_error);
    match era {
        Era::Session => {}
        Era::Stateless => {
            result.insert("resultType", "complete");
        }
    }
    write::to_bytes(&Value::Object(result))
}

/// Whether a name may stand in a sentence of ours.
pub fn is_plain(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(is_word)
}

/// An empty result.
pub fn empty_result(era: Era) -> Vec<u8> {
    let mut result = Object::new();
    match era {
        Era::Session => {}
        Era::Stateless => eras::complete(era, &mut result),
    }
    write::to_bytes(&Value::Object(result))
}
