//! Which gates find the directories, by what a shell sets, what a client hands on and what an entry says.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::discover::{self, Scope};
#[cfg(target_os = "linux")]
use crate::sys::paths::Os;

fn vars(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn entry(client: &str, text: &str) -> Entry {
    let client = discover::client(client).unwrap();
    client.parse(std::path::Path::new("f"), Scope::User, text).entries.into_iter().next().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_moved_the_directories() {
    let check = |set: &[(&str, &str)], unmoved: &[(&str, &str)], expected: &[&str]| {
        let set = vars(set);
        let paths = Paths::of(Os::Linux, &set).unwrap();
        let unmoved = Paths::of(Os::Linux, &vars(unmoved)).unwrap();
        let moved = moved(&paths, Some(&unmoved), &set);
        assert_eq!(moved.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{set:?}");
    };
    let home = ("HOME", "/h");
    check(&[home], &[home], &[]);
    check(&[home, ("MCPWATCH_HOME", "/m")], &[home], &["MCPWATCH_HOME"]);
    check(&[home, ("XDG_DATA_HOME", "/d")], &[home], &["XDG_DATA_HOME"]);
    // Noted: the process without variables finds the same.
    check(&[home, ("XDG_DATA_HOME", "/d")], &[home, ("XDG_DATA_HOME", "/d")], &[]);
    // What may be rebuilt is no reason.
    check(&[home, ("XDG_CACHE_HOME", "/c")], &[home], &[]);
    let all = [home, ("XDG_CACHE_HOME", "/c"), ("XDG_CONFIG_HOME", "/k"), ("MCPWATCH_HOME", "")];
    check(&all, &[home], &["XDG_CACHE_HOME", "XDG_CONFIG_HOME"]);
}

#[test]
fn who_must_be_told() {
    let moved = vars(&[("MCPWATCH_HOME", "/m")]);
    let check = |client: &str, text: &str, expected: &[&str]| {
        let entry = entry(client, text);
        let target = Target { entry: &entry, name: "s", lock: None, requested: true, pinned: true };
        let found = of(&[target, target], &moved);
        assert_eq!(found.iter().flat_map(|found| &found.servers).collect::<Vec<_>>(), expected, "{text}");
    };
    let plain = r#"{"mcpServers": {"s": {"command": "c"}}}"#;
    check("cursor", plain, &["s", "s"]);
    check("claude-desktop", plain, &["s", "s"]);
    check("claude-code", plain, &[]);
    check("gemini-cli", plain, &[]);
    check("codex", "[mcp_servers.s]\ncommand = 'c'", &["s", "s"]);
    check("codex", "[mcp_servers.s]\ncommand = 'c'\nenv = { MCPWATCH_HOME = '/m' }", &[]);
    check("codex", "[mcp_servers.s]\ncommand = 'c'\nenv = { MCPWATCH_HOME = '/other' }", &["s", "s"]);
    let wrapped = r#"{"mcpServers": {"s": {"command": "/b/mcpwatch", "args": ["run", "--server=s", "--", "c"], "env": ENV}}}"#;
    check("cursor", &wrapped.replace("ENV", "{}"), &["s", "s"]);
    check("cursor", &wrapped.replace("ENV", r#"{"MCPWATCH_HOME": "/m"}"#), &[]);
}

#[test]
fn an_entry_that_names_another_store_is_told() {
    let here = vars(&[("HOME", "/h"), ("MCPWATCH_HOME", "/m")]);
    let wrapped = |env: &str| {
        let remote = r#""MCPWATCH_ENTRY": "{\"url\": \"https://u\"}", "#;
        [
            format!(
                r#"{{"mcpServers": {{"s": {{"command": "/b/mcpwatch", "args": ["run", "--server=s", "--", "c"], "env": {{{env}}}}}}}}}"#
            ),
            format!(
                r#"{{"mcpServers": {{"s": {{"command": "/b/mcpwatch", "args": ["run", "--id", "cursor:s"], "env": {{{remote}{env}}}}}}}}}"#
            ),
        ]
    };
    for (env, expected) in [
        (r#""A": "b""#, false),
        (r#""MCPWATCH_HOME": "/m""#, false),
        (r#""MCPWATCH_HOME": "/evil""#, true),
        (r#""XDG_DATA_HOME": "/evil""#, true),
        (r#""HOME": "/h""#, false),
    ] {
        for text in wrapped(env) {
            assert_eq!(is_elsewhere(&entry("cursor", &text), &here), expected, "{text}");
        }
    }
    let plain = r#"{"mcpServers": {"s": {"command": "c", "env": {"MCPWATCH_HOME": "/evil"}}}}"#;
    assert!(!is_elsewhere(&entry("cursor", plain), &here), "the launch pin has it");
}
