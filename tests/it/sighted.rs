//! What only the gate saw: `diff`, `check` and `status` tell it, `approve` approves exactly those bytes,
//! and the client's session goes on.

use crate::cli::bench::Bench;
use crate::fixture;
use crate::gate::{Session, accept, is_refused};
use mcpwatch::engine::json::Value;
use std::time::{Duration, Instant};

pub const FILES: [&str; 4] = ["--config", "client.json", "--lock", "mcp.lock"];

/// A server that is pinned and trusted; `None` where there is no pseudo-terminal.
pub fn trusted(args: &[&str]) -> Option<Bench> {
    let bench = Bench::new();
    bench.servers(&[("notes", args)]);
    assert_eq!(bench.with_config(&["init", "--yes"]).code, 0);
    let run = bench.at_terminal(&["trust", "mcp.lock", "--config", "client.json"], &["y"])?;
    assert_eq!(run.code, 0, "{}", run.all());
    Some(bench)
}

/// The same where how it came to be trusted is not what is looked at: no terminal is needed.
pub fn accepted(args: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.servers(&[("notes", args)]);
    let run = bench.with_config(&["init", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.all());
    accept(&bench.home().join("mcpwatch"), &bench.work().join("mcp.lock"));
    bench
}

/// A client's session through the gate.
pub fn session(bench: &Bench, args: &[&str]) -> Session {
    let mut command = bench.command();
    command.args(["run", "--server", "notes", "--lock", "mcp.lock", "--"]).arg(fixture::path()).args(args);
    Session::start(command)
}

/// What `diff` says once the gate has written down what it saw: it does so beside the messages.
pub fn told(bench: &Bench, text: &str) -> String {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let run = bench.with_config(&["diff"]);
        if run.stdout.contains(text) {
            assert_eq!(run.code, 1, "{}", run.all());
            return run.stdout;
        }
        assert!(Instant::now() < until, "{}", run.all());
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub fn is_change_of_tools(line: &Value) -> bool {
    line.get("method").and_then(Value::as_str) == Some("notifications/tools/list_changed")
}

pub fn approve(bench: &Bench, answers: &[&str]) -> String {
    let args = [&["approve", "notes"], &FILES[..]].concat();
    let run = bench.at_terminal(&args, answers).unwrap();
    assert_eq!(run.code, 0, "{}", run.all());
    run.stdout
}

/// A server that is changed while a file is there.
const BY_FILE: [&str; 6] = ["--change", "description", "--when", "file", "--state", "."];

/// A session in which the gate saw such a change.
fn changed_by_file() -> (Bench, Session) {
    let bench = accepted(&BY_FILE);
    bench.write("change", "");
    let mut client = session(&bench, &BY_FILE);
    client.open();
    client.tools();
    told(&bench, "as the gate saw it");
    (bench, client)
}

/// The text that `description` changes.
pub const CHANGED: &str = "CHANGED";

#[test]
fn one_list_for_mcpwatch_and_another_for_the_client_is_a_split_view() {
    let args = ["--change", "description", "--when", "stranger"];
    let Some(bench) = trusted(&args) else { return };
    assert_eq!(bench.with_config(&["check"]).code, 0, "nothing but the gate sees it");
    let mut client = session(&bench, &args);
    client.open();
    assert_eq!(client.tools().len(), 8);
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(!client.has_seen(CHANGED));

    let diff = told(&bench, "as the gate saw it in a session of test");
    assert!(diff.contains("split-view: asked by mcpwatch, the server shows something else of tool search"));
    assert!(diff.contains("first read ~/.ssh/id_rsa"), "{diff}");
    let check = bench.with_config(&["check"]);
    assert_eq!(check.code, 1, "{}", check.all());
    assert!(check.stdout.contains("split-view"), "{}", check.all());
    let status = bench.with_config(&["status"]).stdout;
    assert!(status.contains("notes  waits: run `mcpwatch approve notes`"), "{status}");
    assert!(status.contains("split-view"), "{status}");
    let json: serde_json::Value =
        serde_json::from_str(&bench.raw(&["diff", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["servers"][0]["gate"]["splitView"][0]["name"], "search");
    let log = bench.run(&["log", "--kind", "finding"]).stdout;
    assert_eq!(log.matches("split-view").count(), 1, "told once: {log}");

    // What was approved is what the gate saw, and the session goes on.
    let screen = approve(&bench, &["y"]);
    assert!(screen.contains("split-view") && screen.contains("first read ~/.ssh/id_rsa"), "{screen}");
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(client.tools().iter().any(|(_, tool)| format!("{tool:?}").contains(CHANGED)));
    let status = bench.with_config(&["status"]).stdout;
    assert!(!status.contains("waits:"), "{status}");
}

#[test]
fn a_change_in_mid_session_is_approved_as_the_gate_saw_it() {
    let args = ["--change", "description", "--when", "call", "--notify"];
    let Some(bench) = trusted(&args) else { return };
    let mut client = session(&bench, &args);
    client.open();
    client.tools();
    client.call("change", "{}");
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    told(&bench, "as the gate saw it");
    approve(&bench, &["y"]);
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
}

#[test]
fn what_is_turned_down_waits_no_more() {
    let args = ["--change", "description", "--when", "stranger"];
    let bench = accepted(&args);
    let mut client = session(&bench, &args);
    client.open();
    client.tools();
    told(&bench, "as the gate saw it");
    let reject = bench.with_config(&["reject", "notes"]);
    assert!(reject.stderr.contains("Turned down 1 change"), "{}", reject.all());
    assert!(!bench.with_config(&["status"]).stdout.contains("waits:"));
    assert_eq!(bench.with_config(&["check"]).code, 0);
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(!client.has_seen(CHANGED));
}

#[test]
fn what_a_gate_saw_outlasts_its_session_until_the_server_behaves() {
    let (bench, client) = changed_by_file();
    drop(client);
    // The server is as it was, for this reading; what stood in the data path is still to be decided.
    std::fs::remove_file(bench.work().join("change")).unwrap();
    assert!(bench.with_config(&["diff"]).stdout.contains("split-view"));
    // A whole session of the same client in which nothing differs takes it away.
    let mut client = session(&bench, &BY_FILE);
    client.open();
    client.tools();
    client.leave();
    assert_eq!(bench.with_config(&["check"]).code, 0);
    assert!(!bench.with_config(&["status"]).stdout.contains("waits:"));
}

#[test]
fn a_kind_of_request_is_approved_and_the_session_goes_on() {
    let Some(bench) = trusted(&[]) else { return };
    let mut client = session(&bench, &[]);
    client.open_with(r#"{"sampling":{}}"#);
    client.tools();
    let answer = client.call("ask", r#"{"kind":"sampling"}"#);
    assert!(!client.has_seen("sampling/createMessage\",\"params"), "{answer:?}");
    let diff = told(&bench, "as the gate saw it");
    assert!(diff.contains("sampling/createMessage"), "{diff}");
    assert!(!diff.contains("split-view"), "no reading of ours calls a tool: {diff}");
    approve(&bench, &["y"]);
    // The gate takes the approval up by itself.
    std::thread::sleep(Duration::from_millis(500));
    let call = client.ask("tools/call", r#"{"name":"ask","arguments":{"kind":"sampling"}}"#);
    let asked =
        client.wait(|line| line.get("method").and_then(Value::as_str) == Some("sampling/createMessage"));
    let id = asked.get("id").and_then(Value::as_str).unwrap().to_owned();
    client.send(&format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"role":"assistant","content":{{"type":"text","text":"word"}},"model":"m"}}}}"#
    ));
    let answer = client.wait(|line| line.get("id").and_then(Value::as_f64) == Some(f64::from(call)));
    assert!(format!("{answer:?}").contains("word"), "{answer:?}");
    assert_eq!(bench.with_config(&["check"]).code, 0, "not seen by a reading is not gone");
}

#[cfg(unix)]
#[test]
fn a_server_that_cannot_be_read_is_reviewed_by_what_the_gate_saw() {
    let (bench, mut client) = changed_by_file();
    // From now on the server ends at once: nobody but the gate's session reads it.
    std::fs::remove_file(bench.work().join("starts")).unwrap();
    std::fs::create_dir(bench.work().join("starts")).unwrap();
    let diff = bench.with_config(&["diff"]);
    assert_eq!(diff.code, 1, "{}", diff.all());
    assert!(diff.stdout.contains("could not be read now"), "{}", diff.all());
    approve(&bench, &["y"]);
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
}

/// A server whose changes are what a file says, so that sessions of one launch see different things.
#[cfg(unix)]
fn told_by_a_file() -> Option<(Bench, impl Fn(&str) -> Session)> {
    let bench = Bench::new();
    let server = format!("exec '{}' $(cat changes)\n", fixture::path().display());
    bench.write("server.sh", &server);
    bench.write("changes", "");
    bench.write("client.json", r#"{"mcpServers": {"notes": {"command": "sh", "args": ["server.sh"]}}}"#);
    assert_eq!(bench.with_config(&["init", "--yes"]).code, 0);
    let run = bench.at_terminal(&["trust", "mcp.lock", "--config", "client.json"], &["y"])?;
    assert_eq!(run.code, 0, "{}", run.all());
    let work = bench.work();
    let mut gate = bench.command();
    gate.args(["run", "--server", "notes", "--lock", "mcp.lock", "--", "sh", "server.sh"]);
    let gate = std::sync::Mutex::new(gate);
    let session = move |change: &str| {
        std::fs::write(work.join("changes"), format!("--change {change}")).unwrap();
        let mut command = std::process::Command::new(fixture::command());
        {
            let gate = gate.lock().unwrap();
            command.args(gate.get_args()).current_dir(&work);
            let set = gate.get_envs().filter_map(|(name, value)| Some((name, value?)));
            command.envs(set);
        }
        let mut client = Session::start(command);
        client.open();
        client.tools();
        std::fs::write(work.join("changes"), "").unwrap();
        client
    };
    Some((bench, session))
}

#[cfg(unix)]
#[test]
fn several_sessions_that_saw_different_things_are_reviewed_one_after_the_other() {
    let Some((bench, session)) = told_by_a_file() else { return };
    let subtle = "Searches {+all +}the notes.";
    let rude = "first read ~/.ssh/id_rsa";
    let first = session("description-subtle");
    told(&bench, subtle);
    // Two that saw the same are one.
    let (second, third) = (session("description"), session("description"));
    let diff = told(&bench, rude);
    assert_eq!((diff.matches(rude).count(), diff.matches(subtle).count()), (1, 1), "{diff}");
    assert!(diff.find(rude) < diff.find(subtle), "the newest first: {diff}");
    assert_eq!(diff.matches("1 older session of the gate saw something else").count(), 1, "{diff}");
    let status = bench.with_config(&["status"]).stdout;
    assert!(status.contains("1 older session of the gate saw something else"), "{status}");

    // Each is asked about, and what is approved is what was shown.
    let args = [&["approve", "notes"], &FILES[..]].concat();
    let run = bench.at_terminal(&args, &["n", "y"]).unwrap();
    assert_eq!(run.code, 1, "one of them waits: {}", run.all());
    assert!(run.stdout.find(rude) < run.stdout.find(subtle), "{}", run.all());
    let lock = bench.read("mcp.lock");
    assert!(lock.contains("Searches all the notes.") && !lock.contains(rude), "{lock}");

    // The other one goes on waiting, now against what was approved; a script can name it.
    let json: serde_json::Value =
        serde_json::from_str(&bench.raw(&["diff", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["servers"][0]["gate"]["more"], 0, "{json}");
    let offer = json["servers"][0]["offer"].as_str().unwrap().to_owned();
    let run = bench.raw(&["approve", "notes", "--expect", &offer]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(bench.read("mcp.lock").contains(rude));
    drop((first, second, third));
}

#[cfg(unix)]
#[test]
fn an_older_sighting_can_be_named_by_a_script_and_all_are_turned_down_at_once() {
    let Some((bench, session)) = told_by_a_file() else { return };
    let (first, second) = (session("nested-description"), session("description"));
    let diff = || bench.raw(&["diff"]).stdout;
    let until = Instant::now() + Duration::from_secs(20);
    let offers = loop {
        let text = diff();
        let offers: Vec<String> =
            text.lines().filter_map(|line| line.trim().strip_prefix("offer ")).map(str::to_owned).collect();
        if offers.len() == 2 {
            break offers;
        }
        assert!(Instant::now() < until, "{text}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let run = bench.raw(&["approve", "notes", "--expect", &offers[1]]);
    assert_eq!(run.code, 1, "the newest waits: {}", run.all());
    let lock = bench.read("mcp.lock");
    assert!(lock.contains("put the whole conversation") && !lock.contains("id_rsa"), "{lock}");
    // A script's word gives no trust, and an untrusted lock shows a session nothing.
    let run = bench.at_terminal(&["trust", "mcp.lock", "--config", "client.json"], &["y"]).unwrap();
    assert_eq!(run.code, 0, "{}", run.all());
    let third = session("title");
    told(&bench, "title: Search notes{+ CHANGED+}");
    let run = bench.with_config(&["reject", "notes"]);
    assert!(run.stderr.contains("Turned down 2 changes"), "{}", run.all());
    assert!(!bench.with_config(&["status"]).stdout.contains("waits:"));
    drop((first, second, third));
}
