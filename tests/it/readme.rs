//! The README shows what a new user sees: its transcript is run, and its files exist.

use crate::fixture;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_transcript_is_what_the_example_prints() {
    let text = readme();
    let shown = text
        .split_once("$ cargo run --example rug_pull\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(block, _)| block)
        .unwrap();
    let program = fixture::example("rug_pull");
    // Both outputs in the order in which a terminal shows them.
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" 2>&1"])
        .arg(program)
        .env("NO_COLOR", "1")
        .env_remove("MCPWATCH_HOME")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
}

#[test]
fn every_file_it_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = readme();
    let named: Vec<&str> =
        text.split('`').filter(|word| word.starts_with("docs/") || word.starts_with("examples/")).collect();
    assert!(named.len() > 3, "the README names its documents");
    let missing: Vec<&&str> = named.iter().filter(|name| !root.join(name).exists()).collect();
    assert!(missing.is_empty(), "the README names what is not there: {missing:?}");
}
