//! `init`: pins what can be read, names what cannot, writes no secret and gives a script no trust.

use super::bench::{Bench, CTRL_C, slashed};

#[test]
fn some_fail_and_the_rest_is_pinned() {
    let bench = Bench::new();
    bench.servers(&[
        ("a", &[]),
        ("b", &["--exit", "3", "--stderr", "no database, token=abcdefgh12345678"]),
        ("c", &["--tools", "2"]),
        ("d", &["--change", "duplicate-key"]),
    ]);
    let init = bench.with_config(&["init", "--yes"]);
    insta::assert_snapshot!(init.all());
    let again = bench.with_config(&["init", "--yes", "a"]);
    insta::assert_snapshot!(again.all());
}

/// Fifteen servers of which four fail: eleven are pinned, four are named with what to do, and each of
/// those is pinned alone once it works. The others stay as they were.
#[test]
fn four_of_fifteen_fail() {
    let bench = Bench::new();
    let failing: [(&str, &[&str]); 4] = [
        ("s03", &["--exit", "3", "--stderr", "no database"]),
        ("s06", &["--change", "duplicate-key"]),
        ("s09", &["--change", "list-error"]),
        ("s12", &[]),
    ];
    let write = |mended: &[&str]| {
        let mut servers = serde_json::Map::new();
        for name in (1..=15).map(|at| format!("s{at:02}")) {
            let broken = failing.iter().find(|(failing, _)| *failing == name && !mended.contains(failing));
            let mut entry = serde_json::json!({ "command": crate::fixture::path(), "args": [] });
            match broken {
                Some(("s12", _)) => entry["command"] = "no-such-program".into(),
                Some((_, args)) => entry["args"] = (*args).into(),
                None => {}
            }
            servers.insert(name, entry);
        }
        bench.write("client.json", &serde_json::json!({ "mcpServers": servers }).to_string());
    };
    let pinned = || -> Vec<String> {
        let lock: serde_json::Value = serde_json::from_str(&bench.read("mcp.lock")).unwrap();
        lock["servers"].as_object().unwrap().keys().cloned().collect()
    };
    write(&[]);
    let init = bench.with_config(&["init", "--yes"]);
    insta::assert_snapshot!(init.all());
    assert_eq!((init.code, pinned().len()), (3, 11));
    let check = bench.with_config(&["check"]);
    assert_eq!(check.code, 1, "the four are configured and not pinned: {}", check.all());
    let before = bench.read("mcp.lock");
    let mut mended = Vec::new();
    for (count, (name, _)) in (12..).zip(failing) {
        mended.push(name);
        write(&mended);
        let init = bench.with_config(&["init", "--yes", name]);
        assert_eq!((init.code, pinned().len()), (0, count), "{}", init.all());
        assert!(init.stderr.contains(&format!("Pinned 1 server in mcp.lock: {name}.")), "{}", init.all());
    }
    assert_eq!(bench.with_config(&["check", "-q"]).all(), "exit 0\n");
    let [before, after] = [before, bench.read("mcp.lock")]
        .map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    let kept = before["servers"].as_object().unwrap();
    assert!(kept.iter().all(|(name, pin)| after["servers"][name] == *pin));
}

#[test]
fn a_script_gives_no_trust() {
    let bench = Bench::new();
    bench.servers(&[("notes", &[])]);
    bench.with_config(&["init", "--yes"]);
    let status = bench.with_config(&["status"]);
    insta::assert_snapshot!(status.all());
}

#[test]
fn without_a_terminal_nothing_is_asked_or_written() {
    let bench = Bench::new();
    bench.servers(&[("notes", &[])]);
    let mut command = std::process::Command::new("setsid");
    command.args([
        "-w",
        env!("CARGO_BIN_EXE_mcpwatch"),
        "init",
        "--config",
        "client.json",
        "--lock",
        "mcp.lock",
    ]);
    let Ok(output) = command.current_dir(bench.work()).env("MCPWATCH_HOME", bench.home()).output() else {
        return eprintln!("skipped: setsid");
    };
    assert_eq!(output.status.code(), Some(3));
    assert!(super::text(&output.stderr).contains("there is no terminal to ask on"));
    assert!(!bench.work().join("mcp.lock").exists());
}

#[test]
fn an_echoed_secret_stops_the_write() {
    let bench = Bench::new();
    let server = crate::fixture::path();
    let config = serde_json::json!({ "mcpServers": { "notes": {
        "command": server, "args": ["--change", "secret", "--secret-env", "API_TOKEN"],
        "env": { "API_TOKEN": "tok-9f8e7d6c5b4a39281706" }
    }}});
    bench.write("client.json", &config.to_string());
    let init = bench.with_config(&["init", "--yes"]);
    insta::assert_snapshot!(init.all());
    assert!(!bench.work().join("mcp.lock").exists());
}

#[test]
fn two_launches_of_one_name_get_two_names() {
    let bench = Bench::new();
    let server = crate::fixture::path();
    bench.write("one.json", &super::bench::config(&[("db", &["--tools", "1"])]));
    let toml =
        format!("[mcp_servers.db]\ncommand = {:?}\nargs = [\"--tools\", \"2\"]\n", server.to_str().unwrap());
    bench.write("config.toml", &toml);
    let init = bench.run(&[
        "init",
        "--yes",
        "--config",
        "one.json",
        "--config",
        "config.toml",
        "--lock",
        "mcp.lock",
    ]);
    insta::assert_snapshot!(init.all());
}

#[test]
fn at_a_terminal_a_person_pins_and_trusts() {
    let bench = Bench::new();
    bench.servers(&[("a", &["--tools", "1"]), ("b", &["--tools", "1"])]);
    let args = ["init", "--config", "client.json", "--lock", "mcp.lock"];
    let Some(run) = bench.at_terminal(&args, &["y", "n"]) else { return };
    insta::assert_snapshot!(run.all());
    let status = bench.with_config(&["status"]);
    assert!(status.stdout.contains("trusted") && !status.stdout.contains("not trusted"), "{}", status.all());
}

#[test]
fn an_interrupted_question_ends_the_command() {
    let bench = Bench::new();
    bench.servers(&[("a", &["--tools", "1"])]);
    let args = ["init", "--config", "client.json", "--lock", "mcp.lock"];
    for answers in [&[CTRL_C][..], &["a", CTRL_C]] {
        let Some(run) = bench.at_terminal(&args, answers) else { return };
        assert_eq!(run.code, 130, "{}", run.all());
        assert!(!bench.work().join("mcp.lock").exists());
    }
}

#[test]
fn names_of_a_configuration_are_shown_neutral() {
    let bench = Bench::new();
    let server = crate::fixture::path();
    let mut servers = serde_json::Map::new();
    for name in ["a\u{1b}[31mb\u{202e}c", "", "two\nlines", "broken\u{200b}"] {
        let args = if name.starts_with("broken") { vec!["--exit", "3"] } else { vec!["--tools", "1"] };
        servers.insert(name.to_owned(), serde_json::json!({ "command": server, "args": args }));
    }
    bench.write("client.json", &serde_json::json!({ "mcpServers": servers }).to_string());
    let mut said = bench.with_config(&["init", "--yes"]).all();
    let changed = bench.read("client.json").replace("\"1\"", "\"2\"");
    bench.write("client.json", &changed);
    for command in
        [&["check"][..], &["diff"], &["status"], &["scan", "--list"], &["check", "two\nlines", "\u{202e}"]]
    {
        said.push_str(&bench.with_config(command).all());
    }
    assert!(said.contains("Pinned 3 servers") && said.contains("no server is called"), "{said}");
    let odd: Vec<char> =
        said.chars().filter(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{200b}".contains(*c)).collect();
    assert!(odd.is_empty(), "{odd:?} in {said}");
}

/// Two people with the same configuration in different folders, outside of a home: the same bytes.
#[test]
fn the_lock_of_two_people_is_the_same() {
    let locks = ["one", "two"].map(|name| {
        let bench = Bench::new();
        let project = bench.work().join(name).join("project");
        std::fs::create_dir_all(project.join("state")).unwrap();
        let state = project.join("state").display().to_string();
        let config = super::bench::config(&[("notes", &["--state", &state, "--change", "machine"])]);
        std::fs::write(project.join("client.json"), config).unwrap();
        let output = bench
            .command()
            .args(["init", "--yes", "--config", "client.json", "--lock", "mcp.lock"])
            .current_dir(&project)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", super::text(&output.stderr));
        let lock = slashed(&std::fs::read_to_string(project.join("mcp.lock")).unwrap());
        assert!(lock.contains("${cwd}/state") && !lock.contains(&slashed(&state)), "{lock}");
        // From another folder the launch is the same one.
        let check = bench
            .command()
            .args(["check", "--static", "--config", "project/client.json", "--lock", "project/mcp.lock"])
            .current_dir(bench.work().join(name))
            .output()
            .unwrap();
        assert_eq!(check.status.code(), Some(0), "{}", super::text(&check.stderr));
        lock
    });
    assert_eq!(locks[0], locks[1]);
}

#[test]
fn what_is_decided_at_once_is_written_at_once() {
    let bench = Bench::new();
    bench.servers(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[]), ("e", &[])]);
    let files = ["--config", "client.json", "--lock", "mcp.lock"];
    let Some(run) = bench.at_terminal(&[&["init"], &files[..]].concat(), &["y", "a", "yes", "n"]) else {
        return;
    };
    assert_eq!(run.code, 0, "{}", run.all());
    assert_eq!(bench.with_config(&["check"]).code, 0);
    assert!(bench.with_config(&["status"]).stdout.contains("mcp.lock  trusted"));
    let log = bench.run(&["log", "--kind", "decision", "--format", "json"]).stdout;
    let at = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["at"].clone();
    let times: Vec<_> = log.lines().map(at).collect();
    assert_eq!(times.len(), 5, "each server has its line: {log}");
    assert!(times[0] != times[1], "the first was answered by itself");
    assert!(times[1..].iter().all(|time| *time == times[1]), "the others were one decision: {log}");
}
