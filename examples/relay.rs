//! Measures what the gate costs, against a raw relay that copies bytes and looks at nothing.
//!
//! ```text
//! cargo build --release --bin mcpwatch --example relay --example fixture_server
//! relay ROUNDS MCPWATCH FIXTURE_SERVER MCP_LOCK
//! relay --idle GATES SECONDS MCPWATCH FIXTURE_SERVER MCP_LOCK
//! ```
//! The lock pins `FIXTURE_SERVER --tools 200 --page 1000` as `fixture` (`mcpwatch init --yes`). The gate
//! is told to trust it, and so verifies all of it; with `RELAY_TRUSTED` set it is not told, and compares
//! one hash, if the lock was trusted before (`mcpwatch trust`). `RELAY_TOOLS` asks for another number of
//! tools than 200, `RELAY_START` measures nothing but the start. Each
//! figure is the median of the rounds, in microseconds, without anything between, with the relay and
//! with the gate; one run takes all three in turn, so that they meet the same machine. On a busy machine
//! the last two columns say more: the difference of the quickest rounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "--raw") {
        return relay(&args[1..]);
    }
    let (idle, args) = match &args[..] {
        [first, gates, seconds, rest @ ..] if first == "--idle" => (Some((gates, seconds)), rest),
        rest => (None, rest),
    };
    let (rounds, args) = if idle.is_some() { ("1", args) } else { (args[0].as_str(), &args[1..]) };
    let [mcpwatch, fixture, lock] = args else {
        panic!("usage: relay ROUNDS MCPWATCH FIXTURE_SERVER MCP_LOCK")
    };
    let rounds: usize = rounds.parse().unwrap();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let tools = std::env::var("RELAY_TOOLS").unwrap_or("200".to_owned());
    let server = words(&[fixture, "--tools", &tools, "--page", "1000"]);
    let me = std::env::current_exe().unwrap();
    let raw = [words(&[me.to_str().unwrap(), "--raw"]), server.clone()].concat();
    let trust: &[&str] = if is_set("RELAY_TRUSTED") { &[] } else { &["--trust-lock"] };
    let gate = words(&[mcpwatch, "run", "--server", "fixture", "--lock", lock]);
    let gate = [gate, words(trust), words(&["--"]), server.clone()].concat();
    if let Some((gates, seconds)) = idle {
        return rest(&gate, gates.parse().unwrap(), seconds.parse().unwrap());
    }
    println!(
        "{:6} {:>10} {:>10} {:>10} {:>12} {:>12} {:>12} {:>12}",
        "", "server", "relay", "gate", "relay adds", "gate adds", "at least", "at least"
    );
    let all = [What::Start, What::First, What::Call, What::List, What::Large];
    for what in if is_set("RELAY_START") { &all[..1] } else { &all[..] }.iter().copied() {
        let mut taken = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (kind, command) in [&server, &raw, &gate].into_iter().enumerate() {
                taken[kind].push(measure(what, command));
            }
        }
        let least = |kind: usize| taken[kind].iter().copied().fold(f64::INFINITY, f64::min);
        let (fewest_relay, fewest_gate) = (least(1) - least(0), least(2) - least(0));
        let [server, relay, gate] = taken.map(median);
        let name = format!("{what:?}").to_lowercase();
        println!(
            "{name:6} {server:10.1} {relay:10.1} {gate:10.1} {:12.1} {:12.1} {fewest_relay:12.1} {fewest_gate:12.1}",
            relay - server,
            gate - server
        );
    }
    memory(&gate);
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
enum What {
    /// From the start to the first list.
    Start,
    /// The first list alone.
    First,
    /// One call.
    Call,
    /// One list of 200 tools, not the first.
    List,
    /// One result of 10 MiB.
    Large,
}

fn measure(what: What, command: &[String]) -> f64 {
    let start = Instant::now();
    let mut session = Session::start(command);
    session.ask("initialize", OPENING);
    session.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    let opened = Instant::now();
    session.once(What::List);
    let times = match what {
        What::Start => return micros(start.elapsed()),
        What::First => return micros(opened.elapsed()),
        What::Call => 3_000,
        What::List => 200,
        What::Large => 10,
    };
    (0..times / 10).for_each(|_| session.once(what));
    let start = Instant::now();
    (0..times).for_each(|_| session.once(what));
    micros(start.elapsed()) / f64::from(times)
}

const OPENING: &str =
    r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"relay","version":"1"}}"#;

/// A client with something behind it.
struct Session {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
    id: u32,
}

impl Session {
    fn start(command: &[String]) -> Self {
        let mut child = piped(command).stderr(Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::with_capacity(1 << 16, child.stdout.take().unwrap());
        Self { child, stdin, stdout, line: Vec::new(), id: 0 }
    }

    fn send(&mut self, text: &str) {
        self.stdin.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, method: &str, params: &str) {
        self.id += 1;
        let id = self.id;
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        self.line.clear();
        self.stdout.read_until(b'\n', &mut self.line).unwrap();
    }

    fn once(&mut self, what: What) {
        let least = match what {
            What::Start | What::First | What::List => {
                self.ask("tools/list", "{}");
                10_000
            }
            What::Call => {
                self.ask("tools/call", r#"{"name":"echo","arguments":{"text":"hello"}}"#);
                60
            }
            What::Large => {
                self.ask("tools/call", r#"{"name":"blob","arguments":{"bytes":10485760}}"#);
                10 << 20
            }
        };
        let is_refused = self.line.windows(7).any(|part| part == b"Blocked");
        assert!(self.line.len() >= least && !is_refused, "{}", String::from_utf8_lossy(&self.line));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What an idle gate keeps in memory, where the system tells.
fn memory(gate: &[String]) {
    let mut session = Session::start(gate);
    session.ask("initialize", OPENING);
    session.once(What::List);
    for (what, times) in [(What::Call, 1_000), (What::Large, 1)] {
        (0..times).for_each(|_| session.once(what));
        // Memory of a large message is given back with the next one.
        session.once(What::Call);
        std::thread::sleep(Duration::from_millis(300));
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", session.child.id())).unwrap_or_default();
        let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
        println!("after {times} times {what:?}: {}", lines.collect::<Vec<_>>().join(" "));
    }
}

/// The processor time that gates take which nobody uses, where the system tells.
fn rest(gate: &[String], gates: usize, seconds: u64) {
    let sessions: Vec<Session> = (0..gates)
        .map(|_| {
            let mut session = Session::start(gate);
            session.ask("initialize", OPENING);
            session.once(What::List);
            session
        })
        .collect();
    // The files are watched from a tenth of a second on.
    std::thread::sleep(Duration::from_secs(2));
    let ticks = || -> u64 { sessions.iter().map(|session| ticks(session.child.id())).sum() };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(seconds));
    println!("{gates} idle gates took {} clock ticks in {seconds} s", ticks() - before);
}

/// The clock ticks (of a hundredth of a second) that a process has run for.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The yardstick: two threads that copy.
fn relay(command: &[String]) {
    let mut child = piped(command).spawn().unwrap();
    let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let back = std::thread::spawn(move || copy(from, own(std::io::stdout())));
    copy(own(std::io::stdin()), to);
    back.join().unwrap();
    child.wait().unwrap();
}

/// Our end without the standard library's buffer.
#[cfg(unix)]
fn own(end: impl std::os::fd::AsFd) -> std::fs::File {
    end.as_fd().try_clone_to_owned().unwrap().into()
}

#[cfg(windows)]
fn own(end: impl std::os::windows::io::AsHandle) -> std::fs::File {
    end.as_handle().try_clone_to_owned().unwrap().into()
}

fn copy(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

fn piped(command: &[String]) -> Command {
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    program
}

fn median(mut taken: Vec<f64>) -> f64 {
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
