//! Any frames from both sides: the gate never panics, and an oracle that knows the pins finds nothing
//! unapproved in what it lets through.
//!
//! The input is lines. `L`, `I`, `P` are the client's `tools/list`, `initialize`, `prompts/list`; `C` calls the approved
//! tool, `B` another one; `@` lets time pass; `C:` and `S:` begin a frame of any bytes. `G` breaks the
//! connection, `R:` begins a new session with that answer, `U` gives the last call back undelivered, `X`
//! says that it will not be answered. What nobody approved is whatever holds the word `EVIL`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpwatch::engine::gate::{
    Approval, Approved, Config, Effect, Event, Gate, Input, Limits, Mode, Output, Side, Stream,
};
use mcpwatch::engine::json;
use mcpwatch::engine::jsonrpc::Id;
use mcpwatch::engine::launchpin::LaunchPin;
use mcpwatch::engine::lockfile::{Pin, ServerPin};
use mcpwatch::engine::placeholder::{Machine, literal};
use mcpwatch::engine::surface::{ItemKey, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const START: u64 = 1_795_255_200_000;

/// Ids of the oracle's own requests lie apart from what the fuzzer is likely to send as the client.
const FIRST_ID: u64 = 7_000_000;

fuzz_target!(|input: &[u8]| {
    let mut gate = Gate::new(config(), Approval::Pinned(Arc::new(approved())));
    let mut now = START;
    let mut id = FIRST_ID;
    let mut calls = BTreeSet::new();
    let mut last = String::new();
    // Once the client sends frames of the fuzzer's own, only the ids above are judged.
    for line in input.split(|byte| *byte == b'\n').take(200) {
        let frame;
        let input = match line {
            [b'@', ..] => {
                now += 700 * line.len() as u64;
                Input::Tick
            }
            [b'C', b':', rest @ ..] => Input::Frame(Side::Client, rest),
            [b'S', b':', rest @ ..] => Input::Frame(Side::Server, rest),
            [b'R', b':', rest @ ..] => Input::Renewed(rest),
            [b'G', ..] => Input::Reconnected,
            [b'U', ..] => Input::Undelivered(last.as_bytes()),
            [b'X', ..] => {
                let id = i64::try_from(id).expect("ids are small");
                Input::Failed(Id::Number(id), "mcpwatch: it is gone.".to_owned())
            }
            [letter, ..] => {
                let (method, params) = match letter {
                    b'L' => ("tools/list", "{}"),
                    b'P' => ("prompts/list", "{}"),
                    b'I' => (
                        "initialize",
                        r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#,
                    ),
                    b'C' => ("tools/call", r#"{"name":"add","arguments":{}}"#),
                    b'B' => ("tools/call", r#"{"name":"bad","arguments":{}}"#),
                    _ => continue,
                };
                id += 1;
                frame = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
                if *letter == b'C' {
                    calls.insert(id);
                    last.clone_from(&frame);
                }
                Input::Frame(Side::Client, frame.as_bytes())
            }
            [] => continue,
        };
        let given = match &input {
            Input::Frame(_, bytes) => bytes.to_vec(),
            _ => Vec::new(),
        };
        for effect in gate.step(now, Event { stream: Stream(0), input }) {
            judge(&effect, &given, &calls);
        }
    }
});

/// Panics if an effect shows the client what nobody approved, or calls it.
fn judge(effect: &Effect, given: &[u8], calls: &BTreeSet<u64>) {
    match &effect.output {
        Output::Forward(Side::Client) => judge_shown(given, calls),
        Output::Send(Side::Client, bytes) => judge_shown(bytes, calls),
        Output::Forward(Side::Server) => judge_asked(given),
        Output::Send(Side::Server, bytes) => judge_asked(bytes),
        Output::Record(_) | Output::Offer(_) | Output::Ask(_) => {}
    }
}

fn judge_shown(frame: &[u8], calls: &BTreeSet<u64>) {
    let value: serde_json::Value =
        serde_json::from_slice(frame).expect("only whole messages reach the client");
    let elements = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    for message in elements {
        // Requests and notifications of the server pass or not by their method; results of calls pass.
        let id = message.get("id").and_then(serde_json::Value::as_u64);
        let is_ours = id.is_some_and(|id| id > FIRST_ID && !calls.contains(&id));
        if is_ours && message.get("method").is_none() {
            assert!(!message.to_string().contains("EVIL"), "unapproved: {message}");
        }
    }
}

fn judge_asked(frame: &[u8]) {
    let value: serde_json::Value =
        serde_json::from_slice(frame).expect("only whole messages reach the server");
    let elements = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    for message in elements {
        let is_call = message.get("method").is_some_and(|method| method == "tools/call");
        let name = message.pointer("/params/name").and_then(serde_json::Value::as_str);
        assert!(!is_call || name == Some("add"), "a call of what nobody approved: {message}");
    }
}

fn approved() -> Approved {
    let launch =
        LaunchPin::Url { url: "https://example.org/mcp".into(), sse: false, headers: BTreeMap::new() };
    let mut pin = ServerPin::new(launch, "2025-11-25");
    let tool = r#"{"name":"add","description":"Adds two numbers.","inputSchema":{"type":"object"}}"#;
    for (kind, name, text) in [
        (Kind::Tool, "add", tool),
        (Kind::Capabilities, "", r#"{"tools":{},"prompts":{}}"#),
        (Kind::ServerInfo, "", r#"{"name":"srv","version":"1"}"#),
    ] {
        let value = literal(&json::parse(text.as_bytes()).expect("a definition of ours"));
        pin.items.insert(ItemKey::new(kind, name), Pin::of(kind, value));
    }
    Approved { pin, rejected: BTreeSet::new(), unfit: BTreeSet::new() }
}

fn config() -> Config {
    Config {
        name: "srv".into(),
        mode: Mode::Enforce,
        limits: Limits::default(),
        prefix: [7; 16],
        platform: "linux-x86_64".into(),
        machine: Machine::new(START),
    }
}
