//! The surface: everything one server declares at one moment, as items kept whole.
//!
//! Promises: an item is the server's own value, unknown fields and `_meta` included; pages of a list
//! are merged; two items of one kind under one name are a [`Defect`], never resolved silently.
//! Envelope fields (`ttlMs`, `cacheScope`, `resultType`, `nextCursor`, result `_meta`) stay outside.

use super::canon;
use super::digest::{Digest, Tag};
use super::json::{Object, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

/// The `_meta` key under which 2026-07-28 carries serverInfo in every result.
pub const SERVER_INFO_META: &str = "io.modelcontextprotocol/serverInfo";

/// The kinds of item, in the order a review shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `instructions` of `initialize` or `server/discover`; a single item, its value a string.
    Instructions,
    /// A tool, by `name`.
    Tool,
    /// A prompt, by `name`.
    Prompt,
    /// A resource, by `uri`.
    Resource,
    /// A resource template, by `uriTemplate`.
    Template,
    /// A skill, by `uri`.
    Skill,
    /// The contents of a `ui://` resource that a tool names, by that URI.
    Ui,
    /// A kind of request the server sends to its client, by method; the value is `true`.
    Request,
    /// The server's capabilities; a single item.
    Capabilities,
    /// serverInfo (`Implementation`); a single item.
    ServerInfo,
}

/// What an item is called: its kind and its name (empty for single items).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// The kind.
    pub kind: Kind,
    /// The name as the server spells it; never for a screen without `show`.
    pub name: String,
}

/// The two ways of opening a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Era {
    /// `initialize` sessions, 2024-11-05 to 2025-11-25.
    Session,
    /// Stateless `server/discover`, 2026-07-28 and later.
    Stateless,
}

/// Everything a server declares at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surface {
    /// The protocol version that was spoken, like "2025-11-25"; not pinned by itself.
    pub protocol: String,
    items: BTreeMap<ItemKey, Value>,
    defects: Vec<Defect>,
}

/// A reason why a surface cannot be pinned or judged as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Two items of one kind share a name.
    #[error("two {} are called the same", .0.kind.plural())]
    Duplicate(ItemKey),
    /// An element of a list has no name of the right type.
    #[error("element {index} of the list of {} has no {}", .kind.plural(), .kind.name_field().unwrap_or("name"))]
    Nameless {
        /// The kind of list.
        kind: Kind,
        /// Its place, counted over all pages.
        index: usize,
    },
    /// A result does not have the shape of its method.
    #[error("the answer to {method} has no {expected}")]
    Shape {
        /// The method that was asked.
        method: String,
        /// What is missing or of another type.
        expected: &'static str,
    },
}

/// A text that names no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of item")]
pub struct NotAKind;

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Kind; 10] = [
        Kind::Instructions,
        Kind::Tool,
        Kind::Prompt,
        Kind::Resource,
        Kind::Template,
        Kind::Skill,
        Kind::Ui,
        Kind::Request,
        Kind::Capabilities,
        Kind::ServerInfo,
    ];

    /// The kinds that servers list page by page.
    pub const LISTED: [Kind; 5] = [Kind::Tool, Kind::Prompt, Kind::Resource, Kind::Template, Kind::Skill];

    /// The kind's key in the lockfile.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Instructions => "instructions",
            Kind::Tool => "tools",
            Kind::Prompt => "prompts",
            Kind::Resource => "resources",
            Kind::Template => "resourceTemplates",
            Kind::Skill => "skills",
            Kind::Ui => "ui",
            Kind::Request => "requests",
            Kind::Capabilities => "capabilities",
            Kind::ServerInfo => "serverInfo",
        }
    }

    /// The kind's part of the digest's domain tag.
    pub fn tag(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Prompt => "prompt",
            Kind::Resource => "resource",
            Kind::Template => "resource-template",
            Kind::Skill => "skill",
            Kind::Request => "request",
            Kind::Instructions => "instructions",
            Kind::Ui => "ui",
            Kind::Capabilities => "capabilities",
            Kind::ServerInfo => "server-info",
        }
    }

    /// What one item is called in a sentence.
    pub fn singular(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Prompt => "prompt",
            Kind::Resource => "resource",
            Kind::Template => "resource template",
            Kind::Skill => "skill",
            Kind::Request => "kind of request",
            Kind::Instructions => "instructions",
            Kind::Ui => "ui resource",
            Kind::Capabilities => "capabilities",
            Kind::ServerInfo => "serverInfo",
        }
    }

    /// What several items are called in a sentence.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Tool => "tools",
            Kind::Prompt => "prompts",
            Kind::Resource => "resources",
            Kind::Template => "resource templates",
            Kind::Skill => "skills",
            Kind::Request => "kinds of request",
            Kind::Instructions => "instructions",
            Kind::Ui => "ui resources",
            Kind::Capabilities => "capabilities",
            Kind::ServerInfo => "serverInfo",
        }
    }

    /// Whether a server has at most one item of this kind.
    pub fn is_single(self) -> bool {
        matches!(self, Kind::Instructions | Kind::Capabilities | Kind::ServerInfo)
    }

    /// The field that names an item of a listed kind.
    pub fn name_field(self) -> Option<&'static str> {
        match self {
            Kind::Tool | Kind::Prompt => Some("name"),
            Kind::Resource | Kind::Skill => Some("uri"),
            Kind::Template => Some("uriTemplate"),
            Kind::Instructions | Kind::Ui | Kind::Request | Kind::Capabilities | Kind::ServerInfo => None,
        }
    }

    /// The method that lists this kind.
    pub fn list_method(self) -> Option<&'static str> {
        match self {
            Kind::Tool => Some("tools/list"),
            Kind::Prompt => Some("prompts/list"),
            Kind::Resource => Some("resources/list"),
            Kind::Template => Some("resources/templates/list"),
            Kind::Skill => Some("skills/list"),
            Kind::Instructions | Kind::Ui | Kind::Request | Kind::Capabilities | Kind::ServerInfo => None,
        }
    }

    /// The kind that a method lists.
    pub fn of_list_method(method: &str) -> Option<Self> {
        Self::LISTED.into_iter().find(|kind| kind.list_method() == Some(method))
    }
}

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Self::ALL.into_iter().find(|kind| kind.key() == text).ok_or(NotAKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Era {
    /// The era of a protocol version: dates compare as text.
    pub fn of_protocol(version: &str) -> Self {
        if version >= "2026-07-28" { Era::Stateless } else { Era::Session }
    }
}

impl ItemKey {
    /// The key of a named item.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The key of a kind's single item.
    pub fn single(kind: Kind) -> Self {
        Self::new(kind, "")
    }
}

impl Surface {
    /// An empty surface of a protocol version.
    pub fn new(protocol: impl Into<String>) -> Self {
        Self { protocol: protocol.into(), ..Self::default() }
    }

    /// The items of an object that [`Self::to_value`] made; what is none is left out.
    pub fn of_value(value: &Value) -> Self {
        let mut surface = Self::default();
        for kind in Kind::ALL {
            match value.get(kind.key()) {
                Some(item) if kind.is_single() => surface.add(ItemKey::single(kind), item.clone()),
                Some(Value::Object(items)) => {
                    items.iter().for_each(|(name, item)| surface.add(ItemKey::new(kind, name), item.clone()));
                }
                Some(_) | None => {}
            }
        }
        surface
    }

    /// Takes in the result of `initialize` or `server/discover`.
    pub fn add_opening(&mut self, result: &Value) {
        if let Some(text) = result.get("instructions").filter(|value| **value != Value::Null) {
            self.add(ItemKey::single(Kind::Instructions), text.clone());
        }
        if let Some(capabilities) = result.get("capabilities") {
            self.add(ItemKey::single(Kind::Capabilities), capabilities.clone());
        }
        let info = result.get("serverInfo").or_else(|| result.at(&["_meta", SERVER_INFO_META]));
        if let Some(info) = info {
            self.add(ItemKey::single(Kind::ServerInfo), info.clone());
        }
    }

    /// Takes in one page of a list; pages are given in order. `seen` counts items of earlier pages.
    pub fn add_page(&mut self, kind: Kind, result: Value) {
        let method = kind.list_method().unwrap_or("?");
        let Value::Object(mut envelope) = result else {
            return self.defects.push(Defect::Shape { method: method.to_owned(), expected: "object" });
        };
        let Some(Value::Array(items)) = envelope.remove(kind.key()) else {
            return self.defects.push(Defect::Shape { method: method.to_owned(), expected: kind.key() });
        };
        let seen = self.of_kind(kind).count();
        for (index, item) in items.into_iter().enumerate() {
            let name = kind.name_field().and_then(|field| item.get(field)).and_then(Value::as_str);
            match name {
                Some(name) => {
                    let key = ItemKey::new(kind, name);
                    self.add(key, item);
                }
                None => self.defects.push(Defect::Nameless { kind, index: seen + index }),
            }
        }
    }

    /// Takes in one item; a second one of the same key is a defect and the first is kept.
    pub fn add(&mut self, key: ItemKey, value: Value) {
        match self.items.entry(key) {
            Entry::Occupied(first) => self.defects.push(Defect::Duplicate(first.key().clone())),
            Entry::Vacant(place) => {
                place.insert(value);
            }
        }
    }

    /// Puts an item in the place of the one of that key, or takes it out.
    pub fn set(&mut self, key: ItemKey, value: Option<Value>) {
        match value {
            Some(value) => self.items.insert(key, value),
            None => self.items.remove(&key),
        };
    }

    /// Notes a reason why this surface cannot be judged.
    pub fn add_defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }

    /// The item of that key.
    pub fn get(&self, key: &ItemKey) -> Option<&Value> {
        self.items.get(key)
    }

    /// All items, by kind and name.
    pub fn items(&self) -> impl ExactSizeIterator<Item = (&ItemKey, &Value)> {
        self.items.iter()
    }

    /// The items of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Value)> {
        let first = ItemKey::single(kind);
        let own = move |(key, _): &(&ItemKey, &Value)| key.kind == kind;
        self.items.range(first..).take_while(own).map(|(key, value)| (key.name.as_str(), value))
    }

    /// The reasons why this surface cannot be pinned as it stands.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The `ui://` URIs that tools name in `_meta.ui.resourceUri` (SEP-1865), each once.
    pub fn ui_uris(&self) -> Vec<String> {
        let named = |(_, tool): (&str, &Value)| {
            let nested = tool.at(&["_meta", "ui", "resourceUri"]);
            let uri = nested.or_else(|| tool.at(&["_meta", "ui/resourceUri"]))?.as_str()?;
            uri.starts_with("ui://").then(|| uri.to_owned())
        };
        let mut uris: Vec<String> = self.of_kind(Kind::Tool).filter_map(named).collect();
        uris.sort();
        uris.dedup();
        uris
    }

    /// The digest of an item of this kind.
    pub fn digest_item(kind: Kind, value: &Value) -> Digest {
        Digest::of(Tag::Item(kind), value)
    }

    /// One digest over all items and their names.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for (key, value) in &self.items {
            canon::write(&Value::from(key.kind.key()), &mut bytes);
            canon::write(&Value::from(key.name.as_str()), &mut bytes);
            bytes.extend_from_slice(Self::digest_item(key.kind, value).to_string().as_bytes());
            bytes.push(b'\n');
        }
        Digest::of_bytes(Tag::Surface, &bytes)
    }

    /// The items as one object by kind and name, for JSON output.
    pub fn to_value(&self) -> Value {
        let mut kinds = Object::new();
        for kind in Kind::ALL {
            if kind.is_single() {
                if let Some(value) = self.get(&ItemKey::single(kind)) {
                    kinds.insert(kind.key(), value.clone());
                }
                continue;
            }
            let items: Object = self.of_kind(kind).map(|(name, value)| (name, value.clone())).collect();
            if !items.is_empty() {
                kinds.insert(kind.key(), items);
            }
        }
        Value::Object(kinds)
    }
}

/// Whether a URI names a `ui://` page to any reader: capitals, and what URL parsers leave out (white space
/// at the start, tabs and line breaks anywhere; WHATWG URL, 4.4), make no difference.
pub fn is_page(uri: &str) -> bool {
    let mut letters = uri.chars().filter(|letter| !letter.is_control() && !letter.is_whitespace());
    "ui:".chars().all(|wanted| letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&wanted)))
}

#[cfg(test)]
#[path = "surface_tests.rs"]
mod tests;
