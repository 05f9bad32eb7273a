//! Real servers, read over stdio and HTTP, in both eras. Those not installed are skipped by name.

use crate::servers::{Server, node, python};
use mcpwatch::connect::{Capabilities, Options, Reading, Target, read};
use mcpwatch::engine::surface::{Era, Kind};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

const EVERYTHING: &str = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
const FILESYSTEM: &str = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
const MEMORY: &str = "node_modules/@modelcontextprotocol/server-memory/dist/index.js";

/// Reads a target plainly and again as it was recorded: both must be the same.
async fn check(target: &Target, era: Era, tools: usize) -> Reading {
    let first = read(target, &Options::default(), &|_| ()).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(first.era, era);
    assert_eq!(first.surface.of_kind(Kind::Tool).count(), tools, "{:?}", first.surface.to_value());
    assert_eq!(first.surface.defects(), []);
    let options = Options { protocol_hint: Some(first.era), ..Options::default() };
    let second = read(target, &options, &|_| ()).await.unwrap();
    assert_eq!(second.surface.digest(), first.surface.digest());
    assert_eq!(second.protocol, first.protocol);
    first
}

async fn check_stdio(server: Option<Server>, era: Era, tools: usize) {
    if let Some(server) = server {
        check(&server.target(), era, tools).await;
    }
}

#[tokio::test]
async fn npm_servers_on_stdio() {
    check_stdio(node("server-filesystem", "npm", FILESYSTEM, &["/tmp"]), Era::Session, 14).await;
    check_stdio(node("server-memory", "npm", MEMORY, &[]), Era::Session, 9).await;
    check_stdio(node("server-memory before", "npm-before", MEMORY, &[]), Era::Session, 9).await;
    check_stdio(node("@modelcontextprotocol/server", "npm", "modern.mjs", &[]), Era::Stateless, 2).await;
}

#[tokio::test]
async fn pypi_servers_on_stdio() {
    check_stdio(python("mcp-server-time", "mcp-server-time", &[]), Era::Stateless, 2).await;
    check_stdio(python("mcp-server-git", "mcp-server-git", &[]), Era::Stateless, 12).await;
    check_stdio(python("mcp 2.x", "modern.py", &[]), Era::Stateless, 2).await;
}

#[tokio::test]
async fn server_everything_shows_more_to_clients_that_can_be_asked() {
    let Some(server) = node("server-everything", "npm", EVERYTHING, &["stdio"]) else { return };
    let target = server.target();
    let empty = check(&target, Era::Session, 13).await.surface;
    let full = Options { capabilities: Capabilities::Full, ..Options::default() };
    let full = read(&target, &full, &|_| ()).await.unwrap().surface;
    assert_eq!(full.of_kind(Kind::Tool).count(), 19);
    for (kind, count) in [(Kind::Prompt, 4), (Kind::Resource, 7), (Kind::Template, 2)] {
        assert_eq!(empty.of_kind(kind).count(), count, "{kind}");
    }
    // A field of 2025-11-25 that typed readers drop.
    assert!(empty.of_kind(Kind::Tool).any(|(_, tool)| tool.get("execution").is_some()));
}

#[tokio::test]
async fn servers_on_http() {
    if let Some(server) = node("server-everything", "npm", EVERYTHING, &["streamableHttp"]) {
        check(&server.serve().target("/mcp"), Era::Session, 13).await;
    }
    if let Some(server) = node("@modelcontextprotocol/server", "npm", "modern.mjs", &["{port}"]) {
        check(&server.serve().target("/mcp"), Era::Stateless, 2).await;
    }
    if let Some(server) = python("mcp 2.x", "modern.py", &["streamable-http", "{port}"]) {
        check(&server.serve().target("/mcp"), Era::Stateless, 2).await;
    }
    if let Some(server) = python("mcp 2.x", "modern.py", &["sse", "{port}"]) {
        check(&server.serve().target("/sse"), Era::Session, 2).await;
    }
}

/// What a reading takes beside the same questions asked by nobody but a pipe; printed, never asserted.
#[tokio::test]
#[allow(clippy::print_stderr)]
#[ignore = "a measurement: cargo test --release --test it real_servers::measure -- --ignored --nocapture"]
async fn measure() {
    for (server, opened) in [
        (node("server-everything", "npm", EVERYTHING, &["stdio"]), false),
        (node("server-memory", "npm", MEMORY, &[]), false),
        (python("mcp-server-time", "mcp-server-time", &[]), true),
    ] {
        let Some(server) = server else { continue };
        let era = if opened { Era::Stateless } else { Era::Session };
        let options = Options { protocol_hint: Some(era), ..Options::default() };
        let (mut bare, mut ours, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..15 {
            bare.push(ask_bare(&server, opened));
            let start = Instant::now();
            let reading = read(&server.target(), &options, &|_| ()).await.unwrap();
            ours.push(reading.time_total);
            ends.push(start.elapsed() - reading.time_total);
        }
        ends.sort();
        bare.sort();
        ours.sort();
        let (bare, ours, end) = (bare[7], ours[7], ends[7]);
        eprintln!(
            "{}: its own time {bare:?}, read in {ours:?}, ended in {end:?} (medians of 15)",
            server.name
        );
    }
}

/// The same questions as a reading asks, and the time until the last answer.
fn ask_bare(server: &Server, stateless: bool) -> Duration {
    let start = Instant::now();
    let mut child = server.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let meta = if stateless { meta } else { "" };
    let opening = if stateless {
        format!(r#"{{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{{{meta}}}}}"#)
    } else {
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#.to_owned()
    };
    let mut line = String::new();
    writeln!(input, "{opening}").unwrap();
    output.read_line(&mut line).unwrap();
    if !stateless {
        writeln!(input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
    }
    let methods = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    for (id, method) in methods.iter().enumerate() {
        writeln!(input, r#"{{"jsonrpc":"2.0","id":{},"method":"{method}","params":{{{meta}}}}}"#, id + 1)
            .unwrap();
    }
    let mut answers = 0;
    while answers < methods.len() {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "{} ended", server.name);
        answers += usize::from(line.contains("\"id\":"));
    }
    let time = start.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    time
}
