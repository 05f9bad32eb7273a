//! What happens to the machine under the daemon: its network, its disk, its clocks, too many signals, too
//! many servers, and its end. Where a system cannot do one of them, the test says that it is skipped.

use crate::cli::bench::Bench;
use crate::daemon_faults::{Daemon, changes, daemon, daemon_by, pinned, says, stands};
use crate::fixture;
use crate::pty::eventually;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server whose list changes, and says so, once the file is there.
const CHANGES: [&str; 7] = ["--era", "session", "--change", "description", "--when", "file", "--notify"];

fn server(state: &Path, more: &[&str]) -> Value {
    let args = [&CHANGES[..], more, &["--state", state.to_str().unwrap()]].concat();
    json!({ "command": fixture::path(), "args": args })
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// How often the server that logs there was asked for its tools.
fn lists(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches("tools/list").count()
}

/// A line of the system's account of a process: descriptors that are open, kilobytes that are resident.
fn descriptors(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A network of its own, with loopback alone.
struct Network(Child);

impl Network {
    fn new() -> Option<Self> {
        let script = "ip link set lo up && echo up && exec sleep 600";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", script]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut up = [0; 2];
        let stdout = child.stdout.as_mut().unwrap();
        if std::io::Read::read_exact(stdout, &mut up).is_err() {
            let _ = child.wait();
            return None;
        }
        Some(Self(child))
    }

    /// A command that runs in it.
    fn inside(&self, command: &Command) -> Command {
        let mut own = Command::new("nsenter");
        own.args(["--target", &self.0.id().to_string(), "--user", "--net", "--preserve-credentials", "--"]);
        own.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => own.env(name, value),
                None => own.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            own.current_dir(folder);
        }
        own
    }

    fn set(&self, state: &str) {
        let mut command = Command::new("ip");
        command.args(["link", "set", "lo", state]);
        assert!(self.inside(&command).status().unwrap().success());
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_network_that_goes_is_known_and_one_that_comes_back_is_used() {
    let Some(network) = Network::new() else {
        return eprintln!(
            "skipped: a_network_that_goes_is_known_and_one_that_comes_back_is_used (no network namespaces)"
        );
    };
    // Approved outside, then the same server at the same address inside.
    let first = fixture::Http::start(&CHANGES);
    let Some(bench) = pinned(&[("notes", json!({ "type": "http", "url": first.url }))]) else { return };
    let port = first.url.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    drop(first);
    let state = tempfile::tempdir().unwrap();
    let mut inner = Command::new(fixture::path());
    inner.args(["--http", &port, "--state", state.path().to_str().unwrap()]).args(CHANGES);
    let _server = Daemon(network.inside(&inner).stderr(Stdio::null()).spawn().unwrap());
    assert!(eventually(10, || state.path().join("url").exists().then_some(())).is_some());
    let _daemon = daemon_by(network.inside(bench.command().arg("daemon")));
    stands(&bench, "notes", "connected");

    // Nothing closes: packets are lost, and the system's own probes find it out.
    network.set("down");
    let away = |state: String| (!state.contains("connected") && state.contains("reach")).then_some(());
    let known = eventually(120, || away(crate::daemon_faults::state(&bench, "notes")));
    assert!(known.is_some(), "{}", crate::daemon_faults::state(&bench, "notes"));
    network.set("up");
    let back =
        eventually(120, || (crate::daemon_faults::state(&bench, "notes") == "connected").then_some(()));
    assert!(back.is_some(), "{}", crate::daemon_faults::state(&bench, "notes"));
    assert_eq!(changes(&bench).stdout, "", "to be away is no change");
    std::thread::sleep(Duration::from_millis(500));
    std::fs::write(state.path().join("change"), "").unwrap();
    says(&bench, "1 item waiting for you");
}

#[test]
fn a_disk_that_is_full_stops_nothing_but_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let Some(bench) = pinned(&[("notes", server(folder.path(), &[]))]) else { return };
    // The largest file that the daemon may write is as large as the log is now.
    let log = bench.home().join("mcpwatch/state/log/log.jsonl");
    let size = std::fs::metadata(&log).unwrap().len();
    let own = bench.command();
    let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" daemon", size.div_ceil(512));
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(own.get_program());
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(bench.work());
    let daemon = daemon_by(command);
    stands(&bench, "notes", "connected");
    let troubled = || bench.run(&["status"]).stdout.contains("the log cannot be written");
    assert!(eventually(10, || troubled().then_some(())).is_some(), "{}", bench.run(&["status"]).all());
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(folder.path().join("change"), "").unwrap();
    says(&bench, "1 item waiting for you");

    // Room again: the log goes on, whole.
    let process = daemon.0.id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]).status();
    if !raised.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: the end of a_disk_that_is_full_stops_nothing_but_the_log (no prlimit)");
    }
    signal("-TERM", daemon.0.id());
    let stopped = || bench.run(&["log"]).stdout.contains("stopped").then_some(());
    assert!(eventually(10, stopped).is_some(), "{}", bench.run(&["log"]).all());
    let sound = bench.run(&["log", "verify"]);
    assert!(sound.stdout.starts_with("Sound: "), "{}", sound.all());
}

#[test]
fn a_daemon_that_slept_goes_on_and_one_whose_clock_jumps_looks_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let Some(bench) = pinned(&[("notes", server(folder.path(), &["--log", log.to_str().unwrap()]))]) else {
        return;
    };
    let libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| PathBuf::from(format!("/usr/lib/{machine}/faketime/libfaketime.so.1")));
    let library = libraries.iter().find(|library| library.exists());
    let clock = folder.path().join("clock");
    let set = |offset: &str| std::fs::write(&clock, offset).unwrap();
    set("+0");
    let mut command = bench.command();
    command.arg("daemon");
    if let Some(library) = library {
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
    }
    let daemon = daemon_by(command);
    stands(&bench, "notes", "connected");

    // Hours forwards, and a day back: what is known may be old, so it is looked again.
    if library.is_some() {
        for offset in ["+5h", "-1d"] {
            let before = lists(&log);
            set(offset);
            let looked = || {
                // Whatever wakes it shows it the time.
                let _ = bench.run(&["service", "status"]);
                (lists(&log) > before).then_some(())
            };
            assert!(eventually(20, looked).is_some(), "it looks again at {offset}");
            stands(&bench, "notes", "connected");
        }
        says(&bench, "nothing waiting");
    } else {
        eprintln!("skipped: the clock of a_daemon_that_slept_goes_on (no libfaketime)");
    }

    // Stopped while the server signals, as a machine that sleeps.
    signal("-STOP", daemon.0.id());
    std::fs::write(folder.path().join("change"), "").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    signal("-CONT", daemon.0.id());
    says(&bench, "1 item waiting for you");
    assert_eq!(changes(&bench).stdout.lines().count(), 1);
}

#[test]
fn thousands_of_signals_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let states = ["storm", "notes"].map(|name| folder.path().join(name));
    states.iter().for_each(|state| std::fs::create_dir(state).unwrap());
    let log = states[0].join("log");
    let args = ["--era", "session", "--change", "storm", "--when", "file", "--log", log.to_str().unwrap()];
    let args = [&args[..], &["--state", states[0].to_str().unwrap()]].concat();
    let storm = json!({ "command": fixture::path(), "args": args });
    let Some(bench) = pinned(&[("storm", storm), ("notes", server(&states[1], &[]))]) else { return };
    let daemon = daemon(&bench);
    stands(&bench, "storm", "connected");
    stands(&bench, "notes", "connected");
    let (before, memory) = (lists(&log), resident(daemon.0.id()));
    std::fs::write(states[0].join("change"), "").unwrap();
    std::fs::write(states[1].join("change"), "").unwrap();
    says(&bench, "1 item waiting for you");
    assert!(eventually(10, || (lists(&log) > before).then_some(())).is_some(), "it is read again");
    std::thread::sleep(Duration::from_secs(2));
    let times = (lists(&log) - before).div_ceil(4);
    assert!(times <= 10, "five thousand signals, read {times} times");
    let grown = resident(daemon.0.id()).saturating_sub(memory);
    assert!(grown < 16 << 10, "{grown} KiB more");
}

#[test]
fn the_end_is_clean_whatever_the_servers_do() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["well", "stays", "silent"];
    let states = names.map(|name| folder.path().join(name));
    states.iter().for_each(|state| std::fs::create_dir(state).unwrap());
    let [well, stays, silent] = &states;
    let with = |state: &PathBuf, change: &str| {
        let args =
            ["--era", "session", "--change", change, "--when", "file", "--state", state.to_str().unwrap()];
        json!({ "command": fixture::path(), "args": args })
    };
    let servers =
        [("well", server(well, &[])), ("stays", with(stays, "stays")), ("silent", with(silent, "silence"))];
    let Some(bench) = pinned(&servers) else { return };
    // One does not go when its input ends, one is met while it owes an answer.
    [stays, silent].iter().for_each(|state| std::fs::write(state.join("change"), "").unwrap());
    let mut daemon = daemon(&bench);
    stands(&bench, "well", "connected");
    stands(&bench, "stays", "connected");
    let process = |state: &PathBuf| std::fs::read_to_string(state.join("pid")).unwrap();
    let processes = states.each_ref().map(process);
    let begun = Instant::now();
    signal("-TERM", daemon.0.id());
    let status = eventually(20, || daemon.0.try_wait().unwrap()).expect("it ends");
    let took = begun.elapsed();
    assert!(status.success(), "{status}");
    // Two seconds, and what a busy machine adds.
    assert!(took < Duration::from_secs(5), "{took:?}");
    for process in processes {
        let gone = || (!Path::new("/proc").join(process.trim()).join("exe").exists()).then_some(());
        assert!(eventually(5, gone).is_some(), "a server outlived it");
    }
    assert!(bench.run(&["log"]).stdout.contains("stopped"));
    assert!(bench.run(&["log", "verify"]).stdout.starts_with("Sound: "));
}

/// A daemon with that many servers that may open that many descriptors, once all were read; and how many
/// servers stay connected.
fn crowd(count: usize, most: usize) -> Option<(Bench, tempfile::TempDir, Daemon, usize)> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..count).map(|number| format!("s{number:03}")).collect();
    let server = |name: &String| {
        let state = folder.path().join(name);
        std::fs::create_dir(&state).unwrap();
        server(&state, &[])
    };
    let servers: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), server(name))).collect();
    // Pinned by a script and trusted by a person: a review of so many takes a terminal too long.
    let bench = Bench::new();
    let servers: serde_json::Map<String, Value> =
        servers.into_iter().map(|(name, entry)| (name.to_owned(), entry)).collect();
    let text = json!({ "mcpServers": servers }).to_string();
    std::fs::write(bench.home().join(".claude.json"), text).unwrap();
    assert_eq!(bench.run(&["init", "--yes"]).code, 0);
    let lock = bench.home().join("mcpwatch/data/mcp.lock");
    let run = bench.at_terminal(&["trust", lock.to_str().unwrap()], &["y"])?;
    assert_eq!(run.code, 0, "{}", run.all());
    let own = bench.command();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -S -n {most}; exec \"$0\" daemon")).arg(own.get_program());
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(bench.work());
    let daemon = daemon_by(command);
    let status = || bench.run(&["status", "--format", "json"]).stdout;
    let all_read = || {
        let status: Value = serde_json::from_str(&status()).ok()?;
        let servers = status["daemon"]["servers"].as_array()?.clone();
        let is_read = |server: &Value| !server["lastRead"].is_null() && server["state"] != "being read";
        (servers.len() == count && servers.iter().all(is_read)).then_some(servers)
    };
    let servers = eventually(180, all_read).unwrap_or_else(|| panic!("{}", status()));
    let states: Vec<&str> = servers.iter().filter_map(|server| server["state"].as_str()).collect();
    let is_one = |state: &&str| *state == "connected" || state.starts_with("read now and then: too many");
    assert!(states.iter().all(is_one), "{states:?}");
    let connected = states.iter().filter(|state| **state == "connected").count();
    Some((bench, folder, daemon, connected))
}

#[test]
fn many_servers_leave_descriptors_for_the_rest() {
    // As many as a daemon with 1024 meets with 240 servers.
    let Some((bench, folder, daemon, connected)) = crowd(60, 256) else { return };
    assert!(connected > 20 && connected < 60, "{connected} stay connected, the others are read in turn");
    let open = descriptors(daemon.0.id());
    assert!(open < 256 - 32, "{open} descriptors are open");
    std::fs::write(folder.path().join("s000/change"), "").unwrap();
    says(&bench, "1 item waiting for you");
}

#[test]
#[ignore = "a measurement: cargo test --test it daemon_survives::measure -- --ignored --nocapture"]
fn measure_two_hundred_servers() {
    let Some((bench, folder, daemon, connected)) = crowd(200, 1024) else { return };
    let process = daemon.0.id();
    let look = |when: &str| {
        let (open, kilobytes) = (descriptors(process), resident(process));
        eprintln!("{when}: {connected} connected, {open} descriptors, {kilobytes} KiB resident");
    };
    look("read");
    std::thread::sleep(Duration::from_secs(60));
    look("a minute later");
    // Fewer than are open: nothing can be opened any more, whatever it is.
    let fewer = ["--pid", &process.to_string(), "--nofile=300:"];
    assert!(Command::new("prlimit").args(fewer).status().unwrap().success());
    eprintln!("none left: {}", bench.run(&["service", "status"]).all());
    let pid = std::fs::read_to_string(folder.path().join("s001/pid")).unwrap();
    signal("-KILL", pid.trim().parse().unwrap());
    std::thread::sleep(Duration::from_secs(5));
    let more = ["--pid", &process.to_string(), "--nofile=1024:"];
    assert!(Command::new("prlimit").args(more).status().unwrap().success());
    says(&bench, "watching 200 servers");
    eprintln!("s001: {}", crate::daemon_faults::state(&bench, "s001"));
    stands(&bench, "s001", "connected");
    look("after that");
}
