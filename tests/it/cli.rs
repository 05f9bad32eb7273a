//! The command as a person or a script meets it: arguments, help, outputs, exit codes.

mod approve;
pub mod bench;
mod check;
mod init;
mod placeholders;
mod plan;
mod scan;

use bench::{mcpwatch, text};

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
    let folder = home.path().join("man1");
    let pages = mcpwatch(home.path(), &["man", folder.to_str().unwrap()]);
    assert_eq!(pages.status.code(), Some(0));
    assert!(folder.join("mcpwatch-check.1").is_file());
}

#[test]
fn the_reference_is_current() {
    let home = tempfile::tempdir().unwrap();
    let now = text(&mcpwatch(home.path(), &["man", "--markdown"]).stdout);
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let written = written.replace("\r\n", "\n");
    assert!(now == written, "docs/cli.md is out of date: cargo run -- man --markdown > docs/cli.md");
}

#[test]
fn a_closed_pipe_ends_the_printing_quietly() {
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcpwatch"))
        .args(["completions", "zsh"])
        .env("MCPWATCH_HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}
