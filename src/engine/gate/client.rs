//! What the client sends.

use super::methods::{Asked, asked, needs_id};
use super::pending::Request;
use super::verdict::Action;
use super::{Approval, Expect, Gate, Mode, Output, Record, Side, words};
use crate::engine::frame::skim_id;
use crate::engine::json::{Object, Value};
use crate::engine::jsonrpc::{self, Id, Malformed, Message, Shape};
use crate::engine::surface::{Era, ItemKey, Kind};

impl Gate {
    /// A message of the client.
    pub(super) fn client_says(&mut self, message: &Message<'_>) {
        match &message.shape {
            Shape::Request(id, method) => self.request(id.clone(), method, message),
            Shape::Notification(method) => self.client_notification(method, message),
            Shape::Result(id) | Shape::Error(Some(id)) => {
                if self.server_open.remove(id).is_some() {
                    self.pass(Side::Server, message);
                } else {
                    self.drop_frame(Side::Client, "an answer to no open request".to_owned());
                }
            }
            Shape::Error(None) => self.drop_frame(Side::Client, "an error without an id".to_owned()),
        }
    }

    /// A frame that cannot be read.
    pub(super) fn malformed(&mut self, from: Side, bytes: &[u8], malformed: &Malformed) {
        self.drop_frame(from, malformed.to_string());
        // Whoever waits for it gets an answer, if it can be made out who that is.
        let id = match from {
            Side::Server => skim_id(bytes),
            Side::Client => None,
        };
        let is_own = id.as_ref().is_some_and(|id| self.is_own(id));
        if self.is_observing() && self.batch.is_none() && !is_own {
            return self.emit(Output::Forward(from.other()));
        }
        if let Some(id) = id {
            self.answer_for(&id, "what it answered cannot be read in only one way");
        }
    }

    /// A frame that was too long.
    pub(super) fn too_long(&mut self, from: Side, id: Option<Id>, is_request: bool) {
        self.drop_frame(from, "a message longer than the limit".to_owned());
        match (from, id) {
            (Side::Client, Some(id)) if is_request => {
                self.send(Side::Client, jsonrpc::error(&id, words::INVALID_REQUEST, words::TOO_LONG));
            }
            (Side::Server, Some(id)) if is_request => {
                self.send(Side::Server, jsonrpc::error(&id, words::INVALID_REQUEST, words::TOO_LONG));
            }
            (Side::Server, Some(id)) => self.answer_for(&id, "what it answered is longer than the limit"),
            (Side::Client, Some(id)) => {
                if self.server_open.remove(&id).is_some() {
                    self.send(Side::Server, jsonrpc::error(&id, words::INVALID_REQUEST, words::TOO_LONG));
                }
            }
            (Side::Client | Side::Server, None) => {}
        }
    }

    fn request(&mut self, id: Id, method: &str, message: &Message<'_>) {
        if self.is_own(&id) {
            return self.error(method, &id, words::INVALID_REQUEST, words::ID_RESERVED);
        }
        if self.open.contains_key(&id) || self.is_pending(&id) || self.is_waiter(&id) {
            return self.error(method, &id, words::INVALID_REQUEST, words::ID_IN_USE);
        }
        if self.open.len() >= self.config.limits.open {
            return self.error(method, &id, words::INVALID_REQUEST, words::TOO_MANY);
        }
        if let Some(why) = self.gone.clone() {
            return self.send(Side::Client, jsonrpc::error(&id, words::FAILED, &why));
        }
        let (era, moved) = self.client.request(message);
        if moved {
            self.client_moved();
        }
        let asked = asked(method, message);
        if asked == Asked::Item(ItemKey::new(Kind::Tool, words::REVIEW)) {
            return self.answer_review(&id, era);
        }
        match self.approval {
            Approval::Pinned(_) => self.request_of_approved(era, id, method, asked, message),
            Approval::Nobody => self.request_of_unapproved(era, id, method, asked, message),
            Approval::Closed(_) => self.request_of_closed(era, id, method, asked, message),
        }
    }

    fn request_of_approved(&mut self, era: Era, id: Id, method: &str, asked: Asked, message: &Message<'_>) {
        let plain = |expect: Expect| Request {
            era,
            method: method.to_owned(),
            key: ItemKey::single(Kind::Capabilities),
            expect,
        };
        match asked {
            Asked::Initialize => {
                if self.client.initialize(message) {
                    self.client_moved();
                }
                self.go_on(id, plain(Expect::Initialize), message);
            }
            Asked::Discover => self.go_on(id, plain(Expect::Discover), message),
            Asked::List(kind) => self.list_asked(era, kind, id, message),
            Asked::Item(key) => {
                let expect = match (key.kind, method) {
                    (Kind::Tool, _) => Expect::Call(key.clone()),
                    (Kind::Skill, _) => Expect::Skill(key.clone()),
                    (_, "prompts/get") => Expect::Prompt,
                    _ => Expect::Plain,
                };
                self.gated(id, Request { era, method: method.to_owned(), key, expect }, message);
            }
            Asked::Resource(uri) => self.resource(era, id, method, &uri, message),
            Asked::Task(task) => self.task(era, id, method, &task, message),
            Asked::Listen => {
                self.listen(&id, message);
                self.go_on(id, plain(Expect::Listen), message);
            }
            Asked::Plain => self.go_on(id, plain(Expect::Plain), message),
            Asked::Nameless => self.error(method, &id, words::INVALID_PARAMS, words::NAMELESS),
            Asked::Directory(_) | Asked::UnknownList | Asked::Unknown if self.is_observing() => {
                self.go_on(id, plain(Expect::Plain), message);
            }
            Asked::Directory(uri) => self.directory(era, id, &uri, message),
            Asked::UnknownList => self.error(method, &id, words::NO_METHOD, words::NO_PIN),
            Asked::Unknown if self.is_capability(method) => self.go_on(id, plain(Expect::Plain), message),
            Asked::Unknown => self.error(method, &id, words::NO_METHOD, words::NOT_A_CAPABILITY),
        }
    }

    /// A server that nobody approved: it is opened and read, so that there is something to review.
    fn request_of_unapproved(&mut self, era: Era, id: Id, method: &str, asked: Asked, message: &Message<'_>) {
        match asked {
            Asked::Initialize | Asked::Discover | Asked::Plain => {
                self.request_of_approved(era, id, method, asked, message);
            }
            Asked::List(kind) => self.list_asked(era, kind, id, message),
            Asked::Listen => {
                self.listen(&id, message);
                self.acknowledge(&id);
            }
            Asked::Item(_)
            | Asked::Resource(_)
            | Asked::Directory(_)
            | Asked::Task(_)
            | Asked::Nameless
            | Asked::UnknownList
            | Asked::Unknown => self.refuse_all(era, id, method, asked, message),
        }
    }

    /// A server that is closed: all answers are ours.
    fn request_of_closed(&mut self, era: Era, id: Id, method: &str, asked: Asked, message: &Message<'_>) {
        match asked {
            Asked::Initialize => {
                self.client.initialize(message);
                self.open_closed(&id, Some(message));
            }
            Asked::Discover => self.discover_closed(&id),
            Asked::List(kind) => self.list_asked(era, kind, id, message),
            Asked::Listen => {
                self.listen(&id, message);
                self.acknowledge(&id);
            }
            Asked::Plain => self.send(Side::Client, jsonrpc::answer(&id, &words::empty_result(era))),
            Asked::Item(_)
            | Asked::Resource(_)
            | Asked::Directory(_)
            | Asked::Task(_)
            | Asked::Nameless
            | Asked::UnknownList
            | Asked::Unknown => self.refuse_all(era, id, method, asked, message),
        }
    }

    fn refuse_all(&mut self, era: Era, id: Id, method: &str, asked: Asked, message: &Message<'_>) {
        if self.is_observing() {
            return self.request_of_approved(era, id, method, asked, message);
        }
        let (key, expect) = match asked {
            Asked::Item(key) if key.kind == Kind::Tool => (key.clone(), Expect::Call(key)),
            Asked::Item(key) => (key, Expect::Plain),
            _ => (ItemKey::single(Kind::Capabilities), Expect::Plain),
        };
        let request = Request { era, method: method.to_owned(), key, expect };
        let verdict = super::Verdict::New;
        self.refuse(self.stream, &id, &request, verdict);
    }

    /// A request about a task: it belongs to the call that started it.
    fn task(&mut self, era: Era, id: Id, method: &str, task: &str, message: &Message<'_>) {
        let request = |key| Request { era, method: method.to_owned(), key, expect: Expect::Plain };
        if let Some(key) = self.tasks.get(task) {
            let request = request(key.clone());
            return self.gated(id, request, message);
        }
        // A task of an earlier session may belong to any tool, so all of them must be as approved.
        let key = ItemKey::new(Kind::Tool, "");
        let list = self.lists.get(&(era, Kind::Tool));
        let is_fresh = list.is_some_and(|list| list.is_fresh(self.now, self.config.limits.verify));
        if is_fresh && list.is_some_and(super::lists::List::is_as_approved) || self.is_observing() {
            self.go_on(id, request(key), message);
        } else {
            let why = "Blocked by mcpwatch: this task was not started in this session, and not every tool of the \
                       server is as it was approved.";
            self.error(method, &id, words::BLOCKED, why);
        }
    }

    fn listen(&mut self, id: &Id, message: &Message<'_>) {
        let filter = match message.value(&["params", "notifications"]) {
            Some(Value::Object(filter)) => filter,
            _ => Object::new(),
        };
        self.listens.push(super::eras::Listen {
            stream: self.stream,
            id: id.clone(),
            filter,
            is_ours: false,
            is_told: false,
        });
    }

    fn client_notification(&mut self, method: &str, message: &Message<'_>) {
        match method {
            "notifications/cancelled" => self.cancel(message),
            "notifications/initialized" => {
                self.pass(Side::Server, message);
                self.read_unapproved(Era::Session);
            }
            _ if needs_id(method, message) && !self.is_observing() => {
                self.drop_frame(Side::Client, "a request without an id".to_owned());
            }
            _ => self.pass(Side::Server, message),
        }
    }

    /// A request is taken back. One that never went to the server is forgotten here.
    fn cancel(&mut self, message: &Message<'_>) {
        let Some(id) = message.raw(&["params", "requestId"]).and_then(Id::read) else {
            return self.drop_frame(Side::Client, "a cancellation without a request".to_owned());
        };
        if self.cancel_waiter(&id) || self.cancel_pending(&id) {
            return;
        }
        self.listens.retain(|listen| listen.id != id);
        if let Some(open) = self.open.get_mut(&id) {
            open.is_cancelled = true;
            self.pass(Side::Server, message);
            self.call_is_cancelled(&id);
        }
    }

    /// Another client, or another set of capabilities: other variants hold, other lists are shown.
    fn client_moved(&mut self) {
        let places: Vec<(Era, Kind)> = self.lists.keys().copied().collect();
        for (era, kind) in places {
            self.judge_list(era, kind);
        }
        self.doubt_all();
    }

    /// Reads everything of a server that nobody approved, so that a person can look at it.
    pub(super) fn read_unapproved(&mut self, era: Era) {
        if !matches!(self.approval, Approval::Nobody) {
            return;
        }
        let kinds = self.opening.as_ref().map_or(Vec::new(), |opening| opening.listed_kinds());
        for kind in kinds {
            self.start_reading(era, kind);
        }
    }

    /// Whether an unknown method belongs to a capability that is approved.
    fn is_capability(&self, method: &str) -> bool {
        let Some(judge) = self.judge() else { return false };
        let Some(pinned) = judge.approved_value(&ItemKey::single(Kind::Capabilities)) else { return false };
        let groups = [Some(&pinned), pinned.get("experimental"), pinned.get("extensions")];
        let names = groups.into_iter().flatten().filter_map(Value::as_object).flat_map(Object::iter);
        let belongs = |name: &str| {
            method == name || method.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        };
        names.map(|(name, _)| name).any(belongs)
    }

    /// Whether a kind of request of the server is approved.
    pub(super) fn allows_request(&mut self, method: &str) -> bool {
        match self.request_verdict(method).action(false) {
            Action::Pass => true,
            Action::Hold | Action::Refuse => {
                let item = ItemKey::new(Kind::Request, method);
                let method = method.to_owned();
                self.record(match self.config.mode {
                    Mode::Observe => Record::Observed { method, item },
                    Mode::Enforce => {
                        Record::Refused { method, item: Some(item), why: words::REQUEST_BLOCKED.to_owned() }
                    }
                });
                self.is_observing()
            }
        }
    }
}
