//! Client libraries with and without the gate before real servers: what the client sees through it
//! equals what it sees without it, line by line and as its library tells it.
//!
//! Each library does the same acts twice. What it reports is compared, and so is every message on the
//! wire, written down by `tests/clients/tee.mjs` right beside the client. The only differences allowed
//! are those of [`DIFFERENCES`]. Those not installed are skipped by name.

use crate::cli::bench::Bench;
use crate::client_rmcp;
use crate::servers::{self, Server, node, python};
use mcpwatch::engine::json;
use mcpwatch::engine::lockfile::{self, Pin};
use mcpwatch::engine::placeholder::literal;
use mcpwatch::engine::surface::{ItemKey, Kind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A library, and how its driver is started.
struct Library {
    name: &'static str,
    /// The driver's command; `None` for rmcp, which is linked.
    command: Option<fn() -> Command>,
    /// What must be there.
    needs: fn() -> PathBuf,
}

const LIBRARIES: [Library; 4] = [
    Library {
        name: "@modelcontextprotocol/sdk",
        command: Some(|| driver("sdk")),
        needs: || clients().join("npm/node_modules/@modelcontextprotocol/sdk/package.json"),
    },
    Library {
        name: "@modelcontextprotocol/client",
        command: Some(|| driver("client")),
        needs: || clients().join("npm/node_modules/@modelcontextprotocol/client/package.json"),
    },
    Library {
        name: "PyPI mcp client",
        command: Some(|| {
            let mut command = Command::new(servers::folder().join("python/bin/python"));
            command.arg(scripts().join("drive.py"));
            command
        }),
        needs: || servers::folder().join("python/bin/python"),
    },
    Library { name: "rmcp", command: None, needs: scripts },
];

fn driver(library: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(clients().join("npm/drive.mjs")).arg(library);
    command
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn clients() -> PathBuf {
    crate::clients::folder()
}

/// What a client saw, by its own report and on the wire.
#[derive(Debug)]
struct Seen {
    report: Value,
    /// Answers by their ids, then requests and notifications in the order of their methods.
    server: BTreeMap<String, Vec<Value>>,
    client: BTreeMap<String, Vec<Value>>,
}

/// Runs a library's driver on a command.
fn drive(library: &Library, home: &Path, words: &[String], acts: &Value) -> Seen {
    let wire = tempfile::NamedTempFile::new().unwrap();
    let mut args = vec![
        scripts().join("tee.mjs").to_str().unwrap().to_owned(),
        wire.path().to_str().unwrap().to_owned(),
    ];
    args.extend_from_slice(words);
    let mut report = told(library, home, &json!({ "command": "node", "args": args, "acts": acts }));
    order(&mut report);
    let mut seen = Seen { report, server: BTreeMap::new(), client: BTreeMap::new() };
    for line in std::fs::read_to_string(wire.path()).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let mut message = line["message"].clone();
        let by = match (message.get("method"), message.get("id")) {
            // The numbers of a server's requests depend on the time between them.
            (Some(method), Some(_)) if line["from"] == "server" => {
                let method = method.to_string();
                message.as_object_mut().unwrap().remove("id");
                method
            }
            (Some(method), _) => method.to_string(),
            (None, id) => format!("answer {}", id.unwrap_or(&Value::Null)),
        };
        let side = if line["from"] == "server" { &mut seen.server } else { &mut seen.client };
        side.entry(by).or_default().push(message);
    }
    seen
}

/// Puts what is heard of two kinds, one beside the other, in one order: it comes in any.
fn order(report: &mut Value) {
    if let Some(heard) = report.as_array_mut().and_then(|report| report.last_mut()?["heard"].as_array_mut()) {
        // A last progress that comes together with the result is dropped by some; the wire has all.
        heard.retain(|one| one["notification"] != "progress");
        heard.sort_by_key(|one| (one["request"].to_string(), one["notification"].to_string()));
    }
}

/// What comes of what a library's driver is told.
fn told(library: &Library, home: &Path, told: &Value) -> Value {
    let Some(command) = library.command else { return client_rmcp::told(told, home) };
    let mut command = command();
    command.arg(told.to_string()).env("MCPWATCH_HOME", home.join("ours")).env("PYTHONWARNINGS", "ignore");
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    // One library talks on standard output before.
    let last = output.stdout.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(last).unwrap_or_else(|error| panic!("{}: {error}: {output:?}", library.name))
}

/// A server, what is done with it, and what it may ask of its client.
struct Case {
    server: Server,
    acts: Value,
    kinds: &'static [&'static str],
}

/// The bench with a lock of what the server shows, and the words that start the gate before it.
fn locked(case: &Case) -> (Bench, Vec<String>) {
    let command = case.server.command();
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_str().unwrap().to_owned())
        .collect();
    let entry = json!({ "command": words[0], "args": words[1..] });
    let (bench, mut gate) = pinned(&entry, case.kinds);
    gate.push("--".to_owned());
    gate.extend(words);
    (bench, gate)
}

/// The bench with a lock of what an entry's server shows, and the words of the gate up to what it starts.
fn pinned(entry: &Value, kinds: &[&str]) -> (Bench, Vec<String>) {
    let bench = Bench::new();
    bench.write("client.json", &json!({ "mcpServers": { "real": entry } }).to_string());
    let run = bench.with_config(&["init", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let mut lock = lockfile::parse(&bench.read("mcp.lock")).unwrap();
    let pin = lock.servers.get_mut("real").unwrap();
    for kind in kinds {
        let (key, pattern) = (ItemKey::new(Kind::Request, *kind), literal(&json::Value::Bool(true)));
        pin.items.insert(lockfile::key_of(&key, &pattern), Pin::of(Kind::Request, pattern));
    }
    bench.write("mcp.lock", &lockfile::render(&lock));
    let lock = bench.work().join("mcp.lock");
    let gate = ["run", "--trust-lock", "--server", "real", "--lock", lock.to_str().unwrap()];
    let gate = std::iter::once(env!("CARGO_BIN_EXE_mcpwatch")).chain(gate).map(str::to_owned);
    (bench, gate.collect())
}

fn compare(case: Option<Case>) {
    compare_with(case, &LIBRARIES, true);
}

fn compare_with(case: Option<Case>, libraries: &[Library], wire: bool) {
    let Some(case) = case else { return };
    let (bench, gate) = locked(&case);
    let command = gate.iter().position(|word| word == "--").unwrap() + 1;
    for library in libraries {
        if !(library.needs)().exists() {
            servers::skipped(library.name);
            continue;
        }
        let without = drive(library, &bench.home(), &gate[command..], &case.acts);
        let with = drive(library, &bench.home(), &gate, &case.acts);
        let about = format!("{} before {}", library.name, case.server.name);
        let mut found = Vec::new();
        let plain = |value: &Value| {
            let mut value = value.clone();
            documented(&mut value);
            value
        };
        differences("report", &plain(&without.report), &plain(&with.report), &mut found);
        let sides = [("server", &without.server, &with.server), ("client", &without.client, &with.client)];
        for (side, without, with) in sides.into_iter().filter(|_| wire) {
            let all = |sent: &BTreeMap<String, Vec<Value>>| plain(&serde_json::to_value(sent).unwrap());
            differences(side, &all(without), &all(with), &mut found);
        }
        assert!(found.is_empty(), "{about}:\n{}", found.join("\n"));
    }
}

/// The same over Streamable HTTP: the library speaks it to the server by itself, and stdio to a gate that
/// does. The two wires have nothing in common, so that what the libraries report is compared.
fn compare_over_http(case: Option<Case>, path: &str) {
    let Some(case) = case else { return };
    let running = case.server.serve();
    let url = format!("http://127.0.0.1:{}{path}", running.port());
    let (bench, mut gate) = pinned(&json!({ "type": "http", "url": url }), case.kinds);
    gate.extend(["--url".to_owned(), url.clone()]);
    let alone = json!({ "url": url, "acts": case.acts });
    let gated = json!({ "command": gate[0], "args": gate[1..], "acts": case.acts });
    std::thread::scope(|scope| {
        for library in &LIBRARIES {
            if !(library.needs)().exists() {
                servers::skipped(library.name);
                continue;
            }
            let home = bench.home();
            let (alone, gated, name) = (&alone, &gated, case.server.name);
            scope.spawn(move || {
                let both = [alone, gated].map(|one| {
                    let home = home.clone();
                    scope.spawn(move || {
                        let mut report = told(library, &home, one);
                        order(&mut report);
                        documented(&mut report);
                        once(&mut report);
                        report
                    })
                });
                let [without, with] = both.map(|one| one.join().unwrap());
                let mut found = Vec::new();
                differences("report", &without, &with, &mut found);
                let about = format!("{} before {name} over HTTP", library.name);
                assert!(found.is_empty(), "{about}:\n{}", found.join("\n"));
            });
        }
    });
}

/// Leaves out what is heard twice in a row: without the gate, npm's older library often hears of one and
/// the same start of a task twice.
fn once(report: &mut Value) {
    if let Some(heard) = report.as_array_mut().and_then(|report| report.last_mut()?["heard"].as_array_mut()) {
        heard.dedup();
    }
}

/// Puts what may differ into one form on both sides.
fn documented(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(documented),
        Value::Object(object) => {
            object.values_mut().for_each(documented);
            for difference in DIFFERENCES {
                difference(object);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Everything in which a client may see something else through the gate, and nothing besides.
const DIFFERENCES: [fn(&mut Map<String, Value>); 7] = [
    // Lists come in the order of their names, so that they are the same each time.
    |object| {
        for (list, name) in [
            ("tools", "name"),
            ("prompts", "name"),
            ("resources", "uri"),
            ("resourceTemplates", "uriTemplate"),
        ] {
            if let Some(Value::Array(items)) = object.get_mut(list) {
                items.sort_by_key(|item| item[name].to_string());
            }
        }
    },
    // That a list changed is told when what the client gets has changed, not when the server says so.
    |object| {
        object.retain(|method, _| !method.contains("/list_changed"));
        if let Some(Value::Array(heard)) = object.get_mut("heard") {
            heard.retain(|one| !one["notification"].to_string().contains("/list_changed"));
        }
    },
    // The gate can always tell that a list changed: an approval is such a change.
    |object| {
        for list in ["tools", "prompts", "resources"] {
            if let Some(Value::Object(capability)) = object.get_mut(list) {
                capability.insert("listChanged".to_owned(), json!(true));
            }
        }
    },
    // What an answer says of its server beside its list is left out; the opening says it.
    |object| {
        if let Some(Value::Object(meta)) = object.get_mut("_meta") {
            meta.remove("io.modelcontextprotocol/serverInfo");
            if meta.is_empty() {
                object.remove("_meta");
            }
        }
    },
    // An opening that the server does not know keeps its code, in our words.
    |object| {
        if object.get("code") == Some(&json!(-32601)) {
            object.insert("message".to_owned(), json!("unknown method"));
        }
    },
    // What the server does not offer is refused in our words, and by the gate.
    |object| {
        for (field, refusal) in [("message", json!(-1)), ("text", Value::Null)] {
            let ours = |text: &str| text.contains("is not offered by the server. Nothing was sent");
            if object
                .get(field)
                .and_then(Value::as_str)
                .is_some_and(|text| ours(text) || text.contains("no-such"))
            {
                object.insert(field.to_owned(), json!("refused"));
                if object.contains_key("code") {
                    object.insert("code".to_owned(), refusal);
                }
            }
        }
    },
    // No difference of the gate's: what a server makes up, and its last word on a closed connection.
    |object| {
        object.retain(|by, _| !by.starts_with("answer \"listen:"));
        for name in ["taskId", "createdAt", "lastUpdatedAt", "requestState"] {
            object.entry(name).and_modify(|value| *value = json!("made up"));
        }
        // How far a task has come is a matter of time, and an error may name it.
        if object.get("status") == Some(&json!("working")) {
            object.entry("statusMessage").and_modify(|value| *value = json!("made up"));
        }
        if let Some(Value::String(message)) = object.get_mut("message") {
            let is_made = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if let Some(made) = message.split(' ').find(is_made) {
                *message = message.replace(made, "made up");
            }
        }
        // A line of simulated logging has the level that chance gives it.
        let is_one = |data: &str| data.contains("level message") || data.contains("level-message");
        if object.get("data").and_then(Value::as_str).is_some_and(is_one) {
            object.insert("level".to_owned(), json!("made up"));
            object.insert("data".to_owned(), json!("made up"));
        }
    },
];

/// Every place at which two values differ.
fn differences(place: &str, without: &Value, with: &Value, found: &mut Vec<String>) {
    match (without, with) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let place = format!("{place}/{key}");
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differences(&place, one, other, found),
                    (one, other) => found.push(format!("{place}: {} | {}", short(one), short(other))),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let place = format!("{place}/{index}");
                match (one.get(index), other.get(index)) {
                    (Some(one), Some(other)) => differences(&place, one, other, found),
                    (one, other) => found.push(format!("{place}: {} | {}", short(one), short(other))),
                }
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(format!("{place}: {} | {}", short(Some(one)), short(Some(other)))),
    }
}

fn short(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string().chars().take(160).collect())
}

const EVERYTHING: &str = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
const FILESYSTEM: &str = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
const MEMORY: &str = "node_modules/@modelcontextprotocol/server-memory/dist/index.js";
const ASKS: &[&str] = &["sampling/createMessage", "elicitation/create", "roots/list"];

#[test]
fn everything_is_the_same() {
    compare(node("server-everything", "npm", EVERYTHING, &["stdio"]).map(|server| Case {
        server,
        kinds: ASKS,
        acts: json!([
            { "wait": "notifications/message" },
            { "tools": true },
            { "prompts": true },
            { "resources": true },
            { "templates": true },
            { "call": "echo", "with": { "message": "hello \u{1f980}" } },
            { "call": "echo", "with": {} },
            { "call": "no-such-tool" },
            { "call": "get-tiny-image" },
            { "call": "get-structured-content", "with": { "location": "Chicago" } },
            { "call": "trigger-long-running-operation", "with": { "duration": 0.4, "steps": 4 }, "progress": true },
            { "call": "trigger-long-running-operation", "with": { "duration": 2, "steps": 2 }, "cancel": 300 },
            { "call": "trigger-sampling-request", "with": { "prompt": "x" } },
            { "call": "trigger-elicitation-request" },
            { "call": "get-roots-list" },
            { "prompt": "simple-prompt" },
            { "prompt": "args-prompt", "with": { "city": "Ulm" } },
            { "prompt": "no-such-prompt" },
            { "complete": {
                "ref": { "type": "ref/prompt", "name": "completable-prompt" },
                "argument": { "name": "department", "value": "E" },
            } },
            { "read": "demo://resource/static/document/features.md" },
            { "read": "no-such://resource" },
            { "level": "debug" },
            { "call": "toggle-simulated-logging" },
            { "call": "toggle-simulated-logging" },
            { "subscribe": "demo://resource/static/document/features.md" },
            { "unsubscribe": "demo://resource/static/document/features.md" },
        ]),
    }));
}

/// Tasks as of 2025-11-25: one that asks its client, and one that is abandoned. One library looks at the
/// state of a task by itself, how often is a matter of time, so that its wire is not compared.
#[test]
fn tasks_are_the_same() {
    let acts = json!([
        { "wait": "notifications/message" },
        { "tools": true },
        { "task": "simulate-research-query", "with": { "topic": "python", "ambiguous": true } },
        { "task": "simulate-research-query", "with": { "topic": "gates" }, "then": "cancel" },
    ]);
    std::thread::scope(|scope| {
        for library in LIBRARIES.chunks(1) {
            let server = node("server-everything", "npm", EVERYTHING, &["stdio"]);
            let case = server.map(|server| Case { server, kinds: ASKS, acts: acts.clone() });
            scope.spawn(move || compare_with(case, library, library[0].name != LIBRARIES[0].name));
        }
    });
}

fn everything(more: &[Value]) -> Value {
    let lists = ["tools", "prompts", "resources", "templates"].map(|list| json!({ list: true }));
    Value::Array(lists.iter().chain(more).cloned().collect())
}

#[test]
fn servers_of_npm_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap();
    std::fs::write(place.join("note.txt"), "a note\n").unwrap();
    let place = place.to_str().unwrap();
    compare(node("server-filesystem", "npm", FILESYSTEM, &[place]).map(|server| Case {
        server,
        kinds: &["roots/list"],
        acts: everything(&[
            json!({ "call": "list_allowed_directories" }),
            json!({ "call": "write_file", "with": { "path": format!("{place}/new.txt"), "content": "new" } }),
            json!({ "call": "list_directory", "with": { "path": place } }),
            json!({ "call": "read_text_file", "with": { "path": format!("{place}/note.txt") } }),
            json!({ "call": "read_text_file", "with": { "path": "/etc/passwd" } }),
        ]),
    }));
    compare(node("server-memory", "npm", MEMORY, &[]).map(|server| Case {
        server,
        kinds: &[],
        acts: everything(&[json!({ "call": "search_nodes", "with": { "query": "nobody" } })]),
    }));
    compare(node("@modelcontextprotocol/server", "npm", "modern.mjs", &[]).map(|server| Case {
        server,
        kinds: &[],
        acts: everything(&[
            json!({ "call": "add", "with": { "a": 1, "b": 2 } }),
            json!({ "call": "add", "with": { "a": "one" } }),
            json!({ "read": "note://first" }),
        ]),
    }));
}

#[test]
fn servers_of_pypi_are_the_same() {
    compare(python("mcp-server-time", "mcp-server-time", &[]).map(|server| Case {
        server,
        kinds: &[],
        acts: everything(&[json!({ "call": "get_current_time", "with": { "timezone": "nowhere" } })]),
    }));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let git = Command::new("git").args(["init", "--quiet", &place]).status().unwrap();
    assert!(git.success());
    compare(python("mcp-server-git", "mcp-server-git", &[]).map(|server| Case {
        server,
        kinds: &[],
        acts: everything(&[
            json!({ "call": "git_status", "with": { "repo_path": place } }),
            json!({ "call": "git_log", "with": { "repo_path": "/nowhere" } }),
        ]),
    }));
    compare(python("mcp 2.x", "modern.py", &[]).map(|server| Case {
        server,
        kinds: &[],
        acts: everything(&[
            json!({ "call": "greet", "with": { "name": "Ada", "polite": false } }),
            json!({ "prompt": "summary", "with": { "text": "x" } }),
            json!({ "read": "note://first" }),
            json!({ "read": "note://7" }),
        ]),
    }));
}

#[test]
fn what_a_stateless_server_asks_for_is_the_same() {
    let script = scripts().join("asking.py");
    compare(python("mcp 2.x", "python", &[script.to_str().unwrap()]).map(|server| Case {
        server,
        kinds: ASKS,
        acts: everything(&[
            json!({ "call": "ask_person" }),
            json!({ "call": "ask_model" }),
            json!({ "call": "ask_roots" }),
            json!({ "call": "count", "with": { "to": 3 }, "progress": true }),
            json!({ "listen": { "toolsListChanged": true, "resourceSubscriptions": ["note://first"] } }),
            json!({ "call": "touch" }),
            json!({ "call": "chatter" }),
            json!({ "level": "error" }),
            json!({ "call": "chatter" }),
        ]),
    }));
}

/// What is done over HTTP with every server.
#[test]
fn remote_servers_are_the_same() {
    let everything = node("server-everything", "npm", EVERYTHING, &["streamableHttp"]).map(|server| Case {
        server,
        kinds: ASKS,
        acts: json!([
            { "tools": true },
            { "prompts": true },
            { "resources": true },
            { "templates": true },
            { "call": "echo", "with": { "message": "hello \u{1f980}" } },
            { "call": "no-such-tool" },
            { "call": "get-tiny-image" },
            { "call": "trigger-long-running-operation", "with": { "duration": 0.4, "steps": 4 }, "progress": true },
            { "call": "trigger-sampling-request", "with": { "prompt": "x" } },
            { "call": "trigger-elicitation-request" },
            { "call": "get-roots-list" },
            { "prompt": "args-prompt", "with": { "city": "Ulm" } },
            { "read": "demo://resource/static/document/features.md" },
            { "read": "no-such://resource" },
            { "level": "debug" },
            { "task": "simulate-research-query", "with": { "topic": "python", "ambiguous": true } },
            { "task": "simulate-research-query", "with": { "topic": "gates" }, "then": "cancel" },
        ]),
    });
    let modern = [
        json!({ "call": "add", "with": { "a": 1, "b": 2 } }),
        json!({ "call": "add", "with": { "a": "one" } }),
        json!({ "read": "note://first" }),
    ];
    let of_npm = node("@modelcontextprotocol/server", "npm", "modern.mjs", &["{port}"]);
    let of_pypi = python("mcp 2.x", "modern.py", &["streamable-http", "{port}"]);
    std::thread::scope(|scope| {
        scope.spawn(|| compare_over_http(everything, "/mcp"));
        for server in [of_npm, of_pypi] {
            let acts = crate::client_libraries::everything(&modern);
            scope.spawn(|| compare_over_http(server.map(|server| Case { server, kinds: &[], acts }), "/mcp"));
        }
    });
}
