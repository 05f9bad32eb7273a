//! The raw tap: between the bytes of a server and rmcp's typed session.
//!
//! Promises: what a server answered is read here, from its bytes, by strict rules, and kept by request
//! id *before* rmcp hears of it. rmcp itself gets an answer of ours with nothing of the server's in it
//! but the protocol version. So no answer can blind it (unknown fields, untagged decoding), hang it
//! (lone surrogates, long lines) or change what is checked; it keeps what it is good at: the lifecycle,
//! request ids and metadata, time limits, HTTP sessions.
//!
//! What some client could read and we cannot is an answer refused, at once. What no client reads (log
//! lines on stdout) is skipped and noted.

use super::error::Reason;
use super::options::Options;
use super::told::told;
use crate::engine::json::{Reason as JsonReason, Value};
use crate::engine::jsonrpc::{self, Envelope, Id, Malformed, Message, Shape};
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What came for one request.
pub(super) type Answer = Result<Value, Reason>;

/// The method that opens a stateless conversation.
pub(super) const DISCOVER: &str = "server/discover";

/// The method that opens a session.
pub(super) const INITIALIZE: &str = "initialize";

/// The `_meta` key under which every stateless request carries the client's capabilities.
const CAPABILITIES_META: &str = "io.modelcontextprotocol/clientCapabilities";

/// One connection's tap, shared by its transport and its reader.
#[derive(Debug)]
pub(super) struct Tap {
    /// The capabilities that the client declares: rmcp's type knows those of the newest revision only.
    declared: serde_json::Value,
    /// The bytes that all messages together may have.
    limit: usize,
    state: Mutex<State>,
    /// There are news.
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that await an answer: id to method.
    open: HashMap<i64, String>,
    answers: HashMap<i64, Answer>,
    /// The method and answer of the last opening.
    opening: Option<(String, Answer)>,
    asked_last: String,
    requests: BTreeSet<String>,
    skipped: usize,
    strays: usize,
    bytes: usize,
    /// The shortest `ttlMs` since it was last asked for.
    life: Option<u64>,
    news: News,
}

/// What came without being asked for since it was last taken.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The server says that a list changed, or may have said so unheard.
    pub(super) signalled: bool,
    /// The server offers no way to say so.
    pub(super) deaf: bool,
    /// Nothing more will come, and why.
    pub(super) lost: Option<Reason>,
}

/// An envelope as the laxest reader sees it, to learn whose answer a refused message is.
#[derive(Deserialize)]
struct Loose<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
}

impl Tap {
    /// A tap for one connection of a client with these capabilities.
    pub(super) fn new(options: &Options) -> Self {
        let declared = options.capabilities.declared();
        Self { declared, limit: options.limits.bytes, state: Mutex::default(), news: Notify::new() }
    }

    /// Notes a message of ours on its way out, and gives its bytes.
    pub(super) fn sending(&self, message: &ClientJsonRpcMessage) -> Vec<u8> {
        if let ClientJsonRpcMessage::Request(request) = message
            && let RequestId::Number(id) = request.id
        {
            let method = request.request.method().to_owned();
            let mut state = self.state();
            state.asked_last.clone_from(&method);
            state.open.insert(id, method);
        }
        // Our own types serialize; an empty line would only be skipped by the server.
        let mut text = serde_json::to_value(message).unwrap_or_default();
        for place in
            ["/params/capabilities", &format!("/params/_meta/{}", CAPABILITIES_META.replace('/', "~1"))]
        {
            if let Some(capabilities) = text.pointer_mut(place) {
                capabilities.clone_from(&self.declared);
            }
        }
        text.to_string().into_bytes()
    }

    /// Takes in one message of the server; gives what rmcp is told instead.
    pub(super) fn receive(&self, bytes: &[u8]) -> Vec<ServerJsonRpcMessage> {
        match jsonrpc::read(bytes) {
            Ok(Envelope::Single(message)) => self.message(&message),
            Ok(Envelope::Batch(elements)) => {
                let each = |text: &&str| match jsonrpc::read_element(text) {
                    Ok(message) => self.message(&message),
                    Err(malformed) => self.malformed(text.as_bytes(), malformed),
                };
                elements.iter().flat_map(each).collect()
            }
            Err(malformed) => self.malformed(bytes, malformed),
        }
    }

    /// Takes in the body of a failed HTTP request: a JSON-RPC error in it belongs to that request, under
    /// whatever id (middleware answers before it read one).
    pub(super) fn receive_error(&self, id: i64, bytes: &[u8]) -> Option<ServerJsonRpcMessage> {
        let Ok(Envelope::Single(message)) = jsonrpc::read(bytes) else { return None };
        let Shape::Error(_) = message.shape else { return None };
        let method = self.method_of(id)?;
        self.settle(id, Err(error(method, &message)))
    }

    /// The answer to an open request is this; gives what rmcp is told instead.
    pub(super) fn fail(&self, id: i64, reason: Reason) -> Option<ServerJsonRpcMessage> {
        self.settle(id, Err(reason))
    }

    /// Every open request has failed, for a reason that does not say which.
    pub(super) fn fail_all(&self, reason: impl Fn(String) -> Reason) -> Vec<ServerJsonRpcMessage> {
        let open: Vec<(i64, String)> = self.state().open.iter().map(|(id, m)| (*id, m.clone())).collect();
        open.into_iter().filter_map(|(id, method)| self.fail(id, reason(method))).collect()
    }

    /// The method of an open request.
    pub(super) fn method_of(&self, id: i64) -> Option<String> {
        self.state().open.get(&id).cloned()
    }

    /// Takes the answer to a request.
    pub(super) fn take(&self, id: &RequestId) -> Option<Answer> {
        let RequestId::Number(id) = id else { return None };
        self.state().answers.remove(id)
    }

    /// Takes the last opening's method and answer.
    pub(super) fn take_opening(&self) -> Option<(String, Answer)> {
        self.state().opening.take()
    }

    /// The method that was asked last.
    pub(super) fn asked_last(&self) -> String {
        self.state().asked_last.clone()
    }

    /// The kinds of request that the server sent.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state().requests.iter().cloned().collect()
    }

    /// Waits for news and takes them. Signals that nobody waited for count as one.
    pub(super) async fn news(&self) -> News {
        self.news.notified().await;
        std::mem::take(&mut self.state().news)
    }

    /// Notes that a list changed, or may have changed unheard.
    pub(super) fn signalled(&self) {
        self.state().news.signalled = true;
        self.news.notify_one();
    }

    /// Notes that the server offers no way to tell of changes.
    pub(super) fn deafen(&self) {
        self.state().news.deaf = true;
        self.news.notify_one();
    }

    /// Notes that nothing more will come, and why; the first reason counts.
    pub(super) fn lose(&self, reason: Reason) {
        self.state().news.lost.get_or_insert(reason);
        self.news.notify_one();
    }

    /// Notes that a further reading begins, which may be as large as the first.
    pub(super) fn renew(&self) {
        self.state().bytes = 0;
    }

    /// Takes how long the lists live that came since the last time.
    pub(super) fn take_life(&self) -> Option<Duration> {
        self.state().life.take().map(Duration::from_millis)
    }

    /// What was skipped, in our words.
    pub(super) fn notes(&self) -> Vec<String> {
        let state = self.state();
        let skipped = match state.skipped {
            0 => None,
            1 => Some("1 line on stdout was no message and was skipped".to_owned()),
            count => Some(format!("{count} lines on stdout were no messages and were skipped")),
        };
        let strays = match state.strays {
            0 => None,
            1 => Some("it answered once without being asked, which was ignored".to_owned()),
            count => Some(format!("it answered {count} times without being asked, which was ignored")),
        };
        skipped.into_iter().chain(strays).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this much more is too much.
    fn is_too_much(&self, bytes: usize) -> bool {
        let mut state = self.state();
        state.bytes += bytes;
        state.bytes > self.limit
    }

    fn message(&self, message: &Message<'_>) -> Vec<ServerJsonRpcMessage> {
        if self.is_too_much(message.text().len()) {
            return self.fail_all(|_| Reason::TooMuch { limit: self.limit });
        }
        let (id, answer) = match &message.shape {
            Shape::Request(_, method) => return self.request(method, message.text()),
            Shape::Notification(method) => {
                if method.ends_with("/list_changed") {
                    self.signalled();
                }
                return Vec::new();
            }
            Shape::Result(id) => (Some(id), message.value(&["result"])),
            Shape::Error(id) => (id.as_ref(), None),
        };
        let id = match id {
            Some(Id::Number(id)) => *id,
            Some(Id::Text(text)) => return self.answer_by_text(text),
            // Who could not read a request cannot name it. Where only one is open, it is that one.
            None => match self.only_open() {
                Some(id) => id,
                None => return self.stray(),
            },
        };
        let Some(method) = self.method_of(id) else { return self.stray() };
        let answer = match answer {
            Some(result) => self.result(method, result),
            None => Err(error(method, message)),
        };
        self.settle(id, answer).into_iter().collect()
    }

    fn result(&self, method: String, result: Value) -> Answer {
        if let Some(life) = result.get("ttlMs").and_then(Value::as_f64).filter(|life| *life >= 0.0) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "strict JSON, not negative"
            )]
            let life = life as u64;
            let shortest = &mut self.state().life;
            *shortest = Some(shortest.map_or(life, |known| known.min(life)));
        }
        if let Some(asked) = result.get("inputRequests").and_then(Value::as_object) {
            let methods = asked.iter().filter_map(|(_, request)| request.get("method")?.as_str());
            self.state().requests.extend(methods.map(str::to_owned));
        }
        match result.get("resultType") {
            None => Ok(result),
            Some(kind) if kind.as_str() == Some("complete") => Ok(result),
            Some(_) => Err(Reason::Shape { method, expected: "complete result" }),
        }
    }

    /// A request of the server: its kind is part of the surface; rmcp answers it.
    fn request(&self, method: &str, text: &str) -> Vec<ServerJsonRpcMessage> {
        if method != "ping" {
            self.state().requests.insert(method.to_owned());
        }
        serde_json::from_str(text).ok().into_iter().collect()
    }

    /// An answer under `"1"` where 1 was asked: JavaScript clients take it, others do not.
    fn answer_by_text(&self, text: &str) -> Vec<ServerJsonRpcMessage> {
        let id = text.trim().parse::<f64>().ok().and_then(|number| self.open_like(number));
        match id.and_then(|id| Some((id, self.method_of(id)?))) {
            Some((id, method)) => self.fail(id, Reason::OtherId { method }).into_iter().collect(),
            None => self.stray(),
        }
    }

    fn malformed(&self, bytes: &[u8], malformed: Malformed) -> Vec<ServerJsonRpcMessage> {
        let starts = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        let may_be_one = starts.starts_with(b"{") || starts.starts_with(b"[");
        if !may_be_one || is_unreadable(&malformed) {
            self.state().skipped += 1;
            return Vec::new();
        }
        let text = String::from_utf8_lossy(starts);
        let Ok(loose) = serde_json::from_str::<Loose<'_>>(&text) else {
            return self.fail_all(|method| Reason::Malformed { method, malformed: malformed.clone() });
        };
        if loose.id.is_none() && matches!(malformed, Malformed::LookAlike(_)) {
            // Whoever ignores case may find an id in it.
            return self.fail_all(|method| Reason::Malformed { method, malformed: malformed.clone() });
        }
        let number = loose.id.and_then(|id| id.get().trim_matches('"').trim().parse::<f64>().ok());
        let id = number.and_then(|number| self.open_like(number));
        match id.and_then(|id| Some((id, self.method_of(id)?))) {
            Some((id, method)) if loose.method.is_none() => {
                self.fail(id, Reason::Malformed { method, malformed }).into_iter().collect()
            }
            _ => {
                self.state().skipped += 1;
                Vec::new()
            }
        }
    }

    fn stray(&self) -> Vec<ServerJsonRpcMessage> {
        self.state().strays += 1;
        Vec::new()
    }

    fn only_open(&self) -> Option<i64> {
        let state = self.state();
        let mut open = state.open.keys();
        open.next().copied().filter(|_| open.next().is_none())
    }

    /// The open request whose id some reader takes for this number.
    #[expect(clippy::cast_precision_loss, reason = "ids of ours are small")]
    fn open_like(&self, number: f64) -> Option<i64> {
        self.state().open.keys().copied().find(|id| *id as f64 == number)
    }

    fn settle(&self, id: i64, answer: Answer) -> Option<ServerJsonRpcMessage> {
        let mut state = self.state();
        let method = state.open.remove(&id)?;
        let told = told(&method, &answer, RequestId::Number(id));
        if method == DISCOVER || method == INITIALIZE {
            state.opening = Some((method, answer));
        } else {
            state.answers.insert(id, answer);
        }
        Some(told)
    }
}

/// Whether no reader of JSON takes this text for a value.
fn is_unreadable(malformed: &Malformed) -> bool {
    match malformed {
        Malformed::Json(refusal) => matches!(refusal.reason, JsonReason::Expected(_) | JsonReason::Trailing),
        _ => false,
    }
}

fn error(method: String, message: &Message<'_>) -> Reason {
    let error = message.value(&["error"]).unwrap_or(Value::Null);
    let code = error.get("code").and_then(Value::as_f64).unwrap_or_default();
    let supported = error.at(&["data", "supported"]).and_then(Value::as_array);
    if let (DISCOVER, -32022.0, Some(supported)) = (method.as_str(), code, supported) {
        let offered = supported.iter().filter_map(|version| version.as_str().map(str::to_owned)).collect();
        return Reason::Version { offered };
    }
    let text = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    #[expect(clippy::cast_possible_truncation, reason = "strict JSON admits no integer beyond 2^53")]
    Reason::Error { method, code: code as i64, message: text }
}

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;
