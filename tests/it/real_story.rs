//! The whole story of real servers: locked, checked, upgraded to their next release, reviewed,
//! approved, checked again. One stays at one place of the disk, as an upgrade leaves it: a link that
//! first leads to one release and then to the next. Those not installed are skipped by name.

use crate::cli::bench::{Bench, Run};
use crate::servers::{Server, folder, node, python_of};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The digest of the offer that waits, and what the review says.
fn offer(bench: &Bench) -> (String, String) {
    let diff = bench.raw(&["diff", "--format", "json"]);
    let document: Value = serde_json::from_str(&diff.stdout).unwrap();
    let server = &document["servers"][0];
    (server["offer"].as_str().unwrap_or_default().to_owned(), server["review"].to_string())
}

fn expect(run: &Run, code: i32, step: &str) {
    assert_eq!(run.code, code, "{step}: {}", run.all());
}

/// From the lock of one release to the check of the next; `upgrade` puts that in its place.
fn story(name: &str, bench: &Bench, by_person: bool, upgrade: impl FnOnce()) {
    expect(&bench.with_config(&["init", "--yes"]), 0, name);
    let quiet = bench.with_config(&["check", "-q"]);
    assert_eq!(quiet.all(), "exit 0\n", "{name}");
    let before = bench.read("mcp.lock");
    upgrade();
    let check = bench.with_config(&["check"]);
    expect(&check, 1, name);
    assert!(check.stdout.contains("changed"), "{name}: {}", check.all());
    let (digest, review) = offer(bench);
    assert!(review.len() > 20, "{name}: {review}");
    // A question for each decision, and one that accepts the lock of another.
    let asked = by_person.then(|| {
        bench.at_terminal(
            &["approve", "--config", "client.json", "--lock", "mcp.lock"],
            &["y", "a", "yes", "y"],
        )
    });
    match asked.flatten() {
        Some(run) => expect(&run, 0, name),
        None => expect(&bench.with_config(&["approve", name, "--expect", &digest]), 0, name),
    }
    assert_ne!(bench.read("mcp.lock"), before, "{name}");
    let again = bench.with_config(&["check", "-q"]);
    assert_eq!(again.all(), "exit 0\n", "{name}");
}

/// Two releases of a server on stdio, at one place of the disk.
fn on_stdio(sets: [&str; 2], by_person: bool, server: impl Fn(&str) -> Option<Server>) {
    let [Some(first), Some(_)] = sets.map(&server) else { return };
    let bench = Bench::new();
    let current = bench.home().join("current");
    let place = |set: &str| {
        let _ = std::fs::remove_file(&current);
        symlink(folder().join(set), &current).unwrap();
    };
    place(sets[0]);
    let installed = folder().join(sets[0]);
    let moved = |word: &Path| match word.strip_prefix(&installed) {
        Ok(below) => current.join(below),
        Err(_) => word.to_owned(),
    };
    let (program, args) = first.words();
    let args: Vec<PathBuf> = args.iter().map(|arg| moved(Path::new(arg))).collect();
    let entry = json!({ "command": moved(program), "args": args });
    bench.write("client.json", &json!({ "mcpServers": { first.name: entry } }).to_string());
    story(first.name, &bench, by_person, || place(sets[1]));
}

fn at_url(name: &str, port: u16, path: &str) -> (Bench, u16) {
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{port}{path}");
    let servers = json!({ "mcpServers": { name: { "type": "http", "url": url } } });
    bench.write("client.json", &servers.to_string());
    (bench, port)
}

/// One release on HTTP and then the next at the same address.
fn on_http(sets: [&str; 2], path: &str, server: impl Fn(&str) -> Option<Server>) {
    let [Some(first), Some(next)] = sets.map(&server) else { return };
    let http = first.serve();
    let (bench, port) = at_url(first.name, http.port(), path);
    let mut running = Some(http);
    let mut after = None;
    story(first.name, &bench, false, || {
        drop(running.take());
        after = Some(next.serve_at(port));
    });
    drop(after);
}

const NPM: [&str; 2] = ["npm-before", "npm"];
const EVERYTHING: &str = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
const EARLIER: &str = "node_modules/server-everything-earlier/dist/index.js";
const FILESYSTEM: &str = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
const MEMORY: &str = "node_modules/@modelcontextprotocol/server-memory/dist/index.js";

#[test]
fn npm_servers_are_upgraded() {
    on_stdio(NPM, false, |set| node("server-memory", set, MEMORY, &[]));
    on_stdio(NPM, true, |set| node("server-filesystem", set, FILESYSTEM, &["/tmp"]));
    on_stdio(NPM, false, |set| node("server-everything", set, EVERYTHING, &["stdio"]));
}

/// A release that shows the same from the same address does not alarm; one that shows something else is
/// reviewed. What runs there cannot be seen.
#[test]
fn server_everything_on_http_is_upgraded() {
    let server = |set: &str, script: &str| node("server-everything", set, script, &["streamableHttp"]);
    on_http(NPM, "/mcp", |set| server(set, if set == NPM[0] { EARLIER } else { EVERYTHING }));
    let [Some(first), Some(next)] = NPM.map(|set| server(set, EVERYTHING)) else { return };
    let http = first.serve();
    let (bench, port) = at_url(first.name, http.port(), "/mcp");
    expect(&bench.with_config(&["init", "--yes"]), 0, first.name);
    drop(http);
    let _next = next.serve_at(port);
    expect(&bench.with_config(&["check", "-q"]), 0, "the next release shows the same");
}

#[test]
fn pypi_servers_are_upgraded() {
    let sets = ["python-before", "python"];
    for name in ["mcp-server-time", "mcp-server-git"] {
        on_stdio(sets, false, |set| python_of(name, set, name, &[]));
    }
}

/// 2026-07-28: our own server in other words, on two releases of either SDK.
#[test]
fn servers_of_the_newest_era_are_upgraded() {
    on_stdio(NPM, false, |set| node("modern-node", set, "modern.mjs", &[]));
    on_http(NPM, "/mcp", |set| node("modern-node", set, "modern.mjs", &["{port}"]));
    let sets = ["python-sdk-before", "python"];
    on_stdio(sets, false, |set| python_of("modern-python", set, "modern.py", &[]));
    on_http(sets, "/mcp", |set| python_of("modern-python", set, "modern.py", &["streamable-http", "{port}"]));
}
