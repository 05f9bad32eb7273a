//! The whole story of real servers: locked, checked, upgraded to their next release, reviewed,
//! approved, checked again. One stays at one place of the disk, as an upgrade leaves it: a link that
//! first leads to one release and then to the next. Those not installed are skipped by name.

use crate::cli::bench::{Bench, Run};
use crate::servers::{Http, Server, folder, node};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

/// Two releases of a server: the sets they are installed in.
struct Releases {
    name: &'static str,
    sets: [&'static str; 2],
    /// What node starts, below the set's folder.
    script: &'static str,
    args: &'static [&'static str],
    by_person: bool,
}

fn releases(name: &'static str, script: &'static str, args: &'static [&'static str]) -> Releases {
    Releases { name, sets: ["npm-before", "npm"], script, args, by_person: false }
}

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

fn on_stdio(releases: &Releases) {
    let Releases { name, sets, script, args, by_person } = releases;
    let missing = sets.iter().any(|set| node(name, set, script, &[]).is_none());
    if missing {
        return;
    }
    let bench = Bench::new();
    let current = bench.home().join("current");
    let place = |set: &str| {
        let _ = std::fs::remove_file(&current);
        symlink(folder().join(set), &current).unwrap();
    };
    place(sets[0]);
    let script = current.join(script);
    let mut words = vec![script.to_str().unwrap().to_owned()];
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    bench.write(
        "client.json",
        &json!({ "mcpServers": { *name: { "command": "node", "args": words } } }).to_string(),
    );
    story(name, &bench, *by_person, || place(sets[1]));
}

#[test]
fn npm_servers_are_upgraded() {
    let server = |name, args| {
        let script = match name {
            "server-memory" => "node_modules/@modelcontextprotocol/server-memory/dist/index.js",
            "server-filesystem" => "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js",
            _ => "node_modules/@modelcontextprotocol/server-everything/dist/index.js",
        };
        releases(name, script, args)
    };
    on_stdio(&server("server-memory", &[]));
    on_stdio(&Releases { by_person: true, ..server("server-filesystem", &["/tmp"]) });
    on_stdio(&server("server-everything", &["stdio"]));
}

fn at_url(name: &str, port: u16, path: &str) -> Bench {
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{port}{path}");
    let servers = json!({ "mcpServers": { name: { "type": "http", "url": url } } });
    bench.write("client.json", &servers.to_string());
    bench
}

/// One server on HTTP and then another at the same address.
fn on_http(name: &str, first: &Server, path: &str, next: impl FnOnce(u16) -> Http) {
    let http = first.serve();
    let port = http.port();
    let bench = at_url(name, port, path);
    let mut running = Some(http);
    let mut after = None;
    story(name, &bench, false, || {
        drop(running.take());
        after = Some(next(port));
    });
    drop(after);
}

#[test]
fn servers_on_http_are_upgraded() {
    // 2026-07-28: the same server, with one word of it changed.
    let Some(modern) = node("@modelcontextprotocol/server", "npm", "modern.mjs", &["{port}"]) else { return };
    let text = std::fs::read_to_string(folder().join("npm/modern.mjs")).unwrap();
    let changed = tempfile::Builder::new().suffix(".mjs").tempfile_in(folder().join("npm")).unwrap();
    std::fs::write(changed.path(), text.replace("Adds two numbers.", "Adds two numbers, exactly.")).unwrap();
    let script = changed.path().file_name().unwrap().to_str().unwrap();
    let Some(next) = node("@modelcontextprotocol/server", "npm", script, &["{port}"]) else { return };
    on_http("modern", &modern, "/mcp", |port| next.serve_at(port));
}
