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
