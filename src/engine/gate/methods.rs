//! The methods that carry or name items, in every era. What is not here is unknown.

use crate::engine::json::Value;
use crate::engine::jsonrpc::{Message, look_alike};
use crate::engine::surface::{ItemKey, Kind, is_page};

/// What a client's request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `initialize`.
    Initialize,
    /// `server/discover`.
    Discover,
    /// A list of a kind.
    List(Kind),
    /// A tool, prompt or skill by name.
    Item(ItemKey),
    /// A resource, a template's instance or a `ui://` page, by URI.
    Resource(String),
    /// What lies in a directory, by its URI.
    Directory(String),
    /// A task, by its id.
    Task(String),
    /// `subscriptions/listen`.
    Listen,
    /// Carries no item: `ping`, `logging/setLevel`, `tasks/list`.
    Plain,
    /// A gated method whose parameters do not name an item as they must.
    Nameless,
    /// Some other list, for which there is no pin.
    UnknownList,
    /// A method that is not in the specification.
    Unknown,
}

/// The parameters that name items; one that differs only in case could be read for them.
const NAMING: [&str; 6] = ["name", "uri", "ref", "taskId", "cursor", "_meta"];

/// How often a URI may be encoded.
const DECODINGS: usize = 4;

/// What a request asks for.
pub fn asked(method: &str, message: &Message<'_>) -> Asked {
    let text = |field: &str| message.string(&["params", field]).map(std::borrow::Cow::into_owned);
    let named = |kind: Kind, field: &str| {
        text(field).map_or(Asked::Nameless, |name| Asked::Item(ItemKey::new(kind, name)))
    };
    if let Some(kind) = Kind::of_list_method(method) {
        return Asked::List(kind);
    }
    let asked = match method {
        "initialize" => Asked::Initialize,
        "server/discover" => Asked::Discover,
        "tools/call" => named(Kind::Tool, "name"),
        "prompts/get" => named(Kind::Prompt, "name"),
        "skills/get" => named(Kind::Skill, "uri"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            text("uri").map_or(Asked::Nameless, Asked::Resource)
        }
        "resources/directory/read" => text("uri").map_or(Asked::Nameless, Asked::Directory),
        "completion/complete" => reference(message.value(&["params", "ref"]).as_ref()),
        "tasks/get" | "tasks/result" | "tasks/cancel" | "tasks/update" => {
            text("taskId").map_or(Asked::Nameless, Asked::Task)
        }
        "subscriptions/listen" => Asked::Listen,
        "ping" | "logging/setLevel" | "tasks/list" => Asked::Plain,
        other if other.ends_with("/list") => Asked::UnknownList,
        _ => Asked::Unknown,
    };
    let is_alike = || look_alike(message.outline.members_at(&["params"]), &NAMING).is_some();
    if asked != Asked::Unknown && is_alike() { Asked::Nameless } else { asked }
}

/// Whether a method is one of requests. Without an id it is no notification: a server that does not
/// look for the id would act on it, and nobody would have judged it.
pub fn needs_id(method: &str, message: &Message<'_>) -> bool {
    let of_servers = matches!(method, "sampling/createMessage" | "elicitation/create" | "roots/list");
    of_servers || asked(method, message) != Asked::Unknown
}

/// What `completion/complete` completes an argument of.
fn reference(reference: Option<&Value>) -> Asked {
    let text = |field: &str| reference.and_then(|value| value.get(field)).and_then(Value::as_str);
    match (text("type"), text("name"), text("uri")) {
        (Some("ref/prompt"), Some(name), _) => Asked::Item(ItemKey::new(Kind::Prompt, name)),
        (Some("ref/resource"), _, Some(uri)) if uri.contains('{') => {
            Asked::Item(ItemKey::new(Kind::Template, uri))
        }
        (Some("ref/resource"), _, Some(uri)) => Asked::Resource(uri.to_owned()),
        _ => Asked::Nameless,
    }
}

/// The kinds of list that a notification of the server says have changed.
pub fn changed_lists(method: &str) -> &'static [Kind] {
    match method {
        "notifications/tools/list_changed" => &[Kind::Tool],
        "notifications/prompts/list_changed" => &[Kind::Prompt],
        "notifications/resources/list_changed" => &[Kind::Resource, Kind::Template],
        "notifications/skills/list_changed" => &[Kind::Skill],
        other if other.ends_with("/list_changed") => &Kind::LISTED,
        _ => &[],
    }
}

/// The notification that tells a client about a changed list, and the capability it belongs to.
pub fn change_notice(kind: Kind) -> Option<(&'static str, &'static str, &'static str)> {
    match kind {
        Kind::Tool => Some(("notifications/tools/list_changed", "tools", "toolsListChanged")),
        Kind::Prompt => Some(("notifications/prompts/list_changed", "prompts", "promptsListChanged")),
        Kind::Resource | Kind::Template => {
            Some(("notifications/resources/list_changed", "resources", "resourcesListChanged"))
        }
        Kind::Skill | Kind::Ui | Kind::Request => None,
        Kind::Instructions | Kind::Capabilities | Kind::ServerInfo => None,
    }
}

/// Whether a URI has a step upwards, however often a server decodes it: percent-encoded, encoded twice,
/// with backslashes, or with the tabs and line breaks that URL parsers leave out (WHATWG URL, 4.4).
pub fn climbs(uri: &str) -> bool {
    let mut uri = uri.to_ascii_lowercase();
    for _ in 0..DECODINGS {
        uri.retain(|letter| !letter.is_ascii_control());
        if uri.split(['/', '\\', '?', '#']).any(|part| part == "..") {
            return true;
        }
        let mut decoded = uri.clone();
        for (encoded, letter) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%25", "%")] {
            decoded = decoded.replace(encoded, letter);
        }
        for control in ["%09", "%0a", "%0d"] {
            decoded = decoded.replace(control, "");
        }
        if decoded.len() == uri.len() {
            return false;
        }
        uri = decoded;
    }
    // Nobody encodes so often who does not hide something.
    true
}

/// Whether a template's instances may have this URI: its literal parts stand in order, the first one,
/// with the scheme, at the start. Nothing climbs out of the fixed prefix.
pub fn template_admits(template: &str, uri: &str) -> bool {
    let Some((prefix, _)) = template.split_once('{') else { return template == uri };
    let has_authority = prefix.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty());
    if !has_authority || climbs(uri) || is_page(uri) {
        return false;
    }
    let mut rest = match uri.strip_prefix(prefix) {
        Some(rest) => rest,
        None => return false,
    };
    let mut template = &template[prefix.len()..];
    while let Some(open) = template.strip_prefix('{') {
        let Some((expression, after)) = open.split_once('}') else { return false };
        let literal = after.split('{').next().unwrap_or(after);
        let is_reserved =
            expression.starts_with(['+', '#', '/', '?', '&', '.', ';']) || expression.ends_with('*');
        let end = if literal.is_empty() && after.is_empty() {
            rest.len()
        } else if literal.is_empty() {
            // Two expressions side by side: the first takes nothing, the second the rest.
            0
        } else if after.len() == literal.len() {
            match rest.strip_suffix(literal) {
                Some(head) => head.len(),
                None => return false,
            }
        } else {
            match rest.find(literal) {
                Some(place) => place,
                None => return false,
            }
        };
        if !is_reserved && rest[..end].contains('/') {
            return false;
        }
        rest = &rest[end + literal.len()..];
        template = after.get(literal.len()..).unwrap_or("");
    }
    rest.is_empty() && template.is_empty()
}

#[cfg(test)]
#[path = "methods_tests.rs"]
mod tests;
