//! `scan`: what is configured and what it shows; what nobody asked for is not started.

use super::bench::{Bench, config};

#[test]
fn no_client_is_no_failure() {
    let bench = Bench::new();
    let scan = bench.run(&["scan"]);
    assert_eq!(scan.code, 0);
    assert!(scan.stderr.contains("No MCP server is configured"), "{}", scan.all());
    assert!(scan.stderr.contains("--example rug_pull"), "{}", scan.all());
    assert_eq!(bench.run(&["init", "--yes"]).code, 0);
}

#[test]
fn everything_a_server_shows() {
    let bench = Bench::new();
    bench.servers(&[("notes", &[])]);
    let scan = bench.with_config(&["scan"]);
    insta::assert_snapshot!("scan", scan.all());
    let full = bench.with_config(&["scan", "--full"]);
    insta::assert_snapshot!("scan_full", full.all());
}

#[test]
fn a_project_is_listed_and_not_started() {
    let bench = Bench::new();
    let log = bench.work().join("log");
    bench.write(".git/HEAD", "");
    bench.write(".mcp.json", &config(&[("theirs", &["--log", log.to_str().unwrap()])]));
    insta::assert_snapshot!("not_asked_list", bench.run(&["scan", "--list"]).all());
    insta::assert_snapshot!("not_asked_scan", bench.run(&["scan"]).all());
    assert!(!log.exists(), "it was started");
    // CI says yes; the lock it writes belongs to the project.
    let init = bench.run(&["init", "--yes", "--project"]);
    insta::assert_snapshot!("project_init", init.all());
    assert!(log.exists() && bench.work().join("mcp.lock").is_file());
    let check = bench.run(&["check"]);
    insta::assert_snapshot!("project_check_untrusted", check.all());
    assert_eq!(bench.run(&["check", "--yes"]).code, 0);
    assert_eq!(bench.run(&["check", "--trust-lock"]).code, 0);
    assert_eq!(bench.run(&["check", "--static"]).code, 0);
}

#[test]
fn damaged_files_are_named_and_the_others_go_on() {
    let bench = Bench::new();
    bench.write("bad.json", "{\"mcpServers\": {\"a\": ");
    bench.servers(&[("notes", &["--tools", "1"])]);
    let scan = bench.run(&["scan", "--list", "--config", "bad.json", "--config", "client.json"]);
    insta::assert_snapshot!(scan.all());
}

#[test]
fn wrong_names_and_files_are_usage() {
    let bench = Bench::new();
    bench.servers(&[("notes", &[])]);
    insta::assert_snapshot!("unknown_name", bench.with_config(&["scan", "--list", "nobody"]).all());
    insta::assert_snapshot!("no_config", bench.run(&["scan", "--config", "nope.json"]).all());
}

#[test]
fn a_trusted_lock_starts_what_it_pins_and_nothing_else() {
    let bench = Bench::new();
    bench.write(".git/HEAD", "");
    bench.write(".mcp.json", &config(&[("ours", &["--tools", "1"])]));
    assert_eq!(bench.run(&["init", "--yes", "--project"]).code, 0);
    let log = bench.work().join("log");
    bench.write(".mcp.json", &config(&[("ours", &["--log", log.to_str().unwrap()])]));
    let check = bench.run(&["check", "--trust-lock"]);
    insta::assert_snapshot!("swapped_launch", check.all());
    assert!(!log.exists(), "it was started");
}
