//! What a program with this account's shell makes of our own files: stores put back or edited, and the
//! daemon's memory. What cannot be kept from it is told.

use crate::cli::bench::Bench;
use crate::fixture;
use crate::gate::is_refused;
use crate::pty::eventually;
use crate::sighted::{FILES, approve, is_change_of_tools, session, told, trusted};
use std::process::Stdio;
use std::time::Duration;

const ARGS: [&str; 4] = ["--change", "description", "--when", "stranger"];
const OTHER_STORE: &str = "the trust store is not as mcpwatch wrote it";

#[test]
fn an_older_trust_store_put_back_is_told_and_the_lock_goes_unheeded() {
    let Some(bench) = trusted(&ARGS) else { return };
    let (trust, lock) = (bench.home().join("mcpwatch/data/trust/trust.json"), bench.work().join("mcp.lock"));
    let old = (std::fs::read(&trust).unwrap(), std::fs::read(&lock).unwrap());
    let mut client = session(&bench, &ARGS);
    client.open();
    client.tools();
    told(&bench, "as the gate saw it");
    approve(&bench, &["y"]);
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(!bench.run(&["status"]).stdout.contains(OTHER_STORE));
    let new = std::fs::read(&trust).unwrap();
    std::thread::sleep(Duration::from_millis(300));

    // The store alone: it knows nothing of the lock's content.
    std::fs::write(&trust, &old.0).unwrap();
    client.wait(is_change_of_tools);
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(bench.run(&["status"]).stdout.contains(OTHER_STORE));
    let verify = bench.run(&["log", "verify"]);
    assert!(verify.code == 1 && verify.stderr.contains("The trust store is not"), "{}", verify.all());

    // With the lock of its time: what was approved then counts again, and it is told all the same.
    std::fs::write(&lock, &old.1).unwrap();
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("echo", r#"{"text":"x"}"#)));
    assert!(bench.run(&["status"]).stdout.contains(OTHER_STORE));

    // Put right, nothing is said; a decision on top of it is written down.
    std::fs::write(&trust, &new).unwrap();
    assert!(!bench.run(&["status"]).stdout.contains(OTHER_STORE));
    std::fs::write(&trust, &old.0).unwrap();
    assert_eq!(bench.run(&["reject", "notes", FILES[0], FILES[1], FILES[2], FILES[3]]).code, 0);
    assert!(!bench.run(&["status"]).stdout.contains(OTHER_STORE));
    let log = bench.run(&["log", "--kind", "trouble"]).stdout;
    assert!(log.contains("was not as mcpwatch wrote it when this was decided"), "{log}");
}

#[test]
fn a_memory_that_knows_another_launch_starts_nothing() {
    let bench = Bench::new();
    let state = bench.work().join("state");
    std::fs::create_dir(&state).unwrap();
    let configure = |args: &[&str]| {
        let own = ["--era", "session", "--state", state.to_str().unwrap()];
        let args = [&own[..], args].concat();
        let entry = serde_json::json!({ "command": fixture::path(), "args": args });
        let text = serde_json::json!({ "mcpServers": { "notes": entry } }).to_string();
        std::fs::write(bench.home().join(".claude.json"), text).unwrap();
    };
    configure(&[]);
    let Some(run) = bench.at_terminal(&["init"], &["y", "n", "n"]) else { return };
    assert!(run.code == 0 && run.stdout.contains("Pinned"), "{}", run.all());
    let starts = || std::fs::read_to_string(state.join("starts")).unwrap();
    let before = starts();
    configure(&["--change", "description"]);
    // The first daemon tells of the edit and remembers it; the second one is told nothing new by its memory.
    for round in 0..2 {
        let mut daemon = bench.command();
        daemon.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("XDG_RUNTIME_DIR").arg("daemon");
        let mut daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let words = "starts by another command or address than approved";
        let said = eventually(20, || bench.run(&["status"]).stdout.contains(words).then_some(()));
        let status = bench.run(&["status"]).all();
        std::thread::sleep(Duration::from_millis(500));
        let _ = (daemon.kill(), daemon.wait());
        assert!(said.is_some(), "{round}: {status}");
        assert_eq!(starts(), before, "{round}: it was started");
    }
    let remembered = std::fs::read_to_string(bench.home().join("mcpwatch/state/daemon.json")).unwrap();
    assert!(remembered.contains("notes"), "{remembered}");
    // Forged to nonsense, it is as good as none.
    std::fs::write(bench.home().join("mcpwatch/state/daemon.json"), "[1,").unwrap();
    let mut daemon = bench.command();
    daemon.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("XDG_RUNTIME_DIR").arg("daemon");
    let mut daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let said = eventually(20, || bench.run(&["status"]).stdout.contains("another command").then_some(()));
    let _ = (daemon.kill(), daemon.wait());
    assert!(said.is_some());
    assert_eq!(starts(), before);
}
