//! What can go wrong under a gate: processes that die at any message, lines that are cut off, peers
//! that do not read, results and numbers of requests at their limits. Nothing hangs, nothing is left
//! running, nothing unapproved passes, and memory stays bounded.

use super::fixture;
use super::gate::{PATIENCE, Place, Session, approved, is_refused};
use mcpwatch::engine::json::{Value, write};
use mcpwatch::engine::launchpin::{CommandLaunch, Launch};
use mcpwatch::engine::surface::{ItemKey, Kind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

/// A client's whole session, message by message.
const SCRIPT: [&str; 11] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}"#,
    r#"{"jsonrpc":"2.0","id":4,"method":"prompts/list"}"#,
    r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"slow","arguments":{"steps":2,"ms":10}}}"#,
    r#"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"search","arguments":{"query":"x"}}}"#,
    r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
    r#"{"jsonrpc":"2.0","id":8,"method":"resources/read","params":{"uri":"ui://fixture/view"}}"#,
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"blob","arguments":{"bytes":300000}}}"#,
    r#"{"jsonrpc":"2.0","id":10,"method":"tools/list"}"#,
];

/// A gate in front of a fixture that changed the tool `search`.
fn session(place: &Place) -> Session {
    let args = place.server(&["--change", "description"]);
    place.pin(&args, approved());
    place.gate(&args)
}

fn ids(count: usize) -> BTreeSet<u64> {
    SCRIPT[..count]
        .iter()
        .filter_map(|line| mcpwatch::engine::json::parse(line.as_bytes()).ok())
        .filter_map(|line| id(&line))
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn id(message: &Value) -> Option<u64> {
    message.get("id").and_then(Value::as_f64).map(|id| id as u64)
}

/// Sends the first messages of the script, with or without waiting for each answer.
fn play(session: &mut Session, count: usize, waits: bool) -> BTreeSet<u64> {
    let mut answered = BTreeSet::new();
    for line in &SCRIPT[..count] {
        session.send(line);
        let asked = mcpwatch::engine::json::parse(line.as_bytes()).unwrap();
        if let Some(own) = id(&asked).filter(|_| waits) {
            session.wait(|line| id(line) == Some(own));
            answered.insert(own);
        }
    }
    answered
}

/// The server's process, once it runs.
fn server_of(place: &Place) -> Pid {
    let file = place.path("state").join("pid");
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(pid) = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()) {
            return Pid::from_raw(pid);
        }
        assert!(Instant::now() < until, "the server does not start");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

fn lives(pid: Pid) -> bool {
    // A zombie has ended; whoever started it has only not looked yet.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[track_caller]
fn ends(pid: Pid, what: &str) {
    let until = Instant::now() + PATIENCE;
    while lives(pid) {
        assert!(Instant::now() < until, "{what} is left running");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_server_that_is_killed_leaves_no_request_without_an_answer() {
    for waits in [false, true] {
        for count in 1..=SCRIPT.len() {
            let place = Place::new();
            let mut session = session(&place);
            let mut answered = play(&mut session, count, waits);
            let server = server_of(&place);
            kill(server, Signal::SIGKILL).unwrap();
            while let Some(line) = session.line() {
                if let Some(id) = id(&line).filter(|_| line.get("method").is_none()) {
                    assert!(
                        answered.insert(id),
                        "{count} {waits}: {id} is answered twice: {:#?}",
                        session.seen
                    );
                }
            }
            assert_eq!(answered, ids(count), "{count} {waits}: {:#?}", session.seen);
            assert!(!session.has_seen("CHANGED"), "{count} {waits}: {:#?}", session.seen);
            assert_eq!(session.child.wait().unwrap().code(), Some(137), "{count} {waits}");
        }
    }
}

#[test]
fn a_gate_that_is_killed_takes_its_server_along_and_breaks_nothing() {
    let place = Place::new();
    for count in 1..=SCRIPT.len() {
        let _old = std::fs::remove_file(place.path("state").join("pid"));
        let mut session = session(&place);
        play(&mut session, count, count % 2 == 0);
        let server = server_of(&place);
        let lock = std::fs::read(place.path("mcp.lock")).unwrap();
        kill(Pid::from_raw(i32::try_from(session.child.id()).unwrap()), Signal::SIGKILL).unwrap();
        while session.line().is_some() {}
        ends(server, "the server");
        assert!(!session.has_seen("CHANGED"), "{count}: {:#?}", session.seen);
        assert_eq!(std::fs::read(place.path("mcp.lock")).unwrap(), lock);
    }
    let mut session = session(&place);
    session.open();
    assert_eq!(session.tools().len(), 8);
    assert!(is_refused(&session.call("search", r#"{"query":"x"}"#)));
}

/// To be killed closes all of a client's ends at once.
#[test]
fn a_client_that_is_killed_leaves_nothing_running() {
    for count in 1..=SCRIPT.len() {
        let place = Place::new();
        let args = place.server(&["--change", "description"]);
        place.pin(&args, approved());
        let mut command = place.run(&["--trust-lock"]);
        command.arg("--").arg(fixture::path()).args(&args).stderr(Stdio::null());
        let mut gate = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = gate.stdin.take().unwrap();
        SCRIPT[..count].iter().for_each(|line| writeln!(stdin, "{line}").unwrap());
        let server = server_of(&place);
        drop((stdin, gate.stdout.take()));
        ends(server, "the server");
        ends(Pid::from_raw(i32::try_from(gate.id()).unwrap()), "the gate");
        let _status = gate.wait().unwrap();
    }
}

/// What a client does to a server that it wants to end, each with what it waits after that, in milliseconds;
/// `None` closes the server's input.
type Ending = &'static [(Option<Signal>, u64)];

/// A server that heeds neither a closed input nor signals must not outlive the gate.
#[track_caller]
fn check_ending(how: Ending) {
    let place = Place::new();
    let pid = place.path("state").join("stubborn");
    let script =
        format!("trap '' INT TERM; echo $$ >{}; \"$0\" \"$@\"; while :; do sleep 1; done", pid.display());
    let mut args = vec!["-c".to_owned(), script, fixture::path().to_str().unwrap().to_owned()];
    args.extend(place.server(&[]));
    let launch = CommandLaunch { command: "sh".to_owned(), args: args.clone(), ..CommandLaunch::default() };
    place.pin_launch(&Launch::Command(launch), approved());
    let mut command = place.run(&["--trust-lock"]);
    command.args(["--", "sh"]).args(&args).stderr(Stdio::null());
    let mut gate = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = gate.stdin.take();
    writeln!(stdin.as_mut().unwrap(), "{}", SCRIPT[0]).unwrap();
    BufReader::new(gate.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let server = Pid::from_raw(std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap());
    let own = Pid::from_raw(i32::try_from(gate.id()).unwrap());
    assert!(lives(server));
    for (signal, then) in how {
        match signal {
            None => drop(stdin.take()),
            // A gate that has ended already is what is hoped for.
            Some(signal) => _ = kill(own, *signal),
        }
        std::thread::sleep(std::time::Duration::from_millis(*then));
    }
    ends(server, "the server");
    let _status = gate.wait().unwrap();
}

#[test]
fn a_stubborn_server_is_gone_before_libraries_kill_the_gate() {
    // `@modelcontextprotocol/sdk` 1.x of npm and `mcp` 2.x of PyPI.
    check_ending(&[(None, 2_000), (Some(Signal::SIGTERM), 2_000), (Some(Signal::SIGKILL), 0)]);
}

#[test]
fn a_stubborn_server_is_gone_before_claude_code_kills_the_gate() {
    check_ending(&[(Some(Signal::SIGINT), 100), (Some(Signal::SIGTERM), 400), (Some(Signal::SIGKILL), 0)]);
}

#[test]
fn helpers_of_a_server_end_with_it() {
    for how in ["client leaves", "server killed", "gate told to end"] {
        let place = Place::new();
        let pid = place.path("state").join("helper");
        let script = format!("sleep 600 & echo $! >{}; exec \"$0\" \"$@\"", pid.display());
        let mut args = vec!["-c".to_owned(), script, fixture::path().to_str().unwrap().to_owned()];
        args.extend(place.server(&[]));
        let launch =
            CommandLaunch { command: "sh".to_owned(), args: args.clone(), ..CommandLaunch::default() };
        place.pin_launch(&Launch::Command(launch), approved());
        let mut command = place.run(&["--trust-lock"]);
        command.args(["--", "sh"]).args(&args);
        let mut session = Session::start(command);
        session.open();
        assert!(!is_refused(&session.call("echo", r#"{"text":"x"}"#)), "{how}");
        let helper = Pid::from_raw(std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap());
        assert!(lives(helper), "{how}");
        match how {
            "client leaves" => session.close(),
            "server killed" => kill(server_of(&place), Signal::SIGKILL).unwrap(),
            _ => kill(Pid::from_raw(i32::try_from(session.child.id()).unwrap()), Signal::SIGTERM).unwrap(),
        }
        ends(helper, how);
    }
}

/// A gate on bare pipes whose session is open.
fn opened(place: &Place, args: &[String]) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut command = place.run(&["--trust-lock"]);
    command.arg("--").arg(fixture::path()).args(args).stderr(Stdio::null());
    let mut gate = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = gate.stdin.take().unwrap();
    let mut stdout = BufReader::new(gate.stdout.take().unwrap());
    write!(stdin, "{}\n{}\n", SCRIPT[0], SCRIPT[1]).unwrap();
    stdout.read_line(&mut String::new()).unwrap();
    (gate, stdin, stdout)
}

#[test]
fn half_a_line_goes_nowhere() {
    // Of the server: it ends in the middle of its list.
    let place = Place::new();
    let args = place.server(&["--change", "exit-mid-line"]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    let tools = session.request("tools/list", "{}");
    assert!(tools.get("result").is_some() || tools.get("error").is_some(), "{tools:?}");
    while session.line().is_some() {}
    // Of the client: it ends in the middle of a call.
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let (mut gate, mut stdin, mut stdout) = opened(&place, &args);
    write!(stdin, r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"half"}}}}"#).unwrap();
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert!(gate.wait().unwrap().success());
    assert!(!place.log().contains("half"), "{}", place.log());
}

/// What a process keeps in memory, in MiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The most that a gate may keep while a peer does not read, in MiB; its own needs and a few messages.
const BOUND: u64 = 64;

#[test]
fn a_client_that_does_not_read_stops_the_server_and_nothing_grows() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let (mut gate, mut stdin, mut stdout) = opened(&place, &args);
    // 200 MiB of results are asked for and nothing is read.
    for id in 2..202 {
        writeln!(stdin, r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"blob","arguments":{{"bytes":1048576}}}}}}"#).unwrap();
    }
    let mut most = 0;
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        most = most.max(resident(gate.id()));
    }
    assert!(most < BOUND, "{most} MiB");
    // And every result arrives, however slowly it is read.
    let (mut seen, mut line) = (BTreeSet::new(), String::new());
    for _ in 2..202 {
        line.clear();
        stdout.read_line(&mut line).unwrap();
        assert!(line.len() > 1 << 20, "{line:.200}");
        let head: String = line.chars().take(60).collect();
        seen.insert(head);
    }
    assert_eq!(seen.len(), 200);
    assert!(resident(gate.id()) < BOUND);
    drop(stdin);
    assert!(gate.wait().unwrap().success());
}

#[test]
fn a_server_that_does_not_read_stops_the_client_and_nothing_grows() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    session.tools();
    let server = server_of(&place);
    kill(server, Signal::SIGSTOP).unwrap();
    let gate = session.child.id();
    let text = "x".repeat(100_000);
    let (done, watched) = std::sync::mpsc::channel();
    let watcher = std::thread::spawn(move || {
        let mut most = 0;
        for _ in 0..30 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            most = most.max(resident(gate));
        }
        kill(server, Signal::SIGCONT).unwrap();
        done.send(most).unwrap();
    });
    // 40 MB: the pipe to the gate is full long before, until the server goes on.
    let asked: Vec<u32> = (0..400)
        .map(|_| session.ask("tools/call", &format!(r#"{{"name":"echo","arguments":{{"text":"{text}"}}}}"#)))
        .collect();
    for id in asked {
        let answer = session.wait(|line| line.get("id").and_then(Value::as_f64) == Some(f64::from(id)));
        assert!(!is_refused(&answer));
    }
    watcher.join().unwrap();
    let most = watched.recv().unwrap();
    assert!(most < BOUND, "{most} MiB");
}

#[test]
fn results_up_to_the_limit_pass_and_longer_ones_are_answered_with_an_error() {
    const LIMIT: usize = 64 << 20;
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut session = place.gate(&args);
    session.open();
    session.tools();
    let answer = session.call("blob", &format!(r#"{{"bytes":{}}}"#, LIMIT - 200));
    assert!(answer.get("result").is_some());
    assert!(write::to_bytes(&answer).len() > LIMIT - 200);
    session.seen.clear();
    let answer = session.call("blob", &format!(r#"{{"bytes":{LIMIT}}}"#));
    let text = String::from_utf8(write::to_bytes(&answer)).unwrap();
    assert!(text.len() < 1_000 && text.contains("longer than the limit"), "{text:.1000}");
    // The session goes on.
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    // What the large message needed is given back.
    assert!(resident(session.child.id()) < BOUND, "{} MiB", resident(session.child.id()));
}

#[test]
fn ten_thousand_requests_are_in_flight_in_both_directions() {
    const MANY: u32 = 10_000;
    let place = Place::new();
    let args = place.server(&[]);
    let asks = (ItemKey::new(Kind::Request, "sampling/createMessage"), Value::Bool(true));
    let items: Vec<(ItemKey, Value)> = approved().iter().cloned().chain([asks]).collect();
    place.pin(&args, &items);
    let mut session = place.gate(&args);
    session.open_with(r#"{"sampling":{}}"#);
    session.tools();
    for _ in 0..MANY {
        session.ask("tools/call", r#"{"name":"ask","arguments":{"kind":"sampling"}}"#);
    }
    // Each call makes the server ask us something: all of them are open now, on both sides.
    let mut asked = Vec::new();
    while asked.len() < MANY as usize {
        let question = session.line().expect("the session goes on");
        if question.get("method").is_some() {
            asked.push(String::from_utf8(write::to_bytes(question.get("id").unwrap())).unwrap());
        }
    }
    for id in asked.iter().rev() {
        session.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"role":"assistant","model":"m","content":{{"type":"text","text":"w"}}}}}}"#));
    }
    let mut answered = BTreeSet::new();
    while answered.len() < MANY as usize {
        let answer = session.line().expect("the session goes on");
        assert!(answer.get("result").is_some(), "{answer:?}");
        assert!(answered.insert(id(&answer).unwrap()), "{answer:?}");
    }
    assert_eq!(session.leave().code(), Some(0));
}

/// Nothing of ours is left in a folder that is gone.
#[test]
fn a_server_whose_program_is_missing_is_said() {
    let place = Place::new();
    let launch = CommandLaunch { command: "/nowhere/at-all".to_owned(), ..CommandLaunch::default() };
    place.pin_launch(&Launch::Command(launch), approved());
    let mut command = place.run(&["--trust-lock"]);
    command.args(["--", "/nowhere/at-all"]);
    let mut session = Session::start(command);
    session.open();
    let answer = session.call("echo", r#"{"text":"x"}"#);
    assert!(is_refused(&answer) && format!("{answer:?}").contains("not installed"), "{answer:?}");
    assert!(!Path::new("/nowhere").exists());
}
