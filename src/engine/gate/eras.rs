//! What differs between the protocol's eras: who the client is, how it hears of changes, and what an
//! answer of ours must carry. Decided per message: a client may speak both on one pipe.

use super::methods::change_notice;
use super::verdict::ClientKind;
use super::{Gate, Side, Stream};
use crate::engine::json::{Object, Value};
use crate::engine::jsonrpc::{self, Id, Message};
use crate::engine::surface::{Era, Kind};

/// The `_meta` key that makes a request one of 2026-07-28.
pub const VERSION_META: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_META: &str = "io.modelcontextprotocol/clientCapabilities";
const INFO_META: &str = "io.modelcontextprotocol/clientInfo";
const SUBSCRIPTION_META: &str = "io.modelcontextprotocol/subscriptionId";

/// The capabilities that make servers show more.
const TELLING: [&str; 3] = ["sampling", "elicitation", "roots"];

/// Clients that do not act on `list_changed`, by the start of their name in `clientInfo`.
const DEAF: [(&str, &str); 6] = [
    ("codex", "Codex"),
    ("goose", "Goose"),
    ("qwen", "Qwen Code"),
    ("roo", "Roo Code"),
    ("continue", "Continue"),
    ("librechat", "LibreChat"),
];

/// What the client said about itself.
#[derive(Clone, Debug)]
pub struct Client {
    /// The era of its last request that has one.
    pub era: Era,
    /// How much it declares.
    pub kind: ClientKind,
    /// What it calls itself.
    pub name: Option<String>,
    /// Its name for a sentence, if it is known to ignore changes.
    pub deaf: Option<&'static str>,
    /// Whether it opened a session.
    pub has_session: bool,
    /// The `_meta` of its last stateless request, for requests of ours.
    meta: Option<Object>,
    /// The capabilities it declared last.
    capabilities: Option<Value>,
}

/// A subscription of a client (2026-07-28).
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where it listens.
    pub stream: Stream,
    /// The id of its request, which is the subscription's.
    pub id: Id,
    /// What it asked for.
    pub filter: Object,
    /// Whether the server refused it and we answer it.
    pub is_ours: bool,
    /// Whether the server acknowledged it: what it answers after that is its end.
    pub is_told: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            era: Era::Session,
            kind: ClientKind::Empty,
            name: None,
            deaf: None,
            has_session: false,
            meta: None,
            capabilities: None,
        }
    }
}

impl Client {
    /// Takes in what `initialize` says.
    pub fn initialize(&mut self, message: &Message<'_>) -> bool {
        self.era = Era::Session;
        self.has_session = true;
        self.meet(message.value(&["params", "clientInfo"]), message.value(&["params", "capabilities"]))
    }

    /// Takes in a request's `_meta`; gives its era, and whether the declared capabilities moved.
    pub fn request(&mut self, message: &Message<'_>) -> (Era, bool) {
        if message.raw(&["params", "_meta", VERSION_META]).is_none() {
            return (Era::Session, false);
        }
        self.era = Era::Stateless;
        let known = [VERSION_META, CAPABILITIES_META, INFO_META];
        let is_same = self.meta.as_ref().is_some_and(|meta| {
            known.iter().all(|key| message.value(&["params", "_meta", key]).as_ref() == meta.get(key))
        });
        if is_same {
            return (Era::Stateless, false);
        }
        let member = |key: &&str| Some(((*key).to_owned(), message.value(&["params", "_meta", key])?));
        let meta: Object = known.iter().filter_map(member).collect();
        let moved = self.meet(meta.get(INFO_META).cloned(), meta.get(CAPABILITIES_META).cloned());
        self.meta = Some(meta);
        (Era::Stateless, moved)
    }

    /// The parameters of a list request of ours.
    pub fn list_params(&self, era: Era, cursor: Option<&str>) -> Option<Value> {
        let mut params = Object::new();
        if let (Era::Stateless, Some(meta)) = (era, &self.meta) {
            params.insert("_meta", meta.clone());
        }
        if let Some(cursor) = cursor {
            params.insert("cursor", cursor);
        }
        (!params.is_empty()).then_some(Value::Object(params))
    }

    fn meet(&mut self, info: Option<Value>, capabilities: Option<Value>) -> bool {
        self.name = info.as_ref().and_then(|info| info.get("name")?.as_str()).map(str::to_owned);
        let name = self.name.as_deref().map(str::to_lowercase);
        self.deaf = name
            .and_then(|name| DEAF.iter().find(|(start, _)| name.starts_with(start)).map(|(_, name)| *name));
        let declares = |key: &&&str| capabilities.as_ref().is_some_and(|all| all.get(key).is_some());
        self.kind = match TELLING.iter().filter(declares).count() {
            0 => ClientKind::Empty,
            3 => ClientKind::Full,
            _ => ClientKind::Partial,
        };
        let moved = self.capabilities != capabilities;
        self.capabilities = capabilities;
        moved
    }
}

impl Gate {
    /// Tells the client that a list is not what it last got, in each form that it listens to.
    pub(super) fn announce(&mut self, kind: Kind) {
        let Some((method, _, wanted)) = change_notice(kind) else { return };
        if self.client.has_session {
            self.send(Side::Client, jsonrpc::notification(method, None));
        }
        let wants = |listen: &&Listen| listen.filter.get(wanted) == Some(&Value::Bool(true));
        let notices: Vec<(Stream, Vec<u8>)> = self
            .listens
            .iter()
            .filter(wants)
            .map(|listen| {
                let params = Value::Object([("_meta", subscription_meta(&listen.id))].into_iter().collect());
                (listen.stream, jsonrpc::notification(method, Some(&params)))
            })
            .collect();
        for (stream, notice) in notices {
            self.send_on(stream, notice);
        }
    }

    /// Notes that the server has taken a subscription.
    pub(super) fn acknowledged(&mut self, message: &Message<'_>) {
        let id = message.value(&["params", "_meta", SUBSCRIPTION_META]);
        let of = |listen: &Listen| subscription_meta(&listen.id).get(SUBSCRIPTION_META).cloned();
        for listen in self.listens.iter_mut().filter(|listen| id.is_some() && of(listen) == id) {
            listen.is_told = true;
        }
    }

    /// Answers a subscription ourselves, because the server would not.
    pub(super) fn acknowledge(&mut self, id: &Id) {
        let Some(listen) = self.listens.iter_mut().find(|listen| listen.id == *id) else { return };
        listen.is_ours = true;
        let lists = ["toolsListChanged", "promptsListChanged", "resourcesListChanged"];
        let accepted: Object = lists
            .iter()
            .filter(|key| listen.filter.get(key) == Some(&Value::Bool(true)))
            .map(|key| (*key, true))
            .collect();
        let params: Object = [("_meta", subscription_meta(id)), ("notifications", Value::Object(accepted))]
            .into_iter()
            .collect();
        let stream = listen.stream;
        let notice =
            jsonrpc::notification("notifications/subscriptions/acknowledged", Some(&Value::Object(params)));
        self.send_on(stream, notice);
    }
}

/// Adds what every list and opening of 2026-07-28 carries: complete, and not to be kept.
pub fn complete(era: Era, result: &mut Object) {
    match era {
        Era::Session => {}
        Era::Stateless => {
            result.insert("resultType", "complete");
            result.insert("ttlMs", 0);
            result.insert("cacheScope", "private");
        }
    }
}

fn subscription_meta(id: &Id) -> Value {
    let id = match id {
        Id::Number(number) => {
            // Ids are within ±(2^53−1), which a double holds exactly.
            #[allow(clippy::cast_precision_loss)]
            let number = crate::engine::json::Number::new(*number as f64);
            number.map_or(Value::Null, Value::Number)
        }
        Id::Text(text) => Value::from(text.as_str()),
    };
    Value::Object([(SUBSCRIPTION_META, id)].into_iter().collect())
}
