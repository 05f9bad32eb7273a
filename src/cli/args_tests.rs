//! The short parser of `run` reads what the whole parser reads, and refuses what it refuses.

#![allow(clippy::unwrap_used)]

use super::{Cli, Run};
use clap::Parser;

#[track_caller]
fn check(line: &str) {
    let words = || ["mcpwatch", "run"].into_iter().chain(line.split_whitespace());
    let whole = Cli::try_parse_from(words()).ok();
    let short = Run::try_parse_from(words()).ok().map(Cli::from);
    assert_eq!(format!("{short:?}"), format!("{whole:?}"), "{line}");
}

#[test]
fn run_is_read_alike_by_both_parsers() {
    for line in [
        "--server a -- npx -y pkg --lock x",
        "--lock mcp.lock --server a --trust-lock -- server",
        "--server a --lock=mcp.lock --config one --config two -q -- server",
        "--server a --color never --format json -v --env-file e -- server",
        "--server a --url https://h.example/mcp",
        "--id cursor:a",
        "--server a",
        "--server a -q -v -- server",
        "--server a --url https://h.example/mcp -- server",
        "--unknown --server a -- server",
        "server",
        "",
    ] {
        check(line);
    }
    // Help and version end in the whole parser, which has the words.
    for line in ["--help", "-h", "--server a --help"] {
        assert!(
            Run::try_parse_from(["mcpwatch", "run"].into_iter().chain(line.split(' '))).is_err(),
            "{line}"
        );
    }
}
