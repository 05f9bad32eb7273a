//! What happens to the daemon from outside: servers that go and come back, servers that hang, and its own
//! sudden end. No desktop is needed; what it would tell is read from its log and its status.

use crate::cli::bench::{Bench, Run};
use crate::fixture;
use crate::pty::eventually;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The daemon, which does not outlive a failed test.
pub struct Daemon(pub Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A person whose servers are pinned; `None` where there is no pseudo-terminal.
pub fn pinned(servers: &[(&str, Value)]) -> Option<Bench> {
    let bench = Bench::new();
    let servers: serde_json::Map<String, Value> =
        servers.iter().map(|(name, entry)| ((*name).to_owned(), entry.clone())).collect();
    let count = servers.len();
    let text = json!({ "mcpServers": servers }).to_string();
    std::fs::write(bench.home().join(".claude.json"), text).unwrap();
    let answers: &[&str] = if count == 1 { &["y", "n", "n"] } else { &["a", "yes", "n", "n"] };
    let run = bench.at_terminal(&["init"], answers)?;
    assert!(run.code == 0 && run.stdout.contains("Pinned"), "{}", run.all());
    Some(bench)
}

fn command(state: &Path, args: &[&str]) -> Value {
    let own = ["--era", "session", "--when", "file", "--state", state.to_str().unwrap()];
    let args = [&own[..], args].concat();
    json!({ "command": fixture::path(), "args": args })
}

pub fn daemon(bench: &Bench) -> Daemon {
    let mut command = bench.command();
    command.arg("daemon");
    daemon_by(command)
}

/// The daemon as this command starts it, without a desktop.
pub fn daemon_by(mut command: Command) -> Daemon {
    for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Waits until the daemon says this of itself.
#[track_caller]
pub fn says(bench: &Bench, words: &str) {
    let status = || bench.run(&["service", "status"]);
    let said = eventually(15, || status().stdout.contains(words).then_some(()));
    assert!(said.is_some(), "not {words:?}: {}\n{}", status().all(), bench.run(&["log"]).all());
}

/// What the daemon says of one server.
pub fn state(bench: &Bench, name: &str) -> String {
    let status = bench.run(&["status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
    let servers = status["daemon"]["servers"].as_array().cloned().unwrap_or_default();
    let server = servers.iter().find(|server| server["name"] == name);
    server.map_or_else(String::new, |server| server["state"].as_str().unwrap_or_default().to_owned())
}

/// Waits until the daemon says this of a server.
#[track_caller]
pub fn stands(bench: &Bench, name: &str, words: &str) {
    let said = eventually(30, || state(bench, name).contains(words).then_some(()));
    assert!(said.is_some(), "not {words:?}: {:?}\n{}", state(bench, name), bench.run(&["log"]).all());
}

/// What the log has of changes.
pub fn changes(bench: &Bench) -> Run {
    bench.run(&["log", "--kind", "change"])
}

/// How often a server that keeps that log was asked for its tools.
fn lists(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches("tools/list").count()
}

#[test]
fn a_remote_server_that_was_away_is_read_again_and_nobody_is_told_of_a_change() {
    for (era, killed_while_reading) in [("session", false), ("session", true), ("stateless", false)] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // Slow enough to be met while it is read.
        let own = ["--change", "description", "--when", "file", "--notify", "--answer-ms", "100"];
        let own = [&own[..], &["--era", era, "--log", log.to_str().unwrap()]].concat();
        let server = fixture::Http::start(&own);
        let Some(bench) = pinned(&[("notes", json!({ "type": "http", "url": server.url }))]) else { return };
        let before = lists(&log);
        let _daemon = daemon(&bench);
        if killed_while_reading {
            assert!(eventually(20, || (lists(&log) > before).then_some(())).is_some(), "the daemon reads it");
        } else {
            stands(&bench, "notes", "connected");
        }

        let port = server.url.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
        drop(server);
        stands(&bench, "notes", "could not be reached");
        says(&bench, "watching 1 server, nothing waiting");
        let away = lists(&log);
        let server = fixture::Http::start(&[&["--http", port.as_str()], &own[..]].concat());
        stands(&bench, "notes", "connected");
        assert!(lists(&log) > away, "it is read again");
        says(&bench, "watching 1 server, nothing waiting");
        assert_eq!(changes(&bench).stdout, "", "to be away is no change");

        // It is watched as before: a change that it signals is seen at once.
        std::thread::sleep(std::time::Duration::from_millis(500));
        std::fs::write(server.state().join("change"), "").unwrap();
        says(&bench, "1 item waiting for you");
    }
}

#[test]
fn servers_that_hang_do_not_keep_others_from_being_read() {
    const HOW: [&str; 2] = ["silence-start", "silence"];
    let folder = tempfile::tempdir().unwrap();
    // As many as are started at once, and all of them before the one that answers.
    let names = ["a", "b", "c", "d", "notes"];
    let states = names.map(|name| folder.path().join(name));
    states.iter().for_each(|state| std::fs::create_dir(state).unwrap());
    let [hanging @ .., notes] = &states;
    let mut servers: Vec<(&str, Value)> = Vec::new();
    for (at, state) in hanging.iter().enumerate() {
        servers.push((names[at], command(state, &["--change", HOW[at % 2]])));
    }
    servers.push(("notes", command(notes, &["--change", "description", "--notify"])));
    let Some(bench) = pinned(&servers) else { return };
    hanging.iter().for_each(|state| std::fs::write(state.join("change"), "").unwrap());
    let starts = |state: &Path| std::fs::read_to_string(state.join("starts")).unwrap();
    let before = starts(notes);
    let _daemon = daemon(&bench);
    says(&bench, "watching 5 servers, nothing waiting");
    let again = || (starts(notes) != before).then_some(());
    assert!(eventually(10, again).is_some(), "it was not started beside those that hang");
    std::thread::sleep(std::time::Duration::from_millis(700));
    std::fs::write(notes.join("change"), "").unwrap();
    says(&bench, "1 item waiting for you");
    let told = changes(&bench).stdout;
    assert!(told.contains("notes"), "{told}");
    assert_eq!(told.lines().count(), 1, "to hang is no change: {told}");
}

#[test]
fn a_killed_daemon_starts_again_at_once_and_what_waited_waits() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let server = command(&state, &["--change", "description", "--notify"]);
    let Some(bench) = pinned(&[("notes", server)]) else { return };
    let mut first = daemon(&bench);
    says(&bench, "watching 1 server, nothing waiting");
    std::fs::write(state.join("change"), "").unwrap();
    says(&bench, "1 item waiting for you");
    let second = bench.run(&["daemon"]);
    assert_eq!(second.code, 3, "{}", second.all());
    let who = format!("a daemon is already running (process {})", first.0.id());
    assert!(second.stderr.contains(&who), "{}", second.all());

    let told = changes(&bench).stdout;
    for round in 0..3 {
        // SIGKILL: nothing is tidied up.
        first.0.kill().unwrap();
        first.0.wait().unwrap();
        let down = bench.run(&["service", "status"]);
        assert_eq!(down.code, 3, "{round}: {}", down.all());
        first = daemon(&bench);
        let pid = format!("(process {})", first.0.id());
        says(&bench, &pid);
        says(&bench, "1 item waiting for you");
    }
    // It is one thing that waits: it is written down once, nobody is told again, and it is listed.
    assert_eq!(changes(&bench).stdout, told);
    let alerts = bench.run(&["log", "--kind", "alert"]).stdout;
    assert_eq!(alerts.lines().count(), 1, "{alerts}");
    let status = bench.run(&["status"]).stdout;
    assert_eq!(status.matches("not answered, ").count(), 1, "{status}");
    assert!(bench.run(&["log", "verify"]).stdout.starts_with("Sound: "), "the log is whole");
}

#[test]
fn a_program_that_is_replaced_under_a_session_is_noticed_and_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let (program, state) = (folder.path().join("server"), folder.path().join("state"));
    std::fs::create_dir(&state).unwrap();
    std::fs::copy(fixture::path(), &program).unwrap();
    let args = ["--era", "session", "--state", state.to_str().unwrap()];
    let Some(bench) = pinned(&[("notes", json!({ "command": program, "args": args }))]) else { return };
    let _daemon = daemon(&bench);
    stands(&bench, "notes", "connected");
    let starts = || std::fs::read_to_string(state.join("starts")).unwrap();
    let before = starts();
    // Another one under the same name, as an installer puts it there.
    let mut bytes = std::fs::read(&program).unwrap();
    bytes.push(0);
    let fresh = program.with_extension("new");
    std::fs::write(&fresh, bytes).unwrap();
    std::fs::set_permissions(&fresh, std::fs::metadata(&program).unwrap().permissions()).unwrap();
    std::fs::rename(&fresh, &program).unwrap();
    stands(&bench, "notes", "its program is not the approved one; it was not started");
    assert_eq!(starts(), before);
    let alerts = bench.run(&["log", "--kind", "alert"]).stdout;
    assert_eq!(alerts.matches("The program of notes was edited").count(), 1, "{alerts}");
}
