//! What `wrap` writes is read without the parser as the parser reads it, and nothing else is.

#![allow(clippy::unwrap_used)]

use super::Cli;
use clap::Parser;
use proptest::prelude::*;
use std::ffi::OsString;

fn words(line: &[&str]) -> Vec<OsString> {
    ["mcpwatch", "run"].iter().chain(line).map(OsString::from).collect()
}

#[track_caller]
fn check(line: &str, is_read: bool) {
    let words = words(&line.split_whitespace().collect::<Vec<_>>());
    let quick = Cli::as_wrapped(&words);
    assert_eq!(quick.is_some(), is_read, "{line}");
    if is_read {
        assert_eq!(format!("{quick:?}"), format!("{:?}", Cli::try_parse_from(&words).ok()), "{line}");
    }
}

#[test]
fn what_wrap_writes_is_read_without_the_parser() {
    for line in [
        "--server a -- npx -y pkg --lock x",
        "--lock mcp.lock --server a --trust-lock -- server",
        "--server a --lock ./mcp.lock -- server -- --",
    ] {
        check(line, true);
    }
    for line in [
        "--server a --lock=mcp.lock -- server",
        "--server a -q -- server",
        "--server a --server b -- server",
        "--server --lock -- server",
        "--server a --url https://h.example/mcp",
        "--id cursor:a",
        "--server a",
        "--server a --",
        "--server a --help",
        "-- server",
        "server",
        "",
    ] {
        check(line, false);
    }
    assert!(Cli::as_wrapped(&[]).is_none());
    let other = ["mcpwatch", "check", "--server", "a", "--", "server"].map(OsString::from);
    assert!(Cli::as_wrapped(&other).is_none());
}

proptest! {
    #[test]
    fn whatever_is_read_without_the_parser_is_read_alike(
        line in prop::collection::vec(
            prop::sample::select(vec![
                "--server", "--lock", "--trust-lock", "--", "a", "", "-", "-q", "--url", "mcp.lock", "--server=a", "é b",
            ]),
            0..9,
        )
    ) {
        let words = words(&line);
        if let Some(quick) = Cli::as_wrapped(&words) {
            prop_assert_eq!(format!("{quick:?}"), format!("{:?}", Cli::try_parse_from(&words).unwrap()));
        }
    }
}
