//! Answers to messages, in both eras, and the behaviours that are no edit of a text.

mod calls;
mod lists;

use crate::options::{Era, Options, When};
use crate::surface::{self, CAPABLE_TOOL, EDITS, Part};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where one message of the server goes.
pub type Peer = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The names that `--change` takes beside the edits.
pub const BEHAVIOURS: &[&str] = &[
    "extra-prompts",    // `prompts` beside `tools` in the answer to tools/list
    "endless-cursor",   // always another cursor, never an end
    "repeated-cursor",  // the same cursor again
    "huge-line",        // 17 MiB in one answer to tools/list
    "silence",          // no answer to tools/list
    "silence-start",    // no answer to the opening
    "silence-discover", // no answer to server/discover only
    "exit",             // ends instead of answering tools/list
    "exit-mid-line",    // ends in the middle of the answer to tools/list
    "exit-call",        // ends instead of answering tools/call
    "noise",            // lines that are no JSON between the answers
    "noise-start",      // such a line before anything else
    "secret",           // the value of --secret in a description
    "list-error",       // a JSON-RPC error for tools/list
    "prompts-error",    // a JSON-RPC error for prompts/list
    "wrong-shape",      // `tools` is an object
    "no-tools",         // the result has no `tools`
    "wrong-id",         // the answer carries another id
    "string-id",        // the answer's id is the right number as a string
    "double-answer",    // a second answer, another text, same id
    "two-values",       // two answers on one line
    "trailing",         // text after the answer
    "not-utf8",         // a byte that is no UTF-8
    "bom",              // a byte order mark before the answer
    "deep",             // nesting of 200
    "crlf",             // lines that end in CR LF
    "raw-cr",           // a CR between two members
    "stray",            // an answer nobody asked for
    "capability-tools", // one tool more when the client can be asked
    "asks",             // a sampling request before the answer to tools/list
    "pings",            // a ping before the answer to tools/list
    "relist-storm",     // list_changed after every answer to tools/list
    "storm",            // list_changed five thousand times, with the change
    "many-items",       // 25,000 tools
    "empty-pages",      // empty pages without end
    "null-cursor",      // `nextCursor: null` on the last page
    "no-instructions",  // instructions missing from the start
    "machine",          // two tools whose descriptions say where it runs
    "dates",            // a tool whose description names today and days near it
    "stays",            // does not go when its input ends
    "forgets",          // HTTP: from the change on, sessions that were open are unknown (404)
    "forgets-400",      // the same, said with 400 and an error without an id, as some servers do
    "drops",            // HTTP: with the change, all streams end
    "no-session",       // HTTP: sessions have no name
    "no-stream",        // HTTP: there is no stream of signals, in either era
    "breaks",           // HTTP: the stream of a call breaks before its answer, which a resumption gets
    "marks",            // the tool `echo` marks its parameter with x-mcp-header
    "marks-badly",      // the same with a name that no header field can have
    "ignores-term",     // read by nobody here; see `sh -c 'trap "" TERM; …'` in the tests
];

thread_local! {
    /// Whether the client whose message this thread serves is not called mcpwatch, where that is known.
    static STRANGER: Cell<Option<bool>> = const { Cell::new(None) };
}

/// The server's state over all its connections.
pub struct Server {
    pub options: Options,
    later: bool,
    scripts: HashMap<String, Vec<Box<RawValue>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    switched: bool,
    lists: usize,
    served: HashMap<String, usize>,
    asked: usize,
    waiting: HashMap<String, (String, Peer)>,
    cancelled: HashSet<String>,
    streams: Vec<Peer>,
    listeners: Vec<(String, Peer)>,
    capable: bool,
    /// Sessions over HTTP, and whether their clients are not called mcpwatch.
    sessions: HashMap<String, Option<bool>>,
    opened: usize,
    kept: Option<Vec<u8>>,
    stranger: bool,
}

#[derive(Deserialize)]
struct Message {
    id: Option<Box<RawValue>>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    result: Option<Value>,
    error: Option<Value>,
}

impl Server {
    /// A server, its start counted.
    pub fn new(options: Options) -> Arc<Self> {
        for name in &options.changes {
            let known = EDITS.iter().any(|edit| edit.name == name) || BEHAVIOURS.contains(&name.as_str());
            assert!(known, "no change is called {name:?}");
        }
        let starts = options.state_file("starts");
        let earlier = starts.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        if let Some(file) = &starts {
            let count = earlier.as_ref().map_or(0, |text| text.trim().parse::<u32>().unwrap_or(0));
            std::fs::write(file, format!("{}\n", count + 1)).expect("the state folder is writable");
        }
        if let Some(file) = options.state_file("pid") {
            std::fs::write(file, std::process::id().to_string()).expect("the state folder is writable");
        }
        let scripts = options.script.as_ref().map_or_else(HashMap::new, |file| {
            let text = std::fs::read_to_string(file).expect("the script is readable");
            serde_json::from_str(&text).expect("the script maps methods to lists of results")
        });
        let server = Arc::new(Self { options, later: earlier.is_some(), scripts, state: Mutex::default() });
        let acts = |name: &&str| server.options.changes.iter().any(|change| change == name);
        if matches!(server.options.when, When::File | When::Watcher)
            && (server.options.notify || ["forgets", "drops", "storm"].iter().any(acts))
        {
            let watcher = Arc::clone(&server);
            std::thread::spawn(move || {
                while !watcher.is_there() {
                    std::thread::sleep(Duration::from_millis(10));
                }
                watcher.turn();
            });
        }
        server
    }

    /// Whether a behaviour is on now.
    pub fn does(&self, name: &str) -> bool {
        self.options.changes.iter().any(|change| change == name) && self.is_changed()
    }

    /// Does what the change of the lists comes with: sessions are forgotten, streams end, and who still
    /// listens is told.
    fn turn(&self) {
        if self.does("forgets") || self.does("forgets-400") {
            self.state.lock().unwrap().sessions.clear();
        }
        if self.does("drops") {
            // An empty message ends a stream.
            let mut state = self.state.lock().unwrap();
            let streams = std::mem::take(&mut state.streams);
            let listeners = std::mem::take(&mut state.listeners);
            drop(state);
            streams.iter().chain(listeners.iter().map(|(_, peer)| peer)).for_each(|peer| peer(b""));
        }
        let times = if self.does("storm") { 5000 } else { usize::from(self.options.notify) };
        (0..times).for_each(|_| self.notify());
    }

    /// The name of a new session over HTTP.
    pub fn new_session(&self) -> String {
        let mut state = self.state.lock().unwrap();
        state.opened += 1;
        let name = format!("fixture-session-{}", state.opened);
        state.sessions.insert(name.clone(), STRANGER.get());
        name
    }

    /// Whether a session was not forgotten.
    pub fn knows(&self, session: &str) -> bool {
        self.state.lock().unwrap().sessions.contains_key(session)
    }

    /// This thread serves a message of that session from now on.
    pub fn serves(&self, session: Option<&str>) {
        let state = self.state.lock().unwrap();
        STRANGER.set(session.and_then(|session| state.sessions.get(session).copied().flatten()));
    }

    /// Keeps an answer for whoever takes the stream up again, or gives it.
    pub fn kept(&self, answer: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut state = self.state.lock().unwrap();
        std::mem::replace(&mut state.kept, answer)
    }

    /// Where notifications of the session era go.
    pub fn add_stream(&self, peer: &Peer) {
        self.state.lock().unwrap().streams.push(Arc::clone(peer));
    }

    /// Takes in one message.
    pub fn receive(self: &Arc<Self>, text: &str, peer: &Peer) {
        self.log(text);
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            if let Ok(batch) = serde_json::from_str::<Vec<Box<RawValue>>>(text) {
                batch.iter().for_each(|one| self.receive(one.get(), peer));
                return;
            }
            return peer(br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON"}}"#);
        };
        let id = message.id.as_ref().map(|id| id.get().to_owned());
        match (message.method.as_deref(), id) {
            (Some(method), Some(id)) => self.request(&id, method, &message.params, peer),
            (Some(method), None) => self.notification(method, &message.params),
            (None, Some(id)) => self.answered(&id, message.result.or(message.error)),
            (None, None) => {}
        }
    }

    fn request(self: &Arc<Self>, id: &str, method: &str, params: &Value, peer: &Peer) {
        std::thread::sleep(Duration::from_millis(self.options.answer_ms));
        let stateless = params["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some()
            && self.options.era != Era::Session;
        if self.options.era == Era::Stateless && !stateless {
            return fail(id, -32600, "this server speaks 2026-07-28 only", peer);
        }
        if let Some(result) = self.scripted(method) {
            return answer(id, &result, peer);
        }
        match method {
            "initialize" | "server/discover" if self.does("silence-start") => {}
            "server/discover" if self.does("silence-discover") => {}
            "initialize" => answer(id, &self.opening(params), peer),
            "server/discover" if stateless => answer(id, &self.discovery(params), peer),
            "subscriptions/listen" if stateless && !self.does("no-stream") => self.listen(id, params, peer),
            "tools/list" => self.list_tools(id, params, stateless, peer),
            "prompts/list" if self.does("prompts-error") => {
                fail(id, -32603, "CHANGED: no prompts today", peer)
            }
            "prompts/list" => self.list(id, "prompts", Part::Prompts, params, stateless, peer),
            "resources/list" => self.list(id, "resources", Part::Resources, params, stateless, peer),
            "resources/templates/list" => {
                self.list(id, "resourceTemplates", Part::Templates, params, stateless, peer);
            }
            "skills/list" if self.options.skills => {
                self.list(id, "skills", Part::Skills, params, stateless, peer);
            }
            "tools/call" if self.does("exit-call") => std::process::exit(1),
            "tools/call" => self.call(id, params, stateless, peer),
            "prompts/get" => {
                let text = json!({"role":"user","content":{"type":"text","text":params["name"]}});
                answer(id, &self.wrap(&format!(r#""messages":[{text}]"#), stateless), peer);
            }
            "resources/read" => {
                let uri = &params["uri"];
                let text = match uri.as_str() {
                    Some("ui://fixture/view") => self.text(Part::Ui),
                    _ => r#""a note""#.to_owned(),
                };
                let body = format!(r#""contents":[{{"uri":{uri},"mimeType":"text/html","text":{text}}}]"#);
                answer(id, &self.wrap(&body, stateless), peer);
            }
            "ping" | "logging/setLevel" => answer(id, "{}", peer),
            _ => fail(id, -32601, "no such method", peer),
        }
    }

    fn notification(&self, method: &str, params: &Value) {
        if method == "notifications/cancelled" {
            let id = params["requestId"].to_string();
            let mut state = self.state.lock().unwrap();
            state.listeners.retain(|(listener, _)| *listener != id);
            state.cancelled.insert(id);
        }
    }

    /// The client answered a request of ours: the call that waits for it ends.
    fn answered(&self, id: &str, what: Option<Value>) {
        let waiting = self.state.lock().unwrap().waiting.remove(id);
        if let Some((call, peer)) = waiting {
            let text = format!("the client said {}", what.unwrap_or_default());
            answer(&call, &format!("{{{}}}", content(&text)), &peer);
        }
    }

    fn opening(&self, params: &Value) -> String {
        let known = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
        let asked = params["protocolVersion"].as_str().unwrap_or_default();
        let version = if known.contains(&asked) { asked } else { "2025-11-25" };
        self.note_capabilities(&params["capabilities"]);
        self.note_name(&params["clientInfo"]);
        format!(
            r#"{{"protocolVersion":"{version}","capabilities":{},"serverInfo":{}{}}}"#,
            self.capabilities(),
            self.text(Part::ServerInfo),
            self.instructions(),
        )
    }

    fn discovery(&self, params: &Value) -> String {
        self.note_capabilities(&params["_meta"]["io.modelcontextprotocol/clientCapabilities"]);
        self.note_name(&params["_meta"]["io.modelcontextprotocol/clientInfo"]);
        let body = format!(
            r#""supportedVersions":["2026-07-28"],"capabilities":{}{}"#,
            self.capabilities(),
            self.instructions()
        );
        self.wrap(&body, true)
    }

    fn note_capabilities(&self, declared: &Value) {
        let can = ["sampling", "elicitation", "roots"].iter().any(|key| declared.get(key).is_some());
        self.state.lock().unwrap().capable = can;
    }

    fn note_name(&self, info: &Value) {
        let stranger = info["name"].as_str().is_some_and(|name| !name.starts_with("mcpwatch"));
        STRANGER.set(Some(stranger));
        self.state.lock().unwrap().stranger = stranger;
    }

    fn capabilities(&self) -> String {
        let text = self.text(Part::Capabilities);
        if !self.options.skills {
            return text;
        }
        let skills = r#""io.modelcontextprotocol/skills":{}"#;
        match text.split_once(r#""extensions":{"#) {
            Some((before, after)) => format!(r#"{before}"extensions":{{{skills},{after}"#),
            None => text.replacen('{', &format!(r#"{{"extensions":{{{skills}}},"#), 1),
        }
    }

    fn instructions(&self) -> String {
        let text = self.text(Part::Instructions);
        if text.is_empty() || self.does("no-instructions") {
            return String::new();
        }
        format!(r#","instructions":{text}"#)
    }

    fn listen(&self, id: &str, params: &Value, peer: &Peer) {
        let accepted = &params["notifications"];
        let line = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}},"notifications":{accepted}}}}}"#
        );
        peer(line.as_bytes());
        self.state.lock().unwrap().listeners.push((id.to_owned(), Arc::clone(peer)));
    }

    /// Says `list_changed`, in the form of whoever listens.
    fn notify(&self) {
        let what = self.options.changes.iter().find_map(|name| EDITS.iter().find(|edit| edit.name == name));
        let what = match what.map(|edit| edit.part) {
            Some(Part::Prompts) => "prompts",
            Some(Part::Resources | Part::Templates | Part::Ui) => "resources",
            _ => "tools",
        };
        let state = self.state.lock().unwrap();
        let (streams, listeners) = (state.streams.clone(), state.listeners.clone());
        drop(state);
        let method = format!("notifications/{what}/list_changed");
        if self.options.era != Era::Stateless {
            streams
                .iter()
                .for_each(|peer| peer(format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#).as_bytes()));
        }
        for (id, peer) in listeners {
            let line = format!(
                r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}}}}}"#
            );
            peer(line.as_bytes());
        }
    }

    /// Whether the file is there that a test writes for the change to begin.
    fn is_there(&self) -> bool {
        self.options.state_file("change").is_some_and(|file| file.exists())
    }

    /// Whether the changes show now.
    fn is_changed(&self) -> bool {
        let state = self.state.lock().unwrap();
        match self.options.when {
            When::Always => true,
            When::Never => false,
            When::SecondStart => self.later,
            When::File => self.is_there(),
            When::Call => state.switched,
            When::Stranger => STRANGER.get().unwrap_or(state.stranger),
            When::Watcher => self.is_there() && !STRANGER.get().unwrap_or(state.stranger),
            When::List(count) => state.lists >= count,
        }
    }

    fn text(&self, part: Part) -> String {
        let changes = if self.is_changed() { self.options.changes.as_slice() } else { &[] };
        let mut text = surface::text(part, changes);
        if part == Part::Tools && self.does("secret") {
            let secret = serde_json::to_string(&format!("Uses the token {}.", self.options.secret)).unwrap();
            text = text.replacen(r#""Says it again.""#, &secret, 1);
        }
        for (name, mark) in [("marks", "Text"), ("marks-badly", "Te xt")] {
            if part == Part::Tools && self.does(name) {
                let marked = format!(r#""text":{{"type":"string","x-mcp-header":"{mark}"}}"#);
                text = text.replacen(r#""text":{"type":"string"}"#, &marked, 1);
            }
        }
        text
    }

    /// A result around these members, with what 2026-07-28 wants of it.
    fn wrap(&self, body: &str, stateless: bool) -> String {
        if !stateless {
            return format!("{{{body}}}");
        }
        let info = self.text(Part::ServerInfo);
        format!(
            r#"{{"resultType":"complete","ttlMs":1000,"cacheScope":"private","_meta":{{"io.modelcontextprotocol/serverInfo":{info}}},{body}}}"#
        )
    }

    fn scripted(&self, method: &str) -> Option<String> {
        let results = self.scripts.get(method)?;
        let mut state = self.state.lock().unwrap();
        let served = state.served.entry(method.to_owned()).or_default();
        let result = results.get(*served).or(results.last())?.get().to_owned();
        *served += 1;
        Some(result)
    }

    /// Writes a line to the log.
    pub fn log(&self, text: &str) {
        if let Some(file) = &self.options.log {
            let open = std::fs::OpenOptions::new().create(true).append(true).open(file);
            let _ = open.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
        }
    }
}

fn answer(id: &str, result: &str, peer: &Peer) {
    peer(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).as_bytes());
}

fn fail(id: &str, code: i32, message: &str, peer: &Peer) {
    let error = json!({"code": code, "message": message});
    peer(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).as_bytes());
}

fn content(text: &str) -> String {
    format!(r#""content":[{}]"#, json!({"type": "text", "text": text}))
}
