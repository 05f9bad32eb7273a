//! The command as a person or a script meets it: arguments, help, outputs, exit codes.

use std::process::{Command, Output, Stdio};

/// The built command with a data directory of its own and no terminal.
pub fn mcpwatch(home: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcpwatch"));
    command.args(args).env("MCPWATCH_HOME", home).env_remove("NO_COLOR").stdin(Stdio::null());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_is_data_and_wrong_usage_is_words() {
    let home = tempfile::tempdir().unwrap();
    let help = mcpwatch(home.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(help.stderr.is_empty());
    assert!(text(&help.stdout).contains("Exit codes:"));
    let wrong = mcpwatch(home.path(), &["--no-such-option"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty());
}

#[test]
fn completions_and_man_are_printed() {
    let home = tempfile::tempdir().unwrap();
    let script = mcpwatch(home.path(), &["completions", "bash"]);
    assert_eq!(script.status.code(), Some(0));
    assert!(text(&script.stdout).contains("_mcpwatch"));
    let page = mcpwatch(home.path(), &["man"]);
    assert!(text(&page.stdout).contains(".TH mcpwatch 1"));
}

#[test]
fn the_reference_is_current() {
    let home = tempfile::tempdir().unwrap();
    let now = text(&mcpwatch(home.path(), &["man", "--markdown"]).stdout);
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    assert!(now == written, "docs/cli.md is out of date: cargo run -- man --markdown > docs/cli.md");
}
