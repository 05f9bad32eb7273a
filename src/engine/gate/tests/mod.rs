//! Whole sessions as transcripts. A line that begins with `C` or `S` is a frame from that side (the
//! version member is added), `@N` is a tick N milliseconds later, `!…` is an event; what follows,
//! indented, is what the gate does: `>C`, `>S` bytes of ours, `=C`, `=S` the frame forwarded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod oracle;
mod sessions;

use super::*;
use crate::engine::json::parse;
use crate::engine::launchpin::LaunchPin;
use crate::engine::lockfile::{Pin, ServerPin};
use crate::engine::placeholder::{Machine, literal};
use std::fmt::Write as _;
use std::sync::Arc;

const START: u64 = 1_795_255_200_000;

/// A session under test.
pub struct Session {
    pub gate: Gate,
    pub now: u64,
    pub own: Vec<String>,
    /// The pins by the name `!approve` uses.
    pub pins: Vec<(&'static str, Approval)>,
}

pub fn tool(name: &str, description: &str) -> String {
    format!(r#"{{"name":"{name}","description":"{description}","inputSchema":{{"type":"object"}}}}"#)
}

/// Pins of items given as `kind name value`.
pub fn pinned(items: &[(Kind, &str, &str)]) -> Approved {
    let launch =
        LaunchPin::Url { url: "https://example.org/mcp".into(), sse: false, headers: BTreeMap::new() };
    let mut pin = ServerPin::new(launch, "2025-11-25");
    for (kind, name, value) in items {
        let value = literal(&parse(value.as_bytes()).unwrap());
        pin.items.insert(ItemKey::new(*kind, *name), Pin::of(*kind, value));
    }
    Approved { pin, rejected: BTreeSet::new(), unfit: BTreeSet::new() }
}

pub fn approval(items: &[(Kind, &str, &str)]) -> Approval {
    Approval::Pinned(Arc::new(pinned(items)))
}

/// The pins of most sessions: two tools, a prompt, a resource, a template, a page, one kind of request.
pub fn usual() -> Approval {
    approval(&[
        (Kind::Tool, "add", &tool("add", "Adds two numbers.")),
        (Kind::Tool, "mail", &tool("mail", "Sends a mail.")),
        (Kind::Prompt, "greet", r#"{"name":"greet","description":"Greets."}"#),
        (Kind::Resource, "file:///a", r#"{"uri":"file:///a","name":"a"}"#),
        (Kind::Template, "note://{id}", r#"{"uriTemplate":"note://{id}","name":"note"}"#),
        (Kind::Ui, "ui://page", r#"[{"uri":"ui://page","mimeType":"text/html","text":"<p>ok"}]"#),
        (Kind::Request, "sampling/createMessage", "true"),
        (Kind::Instructions, "", r#""Be kind.""#),
        (Kind::Capabilities, "", r#"{"tools":{},"prompts":{},"experimental":{"acme":{}}}"#),
        (Kind::ServerInfo, "", r#"{"name":"srv","version":"1"}"#),
    ])
}

impl Session {
    pub fn new(approval: Approval) -> Self {
        Self::with(approval, Mode::Enforce, Limits::default())
    }

    pub fn with(approval: Approval, mode: Mode, limits: Limits) -> Self {
        let config = Config {
            name: "srv".into(),
            mode,
            limits,
            prefix: [7; 16],
            platform: "linux-x86_64".into(),
            machine: Machine::new(START),
        };
        Self { gate: Gate::new(config, approval), now: START, own: Vec::new(), pins: Vec::new() }
    }

    pub fn step(&mut self, input: Input<'_>) -> Vec<Effect> {
        self.gate.step(self.now, Event { stream: Stream(0), input })
    }

    /// Runs a transcript and writes down what happened.
    pub fn run(&mut self, script: &str) -> String {
        let mut out = String::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            writeln!(out, "{line}").unwrap();
            let effects = self.line(line);
            for effect in effects {
                writeln!(out, "    {}", self.show(&effect)).unwrap();
            }
        }
        out
    }

    fn line(&mut self, line: &str) -> Vec<Effect> {
        if let Some(later) = line.strip_prefix('@') {
            self.now += later.parse::<u64>().unwrap();
            return self.step(Input::Tick);
        }
        if let Some(event) = line.strip_prefix('!') {
            return match event.split_once(' ').unwrap_or((event, "")) {
                ("approve", name) => {
                    let own = self.pins.iter().find(|(own, _)| *own == name).unwrap().1.clone();
                    self.step(Input::Approval(own))
                }
                ("closed", why) => self.step(Input::Approval(Approval::Closed(why.to_owned()))),
                ("enforce", _) => self.step(Input::Enforce),
                ("can-ask", _) => self.step(Input::CanAsk(true)),
                ("reconnected", _) => self.step(Input::Reconnected),
                ("renewed", answer) => {
                    let answer = self.frame(answer);
                    self.step(Input::Renewed(answer.as_bytes()))
                }
                ("undelivered", message) => {
                    let message = self.frame(message);
                    self.step(Input::Undelivered(message.as_bytes()))
                }
                ("failed", id) => {
                    let id = Id::read(&self.frame(id)).unwrap();
                    self.step(Input::Failed(id, "mcpwatch: it is gone.".to_owned()))
                }
                ("gone", why) => self.step(Input::ServerClosed(why.to_owned())),
                (other, _) => panic!("unknown event {other}"),
            };
        }
        let (from, text) = line.split_once(' ').unwrap();
        let from = if from == "C" { Side::Client } else { Side::Server };
        let frame = self.frame(text);
        self.step(Input::Frame(from, frame.as_bytes()))
    }

    /// A frame as the script writes it: `#1` is the first id of ours.
    fn frame(&self, text: &str) -> String {
        let text = match text.strip_prefix('{') {
            Some(rest) if !text.contains("jsonrpc") => format!(r#"{{"jsonrpc":"2.0",{rest}"#),
            _ => text.to_owned(),
        };
        // From the back, so that `#12` is not read as `#1`.
        self.own.iter().enumerate().rev().fold(text, |text, (index, id)| {
            text.replace(&format!("\"#{}\"", index + 1), &format!("\"{id}\""))
        })
    }

    pub fn show(&mut self, effect: &Effect) -> String {
        let side = |side: Side| if side == Side::Client { "C" } else { "S" };
        match &effect.output {
            Output::Forward(to) => format!("={}", side(*to)),
            Output::Send(to, bytes) => {
                let text = String::from_utf8(bytes.clone()).unwrap();
                format!(">{} {}", side(*to), self.shorten(&text))
            }
            Output::Record(record) => format!("{record:?}"),
            Output::Offer(seen) => {
                let names: Vec<String> =
                    seen.surface.items().map(|(key, _)| format!("{}/{}", key.kind, key.name)).collect();
                format!("offer {}", names.join(" "))
            }
            Output::Ask(items) => format!("ask {items:?}"),
        }
    }

    /// Our ids as `#1`, `#2`, …, and no version member.
    fn shorten(&mut self, text: &str) -> String {
        let mut text = text.replace(r#""jsonrpc":"2.0","#, "");
        let prefix = "\"mcpwatch-0707";
        while let Some(place) = text.find(prefix) {
            let id = text[place + 1..].split('"').next().unwrap().to_owned();
            let index = self.own.iter().position(|own| *own == id).unwrap_or_else(|| {
                self.own.push(id.clone());
                self.own.len() - 1
            });
            text = text.replace(&format!("\"{id}\""), &format!("\"#{}\"", index + 1));
        }
        text
    }
}

/// The answer of a server to a list of tools.
pub fn tools(id: &str, tools: &[&str]) -> String {
    format!(r#"S {{"id":"{id}","result":{{"tools":[{}]}}}}"#, tools.join(","))
}

pub fn json(text: &str) -> Value {
    parse(text.as_bytes()).unwrap()
}
