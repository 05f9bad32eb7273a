//! A scriptable MCP server that can be as hostile as one likes. For tests; it does no harm itself.
//!
//! ```text
//! fixture_server [--change NAME,…] [--when always|never|second-start|file|call|stranger|watcher|list=N] [--notify]
//!                [--state DIR] [--era session|stateless|both] [--page N] [--tools N] [--skills]
//!                [--secret TEXT | --secret-env NAME] [--log FILE] [--script FILE] [--stderr TEXT]
//!                [--exit CODE] [--start-ms N] [--answer-ms N]
//!                [--http PORT [--sse | --legacy-sse [--refusal STATUS]] [--token TEXT]]
//! ```
//! - `--change`: any of `surface::EDITS` (one field each, re-encodings, what parsers disagree on) and
//!   of `server::BEHAVIOURS` (cursors, silence, noise, lines of 17 MiB, …).
//! - `--when`: from when on it shows. `second-start` counts in `DIR/starts`; `file` waits for
//!   `DIR/change`; `call` for a call of the tool `change`
//!   (with `{"back":true}` everything is as it was); `stranger` for a client that is not called mcpwatch; `watcher` for one that is, once the file is there; `list=2` for the second `tools/list`.
//!   `--notify` also says `list_changed` then.
//! - `--log` appends every message received, a line each, so that a test can prove what never came.
//! - `--script`: a JSON object from method to a list of raw results; the nth request of the method
//!   gets the nth, the last one again and again. Raw: duplicate keys and odd escapes stay.
//! - `DIR/pid` has the process id.
//! - Over HTTP the log also has the header fields that MCP defines, as lines that begin with `HEADER`.
//! - `--http 0` takes a free port; its URL goes to stderr, and to `DIR/url`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod http;
mod options;
mod server;
mod surface;

use options::Options;
use server::{Peer, Server};
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn main() {
    let options = Options::parse(std::env::args().skip(1)).unwrap_or_else(|error| {
        eprintln!("fixture_server: {error}");
        std::process::exit(2);
    });
    if let Some(text) = &options.stderr {
        eprintln!("{text}");
    }
    std::thread::sleep(Duration::from_millis(options.start_ms));
    if let Some(code) = options.exit {
        std::process::exit(code);
    }
    let server = Server::new(options);
    match server.options.http {
        Some(port) => http::serve(&server, port),
        None => stdio(&server),
    }
}

fn stdio(server: &Arc<Server>) {
    let stdout = Mutex::new(std::io::stdout());
    let peer: Peer = Arc::new(move |message: &[u8]| {
        let mut stdout = stdout.lock().unwrap();
        // One write a line, so that a kill leaves no half of it. A closed pipe is the end.
        let line = [message, b"\n"].concat();
        if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
            std::process::exit(0);
        }
    });
    server.add_stream(&peer);
    if server.does("noise-start") {
        peer(b"fixture server is starting, this line is no JSON");
        peer(b"");
    }
    for line in std::io::stdin().lock().lines() {
        match line {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => server.receive(&line, &peer),
            Err(_) => break,
        }
    }
    if server.does("stays") {
        // Does not go when its input ends: only a signal ends it.
        std::thread::sleep(Duration::from_secs(600));
    }
}
