//! What of a message its HTTP header fields repeat: the standard ones of 2026-07-28, and parameters of
//! tools whose approved schema says so (`x-mcp-header`).
//!
//! Promises: every value is plain ASCII or in the specification's base64 form, so nothing can break out
//! of its field; a tool whose schema marks parameters in a way that is not allowed has none repeated.

use crate::engine::gate::Approval;
use crate::engine::json::{Value, write};
use crate::engine::jsonrpc::{self, Envelope, Id, Message, Shape};
use crate::engine::marks::{self, Mark};
use crate::engine::surface::Kind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderName;
use std::collections::HashMap;

/// What a transport needs to know of a message that goes to the server.
#[derive(Default)]
pub struct Outgoing {
    /// The ids that want an answer; several in a batch.
    pub ids: Vec<Id>,
    /// The method, of the first in a batch; empty for an answer.
    pub method: String,
    /// The item it names.
    pub name: Option<String>,
    /// The protocol version it carries, since 2026-07-28.
    pub version: Option<String>,
    /// The request it takes back.
    pub cancels: Option<Id>,
    /// The fields that its tool's schema asks for.
    pub params: Vec<(HeaderName, String)>,
}

/// Which parameters of which tool are repeated.
#[derive(Clone, Debug, Default)]
pub struct Params(HashMap<String, Vec<Param>>);

/// A parameter that is repeated.
#[derive(Clone, Debug)]
struct Param {
    path: Vec<String>,
    field: HeaderName,
}

impl Outgoing {
    /// Reads a message that the gate let pass.
    pub fn read(message: &[u8], params: &Params) -> Option<Self> {
        match jsonrpc::read(message).ok()? {
            Envelope::Single(message) => Some(Self::of(&message, params)),
            Envelope::Batch(elements) => {
                let mut all = elements.iter().filter_map(|text| jsonrpc::read_element(text).ok());
                let mut first = Self::of(&all.next()?, params);
                first.ids.extend(all.filter_map(|message| match message.shape {
                    Shape::Request(id, _) => Some(id),
                    Shape::Notification(_) | Shape::Result(_) | Shape::Error(_) => None,
                }));
                Some(first)
            }
        }
    }

    fn of(message: &Message<'_>, params: &Params) -> Self {
        let text = |path: &[&str]| message.string(path).map(std::borrow::Cow::into_owned);
        let (ids, method) = match &message.shape {
            Shape::Request(id, method) => (vec![id.clone()], method.clone().into_owned()),
            Shape::Notification(method) => (Vec::new(), method.clone().into_owned()),
            Shape::Result(_) | Shape::Error(_) => (Vec::new(), String::new()),
        };
        let name = match method.as_str() {
            "tools/call" | "prompts/get" => text(&["params", "name"]),
            "resources/read" => text(&["params", "uri"]),
            _ => None,
        };
        let cancels = (method == "notifications/cancelled")
            .then(|| message.raw(&["params", "requestId"]).and_then(Id::read))
            .flatten();
        let version = text(&["params", "_meta", "io.modelcontextprotocol/protocolVersion"]);
        let params = match (&version, &name) {
            (Some(_), Some(tool)) if method == "tools/call" => params.fields(tool, message),
            _ => Vec::new(),
        };
        Self { ids, method, name, version, cancels, params }
    }
}

impl Params {
    /// The parameters that approved schemas mark.
    pub fn of(approval: &Approval) -> Self {
        let Approval::Pinned(approved) = approval else { return Self::default() };
        let tools = approved.pin.items.iter().filter(|(key, _)| key.kind == Kind::Tool);
        let marked = tools.filter_map(|(key, pin)| {
            let schema = pin.definitions.first()?.value.get("inputSchema")?;
            let field = |mark: Mark| {
                let field = HeaderName::from_bytes(format!("mcp-param-{}", mark.name).as_bytes()).ok()?;
                Some(Param { path: mark.path, field })
            };
            let found: Vec<Param> = marks::of(schema).ok()?.into_iter().filter_map(field).collect();
            (!found.is_empty()).then(|| (key.name.clone(), found))
        });
        Self(marked.collect())
    }

    fn fields(&self, tool: &str, message: &Message<'_>) -> Vec<(HeaderName, String)> {
        let Some(params) = self.0.get(tool) else { return Vec::new() };
        let Some(arguments) = message.value(&["params", "arguments"]) else { return Vec::new() };
        let value = |param: &Param| {
            let path: Vec<&str> = param.path.iter().map(String::as_str).collect();
            Some((param.field.clone(), field(&text(arguments.at(&path)?)?)))
        };
        params.iter().filter_map(value).collect()
    }
}

/// A parameter as text; nothing for what is absent, null or no plain value.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => String::from_utf8(write::to_bytes(value)).ok(),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value for a header field; what is not plain ASCII goes in the form that 2026-07-28 gives it.
pub fn field(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    if is_plain && text.trim() == text && !text.starts_with("=?") {
        return text.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(text))
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
