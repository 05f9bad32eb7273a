//! Which servers a run is about: scopes, monorepos, entries of several clients.

use super::bench::{Bench, config};

#[test]
fn the_same_launch_in_two_clients_is_one_server() {
    let bench = Bench::new();
    bench.write("one.json", &config(&[("db", &["--tools", "1"])]));
    bench.write("two.json", &config(&[("db", &["--tools", "1"])]));
    let scan = bench.run(&["scan", "--list", "--config", "one.json", "--config", "two.json"]);
    insta::assert_snapshot!(scan.all());
}

#[test]
fn check_takes_every_lock_of_a_monorepo() {
    let bench = Bench::new();
    bench.write(".git/HEAD", "");
    for project in ["a", "b"] {
        bench.write(&format!("{project}/.mcp.json"), &config(&[(project, &["--tools", "1"])]));
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_mcpwatch"))
            .args(["init", "--yes", "--project"])
            .current_dir(bench.work().join(project))
            .env("MCPWATCH_HOME", bench.home().join("mcpwatch"))
            .env("HOME", bench.home())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", super::text(&output.stderr));
        assert!(bench.work().join(project).join("mcp.lock").is_file());
    }
    let check = bench.run(&["check", "--yes"]);
    assert!(check.stderr.contains("2 servers are as pinned"), "{}", check.all());
    bench.write("b/.mcp.json", &config(&[("b", &["--tools", "2"])]));
    assert_eq!(bench.run(&["check", "--static"]).code, 1);
}

#[test]
fn a_project_lock_does_not_govern_the_users_servers() {
    let bench = Bench::new();
    let user = bench.home().join(".cursor");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(user.join("mcp.json"), config(&[("mine", &["--tools", "1"])])).unwrap();
    bench.write(".mcp.json", &config(&[("theirs", &["--tools", "1"])]));
    assert_eq!(bench.run(&["init", "--yes"]).code, 0);
    assert!(!bench.read("mcp.lock").contains("mine"));
    let user = std::fs::read_to_string(bench.home().join("mcpwatch/data/mcp.lock")).unwrap();
    assert!(user.contains("mine") && !user.contains("theirs"));
}

/// The user enabled a project's server by its name. Its command runs without asking only while it is the
/// one that a trusted lock pins: an edit in the repository under that name does not.
#[test]
fn an_enabled_name_starts_nothing_but_the_pinned_launch() {
    let bench = Bench::new();
    bench.write(".git/HEAD", "");
    let folder = bench.work().display().to_string();
    let enabled = serde_json::json!({ "projects": { folder: { "enabledMcpjsonServers": ["notes"] } } });
    std::fs::write(bench.home().join(".claude.json"), enabled.to_string()).unwrap();
    bench.write(".mcp.json", &config(&[("notes", &["--state", "."])]));
    let started = || bench.work().join("starts").exists();
    let forget = || std::fs::remove_file(bench.work().join("starts")).unwrap();

    let scan = bench.run(&["scan"]);
    assert!(scan.stdout.contains("you have not asked for it") && !started(), "{}", scan.all());
    let check = |code: i32| {
        let check = bench.run(&["check"]);
        assert_eq!(check.code, code, "{}", check.all());
    };
    let Some(init) = bench.at_terminal(&["init"], &["yes", "y", "n"]) else { return };
    assert_eq!(init.code, 0, "{}", init.all());
    forget();
    check(0);
    assert!(started(), "the pinned launch starts");
    forget();
    bench.write(".mcp.json", &config(&[("notes", &["--state", ".", "--tools", "2"])]));
    check(1);
    for command in ["scan", "diff"] {
        bench.run(&[command]);
    }
    assert!(!started(), "another launch under the enabled name does not");
}
