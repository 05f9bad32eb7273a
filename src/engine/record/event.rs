//! What the log tells: a closed set of typed events, and one object for each.
//!
//! Promises: `from_object(to_object(event)) == event`; an event of a newer version is kept whole as
//! [`Event::Other`]. Text of servers stands here as the server wrote it (the log is data, and private);
//! whoever prints it goes through `show`. Arguments of calls are kept as a keyed digest and a size;
//! their contents only where the user switched that on.

use super::{count, number};
use crate::engine::approval::{Level, Lifetime};
use crate::engine::digest::Digest;
use crate::engine::json::{Object, Value};
use crate::engine::surface::{ItemKey, Kind};
use std::fmt;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A session with a server opened.
    Session {
        /// The server's name.
        server: String,
        /// Who looks at it.
        view: View,
        /// The client that asked, as it names itself; `None` for our own readings.
        client: Option<String>,
        /// The protocol version that was agreed on.
        protocol: String,
    },
    /// A session ended.
    Closed {
        /// The server's name.
        server: String,
        /// Who looked at it.
        view: View,
        /// Why, in our words.
        reason: String,
    },
    /// A whole surface was read.
    Listed {
        /// The server's name.
        server: String,
        /// Who read it.
        view: View,
        /// The digest over all its items.
        surface: Digest,
        /// How many items.
        items: u64,
    },
    /// What a server offers is not what is pinned.
    Change {
        /// The server's name.
        server: String,
        /// Who saw it.
        view: View,
        /// The offer, as kept in the store.
        offer: Digest,
        /// Its cause, in our words ("same artifact", "upgrade", "launch", …).
        cause: String,
        /// The items that differ.
        items: Vec<ItemKey>,
    },
    /// A reason to look closer.
    Finding {
        /// The server's name.
        server: String,
        /// The finding's code, as `mcpwatch explain` takes it.
        code: String,
        /// Its severity, as findings name it.
        severity: String,
        /// Where.
        place: String,
    },
    /// Something was kept from the model or from the server.
    Block {
        /// The server's name.
        server: String,
        /// The item, where there is one.
        item: Option<ItemKey>,
        /// Why, in our words.
        reason: String,
    },
    /// A call went through the gate.
    Call {
        /// The server's name.
        server: String,
        /// What was called.
        item: ItemKey,
        /// The digest of its arguments under the machine's key.
        arguments: Digest,
        /// The size of its arguments in bytes.
        size: u64,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        duration: u64,
        /// The arguments themselves, where the user switched that on.
        contents: Option<Value>,
    },
    /// A person decided, or was refused a decision.
    Decision(Decision),
    /// A person was told, or could not be.
    Alert {
        /// The server's name.
        server: String,
        /// What was said, in our words.
        text: String,
        /// Whether a notification was shown; if not, `text` says why.
        shown: bool,
    },
    /// A client's configuration changed.
    Configuration {
        /// The client.
        client: String,
        /// The server's name in it.
        server: String,
        /// What happened to it, in our words.
        what: String,
    },
    /// The daemon started or stopped.
    Daemon {
        /// In our words.
        what: String,
        /// Our version.
        version: String,
    },
    /// The log itself suffered: a half-written line was cut off, a disk was full.
    Trouble {
        /// In our words.
        what: String,
    },
    /// A new file goes on from the one before.
    Continued {
        /// The last link of the file before.
        from: Digest,
        /// That file's name.
        file: String,
    },
    /// Lines that had been written were not there any more when the next one was.
    Missing {
        /// The last line that was still there; 0 where none was.
        after: u64,
        /// The last line that had been written; `None` where the note of it was gone as well.
        last: Option<u64>,
        /// The link of that line, where nothing was left that the chain could go on from.
        from: Option<Digest>,
    },
    /// An event of a newer version, kept as it is.
    Other(Object),
}

/// A decision: who, where, how and how firmly.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The server's name, or empty where it concerns none (the level, the service).
    pub server: String,
    /// The command: `approve`, `reject`, `revoke`, `trust`, `wrap`, `level`, …
    pub verb: String,
    /// What was displayed and decided about.
    pub offer: Option<Digest>,
    /// How many items.
    pub items: u64,
    /// At which level.
    pub level: Level,
    /// For how long.
    pub lifetime: Option<Lifetime>,
    /// The account.
    pub user: String,
    /// The terminal, like `pts/4`; empty without one.
    pub terminal: String,
    /// The process.
    pub pid: u32,
    /// Whether it was taken; if not, why.
    pub refused: Option<String>,
}

/// Who looks at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// The gate, in the data path.
    Gate,
    /// The daemon's own connection.
    Daemon,
    /// A command that a person runs.
    Command,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// With a result.
    Result,
    /// With an error of the server.
    Error,
    /// Refused by the gate.
    Refused,
    /// Cancelled by the client.
    Cancelled,
    /// Never answered: the server went away.
    Lost,
}

/// An object that is not an event of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event: `{0}` is missing or of another kind")]
pub struct NotAnEvent(pub &'static str);

impl Event {
    /// The name of its kind in the log.
    pub fn name(&self) -> &str {
        match self {
            Event::Session { .. } => "session",
            Event::Closed { .. } => "closed",
            Event::Listed { .. } => "listed",
            Event::Change { .. } => "change",
            Event::Finding { .. } => "finding",
            Event::Block { .. } => "block",
            Event::Call { .. } => "call",
            Event::Decision(_) => "decision",
            Event::Alert { .. } => "alert",
            Event::Configuration { .. } => "configuration",
            Event::Daemon { .. } => "daemon",
            Event::Trouble { .. } => "trouble",
            Event::Continued { .. } => "continued",
            Event::Missing { .. } => "missing",
            Event::Other(object) => object.get("event").and_then(Value::as_str).unwrap_or("?"),
        }
    }

    /// The server it concerns, where it concerns one.
    pub fn server(&self) -> Option<&str> {
        let server = match self {
            Event::Session { server, .. }
            | Event::Closed { server, .. }
            | Event::Listed { server, .. }
            | Event::Change { server, .. }
            | Event::Finding { server, .. }
            | Event::Block { server, .. }
            | Event::Call { server, .. }
            | Event::Alert { server, .. }
            | Event::Configuration { server, .. } => server,
            Event::Decision(decision) => &decision.server,
            Event::Other(object) => object.get("server").and_then(Value::as_str)?,
            Event::Daemon { .. }
            | Event::Trouble { .. }
            | Event::Continued { .. }
            | Event::Missing { .. } => return None,
        };
        (!server.is_empty()).then_some(server)
    }

    /// Whether the line has to be on the disk before the writer goes on.
    pub fn is_durable(&self) -> bool {
        matches!(self, Event::Decision(_))
    }

    /// The event as an object; `at`, `seq` and `link` are the record's.
    pub fn to_object(&self) -> Object {
        if let Event::Other(object) = self {
            return object.clone();
        }
        let mut out = Object::new();
        out.insert("event", self.name());
        if let Some(server) = self.server() {
            out.insert("server", server);
        }
        match self {
            Event::Session { view, client, protocol, .. } => {
                out.insert("view", view.name());
                if let Some(client) = client {
                    out.insert("client", client.as_str());
                }
                out.insert("protocol", protocol.as_str());
            }
            Event::Closed { view, reason, .. } => {
                out.insert("view", view.name());
                out.insert("reason", reason.as_str());
            }
            Event::Listed { view, surface, items, .. } => {
                out.insert("view", view.name());
                out.insert("surface", surface.to_string());
                out.insert("items", count(*items));
            }
            Event::Change { view, offer, cause, items, .. } => {
                out.insert("view", view.name());
                out.insert("offer", offer.to_string());
                out.insert("cause", cause.as_str());
                out.insert("items", items.iter().map(item_value).collect::<Vec<_>>());
            }
            Event::Finding { code, severity, place, .. } => {
                out.insert("code", code.as_str());
                out.insert("severity", severity.as_str());
                out.insert("place", place.as_str());
            }
            Event::Block { item, reason, .. } => {
                if let Some(item) = item {
                    out.insert("item", item_value(item));
                }
                out.insert("reason", reason.as_str());
            }
            Event::Call { item, arguments, size, outcome, duration, contents, .. } => {
                out.insert("item", item_value(item));
                out.insert("arguments", arguments.to_string());
                out.insert("size", count(*size));
                out.insert("outcome", outcome.name());
                out.insert("ms", count(*duration));
                if let Some(contents) = contents {
                    out.insert("contents", contents.clone());
                }
            }
            Event::Decision(decision) => decision.write(&mut out),
            Event::Alert { text, shown, .. } => {
                out.insert("text", text.as_str());
                out.insert("shown", *shown);
            }
            Event::Configuration { client, what, .. } => {
                out.insert("client", client.as_str());
                out.insert("what", what.as_str());
            }
            Event::Daemon { what, version } => {
                out.insert("what", what.as_str());
                out.insert("version", version.as_str());
            }
            Event::Trouble { what } => {
                out.insert("what", what.as_str());
            }
            Event::Continued { from, file } => {
                out.insert("from", from.to_string());
                out.insert("file", file.as_str());
            }
            Event::Missing { after, last, from } => {
                out.insert("after", count(*after));
                if let Some(last) = last {
                    out.insert("last", count(*last));
                }
                if let Some(from) = from {
                    out.insert("from", from.to_string());
                }
            }
            Event::Other(_) => {}
        }
        out
    }

    /// Reads an event from a line's object.
    pub fn from_object(object: &Object) -> Result<Self, NotAnEvent> {
        let fields = Fields(object);
        let server = || fields.text("server");
        Ok(match object.get("event").and_then(Value::as_str).ok_or(NotAnEvent("event"))? {
            "session" => Event::Session {
                server: server()?,
                view: fields.view()?,
                client: fields.text("client").ok(),
                protocol: fields.text("protocol")?,
            },
            "closed" => {
                Event::Closed { server: server()?, view: fields.view()?, reason: fields.text("reason")? }
            }
            "listed" => Event::Listed {
                server: server()?,
                view: fields.view()?,
                surface: fields.digest("surface")?,
                items: fields.count("items")?,
            },
            "change" => Event::Change {
                server: server()?,
                view: fields.view()?,
                offer: fields.digest("offer")?,
                cause: fields.text("cause")?,
                items: fields.items()?,
            },
            "finding" => Event::Finding {
                server: server()?,
                code: fields.text("code")?,
                severity: fields.text("severity")?,
                place: fields.text("place")?,
            },
            "block" => Event::Block {
                server: server()?,
                item: object.get("item").map(item_of).transpose()?,
                reason: fields.text("reason")?,
            },
            "call" => Event::Call {
                server: server()?,
                item: item_of(object.get("item").ok_or(NotAnEvent("item"))?)?,
                arguments: fields.digest("arguments")?,
                size: fields.count("size")?,
                outcome: Outcome::of(&fields.text("outcome")?).ok_or(NotAnEvent("outcome"))?,
                duration: fields.count("ms")?,
                contents: object.get("contents").cloned(),
            },
            "decision" => Event::Decision(Decision::read(&fields)?),
            "alert" => {
                Event::Alert { server: server()?, text: fields.text("text")?, shown: fields.truth("shown")? }
            }
            "configuration" => Event::Configuration {
                client: fields.text("client")?,
                server: server()?,
                what: fields.text("what")?,
            },
            "daemon" => Event::Daemon { what: fields.text("what")?, version: fields.text("version")? },
            "trouble" => Event::Trouble { what: fields.text("what")? },
            "missing" => Event::Missing {
                after: fields.count("after")?,
                last: object.get("last").map(|_| fields.count("last")).transpose()?,
                from: object.get("from").map(|_| fields.digest("from")).transpose()?,
            },
            "continued" => Event::Continued { from: fields.digest("from")?, file: fields.text("file")? },
            _ => {
                let mut rest = object.clone();
                rest.remove("at");
                rest.remove("seq");
                Event::Other(rest)
            }
        })
    }
}

impl Decision {
    fn write(&self, out: &mut Object) {
        out.insert("verb", self.verb.as_str());
        if let Some(offer) = self.offer {
            out.insert("offer", offer.to_string());
        }
        out.insert("items", count(self.items));
        out.insert("level", self.level.name());
        if let Some(lifetime) = &self.lifetime {
            out.insert("lifetime", lifetime.to_string());
        }
        out.insert("user", self.user.as_str());
        out.insert("terminal", self.terminal.as_str());
        out.insert("pid", self.pid);
        if let Some(reason) = &self.refused {
            out.insert("refused", reason.as_str());
        }
    }

    fn read(fields: &Fields<'_>) -> Result<Self, NotAnEvent> {
        let lifetime = fields.text("lifetime").ok();
        let lifetime = lifetime.map(|text| text.parse().map_err(|_| NotAnEvent("lifetime"))).transpose()?;
        Ok(Self {
            server: fields.text("server").unwrap_or_default(),
            verb: fields.text("verb")?,
            offer: fields.0.get("offer").map(|_| fields.digest("offer")).transpose()?,
            items: fields.count("items")?,
            level: fields.text("level")?.parse().map_err(|_| NotAnEvent("level"))?,
            lifetime,
            user: fields.text("user")?,
            terminal: fields.text("terminal")?,
            pid: u32::try_from(fields.count("pid")?).map_err(|_| NotAnEvent("pid"))?,
            refused: fields.text("refused").ok(),
        })
    }
}

impl View {
    fn name(self) -> &'static str {
        match self {
            View::Gate => "gate",
            View::Daemon => "daemon",
            View::Command => "command",
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Outcome {
    const ALL: [Outcome; 5] =
        [Outcome::Result, Outcome::Error, Outcome::Refused, Outcome::Cancelled, Outcome::Lost];

    fn name(self) -> &'static str {
        match self {
            Outcome::Result => "result",
            Outcome::Error => "error",
            Outcome::Refused => "refused",
            Outcome::Cancelled => "cancelled",
            Outcome::Lost => "lost",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Typed access to the members of a line.
struct Fields<'a>(&'a Object);

impl Fields<'_> {
    fn text(&self, key: &'static str) -> Result<String, NotAnEvent> {
        self.0.get(key).and_then(Value::as_str).map(str::to_owned).ok_or(NotAnEvent(key))
    }

    fn digest(&self, key: &'static str) -> Result<Digest, NotAnEvent> {
        self.text(key)?.parse().map_err(|_| NotAnEvent(key))
    }

    fn count(&self, key: &'static str) -> Result<u64, NotAnEvent> {
        self.0.get(key).and_then(number).ok_or(NotAnEvent(key))
    }

    fn truth(&self, key: &'static str) -> Result<bool, NotAnEvent> {
        self.0.get(key).and_then(Value::as_bool).ok_or(NotAnEvent(key))
    }

    fn view(&self) -> Result<View, NotAnEvent> {
        let name = self.text("view")?;
        let all = [View::Gate, View::Daemon, View::Command];
        all.into_iter().find(|view| view.name() == name).ok_or(NotAnEvent("view"))
    }

    fn items(&self) -> Result<Vec<ItemKey>, NotAnEvent> {
        let items = self.0.get("items").and_then(Value::as_array).ok_or(NotAnEvent("items"))?;
        items.iter().map(item_of).collect()
    }
}

/// An item as `[kind, name]`.
fn item_value(item: &ItemKey) -> Value {
    Value::from(vec![Value::from(item.kind.key()), Value::from(item.name.as_str())])
}

fn item_of(value: &Value) -> Result<ItemKey, NotAnEvent> {
    let Some([Value::String(kind), Value::String(name)]) = value.as_array() else {
        return Err(NotAnEvent("item"));
    };
    let kind: Kind = kind.parse().map_err(|_| NotAnEvent("item"))?;
    Ok(ItemKey::new(kind, name.as_str()))
}
