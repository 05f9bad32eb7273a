//! `check`: quiet when nothing changed, the words when something did, never *unchanged* when it could
//! not look.

use super::bench::Bench;

fn pinned(args: &[&str]) -> Bench {
    let bench = Bench::new();
    let state = bench.work().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let args = [args, &["--state", state.to_str().unwrap()]].concat();
    bench.servers(&[("notes", &args)]);
    let init = bench.with_config(&["init", "--yes"]);
    assert_eq!(init.code, 0, "{}", init.all());
    bench
}

#[test]
fn unchanged_is_quiet() {
    let bench = pinned(&[]);
    let check = bench.with_config(&["check"]);
    insta::assert_snapshot!(check.all());
    let quiet = bench.with_config(&["check", "-q"]);
    insta::assert_snapshot!(quiet.all());
}

#[test]
fn a_change_is_shown_in_words() {
    let bench = pinned(&["--change", "description", "--when", "file"]);
    bench.write("state/change", "");
    let check = bench.with_config(&["check"]);
    insta::assert_snapshot!(check.all());
    let diff = bench.with_config(&["diff"]);
    assert_eq!(diff.code, 1);
    assert!(diff.stdout.contains("offer blake3:"), "{}", diff.all());
}

#[test]
fn json_lists_changes_and_codes() {
    let bench = pinned(&["--change", "description", "--when", "file"]);
    bench.write("state/change", "");
    let check = bench.with_config(&["check", "--format", "json"]);
    assert_eq!((check.code, check.stderr.as_str()), (1, ""));
    let document: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["exits"], serde_json::json!([1]));
    let server = &document["servers"][0];
    assert_eq!(server["state"], "changed");
    assert_eq!(server["changes"][0]["name"], "search");
    assert_eq!(server["changes"][0]["paths"][0], "$.description");
}

#[test]
fn every_field_is_seen() {
    for change in ["enum", "title", "annotations", "output-schema", "unknown-field", "page2", "instructions"]
    {
        let bench = pinned(&["--change", change, "--when", "file"]);
        bench.write("state/change", "");
        assert_eq!(bench.with_config(&["check"]).code, 1, "{change}");
    }
}

#[test]
fn what_cannot_be_read_is_never_unchanged() {
    let bench = pinned(&["--change", "duplicate-key", "--when", "file"]);
    bench.write("state/change", "");
    let check = bench.with_config(&["check"]);
    insta::assert_snapshot!(check.all());
}

#[test]
fn a_launch_change_is_a_change() {
    let bench = pinned(&[]);
    bench.servers(&[("notes", &["--tools", "2"])]);
    let check = bench.with_config(&["check", "--static"]);
    insta::assert_snapshot!(check.all());
    assert_eq!(bench.with_config(&["check"]).code, 1);
}

#[test]
fn a_new_server_waits() {
    let bench = pinned(&[]);
    let config = bench.read("client.json").replace("{\"notes\"", "{\"other\":{\"command\":\"x\"},\"notes\"");
    bench.write("client.json", &config);
    let check = bench.with_config(&["check", "--static"]);
    insta::assert_snapshot!(check.all());
}

#[test]
fn nothing_pinned_says_what_to_do() {
    let bench = Bench::new();
    bench.servers(&[("notes", &[])]);
    insta::assert_snapshot!(bench.with_config(&["check"]).all());
}

#[test]
fn locks_that_cannot_be_used_say_why() {
    let bench = pinned(&[]);
    let lock = bench.read("mcp.lock");
    bench.write("mcp.lock", &lock.replace("Searches the notes.", "Searches the n0tes."));
    insta::assert_snapshot!("damaged", bench.with_config(&["check"]).all());
    bench.write("mcp.lock", &format!("<<<<<<< ours\n{lock}=======\n{lock}>>>>>>> theirs\n"));
    insta::assert_snapshot!("conflict", bench.with_config(&["check"]).all());
    bench.write("mcp.lock", &lock.replace("\"version\": 1\n", "\"version\": 2\n"));
    insta::assert_snapshot!("newer", bench.with_config(&["check"]).all());
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_everything() {
    let bench = pinned(&[]);
    let pid = bench.work().join("pid");
    let line = format!("echo $$ > '{}'; sleep 60 & exec sleep 60", pid.display());
    let config = serde_json::json!({ "mcpServers": { "notes": { "command": "sh", "args": ["-c", line] } } });
    bench.write("client.json", &config.to_string());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mcpwatch"))
        .args(["check", "--config", "client.json", "--lock", "mcp.lock"])
        .current_dir(bench.work())
        .env("MCPWATCH_HOME", bench.home().join("mcpwatch"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
        assert!(std::time::Instant::now() < until, "it was not started");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let group = std::fs::read_to_string(&pid).unwrap();
    let left = std::process::Command::new("pgrep").args(["-g", group.trim()]).output();
    // `pgrep` also counts the dead that nobody reaped; those hold nothing.
    let alive = left.map(|left| super::text(&left.stdout)).unwrap_or_default();
    let alive = alive.lines().filter(|id| {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    });
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_changed_launch_is_told_by_status_too() {
    let bench = Bench::new();
    bench.servers(&[("notes", &["--tools", "1"]), ("same", &["--tools", "1"])]);
    bench.with_config(&["init", "--yes"]);
    let before = bench.with_config(&["status"]).stdout;
    assert!(!before.contains("changed its launch"), "{before}");
    bench.servers(&[("notes", &["--tools", "2"]), ("same", &["--tools", "1"])]);
    let status = bench.with_config(&["status"]).stdout;
    assert!(status.contains("notes  changed its launch: run `mcpwatch approve notes`"), "{status}");
    assert!(!status.contains("same  changed its launch"), "{status}");
    let json = bench.with_config(&["status", "--format", "json"]).stdout;
    assert!(json.contains("\"launchChanged\": [\n    {"), "{json}");
}

/// What cannot be read may have changed as well: no command says that all is well.
#[test]
fn a_configuration_that_cannot_be_read_is_never_fine() {
    let bench = pinned(&[]);
    let common = ["--config", "client.json", "--config", "broken.json", "--lock", "mcp.lock"];
    bench.write("broken.json", "{\"mcpServers\": {");
    for command in
        [&["check"][..], &["check", "--static"], &["diff"], &["status"], &["scan"], &["reject", "notes"]]
    {
        let run = bench.run(&[command, &common[..]].concat());
        assert_eq!(run.code, 3, "{command:?}: {}", run.all());
        assert!(run.stderr.contains("broken.json:1:"), "{command:?}: {}", run.all());
        assert!(!run.all().contains("Nothing"), "{command:?}: {}", run.all());
    }
    let Some(run) = bench.at_terminal(&[&["approve"], &common[..]].concat(), &["yes"]) else { return };
    assert_eq!(run.code, 3, "{}", run.all());
    assert!(run.stdout.contains("broken.json:1:") && !run.stdout.contains("Nothing waits"), "{}", run.all());
}
