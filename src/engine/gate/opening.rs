//! `initialize` and `server/discover`: what the server says about itself, and what the client gets.
//!
//! The client gets approved instructions, the approved name, and of the capabilities those that are
//! approved and still offered, with `listChanged`, because we announce approvals ourselves.

use super::skills::EXTENSION;
use super::verdict::{Offered, Verdict};
use super::{Approval, Gate, Open, Own, Side, eras, words};
use crate::engine::json::{Object, Value, write};
use crate::engine::jsonrpc::{self, Id, Message};
use crate::engine::surface::{Era, ItemKey, Kind, SERVER_INFO_META, Surface};

/// The capabilities that have a list, and its kinds.
const LISTS: [(&str, &[Kind]); 3] = [
    ("tools", &[Kind::Tool]),
    ("prompts", &[Kind::Prompt]),
    ("resources", &[Kind::Resource, Kind::Template]),
];

/// The newest version that opens sessions.
const NEWEST_SESSION: &str = "2025-11-25";

/// The first version without sessions.
const STATELESS: &str = "2026-07-28";

/// What the server said about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    /// The protocol version.
    pub protocol: String,
    instructions: Option<Value>,
    capabilities: Option<Value>,
    info: Option<Value>,
}

impl Offer {
    fn of(result: &Value, protocol: String) -> Self {
        let info = result.get("serverInfo").or_else(|| result.at(&["_meta", SERVER_INFO_META]));
        Self {
            protocol,
            instructions: result.get("instructions").filter(|text| **text != Value::Null).cloned(),
            capabilities: result.get("capabilities").cloned(),
            info: info.cloned(),
        }
    }

    /// Adds what was said to a surface.
    pub fn add_to(&self, surface: &mut Surface) {
        for (kind, value) in self.items() {
            if let Some(value) = value {
                surface.add(ItemKey::single(kind), value.clone());
            }
        }
    }

    /// The kinds of list that the server says it has.
    pub fn listed_kinds(&self) -> Vec<Kind> {
        let has = |name: &str| self.capabilities.as_ref().is_some_and(|all| all.get(name).is_some());
        let skills =
            self.capabilities.as_ref().is_some_and(|all| all.at(&["extensions", EXTENSION]).is_some());
        let lists = LISTS.iter().filter(|(name, _)| has(name)).flat_map(|(_, kinds)| kinds.iter().copied());
        lists.chain(skills.then_some(Kind::Skill)).collect()
    }

    fn items(&self) -> [(Kind, Option<&Value>); 3] {
        [
            (Kind::Instructions, self.instructions.as_ref()),
            (Kind::Capabilities, self.capabilities.as_ref()),
            (Kind::ServerInfo, self.info.as_ref()),
        ]
    }
}

impl Gate {
    /// The answer to `initialize`.
    pub(super) fn initialized(&mut self, id: &Id, open: &Open, message: &Message<'_>) {
        let result = message.value(&["result"]).unwrap_or(Value::Null);
        let version = result.get("protocolVersion").and_then(Value::as_str).filter(|text| is_date(text));
        let Some(version) = version.map(str::to_owned) else {
            return self.bad_opening(id, open);
        };
        let mut out = Object::new();
        out.insert("protocolVersion", version.as_str());
        if !self.render_opening(&result, version.clone(), &mut out) {
            return self.bad_opening(id, open);
        }
        self.send_on(open.stream, jsonrpc::answer(id, &write::to_bytes(&Value::Object(out))));
        self.session_opens(&version);
    }

    /// The answer to `server/discover`.
    pub(super) fn discovered(&mut self, id: &Id, open: &Open, message: &Message<'_>) {
        let result = message.value(&["result"]).unwrap_or(Value::Null);
        let supported = result.get("supportedVersions").and_then(Value::as_array).map(versions);
        let Some(Value::Array(supported)) = supported.filter(|_| result.as_object().is_some()) else {
            return self.bad_opening(id, open);
        };
        let newest = supported.iter().filter_map(Value::as_str).max().unwrap_or(STATELESS).to_owned();
        let mut out = Object::new();
        out.insert("supportedVersions", supported);
        if !self.render_opening(&result, newest.clone(), &mut out) {
            return self.bad_opening(id, open);
        }
        if let Some(info) = out.remove("serverInfo") {
            let meta: Object = [(SERVER_INFO_META, info)].into_iter().collect();
            out.insert("_meta", meta);
        }
        eras::complete(Era::Stateless, &mut out);
        self.send_on(open.stream, jsonrpc::answer(id, &write::to_bytes(&Value::Object(out))));
        self.session_opens(&newest);
        self.read_unapproved(Era::Stateless);
    }

    /// What is approved has changed: what was offered at the opening is judged again.
    pub(super) fn judge_opening(&mut self) {
        let Some(offer) = self.opening.take() else { return };
        let mut is_worth_keeping = false;
        if self.judge().is_some() {
            for (kind, value) in offer.items() {
                let offered = value.map(|value| Offered { value: value.clone(), is_ambiguous: false });
                let key = ItemKey::single(kind);
                let verdict =
                    self.judge().map_or(Verdict::New, |judge| judge.verdict(&key, offered.as_ref()));
                if verdict != Verdict::Unlisted {
                    is_worth_keeping |= self.note(key, verdict, offered.as_ref());
                }
            }
        }
        self.opening = Some(offer);
        if is_worth_keeping || !matches!(self.approval, Approval::Pinned(_)) {
            self.keep_offer();
        }
    }

    /// Answers `initialize` for a server that is closed, and keeps it for when it opens.
    pub(super) fn open_closed(&mut self, id: &Id, message: Option<&Message<'_>>) {
        let asked = message.and_then(|message| message.string(&["params", "protocolVersion"]));
        let version = asked.filter(|text| is_date(text) && **text < *STATELESS);
        let mut out = Object::new();
        out.insert("protocolVersion", version.as_deref().unwrap_or(NEWEST_SESSION));
        self.neutral(None, &mut out);
        self.unopened = message.and_then(|message| message.value(&["params"]));
        self.send(Side::Client, jsonrpc::answer(id, &write::to_bytes(&Value::Object(out))));
    }

    /// A server was started late: it is opened as the client had asked for.
    pub(super) fn started(&mut self) {
        self.gone = None;
        let Some(params) = self.unopened.take() else { return };
        let id = self.own_id();
        self.own.insert(id.clone(), Own::Initialize);
        self.send(Side::Server, jsonrpc::request(&id, "initialize", Some(&params)));
    }

    /// The answer to an opening of ours: from now on the server's lists can be read.
    pub(super) fn opened_late(&mut self, message: &Message<'_>) {
        let result = message.value(&["result"]).unwrap_or(Value::Null);
        let version = result.get("protocolVersion").and_then(Value::as_str).filter(|text| is_date(text));
        let Some(version) = version.map(str::to_owned) else {
            return self.drop_frame(Side::Server, "an opening that cannot be read".to_owned());
        };
        if self.render_opening(&result, version, &mut Object::new()) {
            self.send(Side::Server, jsonrpc::notification("notifications/initialized", None));
            self.read_unapproved(Era::Session);
            for kind in [Kind::Tool, Kind::Prompt, Kind::Resource] {
                self.announce(kind);
            }
        }
    }

    /// Answers `server/discover` for a server that is closed.
    pub(super) fn discover_closed(&mut self, id: &Id) {
        let mut out = Object::new();
        out.insert("supportedVersions", vec![Value::from(STATELESS)]);
        self.neutral(None, &mut out);
        if let Some(info) = out.remove("serverInfo") {
            let meta: Object = [(SERVER_INFO_META, info)].into_iter().collect();
            out.insert("_meta", meta);
        }
        eras::complete(Era::Stateless, &mut out);
        self.send(Side::Client, jsonrpc::answer(id, &write::to_bytes(&Value::Object(out))));
    }

    fn bad_opening(&mut self, id: &Id, open: &Open) {
        let why = "its opening does not have the shape that the protocol asks for";
        self.drop_frame(Side::Server, why.to_owned());
        let text = format!("mcpwatch: the server {} did answer, but {why}.", self.label());
        self.send_on(open.stream, jsonrpc::error(id, words::BLOCKED, &text));
    }

    /// Renders capabilities, name and instructions; `false` if the server's answer has no such shape.
    pub(super) fn render_opening(&mut self, result: &Value, protocol: String, out: &mut Object) -> bool {
        let offer = Offer::of(result, protocol);
        // PHP servers write an empty object as `[]`.
        let is_capabilities = match &offer.capabilities {
            Some(Value::Object(_)) => true,
            Some(Value::Array(none)) => none.is_empty(),
            _ => false,
        };
        let is_text = offer.instructions.as_ref().is_none_or(|text| text.as_str().is_some());
        let is_info = offer.info.as_ref().is_none_or(|info| info.as_object().is_some());
        if !is_capabilities || !is_text || !is_info {
            return false;
        }
        self.opening = Some(offer.clone());
        self.judge_opening();
        if self.is_observing() {
            let capabilities = offer.capabilities.unwrap_or_default();
            out.insert("capabilities", with_list_changed(capabilities));
            out.insert("serverInfo", offer.info.unwrap_or_else(|| neutral_info("mcpwatch")));
            if let Some(instructions) = offer.instructions {
                out.insert("instructions", instructions);
            }
            return true;
        }
        let Some(judge) = self.judge() else {
            self.neutral(offer.capabilities.as_ref(), out);
            return true;
        };
        let serve = |kind: Kind, offered: Option<&Value>| {
            let key = ItemKey::single(kind);
            let own = Offered { value: offered?.clone(), is_ambiguous: false };
            match judge.verdict(&key, Some(&own)) {
                Verdict::Approved => Some(own.value),
                Verdict::Changed | Verdict::Rejected | Verdict::Ambiguous => judge.approved_value(&key),
                Verdict::New
                | Verdict::Removed
                | Verdict::Unfit
                | Verdict::Unlisted
                | Verdict::Unreadable => None,
            }
        };
        let pinned = judge.approved_value(&ItemKey::single(Kind::Capabilities)).unwrap_or_default();
        let offered = offer.capabilities.as_ref().unwrap_or(&Value::Null);
        let capabilities = with_list_changed(both(offered, &pinned));
        let info = serve(Kind::ServerInfo, offer.info.as_ref());
        let instructions = serve(Kind::Instructions, offer.instructions.as_ref());
        let label = self.label();
        out.insert("capabilities", capabilities);
        out.insert("serverInfo", info.unwrap_or_else(|| neutral_info(&label)));
        if let Some(instructions) = instructions {
            out.insert("instructions", instructions);
        }
        true
    }

    /// An opening that says nothing but which lists there will be.
    fn neutral(&self, offered: Option<&Value>, out: &mut Object) {
        let has = |name: &str| offered.is_some_and(|offered| offered.get(name).is_some());
        let list =
            |name: &str| (name.to_owned(), Value::Object([("listChanged", true)].into_iter().collect()));
        let names = LISTS.iter().map(|(name, _)| *name).filter(|name| *name == "tools" || has(name));
        let capabilities: Object = names.map(list).collect();
        out.insert("capabilities", capabilities);
        out.insert("serverInfo", neutral_info("mcpwatch"));
    }
}

/// The texts that are dates, as protocol versions are.
pub fn versions(texts: &[Value]) -> Value {
    Value::Array(texts.iter().filter(|text| text.as_str().is_some_and(is_date)).cloned().collect())
}

fn neutral_info(name: &str) -> Value {
    Value::Object([("name", name), ("version", env!("CARGO_PKG_VERSION"))].into_iter().collect())
}

/// What stands in both: of what is pinned, all that is still offered.
fn both(offered: &Value, pinned: &Value) -> Value {
    let (Some(offered), Some(pinned)) = (offered.as_object(), pinned.as_object()) else {
        return Value::Object(Object::new());
    };
    let kept = pinned.iter().filter_map(|(name, own)| {
        let other = offered.get(name)?;
        let value = match (own, other) {
            // One level deeper, each part stands for itself.
            (Value::Object(_), Value::Object(_)) => both(other, own),
            (Value::Bool(own), Value::Bool(other)) => Value::Bool(*own && *other),
            _ => own.clone(),
        };
        Some((name.to_owned(), value))
    });
    Value::Object(kept.collect())
}

/// Adds `listChanged` to every capability that has a list.
fn with_list_changed(capabilities: Value) -> Value {
    let Value::Object(mut capabilities) = capabilities else { return Value::Object(Object::new()) };
    for (name, _) in LISTS {
        if let Some(Value::Object(mut list)) = capabilities.remove(name) {
            list.insert("listChanged", true);
            capabilities.insert(name, list);
        }
    }
    Value::Object(capabilities)
}

/// Whether a text is a date like `2025-11-25`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
