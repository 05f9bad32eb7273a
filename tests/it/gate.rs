//! `mcpwatch run` in front of the fixture server: what changes is hidden and refused, everything else
//! goes on, and after an approval the same session does.

use super::fixture;
use mcpwatch::engine::json::{Object, Value, parse, write};
use mcpwatch::engine::launchpin::{self, CommandLaunch, Launch, UrlLaunch};
use mcpwatch::engine::lockfile::{self, Lockfile, Pin, ServerPin};
use mcpwatch::engine::placeholder::literal;
use mcpwatch::engine::surface::{ItemKey, Kind, Surface};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

#[allow(dead_code)]
#[path = "../../examples/fixture_server/surface.rs"]
pub mod surface;

/// How long an answer may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client with something behind it: the gate, or the server itself.
pub struct Session {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Everything that came, for a last look.
    pub seen: Vec<String>,
    next: u32,
}

/// A home of ours, a lock, and a state folder for the server.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "state"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The fixture's arguments, with this place's log and state.
    pub fn server(&self, args: &[&str]) -> Vec<String> {
        let own =
            ["--log", self.path("log").to_str().unwrap(), "--state", self.path("state").to_str().unwrap()]
                .map(str::to_owned);
        own.into_iter().chain(args.iter().map(|arg| (*arg).to_owned())).collect()
    }

    /// Writes a lock that pins the fixture with these arguments and this surface.
    pub fn pin(&self, args: &[String], items: &[(ItemKey, Value)]) {
        let launch = CommandLaunch {
            command: fixture::path().to_str().unwrap().to_owned(),
            args: args.to_vec(),
            ..CommandLaunch::default()
        };
        self.pin_launch(&Launch::Command(launch), items);
    }

    pub fn pin_launch(&self, launch: &Launch, items: &[(ItemKey, Value)]) {
        let launch = launchpin::pin(launch, &mcpwatch::survey::machine::account());
        let mut pin = ServerPin::new(launch, "2025-11-25");
        for (key, value) in items {
            let pattern = literal(value);
            pin.items.insert(lockfile::key_of(key, &pattern), Pin::of(key.kind, pattern));
        }
        let mut lock = Lockfile::default();
        lock.servers.insert("fixture".to_owned(), pin);
        // As an editor would: a new file under the old name.
        let (path, new) = (self.path("mcp.lock"), self.path("mcp.lock.new"));
        std::fs::write(&new, lockfile::render(&lock)).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    /// Starts the gate in front of the fixture.
    pub fn gate(&self, args: &[String]) -> Session {
        self.gate_with(&["--trust-lock"], args)
    }

    pub fn gate_with(&self, options: &[&str], args: &[String]) -> Session {
        let mut command = self.run(options);
        command.arg("--").arg(fixture::path()).args(args);
        Session::start(command)
    }

    /// `mcpwatch run` for this place's lock, up to what it runs.
    pub fn run(&self, options: &[&str]) -> Command {
        let mut command = Command::new(fixture::command());
        command.env("MCPWATCH_HOME", self.path("home")).current_dir(self.folder.path());
        command.args(["run", "--server", "fixture", "--lock"]).arg(self.path("mcp.lock")).args(options);
        command
    }

    /// Starts the gate in front of an address.
    pub fn gate_url(&self, url: &str) -> Session {
        let mut command = self.run(&["--trust-lock"]);
        command.args(["--url", url]);
        Session::start(command)
    }

    /// What reached the server.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Session {
    /// Starts it and reads what comes.
    pub fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// The same with its stderr somewhere.
    pub fn start_with(mut command: Command, stderr: Stdio) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok()));
        let stdin = child.stdin.take();
        Self { child, stdin, lines, seen: Vec::new(), next: 0 }
    }

    pub fn send(&mut self, text: &str) {
        // A peer that has gone is seen when its answer does not come.
        let _gone = writeln!(self.stdin.as_mut().unwrap(), "{text}");
    }

    pub fn ask(&mut self, method: &str, params: &str) -> u32 {
        self.next += 1;
        let id = self.next;
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        id
    }

    /// Waits for a line that is what is wanted.
    pub fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let value = parse(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
                    self.seen.push(line);
                    if wanted(&value) {
                        return value;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no answer; so far {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended; so far {:#?}", self.seen),
            }
        }
    }

    pub fn request(&mut self, method: &str, params: &str) -> Value {
        let id = f64::from(self.ask(method, params));
        self.wait(|line| line.get("id").and_then(Value::as_f64) == Some(id) && line.get("method").is_none())
    }

    pub fn open(&mut self) -> Value {
        self.open_with("{}")
    }

    pub fn open_with(&mut self, capabilities: &str) -> Value {
        let params = format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"clientInfo":{{"name":"test","version":"1"}}}}"#
        );
        let answer = self.request("initialize", &params);
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        answer
    }

    pub fn call(&mut self, tool: &str, arguments: &str) -> Value {
        self.request("tools/call", &format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#))
    }

    /// The tools as a client gets them, by name.
    pub fn tools(&mut self) -> Vec<(String, Value)> {
        list(self, "tools/list", "tools", "name")
    }

    /// Whether anything that came holds this text. A refusal repeats the name that was asked for.
    pub fn has_seen(&mut self, text: &str) -> bool {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().any(|line| line.contains(text) && !line.contains("Blocked by mcpwatch"))
    }

    /// The next line, or `None` at the end of the stream.
    pub fn line(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                let value = parse(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
                self.seen.push(line);
                Some(value)
            }
            Err(RecvTimeoutError::Timeout) => panic!("neither a line nor the end; so far {:#?}", self.seen),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Closes our end of its stdin.
    pub fn close(&mut self) {
        drop(self.stdin.take());
    }

    pub fn leave(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

pub fn list(session: &mut Session, method: &str, field: &str, name: &str) -> Vec<(String, Value)> {
    let mut items = Vec::new();
    let mut params = "{}".to_owned();
    loop {
        let answer = session.request(method, &params);
        let Some(page) = answer.at(&["result", field]).and_then(Value::as_array) else { return items };
        for item in page {
            items.push((item.get(name).and_then(Value::as_str).unwrap().to_owned(), item.clone()));
        }
        match answer.at(&["result", "nextCursor"]).and_then(Value::as_str) {
            Some(cursor) => {
                let cursor: Object = [("cursor", cursor)].into_iter().collect();
                params = String::from_utf8(write::to_bytes(&Value::Object(cursor))).unwrap();
            }
            None => return items,
        }
    }
}

/// Everything that the unchanged fixture shows, read without a gate.
pub fn approved() -> &'static Vec<(ItemKey, Value)> {
    static ITEMS: OnceLock<Vec<(ItemKey, Value)>> = OnceLock::new();
    ITEMS.get_or_init(|| shown(&[]))
}

/// Everything that the fixture shows with these arguments.
pub fn shown(args: &[&str]) -> Vec<(ItemKey, Value)> {
    let mut command = Command::new(fixture::path());
    command.args(args);
    let mut session = Session::start(command);
    let opening = session.open();
    let mut shown = Surface::new("2025-11-25");
    shown.add_opening(opening.get("result").unwrap());
    for kind in Kind::LISTED {
        let (method, name) = (kind.list_method().unwrap(), kind.name_field().unwrap());
        for (name, item) in list(&mut session, method, kind.key(), name) {
            shown.add(ItemKey::new(kind, name), item);
        }
    }
    for uri in shown.ui_uris() {
        let page = session.request("resources/read", &format!(r#"{{"uri":"{uri}"}}"#));
        shown.add(ItemKey::new(Kind::Ui, uri), page.at(&["result", "contents"]).unwrap().clone());
    }
    shown.items().map(|(key, value)| (key.clone(), value.clone())).collect()
}

pub fn is_refused(answer: &Value) -> bool {
    let text = String::from_utf8(write::to_bytes(answer)).unwrap();
    let is_error = answer.at(&["result", "isError"]) == Some(&Value::Bool(true));
    text.contains("Blocked by mcpwatch") && (is_error || answer.get("error").is_some())
}

#[test]
fn after_an_approval_the_session_goes_on() {
    let place = Place::new();
    let args = place.server(&["--change", "description"]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    session.tools();
    assert!(is_refused(&session.call("search", r#"{"query":"x"}"#)));
    // The file watch begins once the opening is over.
    std::thread::sleep(Duration::from_millis(300));
    let mut items = approved().clone();
    for (key, value) in &mut items {
        if key.name == "search" {
            let text = String::from_utf8(write::to_bytes(value)).unwrap();
            let edit = surface::EDITS.iter().find(|edit| edit.name == "description").unwrap();
            *value = parse(text.replacen(edit.from, edit.to, 1).as_bytes()).unwrap();
        }
    }
    let approved_at = Instant::now();
    place.pin(&args, &items);
    session
        .wait(|line| line.get("method").and_then(Value::as_str) == Some("notifications/tools/list_changed"));
    assert!(approved_at.elapsed() < Duration::from_secs(2), "{:?}", approved_at.elapsed());
    let answer = session.call("search", r#"{"query":"x"}"#);
    assert!(!is_refused(&answer), "{answer:?}");
    assert!(session.tools().iter().any(|(_, tool)| format!("{tool:?}").contains("CHANGED")));
}

#[test]
fn a_lock_that_nobody_accepted_starts_nothing_until_it_is() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate_with(&[], &args);
    session.open();
    let tools = session.tools();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0].0, "mcpwatch_review");
    assert!(is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    assert_eq!(place.log(), "", "the server was started");
    std::thread::sleep(Duration::from_millis(300));
    accept(&place.path("home"), &place.path("mcp.lock"));
    session
        .wait(|line| line.get("method").and_then(Value::as_str) == Some("notifications/tools/list_changed"));
    session.wait(|line| {
        line.get("method").and_then(Value::as_str) == Some("notifications/resources/list_changed")
    });
    assert_eq!(session.tools().len(), 8);
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
}

/// Accepts a lock as a person at a terminal would, without the terminal.
pub fn accept(home: &Path, lock: &Path) {
    use mcpwatch::engine::approval::Level;
    use mcpwatch::engine::secret::Known;
    use mcpwatch::store::decide::{Act, By, Request, decide};
    let variables = [("MCPWATCH_HOME".to_owned(), home.to_str().unwrap().to_owned())];
    let paths =
        mcpwatch::sys::paths::Paths::of(mcpwatch::sys::paths::Os::current(), &variables.into()).unwrap();
    let base = mcpwatch::store::locks::load(lock).unwrap().map(|loaded| loaded.digest);
    let request = Request {
        lock,
        base,
        acts: vec![Act::Trust { values: Vec::new() }],
        by: By::Person { level: Level::Terminal, floor: None },
        secrets: &Known::default(),
        now: 1,
        today: "2026-11-21",
    };
    assert!(decide(&paths, request).unwrap().trusted);
}

#[test]
fn another_launch_starts_nothing() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&place.server(&["--stderr", "other"]));
    session.open();
    assert_eq!(session.tools()[0].0, "mcpwatch_review");
    let answer = session.call("mcpwatch_review", "{}");
    assert!(format!("{answer:?}").contains("starts something else"), "{answer:?}");
    assert_eq!(place.log(), "");
}

#[test]
fn a_broken_lock_closes_the_gate_and_a_whole_one_opens_it() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    assert_eq!(session.tools().len(), 8);
    std::thread::sleep(Duration::from_millis(300));
    let whole = std::fs::read(place.path("mcp.lock")).unwrap();
    std::fs::write(place.path("mcp.lock"), &whole[..whole.len() / 2]).unwrap();
    let changed =
        |line: &Value| line.get("method").and_then(Value::as_str) == Some("notifications/tools/list_changed");
    session.wait(changed);
    let answer = session.call("echo", r#"{"text":"hello"}"#);
    assert!(is_refused(&answer) && format!("{answer:?}").contains("lockfile cannot be read"), "{answer:?}");
    std::fs::write(place.path("mcp.lock"), whole).unwrap();
    session.wait(changed);
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    std::fs::remove_file(place.path("mcp.lock")).unwrap();
    session.wait(changed);
    assert!(is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
}

#[test]
fn hostile_answers_never_pass() {
    let behaviours = [
        "extra-prompts",
        "endless-cursor",
        "repeated-cursor",
        "exit-mid-line",
        "noise",
        "list-error",
        "wrong-shape",
        "no-tools",
        "wrong-id",
        "string-id",
        "double-answer",
        "two-values",
        "trailing",
        "not-utf8",
        "bom",
        "deep",
    ];
    for name in behaviours {
        let place = Place::new();
        let args = place.server(&["--change", name]);
        std::fs::write(place.path("home").join("placeholder"), "").unwrap();
        let config = place.path("home").join("config");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("config.toml"), "[limits]\nanswer = \"1s\"\npages = 20\n").unwrap();
        place.pin(&args, approved());
        let mut session = place.gate(&args);
        session.open();
        let tools = session.tools();
        let own = approved().iter().filter(|(key, _)| key.kind == Kind::Tool);
        for (tool, value) in &tools {
            let approved = own.clone().any(|(key, item)| key.name == *tool && item == value);
            assert!(approved, "{name}: {tool} is not as approved");
        }
        assert!(!session.has_seen("CHANGED"), "{name}: {:#?}", session.seen);
    }
}

#[test]
fn a_server_that_dies_in_a_call_is_said_at_once() {
    let place = Place::new();
    let args = place.server(&["--change", "exit-call"]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    session.tools();
    let asked = Instant::now();
    let answer = session.call("echo", r#"{"text":"x"}"#);
    assert!(answer.get("error").is_some(), "{answer:?}");
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[test]
fn the_exit_code_passes_through() {
    let place = Place::new();
    let args = place.server(&["--exit", "7"]);
    place.pin(&args, approved());
    let session = place.gate(&args);
    let mut child = session;
    assert_eq!(child.child.wait().unwrap().code(), Some(7));
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    assert_eq!(session.leave().code(), Some(0));
}

#[test]
fn large_results_and_many_requests_pass_whole() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    let answer = session.call("blob", r#"{"bytes":10485760}"#);
    assert!(write::to_bytes(&answer).len() > 10 << 20);
    let ids: Vec<u32> = (0..2_000).map(|_| session.ask("ping", "{}")).collect();
    for id in ids {
        let id = f64::from(id);
        session.wait(|line| line.get("id").and_then(Value::as_f64) == Some(id));
    }
}

#[test]
fn a_remote_server_is_gated_like_any_other() {
    for options in [&["--change", "description"][..], &["--change", "description", "--sse"]] {
        let server = fixture::Http::start(options);
        let place = Place::new();
        let launch = UrlLaunch { url: server.url.clone(), ..UrlLaunch::default() };
        place.pin_launch(&Launch::Url(launch), approved());
        let mut session = place.gate_url(&server.url);
        session.open();
        assert_eq!(session.tools().len(), 8, "{options:?}");
        assert!(is_refused(&session.call("search", r#"{"query":"x"}"#)), "{options:?}");
        assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)), "{options:?}");
        let answer = session.call("blob", r#"{"bytes":100000}"#);
        assert!(write::to_bytes(&answer).len() > 100_000, "{options:?}");
        assert!(!session.has_seen("CHANGED"), "{options:?}: {:#?}", session.seen);
        assert_eq!(session.leave().code(), Some(0), "{options:?}");
    }
}

#[test]
fn a_remote_server_of_2026_is_gated_like_any_other() {
    let server = fixture::Http::start(&["--change", "description", "--era", "stateless"]);
    let place = Place::new();
    let launch = UrlLaunch { url: server.url.clone(), ..UrlLaunch::default() };
    place.pin_launch(&Launch::Url(launch), approved());
    let mut session = place.gate_url(&server.url);
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let found = session.request("server/discover", &format!("{{{meta}}}"));
    assert!(found.at(&["result", "supportedVersions"]).is_some(), "{found:?}");
    let tools = session.request("tools/list", &format!("{{{meta}}}"));
    assert_eq!(tools.at(&["result", "ttlMs"]).and_then(Value::as_f64), Some(0.0));
    assert!(tools.at(&["result", "tools"]).and_then(Value::as_array).is_some_and(|tools| tools.len() == 8));
    let call = |name: &str| format!(r#"{{{meta},"name":"{name}","arguments":{{"text":"x","query":"x"}}}}"#);
    let refused = session.request("tools/call", &call("search"));
    assert!(is_refused(&refused), "{refused:?}");
    assert_eq!(refused.at(&["result", "resultType"]).and_then(Value::as_str), Some("complete"));
    let passed = session.request("tools/call", &call("echo"));
    assert!(!is_refused(&passed) && passed.get("result").is_some(), "{passed:?}");
    assert!(!session.has_seen("CHANGED"), "{:#?}", session.seen);
}

#[test]
fn an_address_where_nobody_answers_is_said_at_once() {
    let place = Place::new();
    let url = "http://127.0.0.1:9/mcp";
    place.pin_launch(&Launch::Url(UrlLaunch { url: url.to_owned(), ..UrlLaunch::default() }), approved());
    let mut session = place.gate_url(url);
    let asked = Instant::now();
    let answer = session.request(
        "initialize",
        r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}"#,
    );
    assert!(answer.get("error").is_some(), "{answer:?}");
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}
