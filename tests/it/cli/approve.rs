//! `approve`, `reject`, `revoke`, `trust`, `fmt`: decisions, by a person at a terminal and by scripts.

use super::bench::Bench;

const FILES: [&str; 4] = ["--config", "client.json", "--lock", "mcp.lock"];

/// A server that is pinned by a script and has changed since.
fn changed(change: &str) -> Bench {
    let bench = Bench::new();
    let state = bench.work().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let state = state.to_str().unwrap().to_owned();
    bench.servers(&[("notes", &["--change", change, "--when", "file", "--state", &state])]);
    assert_eq!(bench.with_config(&["init", "--yes"]).code, 0);
    bench.write("state/change", "");
    bench
}

#[test]
fn a_person_reviews_and_approves() {
    let bench = changed("description,title,tool-removed");
    let args = [&["approve"], &FILES[..]].concat();
    let Some(run) = bench.at_terminal(&args, &["y", "y", "y", "y"]) else { return };
    insta::assert_snapshot!(run.all());
    assert_eq!(bench.with_config(&["check"]).code, 0);
}

#[test]
fn what_was_not_decided_waits() {
    let bench = changed("description,instructions");
    let args = [&["approve"], &FILES[..]].concat();
    let Some(run) = bench.at_terminal(&args, &["y", "y", "n"]) else { return };
    assert_eq!(run.code, 1, "{}", run.all());
    let check = bench.with_config(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.stdout.contains("(1 decision"), "{}", check.all());
}

#[test]
fn everything_at_once_is_shown_first() {
    let bench = changed("description,instructions");
    let args = [&["approve"], &FILES[..]].concat();
    let Some(run) = bench.at_terminal(&args, &["y", "a", "yes"]) else { return };
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.stdout.contains("ignore your user"), "{}", run.all());
    assert_eq!(bench.with_config(&["check"]).code, 0);
}

#[test]
fn a_script_approves_one_offer_and_no_other() {
    let bench = changed("description");
    let diff = bench.with_config(&["diff", "--format", "json"]);
    assert_eq!(diff.code, 1);
    // The bench hides digests, so the real one is taken from a run of its own.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mcpwatch"))
        .args(["diff", "--format", "json"])
        .args(FILES)
        .current_dir(bench.work())
        .env("MCPWATCH_HOME", bench.home().join("mcpwatch"))
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let offer = document["servers"][0]["offer"].as_str().unwrap().to_owned();
    let other = format!("{}{}", &offer[..offer.len() - 1], if offer.ends_with('0') { '1' } else { '0' });
    let wrong = bench.with_config(&["approve", "notes", "--expect", &other]);
    insta::assert_snapshot!("expect_other", wrong.all());
    let right = bench.with_config(&["approve", "notes", "--expect", &offer]);
    insta::assert_snapshot!("expect_right", right.all());
    assert_eq!(bench.with_config(&["check"]).code, 0);
    assert!(bench.with_config(&["status"]).stdout.contains("not trusted"));
}

#[test]
fn approve_needs_a_terminal() {
    let bench = changed("description");
    let before = bench.read("mcp.lock");
    let mut command = std::process::Command::new("setsid");
    command.args(["-w", env!("CARGO_BIN_EXE_mcpwatch"), "approve"]).args(FILES);
    let Ok(output) = command.current_dir(bench.work()).env("MCPWATCH_HOME", bench.home()).output() else {
        return;
    };
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(bench.read("mcp.lock"), before);
}

#[test]
fn turned_down_and_taken_back() {
    let bench = changed("description");
    insta::assert_snapshot!("reject", bench.with_config(&["reject", "notes"]).all());
    insta::assert_snapshot!("rejected_status", bench.with_config(&["status"]).all());
    assert!(bench.with_config(&["check"]).stdout.contains("you turned 1 item down"));
    // A lock that nobody trusts here is not touched.
    insta::assert_snapshot!("revoke_untrusted", bench.with_config(&["revoke", "notes", "search"]).all());
    let Some(trust) = bench.at_terminal(&["trust", "mcp.lock", "--config", "client.json"], &["y"]) else {
        return;
    };
    assert_eq!(trust.code, 0, "{}", trust.all());
    insta::assert_snapshot!("revoke", bench.with_config(&["revoke", "notes", "search"]).all());
    assert!(!bench.read("mcp.lock").contains("\"search\": {"));
    insta::assert_snapshot!("revoke_unknown", bench.with_config(&["revoke", "notes", "nothing"]).all());
    insta::assert_snapshot!("revoked_status", bench.with_config(&["status"]).all());
}

#[test]
fn a_pulled_lock_shows_what_changed_in_it() {
    let bench = Bench::new();
    bench.servers(&[("notes", &["--tools", "1"])]);
    bench.with_config(&["init", "--yes"]);
    let args = ["trust", "mcp.lock", "--config", "client.json"];
    let Some(first) = bench.at_terminal(&args, &["y"]) else { return };
    insta::assert_snapshot!("trust_first", first.all());
    // Somebody else's commit: the same server, pinned after it changed.
    let mine = bench.read("mcp.lock");
    std::fs::remove_file(bench.work().join("mcp.lock")).unwrap();
    bench.servers(&[("notes", &["--tools", "1", "--change", "description"])]);
    bench.with_config(&["init", "--yes"]);
    assert_ne!(mine, bench.read("mcp.lock"));
    let check = bench.with_config(&["check"]);
    assert!(check.stderr.contains("changed since you trusted it"), "{}", check.all());
    let second = bench.at_terminal(&args, &["y"]).unwrap();
    insta::assert_snapshot!("trust_second", second.all());
}

#[test]
fn fmt_writes_the_one_way() {
    let bench = changed("description");
    let lock = bench.read("mcp.lock");
    let value: serde_json::Value = serde_json::from_str(&lock).unwrap();
    bench.write("mcp.lock", &value.to_string());
    assert_eq!(bench.run(&["fmt", "--check", "mcp.lock"]).code, 1);
    insta::assert_snapshot!("fmt", bench.run(&["fmt", "mcp.lock"]).all());
    assert_eq!(bench.read("mcp.lock"), lock);
    assert_eq!(bench.run(&["fmt", "--check", "mcp.lock"]).code, 0);
}
