//! What a request that names an item needs before it may go to the server.

use super::methods::template_admits;
use super::pending::Request;
use super::verdict::{Action, Offered, Verdict};
use super::{Expect, Gate, Open, Record, Side};
use crate::engine::json::Value;
use crate::engine::jsonrpc::{Id, Message};
use crate::engine::surface::{Era, ItemKey, Kind, is_page};

/// The most kinds of request of a server that are remembered.
const MANY_KINDS: usize = 64;

impl Gate {
    /// A request that names an item: it passes, waits or is refused.
    pub(super) fn gated(&mut self, id: Id, request: Request, message: &Message<'_>) {
        self.last_call = Some(self.now);
        let (era, kind) = (request.era, request.key.kind);
        let is_known = match kind {
            Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template | Kind::Skill => {
                let list = self.lists.get(&(era, kind));
                list.is_some_and(|list| list.is_fresh(self.now, self.config.limits.verify))
            }
            // Judged by the pins alone; what the server says is compared when it answers.
            Kind::Ui | Kind::Request | Kind::Instructions | Kind::Capabilities | Kind::ServerInfo => true,
        };
        if self.is_observing() {
            if is_known && self.verdict(era, &request.key) != Verdict::Approved {
                self.record(Record::Observed { method: request.method.clone(), item: request.key.clone() });
            }
            return self.go_on(id, request, message);
        }
        if !is_known {
            return self.wait(id, request, message);
        }
        let verdict = self.verdict(era, &request.key);
        match verdict.action(self.can_hold()) {
            Action::Pass => self.go_on(id, request, message),
            Action::Hold => self.hold(id, request, message),
            Action::Refuse => self.refuse(self.stream, &id, &request, verdict),
        }
    }

    /// A request that names a resource by its URI.
    pub(super) fn resource(&mut self, era: Era, id: Id, method: &str, uri: &str, message: &Message<'_>) {
        if self.skill_file(era, &id, method, uri, message) {
            return;
        }
        let is_read = method == "resources/read";
        let key = self.resource_key(uri);
        let expect = match key.kind {
            Kind::Ui if is_read => Expect::Ui(key.clone()),
            _ if is_read => Expect::Contents,
            _ => Expect::Plain,
        };
        let request = Request { era, method: method.to_owned(), key, expect };
        let is_open = self.judge().is_some_and(|judge| judge.approved.pin.open.contains(&Kind::Resource));
        if is_open && request.key.kind == Kind::Resource {
            return self.go_on(id, request, message);
        }
        self.gated(id, request, message);
    }

    /// The verdict on an item by what was read last.
    pub(super) fn verdict(&self, era: Era, key: &ItemKey) -> Verdict {
        let Some(judge) = self.judge() else { return Verdict::Unlisted };
        match key.kind {
            Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template | Kind::Skill => {
                self.lists.get(&(era, key.kind)).map_or(Verdict::Unreadable, |list| list.verdict(&key.name))
            }
            Kind::Ui => match judge.approved_value(key) {
                Some(_) => Verdict::Approved,
                None => Verdict::New,
            },
            Kind::Request => {
                judge.verdict(key, Some(&Offered { value: Value::Bool(true), is_ambiguous: false }))
            }
            Kind::Instructions | Kind::Capabilities | Kind::ServerInfo => Verdict::Unlisted,
        }
    }

    /// The verdict on a kind of request that the server makes; it becomes part of what it offers.
    pub(super) fn request_verdict(&mut self, method: &str) -> Verdict {
        let key = ItemKey::new(Kind::Request, method);
        if self.requests_seen.len() >= MANY_KINDS && !self.requests_seen.contains(method) {
            // A server that invents methods without end is not worth a record each.
            return self.verdict(self.client.era, &ItemKey::new(Kind::Request, method));
        }
        self.requests_seen.insert(method.to_owned());
        let verdict = self.verdict(self.client.era, &key);
        let offered = Offered { value: Value::Bool(true), is_ambiguous: false };
        if self.note(key, verdict, Some(&offered)) {
            self.keep_offer();
        }
        verdict
    }

    /// What is approved has changed: kinds of request and contents that were seen are judged again.
    pub(super) fn judge_others(&mut self) {
        if self.judge().is_none() {
            return;
        }
        let requests: Vec<ItemKey> =
            self.requests_seen.iter().map(|method| ItemKey::new(Kind::Request, method.as_str())).collect();
        let asked = Offered { value: Value::Bool(true), is_ambiguous: false };
        let mut is_worth_keeping = false;
        for key in requests {
            let verdict = self.verdict(self.client.era, &key);
            is_worth_keeping |= self.note(key, verdict, Some(&asked));
        }
        for (key, offered) in std::mem::take(&mut self.contents_seen) {
            let verdict = self.judge().map_or(Verdict::New, |judge| judge.verdict(&key, Some(&offered)));
            is_worth_keeping |= self.note(key.clone(), verdict, Some(&offered));
            if verdict != Verdict::Approved {
                self.contents_seen.insert(key, offered);
            }
        }
        if is_worth_keeping {
            self.keep_offer();
        }
    }

    /// Contents that were read: those that are not as approved are part of what is offered.
    pub(super) fn keep_contents(&mut self, key: &ItemKey, verdict: Verdict, offered: Option<&Offered>) {
        match (verdict, offered) {
            (Verdict::Approved, _) | (_, None) => {
                self.contents_seen.remove(key);
            }
            (_, Some(_))
                if self.contents_seen.len() >= MANY_KINDS && !self.contents_seen.contains_key(key) => {}
            (_, Some(offered)) => {
                self.contents_seen.insert(key.clone(), offered.clone());
            }
        }
    }

    /// Lets a request go to the server as it is.
    pub(super) fn go_on(&mut self, id: Id, request: Request, message: &Message<'_>) {
        let Request { era, method, expect, key } = request;
        self.pass(Side::Server, message);
        let call = self.call_begins(&key, &method, message);
        let (stream, followers) = (self.stream, Vec::new());
        self.open.insert(id, Open { stream, era, method, expect, is_cancelled: false, call, followers });
    }

    /// The item whose approval covers a URI: the page, the resource, or the template it is made from.
    fn resource_key(&self, uri: &str) -> ItemKey {
        if is_page(uri) {
            return ItemKey::new(Kind::Ui, uri);
        }
        let own = ItemKey::new(Kind::Resource, uri);
        let Some(judge) = self.judge() else { return own };
        if judge.approved_value(&own).is_some() {
            return own;
        }
        let template = judge.names(Kind::Template).find(|template| template_admits(template, uri));
        template.map_or(own, |template| ItemKey::new(Kind::Template, template))
    }
}
