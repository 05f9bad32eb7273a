//! One whole story on a real desktop: pinned, watched, changed under a session, told, blocked, approved
//! with the code that the notification shows, and the session goes on. Also what an agent with a
//! shell tries on the way.

use crate::desktop::Session;
use crate::fixture;
use crate::pty::{self, eventually};
use crate::servers;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_mcpwatch");

/// A user with a home, a server in it, and a desktop.
struct User {
    session: Session,
    folder: tempfile::TempDir,
    /// The server's own command.
    server: Vec<String>,
}

/// The daemon, which does not outlive a failed test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client that speaks through the gate.
struct Client {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl User {
    /// One whose server's description changes when a file appears, and which says so.
    fn new(session: Session) -> Self {
        let mut words = vec![fixture::path().to_string_lossy().into_owned()];
        let change = ["--change", "description", "--when", "file", "--notify", "--era", "session", "--state"];
        words.extend(change.map(str::to_owned));
        Self::with_server(session, |folder| {
            words.push(folder.join("state").to_string_lossy().into_owned());
            words
        })
    }

    fn with_server(session: Session, server: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path());
        let user = Self { session, folder, server };
        std::fs::create_dir(user.home()).unwrap();
        std::fs::create_dir(user.state()).unwrap();
        let entry = serde_json::json!({ "command": user.server[0], "args": user.server[1..] });
        let text = serde_json::json!({ "mcpServers": { "notes": entry } }).to_string();
        std::fs::write(user.home().join(".claude.json"), text).unwrap();
        user
    }

    /// The daemon, once it watches.
    fn daemon(&self) -> Daemon {
        let mut daemon = self.prepare(self.session.command(BINARY));
        daemon.arg("daemon").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Daemon(daemon.spawn().unwrap());
        assert!(self.is_quiet(), "{}", text(&self.run(&["service", "status"])));
        daemon
    }

    /// Whether the daemon comes to watch, and to find everything as approved.
    fn is_quiet(&self) -> bool {
        let status = || text(&self.run(&["service", "status"]));
        eventually(15, || status().contains("watching 1 server, nothing waiting").then_some(())).is_some()
    }

    /// Pins what is configured, and wants a code for every decision from then on.
    fn enrol(&self) {
        let answer = |answer: &'static str| move || answer.to_owned();
        let answers: [(&str, &dyn Fn() -> String); 2] =
            [("[q] quit", &answer("y")), ("wrap them", &answer("n"))];
        let (exit, screen) = self.type_at("init", &answers);
        assert_eq!(exit, 0, "{screen}");
        let from = self.shown().len();
        let answers: [(&str, &dyn Fn() -> String); 2] =
            [("Type yes", &answer("yes")), ("Type it here", &|| self.code(from))];
        let (exit, screen) = self.type_at("trust --level code", &answers);
        assert_eq!(exit, 0, "{screen}");
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn pull_the_rug(&self) {
        std::fs::write(self.state().join("change"), "").unwrap();
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env("HOME", self.home()).env("MCPWATCH_HOME", self.folder.path().join("ours"));
        command.env_remove("NO_COLOR").env("TERM", "dumb").current_dir(self.home());
        command
    }

    /// Runs a command of ours without a terminal.
    fn run(&self, words: &[&str]) -> Output {
        let mut command = self.prepare(self.session.command("setsid"));
        command.arg("--wait").arg(BINARY).args(words).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command of ours at a pseudo-terminal, answers prompts in turn, and gives its screen.
    fn type_at(&self, words: &str, answers: &[(&str, &dyn Fn() -> String)]) -> (i32, String) {
        let mut command = self.prepare(self.session.command("script"));
        command.args(["-qfec", &format!("{BINARY} {words}"), "/dev/null"]);
        pty::type_at(command, answers)
    }

    fn shown(&self) -> String {
        std::fs::read_to_string(self.session.shown()).unwrap_or_default()
    }

    /// Waits until the notification service showed a text after `from` bytes of what it showed.
    fn is_told(&self, from: usize, text: &str) -> bool {
        eventually(10, || self.shown().get(from..).is_some_and(|shown| shown.contains(text)).then_some(()))
            .is_some()
    }

    /// The code of the newest notification, once there is one after `from`.
    fn code(&self, from: usize) -> String {
        let code = || {
            let shown = self.shown();
            let line = shown.get(from..)?.lines().rfind(|line| line.starts_with("Code "))?;
            Some(line.split(' ').nth(1)?.to_owned())
        };
        eventually(10, code).unwrap_or_else(|| panic!("no code was shown: {}", self.shown()))
    }
}

impl Client {
    fn start(user: &User) -> Self {
        let mut command = user.prepare(user.session.command(BINARY));
        command.args(["run", "--server", "notes", "--"]).args(&user.server);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let stdin = child.stdin.take().unwrap();
        let mut client = Self { child, stdin, lines };
        client.send(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#);
        client.wait_for("\"id\":1");
        client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    fn send(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("nothing with {text:?} came"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn call(&mut self, id: u32, tool: &str, text: &str) {
        let arguments = serde_json::json!({ "query": text, "a": 1, "b": 2 });
        let params = serde_json::json!({ "name": tool, "arguments": arguments });
        let call =
            serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        self.send(&call.to_string());
    }

    fn list(&mut self, id: u32) -> String {
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{}}}}"#));
        self.wait_for(&format!("\"id\":{id},"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn pinned_watched_changed_blocked_approved_with_the_code() {
    let session = match Session::start() {
        Ok(session) => session,
        Err(why) => {
            return eprintln!("skipped: pinned_watched_changed_blocked_approved_with_the_code ({why})");
        }
    };
    let user = User::new(session);
    let yes = || "yes".to_owned();
    let letter = |letter: &'static str| move || letter.to_owned();

    // Pinned by a person at a terminal; from now on decisions need the code.
    user.enrol();

    // The daemon watches, a client works through the gate.
    let mut daemon = user.daemon();
    let second = user.run(&["daemon"]);
    assert!(text(&second).contains("a daemon is already running"), "{}", text(&second));
    let mut client = Client::start(&user);
    assert!(!client.list(2).contains("CHANGED"));
    client.call(20, "search", "what is called");
    client.wait_for("\"id\":20");

    // The rug is pulled under the session: told, and not one changed word reaches the client.
    let from = user.shown().len();
    user.pull_the_rug();
    assert!(user.is_told(from, "notes changed 1 tool"), "{}", user.shown());
    assert!(!client.list(3).contains("CHANGED"));
    client.call(30, "search", "waits");
    assert!(text(&user.run(&["service", "status"])).contains("1 item waiting for you"));

    // An agent with a shell, but without the code.
    let piped = user.run(&["approve", "notes"]);
    assert_eq!(piped.status.code(), Some(3), "without a terminal: {}", text(&piped));
    let from = user.shown().len();
    let wrong = letter("BBBBBB");
    let again = ("Type it here", &wrong as &dyn Fn() -> String);
    let (exit, screen) = user.type_at("approve notes", &[("[q] quit", &letter("y")), again, again, again]);
    assert_eq!(exit, 3, "{screen}");
    assert!(screen.contains("three wrong codes"), "{screen}");
    assert!(user.is_told(from, "Three wrong codes for notes"), "{}", user.shown());
    let lowered = user.type_at("trust --level terminal", &[("Type yes", &yes), again, again, again]);
    assert_eq!(lowered.0, 3, "lowering the level needs the code too: {}", lowered.1);
    assert!(!client.list(4).contains("CHANGED"));

    // The person reads the code and types it: announced, and the session goes on.
    let from = user.shown().len();
    let approving =
        [("[q] quit", &letter("y") as &dyn Fn() -> String), ("Type it here", &|| user.code(from))];
    let (exit, screen) = user.type_at("approve notes", &approving);
    assert_eq!(exit, 0, "{screen}");
    client.wait_for("notifications/tools/list_changed");
    let released = client.wait_for("\"id\":30");
    assert!(!released.contains("mcpwatch"), "the call that waited went on: {released}");
    assert!(client.list(5).contains("CHANGED"), "what was approved is served");
    assert!(user.is_told(from, "Approved 1 item of notes"), "{}", user.shown());
    assert!(user.is_quiet(), "{}", text(&user.run(&["service", "status"])));
    drop(client);

    // Everything is in the log, and nobody edited it.
    let log = text(&user.run(&["log", "notes", "--kind", "decision"]));
    assert!(log.contains("refused: approve") && log.contains("approve of 1 item by"), "{log}");
    assert!(log.contains("level code"), "{log}");
    let kinds = "session call change block listed";
    let written = || {
        let kinds = kinds.split(' ').flat_map(|kind| ["--kind", kind]);
        let log = text(&user.run(&["log", "notes"].into_iter().chain(kinds).collect::<Vec<_>>()));
        let all = [
            "session opened by the gate for test",
            "changed, seen by the gate (same-artifact): tool search",
            "blocked tool search: the call waits for a decision",
            "called tool search: result",
            "read by the gate: ",
        ];
        all.iter().all(|words| log.contains(words)).then_some(())
    };
    let log = || text(&user.run(&["log", "notes"]));
    assert!(eventually(10, written).is_some(), "{}", log());
    assert!(!log().contains("what is called"), "arguments are digested, not kept: {}", log());
    let told = Instant::now();
    std::process::Command::new("kill").arg(daemon.0.id().to_string()).status().unwrap();
    assert!(eventually(5, || daemon.0.try_wait().unwrap()).is_some_and(|status| status.success()));
    assert!(told.elapsed() < Duration::from_secs(2), "SIGTERM is clean within two seconds");
    let sound = user.run(&["log", "verify"]);
    assert!(text(&sound).starts_with("Sound: "), "{}", text(&sound));
    edit_the_log(&user.folder.path().join("ours/state/log/log.jsonl"));
    let broken = user.run(&["log", "verify"]);
    assert!(text(&broken).contains("log.jsonl:2: its link does not follow"), "{}", text(&broken));
}

/// The same with a real server that is upgraded on disk, as its package manager would.
#[test]
fn a_real_server_is_upgraded_under_the_daemon() {
    let script = "node_modules/@modelcontextprotocol/server-memory/dist/index.js";
    if ["npm-before", "npm"].iter().any(|set| servers::node("server-memory", set, script, &[]).is_none()) {
        return;
    }
    let session = match Session::start() {
        Ok(session) => session,
        Err(why) => return eprintln!("skipped: a_real_server_is_upgraded_under_the_daemon ({why})"),
    };
    let user = User::with_server(session, |folder| {
        let script = folder.join("current").join(script);
        vec!["node".to_owned(), script.to_string_lossy().into_owned()]
    });
    let current = user.folder.path().join("current");
    let place = |set: &str| {
        let fresh = current.with_extension("new");
        std::os::unix::fs::symlink(servers::folder().join(set), &fresh).unwrap();
        std::fs::rename(&fresh, &current).unwrap();
    };
    place("npm-before");
    user.enrol();
    let mut daemon = user.daemon();
    let mut before = Client::start(&user);
    let tools = before.list(2);
    before.call(20, "read_graph", "");
    assert!(before.wait_for("\"id\":20").contains("\"result\""), "the approved release works");

    // Upgraded on disk: told without anybody asking, and the new program is not started.
    let from = user.shown().len();
    place("npm");
    assert!(user.is_told(from, "notes"), "{}", text(&user.run(&["log"])));
    assert_eq!(before.list(3).replace("\"id\":3", "\"id\":2"), tools, "what runs already is as it was");
    let mut client = Client::start(&user);
    assert!(!client.list(2).contains("read_graph"), "what was not approved is not started");
    client.call(20, "read_graph", "");
    assert!(client.wait_for("\"id\":20").contains("mcpwatch"), "its calls are refused");

    // Approved with the code: the session that was closed goes on without a restart.
    let from = user.shown().len();
    let say = |words: &'static str| move || words.to_owned();
    let approving: [(&str, &dyn Fn() -> String); 3] =
        [("[q] quit", &say("a")), ("Type yes", &say("yes")), ("Type it here", &|| user.code(from))];
    let (exit, screen) = user.type_at("approve notes", &approving);
    assert_eq!(exit, 0, "{screen}");
    client.wait_for("notifications/tools/list_changed");
    assert!(client.list(3).contains("read_graph"));
    client.call(30, "read_graph", "");
    assert!(client.wait_for("\"id\":30").contains("\"result\""), "the new release works");
    assert!(user.is_quiet(), "{}", text(&user.run(&["service", "status"])));
    std::process::Command::new("kill").arg(daemon.0.id().to_string()).status().unwrap();
    assert!(eventually(5, || daemon.0.try_wait().unwrap()).is_some_and(|status| status.success()));
    let sound = user.run(&["log", "verify"]);
    assert!(text(&sound).starts_with("Sound: "), "{}", text(&sound));
}

fn edit_the_log(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replacen("\"at\":1", "\"at\":2", 1);
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
