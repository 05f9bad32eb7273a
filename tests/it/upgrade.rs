//! `upgrade` from end to end: a floating spec stands still at its pinned version, the newest that it
//! asks for is fetched by its package manager, read and reviewed, and then it is the pinned one.
//!
//! The package managers are stand-ins (`fakes/`) that keep what they fetched as the real ones do, in
//! front of a registry that is a folder of the test's.

use crate::cli::bench::{Bench, Run};
use crate::fixture;
use serde_json::{Value, json};
use std::path::PathBuf;

const WORDS: [&str; 3] = ["Counts slowly to a number.", "CHANGED: counts", "Searches all the notes. CHANGED"];

/// A machine with stand-ins for package managers, and a registry.
struct Lab {
    bench: Bench,
    registry: PathBuf,
}

impl Lab {
    /// A server that is started by this command line.
    fn new(line: &str) -> Self {
        let bench = Bench::new();
        let home = bench.home();
        let fakes = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fakes");
        let path = format!("{fakes}:{}", std::env::var("PATH").unwrap());
        let registry = home.join("registry");
        let bench = bench
            .with_env("PATH", path)
            .with_env("REGISTRY", &registry)
            .with_env("FIXTURE_SERVER", fixture::path())
            .with_env("npm_config_cache", home.join("npm"))
            .with_env("BUN_INSTALL_CACHE_DIR", home.join("bun"))
            .with_env("UV_CACHE_DIR", home.join("uv"))
            .with_env("UV_TOOL_DIR", home.join("uv-tools"));
        let mut words = line.split(' ');
        let command = words.next().unwrap();
        let args: Vec<&str> = words.collect();
        let servers = json!({ "mcpServers": { "notes": { "command": command, "args": args } } });
        bench.write("client.json", &servers.to_string());
        Self { bench, registry }
    }

    /// A release of the package, with what it gives the fixture server.
    fn publish(&self, version: &str, change: &str) {
        std::fs::create_dir_all(self.registry.join("notes")).unwrap();
        std::fs::write(self.registry.join("notes").join(version), change).unwrap();
    }

    fn run(&self, args: &[&str], code: i32) -> Run {
        let run = self.bench.raw(args);
        assert_eq!(run.code, code, "{args:?}: {}\n{}", run.all(), self.asked());
        run
    }

    /// The version that is pinned.
    fn pinned(&self) -> String {
        let lock: Value = serde_json::from_str(&self.bench.read("mcp.lock")).unwrap();
        let artifacts = lock["servers"]["notes"]["artifacts"].as_object().unwrap();
        let artifact = artifacts.values().next().unwrap();
        assert_eq!(artifact["floating"], json!(true));
        artifact["version"].as_str().unwrap().to_owned()
    }

    /// The digest of the version that `upgrade` fetches.
    fn offered(&self) -> String {
        let refused =
            self.bench.raw(&["upgrade", "notes", "--expect", &format!("blake3:{}", "0".repeat(64))]);
        let at = refused.stderr.find("blake3:").unwrap_or_else(|| panic!("{}", refused.all()));
        refused.stderr[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == ':').collect()
    }

    /// What the package managers were asked, and what they took.
    fn asked(&self) -> String {
        std::fs::read_to_string(self.registry.with_extension("log")).unwrap_or_default()
    }

    /// What the gate started last, through the wrapped configuration.
    fn gated(&self) -> String {
        let before = self.asked().len();
        let opening = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
        let config: Value = serde_json::from_str(&self.bench.read("client.json")).unwrap();
        let entry = &config["mcpServers"]["notes"];
        let args: Vec<&str> =
            entry["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        let run = ["run", "--lock", "mcp.lock", "--trust-lock", "--server", "notes", "--"];
        let line = [&run[..], &[entry["command"].as_str().unwrap()], &args].concat();
        self.bench.with_input(&line, &format!("{opening}\n"));
        self.asked()[before..].to_owned()
    }
}

/// One launch, from its first pin over a release it must take to one that it must not, if any.
#[track_caller]
fn check(line: &str, next: &str, beyond: Option<&str>) {
    let lab = Lab::new(line);
    lab.publish("1.0.0", "");
    lab.run(&["init", "--yes"], 0);
    assert_eq!(lab.pinned(), "1.0.0");
    lab.publish(next, "--change page2");
    beyond.iter().for_each(|version| lab.publish(version, "--change description-subtle"));

    // The floating spec starts at its pinned version, whatever is newer.
    let gated = lab.gated();
    assert!(gated.trim_end().ends_with("-> 1.0.0") && gated.lines().count() == 1, "{gated}");
    assert_eq!(lab.pinned(), "1.0.0");

    // What would be approved is the newest within what the launch asks for, and it is shown first.
    let dry = lab.run(&["upgrade", "notes", "--dry-run"], 1);
    assert!(dry.stdout.contains(WORDS[1]) && !dry.stdout.contains(WORDS[2]), "{}", dry.all());
    assert!(dry.stdout.contains(&format!("1.0.0 → {next}")), "{}", dry.all());
    assert_eq!(lab.pinned(), "1.0.0");

    lab.run(&["upgrade", "notes", "--expect", &lab.offered()], 0);
    assert_eq!(lab.pinned(), next);
    let gated = lab.gated();
    assert!(gated.trim_end().ends_with(&format!("-> {next}")), "{gated}");
    let again = lab.run(&["upgrade", "notes", "--dry-run"], 0);
    assert!(again.stderr.contains("pinned at the newest version"), "{}", again.all());
}

#[test]
fn npx_without_a_version() {
    check("npx -y notes", "2.0.0", None);
}

#[test]
fn npx_with_a_range() {
    check("npx -y notes@^1", "1.2.0", Some("2.0.0"));
}

/// Two starts of bunx at once would break each other.
#[test]
fn bunx_without_a_version() {
    check("bunx notes", "2.0.0", None);
}

#[test]
fn bunx_with_a_range() {
    check("bunx notes@^1", "1.2.0", Some("2.0.0"));
}

#[test]
fn uvx_without_a_version() {
    check("uvx notes", "2.0.0", None);
}

#[test]
fn uvx_with_a_range() {
    check("uvx --from notes>=1,<2 notes", "1.2.0", Some("2.0.0"));
}

/// A person sees the review of the newer version, and the pin moves with the decision on the version.
#[test]
fn at_a_terminal() {
    let lab = Lab::new("npx -y notes");
    lab.publish("1.0.0", "");
    let common = ["--config", "client.json", "--lock", "mcp.lock"];
    let Some(init) = lab.bench.at_terminal(&[&["init"], &common[..]].concat(), &["y", "n"]) else { return };
    assert_eq!(init.code, 0, "{}", init.all());
    lab.publish("2.0.0", "--change page2");
    let upgrade = [&["upgrade", "notes"], &common[..]].concat();
    // The words are taken, the version is not: nothing moves.
    let left = lab.bench.at_terminal(&upgrade, &["n", "y"]).unwrap();
    assert_eq!((left.code, lab.pinned()), (1, "1.0.0".to_owned()), "{}", left.all());
    let taken = lab.bench.at_terminal(&upgrade, &["y", "y"]).unwrap();
    assert_eq!((taken.code, lab.pinned()), (0, "2.0.0".to_owned()), "{}", taken.all());
    insta::assert_snapshot!(taken.all());
}

/// An exact version is moved in the client's file, not by us.
#[test]
fn an_exact_version_is_not_moved() {
    let lab = Lab::new("npx -y notes@1.0.0");
    lab.publish("1.0.0", "");
    lab.run(&["init", "--yes"], 0);
    lab.publish("2.0.0", "--change page2");
    let refused = lab.run(&["upgrade", "notes", "--dry-run"], 2);
    assert!(refused.stderr.contains("configured to run exactly"), "{}", refused.all());
}
