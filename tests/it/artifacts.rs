//! What a launch really runs, in front of the gate: another artifact starts nothing or ends it, other
//! dependencies are told, and what cannot be seen is not let through.

use crate::cli::bench::Bench;
use crate::fixture;
use crate::gate::{Session, is_refused};
use std::path::PathBuf;

/// `npx -y SPEC`: installs what lies in `$SOURCE`, if anything does, and runs the fixture.
const NPX: &str = r#"#!/bin/sh
folder=$npm_config_cache/_npx/$(printf %s "$2" | sha512sum | cut -c1-16)
if [ -d "$SOURCE" ] && [ ! -d "$folder" ]; then mkdir -p "$folder" && cp -r "$SOURCE/." "$folder/"; fi
exec "$FIXTURE_SERVER"
"#;

struct Lab {
    bench: Bench,
}

impl Lab {
    /// A package that is pinned.
    fn new() -> Self {
        let bench = Bench::new();
        // Beside the project: what lies in it may be anything.
        let npx = bench.home().join("npx");
        std::fs::write(&npx, NPX).unwrap();
        std::process::Command::new("chmod").arg("755").arg(&npx).status().unwrap();
        let (cache, source) = (bench.work().join("cache"), bench.work().join("source"));
        let bench = bench
            .with_env("npm_config_cache", cache)
            .with_env("SOURCE", source)
            .with_env("FIXTURE_SERVER", fixture::path());
        let lab = Self { bench };
        let servers = serde_json::json!({ "mcpServers": { "notes": { "command": npx, "args": ["-y", "notes@1.0.0"] } } });
        lab.bench.write("client.json", &servers.to_string());
        lab.publish("// one", "1.0.0");
        let init = lab.bench.with_config(&["init", "--yes"]);
        assert_eq!(init.code, 0, "{}", init.all());
        let lock: serde_json::Value = serde_json::from_str(&lab.bench.read("mcp.lock")).unwrap();
        let artifacts = &lock["servers"]["notes"]["artifacts"];
        assert!(artifacts.to_string().contains("\"dep\""), "{artifacts}");
        lab
    }

    /// What the registry has from now on; nothing is installed.
    fn publish(&self, code: &str, dependency: &str) {
        self.forget();
        let modules = "source/node_modules";
        self.bench.write(
            &format!("{modules}/notes/package.json"),
            r#"{"name":"notes","version":"1.0.0","bin":{"notes":"cli.js"},"dependencies":{"dep":"*"}}"#,
        );
        self.bench.write(&format!("{modules}/notes/cli.js"), code);
        let dep = format!(r#"{{"name":"dep","version":"{dependency}"}}"#);
        self.bench.write(&format!("{modules}/dep/package.json"), &dep);
    }

    fn forget(&self) {
        let _none = std::fs::remove_dir_all(self.bench.work().join("cache"));
    }

    fn npx(&self) -> PathBuf {
        self.bench.home().join("npx")
    }

    fn session(&self) -> Session {
        let mut command = self.bench.command();
        command.args(["run", "--server", "notes", "--lock", "mcp.lock", "--trust-lock", "--"]);
        command.arg(self.npx()).args(["-y", "notes@1.0.0"]);
        let mut session = Session::start(command);
        session.open();
        session
    }

    /// Whether a call passes, and what is said.
    fn call(&self) -> (bool, String) {
        let mut session = self.session();
        session.tools();
        let answer = session.call("echo", r#"{"text":"x"}"#);
        (!is_refused(&answer), format!("{answer:?}"))
    }
}

#[test]
fn what_is_as_pinned_passes_seen_before_the_start_or_after() {
    let lab = Lab::new();
    assert!(lab.call().0, "installed before");
    lab.forget();
    let (passes, answer) = lab.call();
    assert!(passes, "installed by the start: {answer}");
}

#[test]
fn another_artifact_starts_nothing_or_ends() {
    let lab = Lab::new();
    // Other bytes under the same version, there before the start.
    let installed = std::fs::read_dir(lab.bench.work().join("cache/_npx")).unwrap().next().unwrap().unwrap();
    let file = installed.path().join("node_modules/notes/cli.js");
    std::fs::write(&file, "// two").unwrap();
    let (passes, answer) = lab.call();
    assert!(!passes && answer.contains("what it runs is not what was approved"), "{answer}");
    assert_eq!(lab.bench.with_config(&["check"]).code, 1);
    // And the same, which only the start itself installs.
    lab.publish("// two", "1.0.0");
    let (passes, answer) = lab.call();
    assert!(!passes && answer.contains("what it runs is not what was approved"), "{answer}");
}

#[test]
fn what_cannot_be_seen_after_the_start_is_not_let_through() {
    let lab = Lab::new();
    lab.forget();
    std::fs::remove_dir_all(lab.bench.work().join("source")).unwrap();
    let (passes, answer) = lab.call();
    assert!(!passes && answer.contains("cannot be found out on this machine"), "{answer}");
}

#[test]
fn other_dependencies_are_told_and_asked_about() {
    let lab = Lab::new();
    lab.publish("// one", "1.0.1");
    let (passes, answer) = lab.call();
    assert!(passes, "{answer}");
    let log = lab.bench.run(&["log", "--kind", "finding"]).stdout;
    assert!(log.contains("finding dependencies (warning)") && log.contains("dep 1.0.0 → 1.0.1"), "{log}");
    let check = lab.bench.with_config(&["check"]);
    assert_eq!(check.code, 1, "{}", check.all());
    assert!(check.stdout.contains("dep 1.0.0 → 1.0.1"), "{}", check.all());
}

#[test]
fn a_value_that_the_file_has_is_compared_in_the_gate() {
    let bench = Bench::new();
    let configure = |token: &str, key: &str| {
        let entry = serde_json::json!({
            "command": fixture::path(),
            "args": ["--token", token],
            "env": { "NOTES_MODE": key, "NOTES_KEY": "${NOTES_SECRET}" },
        });
        bench.write("client.json", &serde_json::json!({ "mcpServers": { "notes": entry } }).to_string());
    };
    // What a client starts: its file with the variables filled in.
    let call = |token: &str, mode: &str, key: &str| {
        let mut command = bench.command();
        command.args(["run", "--server", "notes", "--lock", "mcp.lock", "--"]).arg(fixture::path());
        command.args(["--token", token]).env("NOTES_MODE", mode).env("NOTES_KEY", key);
        let mut session = Session::start(command);
        session.open();
        let answer = session.call("echo", r#"{"text":"x"}"#);
        (!is_refused(&answer), format!("{answer:?}"))
    };
    const ONE: &str = "tok-1f0e9d8c7b6a5f4e";
    const TWO: &str = "tok-2a2b2c2d2e2f2a2b";
    configure(ONE, "quiet");
    let bench = &bench;
    let pin = |command: &str| {
        let args = [command, "--config", "client.json", "--lock", "mcp.lock", "--env-file", "values"];
        let answers: &[&str] = if command == "approve" { &["y"] } else { &["y", "n"] };
        bench.write("values", "NOTES_SECRET=first\n");
        let run = bench.at_terminal(&args, answers)?;
        assert_eq!(run.code, 0, "{}", run.all());
        Some(())
    };
    if pin("init").is_none() {
        return;
    }
    assert!(call(ONE, "quiet", "first").0);
    // What the client fills in may be another tomorrow.
    assert!(call(ONE, "quiet", "second").0);
    for (token, mode) in [(TWO, "quiet"), (ONE, "loud")] {
        let (passes, answer) = call(token, mode, "first");
        assert!(!passes && answer.contains("another secret or variable"), "{token} {mode}: {answer}");
        assert!(!answer.contains(token), "{answer}");
    }
    // `check` reads the same in the file, and an approval opens the gate again.
    configure(TWO, "quiet");
    let check = bench.with_config(&["check", "--env-file", "values"]);
    assert_eq!(check.code, 1, "{}", check.all());
    pin("approve");
    assert!(call(TWO, "quiet", "first").0);
    assert!(!call(ONE, "quiet", "first").0);
}
