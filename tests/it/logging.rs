//! The log from outside: arguments of calls only where that is switched on, and a gate that blocks
//! whether it can write or not.

use crate::cli::bench::Bench;
use crate::fixture;
use crate::floors::configure;
use crate::gate::{Session, is_refused};
use crate::pty::eventually;
use crate::servers::skipped;
use crate::sighted::trusted;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const CHANGED: [&str; 4] = ["--change", "description", "--when", "stranger"];

/// The gate's words in front of the fixture, with a secret among the server's arguments.
fn gate(bench: &Bench, args: &[&str]) -> Command {
    let mut command = bench.command();
    command.args(["run", "--server", "notes", "--lock", "mcp.lock", "--"]).arg(fixture::path()).args(args);
    command
}

/// What the log has of calls, as JSON lines.
fn calls(bench: &Bench) -> String {
    bench.run(&["log", "--kind", "call", "--format", "json"]).stdout
}

#[test]
fn arguments_are_kept_only_where_that_is_switched_on() {
    const SECRET: &str = "hunter2hunter2";
    const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let Some(bench) = trusted(&[]) else { return };
    let bench = bench.with_env("NOTES_PASSWORD", SECRET);
    let call = |text: &str| {
        let mut client = Session::start(gate(&bench, &[]));
        client.open();
        client.tools();
        let arguments = format!(r#"{{"text":"{text}","password":"short","token":"{TOKEN}"}}"#);
        assert!(!is_refused(&client.call("echo", &arguments)));
        client.leave();
        calls(&bench)
    };
    let text = format!("remember {SECRET} and the milk");
    let log = call(&text);
    assert!(log.contains("\"size\"") && !log.contains("milk") && !log.contains("contents"), "{log}");
    assert!(!bench.run(&["status"]).all().contains("arguments of calls"));

    // For another server it says nothing of this one.
    configure(&bench, "config.toml", "[server.other]\nlog_contents = \"arguments\"\n");
    assert!(!call(&text).contains("milk"));
    configure(&bench, "config.toml", "[server.notes]\nlog_contents = \"arguments\"\n");
    let log = call(&text);
    let kept = r#""contents": {"password": "***","text": "remember *** and the milk","token": "***"}"#;
    assert!(log.contains(kept), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(TOKEN), "{log}");

    // A long one is cut, after what is secret was taken out.
    let long = format!("{}{SECRET}{}", "x".repeat(16_300), "y".repeat(40_000));
    let log = call(&long);
    assert!(log.contains("… (cut, ") && !log.contains("hunter2"), "{}", log.len());
    assert!(log.lines().all(|line| line.len() < 20_000));

    // Whoever asks how things stand is told.
    let told = "the log keeps the arguments of calls, which can hold secrets: server.notes.log_contents";
    assert!(bench.run(&["status"]).stdout.contains(told));
    let service = bench.run(&["service", "status"]).stderr;
    assert!(service.contains("The log keeps the arguments of calls"), "{service}");
    assert_eq!(bench.run(&["log", "verify"]).code, 0);
}

/// Waits until a command says this.
#[track_caller]
fn says(bench: &Bench, args: &[&str], words: &str) {
    let said = eventually(20, || bench.run(args).all().contains(words).then_some(()));
    assert!(said.is_some(), "not {words:?}: {}", bench.run(args).all());
}

#[test]
fn a_log_that_cannot_be_written_stops_no_blocking_and_is_told() {
    let Some(bench) = trusted(&CHANGED) else { return };
    let log = bench.home().join("mcpwatch/state/log");
    std::fs::rename(&log, log.with_extension("away")).unwrap();
    std::fs::write(&log, "in the way").unwrap();
    let mut client = Session::start_with(gate(&bench, &CHANGED), Stdio::piped());
    client.open();
    client.tools();
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(is_refused(&client.call("search", r#"{"query":"y"}"#)));
    assert!(!is_refused(&client.call("echo", r#"{"text":"x"}"#)));
    // Without a daemon a command finds out for itself.
    says(&bench, &["status"], "cannot use the log");
    says(&bench, &["status"], "blocking goes on without it");

    // It can be written again, and says what is lost.
    std::fs::remove_file(&log).unwrap();
    std::fs::rename(log.with_extension("away"), &log).unwrap();
    assert!(!is_refused(&client.call("echo", r#"{"text":"y"}"#)));
    says(&bench, &["log", "--kind", "trouble"], "before this one could not be written: cannot use the log");
    assert!(!bench.run(&["status"]).all().contains("cannot use the log"));

    client.close();
    let mut stderr = String::new();
    client.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let said = stderr.lines().filter(|line| line.starts_with("mcpwatch: cannot use the log")).count();
    assert_eq!(said, 1, "once: {stderr}");
    assert_eq!(bench.run(&["log", "verify"]).code, 0, "{}", bench.run(&["log", "verify"]).all());
}

/// A gate whose state folder is another file system; `None` where none can be mounted.
fn elsewhere(bench: &Bench, mount: &str) -> Option<Session> {
    let state = bench.home().join("mcpwatch/state");
    let inside = |script: &str| {
        let mut command = bench.command_of("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&state);
        command
    };
    if !inside(&format!("{mount} && exit 0")).output().is_ok_and(|output| output.status.success()) {
        skipped("a mount namespace");
        return None;
    }
    let mut command = inside(&format!("{mount} && shift && exec \"$@\""));
    let gate = gate(bench, &CHANGED);
    command.arg(gate.get_program()).args(gate.get_args());
    Some(Session::start_with(command, Stdio::piped()))
}

#[test]
fn a_full_or_read_only_disk_stops_no_blocking() {
    let cases = [
        (
            "full",
            "mount -t tmpfs -o size=16k tmpfs \"$1\" && { head -c 100000 /dev/zero >\"$1/fill\" || true; } 2>/dev/null",
        ),
        ("read-only", "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\""),
    ];
    let Some(bench) = trusted(&CHANGED) else { return };
    for (name, mount) in cases {
        let Some(mut client) = elsewhere(&bench, mount) else { return };
        client.open();
        client.tools();
        assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)), "{name}");
        assert!(!is_refused(&client.call("echo", r#"{"text":"x"}"#)), "{name}");
        client.close();
        let mut stderr = String::new();
        client.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr.matches("blocking goes on without it").count(), 1, "{name}: {stderr}");
    }
}

#[test]
fn the_daemon_tells_of_a_gate_that_cannot_write() {
    let Some(bench) = trusted(&[]) else { return };
    let mut daemon = bench.command();
    for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"] {
        daemon.env_remove(name);
    }
    let mut daemon = daemon.arg("daemon").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    says(&bench, &["service", "status"], "Running");
    // Of the gate alone: the daemon's log is where it was.
    let mount = "mount -t tmpfs -o ro tmpfs \"$1/log\"";
    if let Some(mut client) = elsewhere(&bench, mount) {
        client.open();
        client.tools();
        client.call("echo", r#"{"text":"x"}"#);
        let told = eventually(20, || {
            let said = bench.run(&["service", "status"]).stdout;
            said.contains("the gate of notes says: cannot use the log").then_some(())
        });
        let status = bench.run(&["status", "--format", "json"]).all();
        let _ = (daemon.kill(), daemon.wait());
        assert!(told.is_some(), "{status}");
    }
    let _ = (daemon.kill(), daemon.wait());
}

#[test]
fn the_daemon_writes_down_its_own_sessions() {
    let bench = Bench::new();
    let entry = serde_json::json!({ "command": fixture::path(), "args": ["--era", "session"] });
    let text = serde_json::json!({ "mcpServers": { "notes": entry } }).to_string();
    std::fs::write(bench.home().join(".claude.json"), text).unwrap();
    let Some(run) = bench.at_terminal(&["init"], &["y", "n", "n"]) else { return };
    assert!(run.code == 0 && run.stdout.contains("Pinned"), "{}", run.all());
    let mut daemon = bench.command();
    daemon.env_remove("DBUS_SESSION_BUS_ADDRESS").arg("daemon").stdout(Stdio::null()).stderr(Stdio::null());
    let mut daemon = daemon.spawn().unwrap();
    let opened = "notes  session opened by the daemon, 2025-11-25";
    let told =
        eventually(20, || bench.run(&["log", "--kind", "session"]).stdout.contains(opened).then_some(()));
    // The server goes away by itself.
    let server = children(daemon.id());
    let killed = server
        .first()
        .map(|pid| nix::sys::signal::kill(nix::unistd::Pid::from_raw(*pid), nix::sys::signal::SIGKILL));
    let ended = eventually(20, || {
        bench.run(&["log", "--kind", "closed"]).stdout.contains("session of the daemon ended").then_some(())
    });
    let log = bench.run(&["log"]).all();
    let _ = (daemon.kill(), daemon.wait());
    assert!(told.is_some() && killed.is_some() && ended.is_some(), "{log}");
}

/// The processes that a process started.
fn children(pid: u32) -> Vec<i32> {
    let tasks = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")).unwrap();
    let children = tasks.flatten().flat_map(|task| {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
    });
    children.collect()
}
