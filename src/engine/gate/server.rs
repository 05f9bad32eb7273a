//! What the server sends.

use super::methods::{changed_lists, needs_id};
use super::verdict::{Offered, Verdict};
use super::{Approval, Expect, Gate, Open, Output, Own, Side, eras, words};
use crate::engine::json::{self, Object, Value, write};
use crate::engine::jsonrpc::{self, Id, Message, Shape, look_alike};
use crate::engine::record::event::Outcome;
use crate::engine::surface::{Era, ItemKey, Kind};

/// The members of a result that change what a client does with it.
const TELLING: [&str; 9] = [
    "resultType",
    "inputRequests",
    "requestState",
    "isError",
    "content",
    "structuredContent",
    "task",
    "messages",
    "contents",
];

/// The most tasks that are remembered.
const MAX_TASKS: usize = 10_000;

impl Gate {
    /// A message of the server.
    pub(super) fn server_says(&mut self, message: &Message<'_>) {
        match &message.shape {
            Shape::Request(id, method) => self.server_request(id, method, message),
            Shape::Notification(method) => self.server_notification(method, message),
            Shape::Result(id) | Shape::Error(Some(id)) => self.server_answer(id, message),
            Shape::Error(None) => self.drop_frame(Side::Server, "an error without an id".to_owned()),
        }
    }

    fn server_request(&mut self, id: &Id, method: &str, message: &Message<'_>) {
        if !self.client.has_session {
            let why = "a request of the server, which 2026-07-28 does not have".to_owned();
            return self.drop_frame(Side::Server, why);
        }
        if self.is_own(id) || self.server_open.contains_key(id) {
            return self.drop_frame(Side::Server, "a request with an id that is in use".to_owned());
        }
        let is_full = self.server_open.len() >= self.config.limits.open;
        let is_allowed = match method {
            "ping" => true,
            "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel" => {
                self.allows_request("sampling/createMessage") || self.allows_request("elicitation/create")
            }
            _ => self.allows_request(method),
        };
        if is_allowed && !is_full {
            self.server_open.insert(id.clone(), self.stream);
            self.pass(Side::Client, message);
        } else {
            self.send(Side::Server, jsonrpc::error(id, words::NO_METHOD, words::REQUEST_BLOCKED));
        }
    }

    fn server_notification(&mut self, method: &str, message: &Message<'_>) {
        let changed = changed_lists(method);
        if !changed.is_empty() {
            return self.signal(changed);
        }
        if needs_id(method, message) && !self.is_observing() {
            return self.drop_frame(Side::Server, "a request without an id".to_owned());
        }
        if method == "notifications/subscriptions/acknowledged" {
            self.acknowledged(message);
        }
        match self.approval {
            Approval::Pinned(_) => self.pass(Side::Client, message),
            Approval::Nobody | Approval::Closed(_) if self.is_observing() => self.pass(Side::Client, message),
            Approval::Nobody | Approval::Closed(_) => {
                self.drop_frame(Side::Server, "a notification of a server that is not approved".to_owned());
            }
        }
    }

    fn server_answer(&mut self, id: &Id, message: &Message<'_>) {
        match self.own.remove(id) {
            Some(Own::List(era, kind)) => return self.page_answered(era, kind, message),
            Some(Own::Initialize) => return self.opened_late(message),
            None => {}
        }
        let Some(open) = self.open.remove(id) else {
            return self.drop_frame(Side::Server, "an answer to no open request".to_owned());
        };
        self.server_was_busy();
        if let Shape::Error(_) = message.shape {
            return self.error_answered(id, open, message);
        }
        match &open.expect {
            Expect::Initialize => self.initialized(id, &open, message),
            Expect::Discover => self.discovered(id, &open, message),
            Expect::Ui(key) => self.page_read(id, &open, key, message),
            Expect::Skill(key) => self.skill_read(id, &open, key, message),
            Expect::File(promise) => self.file_read(id, &open, promise, message),
            Expect::Directory(directory) => self.directory_read(id, &open, directory),
            Expect::Listen => {
                self.listens.retain(|listen| listen.id != *id);
                self.pass_on(&open, message);
            }
            Expect::Call(_) | Expect::Prompt | Expect::Contents | Expect::Plain => {
                match self.check_result(&open, message) {
                    Err(why) if !self.is_observing() => self.refuse_answer(id, &open, why),
                    Ok(()) | Err(_) => {
                        self.pass_on(&open, message);
                        self.call_is_answered(&open, message);
                    }
                }
            }
        }
    }

    fn error_answered(&mut self, id: &Id, open: Open, message: &Message<'_>) {
        match &open.expect {
            Expect::Initialize | Expect::Discover => {
                let error = self.opening_error(id, message);
                self.send_on(open.stream, error);
            }
            Expect::Ui(_) | Expect::Skill(_) | Expect::File(_) | Expect::Directory(_) => {
                for (stream, id) in open.followers.iter().chain([&(open.stream, id.clone())]) {
                    self.send_on(*stream, jsonrpc::error(id, words::BLOCKED, words::OPENING_ERROR));
                }
            }
            Expect::Listen if self.listens.iter().any(|listen| listen.id == *id && listen.is_told) => {
                self.listens.retain(|listen| listen.id != *id);
                self.pass_on(&open, message);
            }
            Expect::Listen => self.acknowledge(id),
            Expect::Call(_) | Expect::Prompt | Expect::Contents | Expect::Plain => {
                self.pass_on(&open, message);
                self.call_is_answered(&open, message);
            }
        }
    }

    /// Lets an answer pass as it is; calls that were held as equal get copies.
    fn pass_on(&mut self, open: &Open, message: &Message<'_>) {
        match self.batch {
            Some(_) => self.pass(Side::Client, message),
            None => {
                self.out.push(super::Effect { stream: open.stream, output: Output::Forward(Side::Client) })
            }
        }
        let (key, raw) = match message.raw(&["result"]) {
            Some(raw) => ("result", raw),
            None => ("error", message.raw(&["error"]).unwrap_or("{}")),
        };
        for (stream, id) in &open.followers {
            self.send_on(*stream, jsonrpc::copy(id, key, raw));
        }
    }

    /// Answers a request whose answer cannot be let through.
    pub(super) fn refuse_answer(&mut self, id: &Id, open: &Open, why: &'static str) {
        self.drop_frame(Side::Server, format!("an answer to {}: {why}", open.method));
        let text = format!("Blocked by mcpwatch: the server {} did answer, but {why}.", self.label());
        self.blocked(open.stream, id, open.era, &open.expect, &text);
        for (stream, id) in &open.followers {
            self.blocked(*stream, id, open.era, &open.expect, &text);
        }
        self.call_ends(open, Outcome::Refused);
    }

    /// Answers the open request of that id, because its answer was thrown away.
    pub(super) fn answer_for(&mut self, id: &Id, why: &'static str) {
        match self.own.remove(id) {
            Some(Own::List(era, kind)) => return self.fail_reading(era, kind, why),
            Some(Own::Initialize) => return,
            None => {}
        }
        if let Some(open) = self.open.remove(id) {
            self.refuse_answer(id, &open, why);
        }
    }

    /// The server is gone: nothing that is open will be answered by it.
    pub(super) fn server_closed(&mut self, why: &str) {
        let text = format!("mcpwatch: the server {} ended: {why}", self.label());
        if !matches!(self.approval, Approval::Closed(_)) {
            self.gone = Some(text.clone());
        }
        for (id, open) in std::mem::take(&mut self.open) {
            if let (Expect::Initialize, Approval::Closed(_)) = (&open.expect, &self.approval) {
                // It was ended by us: the client is to read why, as from any server that is closed.
                self.open_closed(&id, None);
                continue;
            }
            let followers = open.followers.iter().map(|(stream, id)| (*stream, id.clone()));
            for (stream, id) in followers.chain([(open.stream, id.clone())]) {
                self.send_on(stream, jsonrpc::error(&id, words::FAILED, &text));
            }
            self.call_ends(&open, Outcome::Lost);
        }
        self.server_open.clear();
        self.own.clear();
        let places: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in places {
            if self.lists.get(&(era, kind)).is_some_and(|list| list.reading.is_some()) {
                self.fail_reading(era, kind, "the server ended");
            }
        }
        for pending in std::mem::take(&mut self.pending) {
            self.refuse_pending(&pending, Verdict::Unreadable);
        }
    }

    /// Whether a result that passes has the shape its method has, and asks for nothing unapproved.
    fn check_result(&mut self, open: &Open, message: &Message<'_>) -> Result<(), &'static str> {
        let is_object = message.raw(&["result"]).is_some_and(|raw| raw.starts_with('{'));
        if !is_object {
            // Methods outside the specification may answer with anything.
            return match open.expect {
                Expect::Plain => Ok(()),
                _ => Err("the answer is no object"),
            };
        }
        if look_alike(message.outline.members_at(&["result"]), &TELLING).is_some() {
            return Err("the answer can be read in two ways");
        }
        let asks = message.raw(&["result", "inputRequests"]).is_some();
        if asks {
            self.check_inputs(message)?;
        }
        match (message.raw(&["result", "resultType"]), message.string(&["result", "resultType"]).as_deref()) {
            (None, _) | (_, Some("complete")) => self.check_members(open, message, asks),
            (_, Some("input_required")) if asks || message.raw(&["result", "requestState"]).is_some() => {
                Ok(())
            }
            (_, Some("task")) => self.remember_task(open, message.string(&["result", "taskId"]).as_deref()),
            (_, Some(_) | None) => Err("the kind of its answer is unknown"),
        }
    }

    fn check_members(&mut self, open: &Open, message: &Message<'_>, asks: bool) -> Result<(), &'static str> {
        let starts = |field: &str| message.raw(&["result", field]).map(|raw| raw.starts_with('['));
        let has = |field: &str| starts(field) == Some(true) || asks;
        match &open.expect {
            Expect::Call(_) => {
                if let Some(task) = message.value(&["result", "task"]) {
                    let id = task.get("taskId").and_then(Value::as_str);
                    return self.remember_task(open, id);
                }
                if starts("content") == Some(false) { Err("its content is no list") } else { Ok(()) }
            }
            Expect::Prompt if has("messages") => Ok(()),
            Expect::Prompt => Err("the answer has no list of messages"),
            Expect::Contents if has("contents") => Ok(()),
            Expect::Contents => Err("the answer has no list of contents"),
            Expect::Plain => Ok(()),
            Expect::Initialize | Expect::Discover | Expect::Listen => Ok(()),
            Expect::Ui(_) | Expect::Skill(_) | Expect::File(_) | Expect::Directory(_) => Ok(()),
        }
    }

    /// What a result asks of the client (2026-07-28) must be of approved kinds.
    fn check_inputs(&mut self, message: &Message<'_>) -> Result<(), &'static str> {
        let inputs = message.value(&["result", "inputRequests"]);
        let Some(inputs) = inputs.as_ref().and_then(Value::as_object) else {
            return Err("its questions to the client cannot be read");
        };
        for (_, input) in inputs.iter() {
            let Some(method) = input.get("method").and_then(Value::as_str) else {
                return Err("its questions to the client cannot be read");
            };
            if !self.allows_request(method) {
                return Err("it asks the client for something that was not approved for this server");
            }
        }
        Ok(())
    }

    fn remember_task(&mut self, open: &Open, task: Option<&str>) -> Result<(), &'static str> {
        let (Expect::Call(key), Some(task)) = (&open.expect, task) else { return Ok(()) };
        if self.tasks.len() >= MAX_TASKS {
            self.tasks.clear();
        }
        self.tasks.insert(task.to_owned(), key.clone());
        Ok(())
    }

    /// The contents of a `ui://` page: ours, from what is approved.
    fn page_read(&mut self, id: &Id, open: &Open, key: &ItemKey, message: &Message<'_>) {
        let contents = message.value(&["result", "contents"]);
        self.gated_value(id, open, key, "contents", contents);
    }

    /// A skill: ours, from what is approved.
    fn skill_read(&mut self, id: &Id, open: &Open, key: &ItemKey, message: &Message<'_>) {
        let skill = message.value(&["result", "skill"]);
        self.gated_value(id, open, key, "skill", skill);
    }

    fn gated_value(&mut self, id: &Id, open: &Open, key: &ItemKey, field: &str, value: Option<Value>) {
        let offered = value.map(|value| Offered { value, is_ambiguous: false });
        let (verdict, approved) = match self.judge() {
            Some(judge) => (judge.verdict(key, offered.as_ref()), judge.approved_value(key)),
            None => (Verdict::New, None),
        };
        self.keep_contents(key, verdict, offered.as_ref());
        let is_new = self.note(key.clone(), verdict, offered.as_ref());
        let serve = match verdict {
            Verdict::Approved => offered.map(|offered| offered.value),
            Verdict::Changed | Verdict::Rejected | Verdict::Ambiguous | Verdict::Removed => approved,
            Verdict::New | Verdict::Unlisted | Verdict::Unreadable if self.is_observing() => {
                offered.map(|offered| offered.value)
            }
            Verdict::New | Verdict::Unfit | Verdict::Unlisted | Verdict::Unreadable => None,
        };
        if is_new {
            if verdict != Verdict::Approved {
                self.drop_frame(Side::Server, "contents that are not as approved".to_owned());
            }
            self.keep_offer();
        }
        let Some(serve) = serve else {
            return self.refuse_answer(id, open, "nobody approved what it answered");
        };
        let mut result: Object = [(field, serve)].into_iter().collect();
        eras::complete(open.era, &mut result);
        let result = write::to_bytes(&Value::Object(result));
        for (stream, id) in open.followers.iter().chain([&(open.stream, id.clone())]) {
            self.send_on(*stream, jsonrpc::answer(id, &result));
        }
    }

    fn opening_error(&self, id: &Id, message: &Message<'_>) -> Vec<u8> {
        let code = message.value(&["error", "code"]).and_then(|code| code.as_f64()).unwrap_or(-32_603.0);
        let code = if (-32_768.0..=-1.0).contains(&code) { code } else { -32_603.0 };
        let mut error = Object::new();
        if let Some(code) = json::Number::new(code.trunc()) {
            error.insert("code", Value::Number(code));
        }
        error.insert("message", words::OPENING_ERROR);
        // What versions it takes instead, which are dates.
        let data = message.value(&["error", "data"]);
        let supported = data.as_ref().and_then(|data| data.get("supported")).and_then(Value::as_array);
        if let Some(supported) = supported {
            let data: Object = [("supported", super::opening::versions(supported))].into_iter().collect();
            error.insert("data", data);
        }
        jsonrpc::copy(id, "error", &String::from_utf8_lossy(&write::to_bytes(&Value::Object(error))))
    }
}
