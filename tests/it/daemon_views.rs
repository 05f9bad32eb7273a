//! What the daemon is shown beside what a gate's session is shown, with real processes: two lists for two
//! readers are told as that, once, and lists that depend on the client's capabilities are no change.

use crate::cli::bench::Bench;
use crate::daemon_faults::{changes, daemon, pinned, says, stands};
use crate::fixture;
use crate::gate::{Session, is_refused};
use crate::pty::eventually;
use serde_json::json;

/// Everything that decides what a server may show.
const FULL: &str = r#"{"roots":{"listChanged":true},"sampling":{},"elicitation":{}}"#;

fn gate(bench: &Bench, launch: &[&str]) -> Session {
    let mut command = bench.command();
    command.args(["run", "--server", "notes"]).args(launch);
    Session::start(command)
}

fn gates(bench: &Bench) -> u64 {
    let status = bench.run(&["status", "--format", "json"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    status["daemon"]["servers"][0]["gates"].as_u64().unwrap_or_default()
}

fn findings(bench: &Bench) -> usize {
    bench.run(&["log", "--kind", "finding"]).stdout.matches("split-view").count()
}

/// How often the daemon told, or would have told, a person of two lists.
fn alerts(bench: &Bench) -> usize {
    bench.run(&["log", "--kind", "alert"]).stdout.matches("different lists").count()
}

#[test]
fn what_a_gate_kept_is_compared_with_what_the_daemon_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let args = ["--era", "session", "--change", "description", "--when", "stranger", "--state", state];
    let server = json!({ "command": fixture::path(), "args": args });
    let Some(bench) = pinned(&[("notes", server)]) else { return };
    let first = daemon(&bench);
    stands(&bench, "notes", "connected");
    let fixture = fixture::path();
    let launch = [&["--", fixture.to_str().unwrap()], &args[..]].concat();
    let mut client = gate(&bench, &launch);
    client.open();
    client.tools();
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    says(&bench, "1 item waiting for you");
    assert_eq!(findings(&bench), 0, "nobody else has looked yet");
    client.leave();
    // The daemon looks for itself now, and is shown what is approved.
    assert!(
        eventually(30, || (alerts(&bench) == 1).then_some(())).is_some(),
        "{}",
        bench.run(&["log"]).all()
    );
    assert_eq!(findings(&bench), 1);
    says(&bench, "1 item waiting for you");
    let told = changes(&bench).stdout;
    assert_eq!(told.lines().count(), 1, "one change, written down once: {told}");

    // The next daemon knows of it from what is kept, and says nothing twice.
    drop(first);
    let _second = daemon(&bench);
    says(&bench, "1 item waiting for you");
    assert_eq!((findings(&bench), alerts(&bench), changes(&bench).stdout), (1, 1, told));
    let status = bench.run(&["status"]).stdout;
    assert!(status.contains("different lists to different readers"), "{status}");
}

#[test]
fn what_the_daemon_alone_is_shown_is_told_once_a_gate_has_looked_again() {
    let own = ["--change", "description", "--when", "watcher", "--notify"];
    let server = fixture::Http::start(&own);
    let Some(bench) = pinned(&[("notes", json!({ "type": "http", "url": server.url }))]) else { return };
    let _daemon = daemon(&bench);
    stands(&bench, "notes", "connected");
    let mut client = gate(&bench, &["--url", &server.url]);
    client.open_with(FULL);
    client.tools();
    stands(&bench, "notes", "connected");
    // A gate tells the daemon of itself when its session has come to rest.
    assert!(eventually(10, || (gates(&bench) == 1).then_some(())).is_some());
    std::fs::write(server.state().join("change"), "").unwrap();
    assert!(
        eventually(30, || (alerts(&bench) == 1).then_some(())).is_some(),
        "{}",
        bench.run(&["log"]).all()
    );
    assert_eq!(findings(&bench), 1);
    stands(&bench, "notes", "shows different lists to different readers");
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)), "this client is shown what is approved");
}

#[test]
fn lists_that_depend_on_the_clients_capabilities_are_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let args =
        ["--era", "session", "--change", "capability-tools", "--state", folder.path().to_str().unwrap()];
    let server = json!({ "command": fixture::path(), "args": args });
    let Some(bench) = pinned(&[("notes", server)]) else { return };
    let _daemon = daemon(&bench);
    stands(&bench, "notes", "connected");
    let fixture = fixture::path();
    let launch = [&["--", fixture.to_str().unwrap()], &args[..]].concat();
    for (capabilities, tools) in [("{}", 8), (r#"{"roots":{}}"#, 9), (FULL, 9)] {
        let mut client = gate(&bench, &launch);
        client.open_with(capabilities);
        assert_eq!(client.tools().len(), tools, "{capabilities}");
        stands(&bench, "notes", "watched through its gate");
        client.leave();
        // It reads for itself again.
        stands(&bench, "notes", "read now and then");
    }
    says(&bench, "watching 1 server, nothing waiting");
    assert_eq!((changes(&bench).stdout.as_str(), findings(&bench)), ("", 0));
}
