//! Which terminal a review is opened in, and with which words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn lines(desk: Desk, program: &str, server: &str, terminal: &str) -> String {
    let variables = BTreeMap::from([("TERMINAL".to_owned(), terminal.to_owned())]);
    let commands = commands(desk, program, &Name::new(server, 1), &variables, "/run/review.command");
    let lines: Vec<String> = commands.iter().map(|words| format!("{words:?}")).collect();
    lines.join("\n")
}

#[test]
fn every_terminal_gets_its_command() {
    insta::assert_snapshot!(lines(Desk::Free, "/usr/bin/mcpwatch", "github", ""));
}

#[test]
fn the_chosen_terminal_comes_first() {
    let table = [
        ("kitty", r#"["kitty", "/m", "approve", "github"]"#),
        ("/opt/bin/wezterm", r#"["/opt/bin/wezterm", "start", "--", "/m", "approve", "github"]"#),
        ("st", r#"["st", "-e", "/m", "approve", "github"]"#),
        ("sh -c 'evil'", r#"["xdg-terminal-exec", "/m", "approve", "github"]"#),
        ("--help", r#"["xdg-terminal-exec", "/m", "approve", "github"]"#),
    ];
    for (terminal, expected) in table {
        assert_eq!(lines(Desk::Free, "/m", "github", terminal).lines().next(), Some(expected), "{terminal}");
    }
}

#[test]
fn a_service_opens_terminals_beside_itself() {
    let variables = BTreeMap::from([("INVOCATION_ID".to_owned(), "1".to_owned())]);
    let commands = commands(Desk::Free, "/m", &Name::new("github", 1), &variables, "");
    let first = [
        "systemd-run",
        "--user",
        "--quiet",
        "--collect",
        "--",
        "xdg-terminal-exec",
        "/m",
        "approve",
        "github",
    ];
    assert_eq!(commands[0], first);
    assert!(commands.iter().all(|words| words[0] == "systemd-run"));
}

#[test]
fn other_systems() {
    insta::assert_snapshot!(lines(Desk::Mac, "/m", "github", ""), @r#"["open", "-a", "Terminal", "/run/review.command"]"#);
    insta::assert_snapshot!(lines(Desk::Windows, r"C:\Program Files\mcpwatch.exe", "github", ""), @r#"
    ["wt.exe", "new-tab", "--title", "mcpwatch", "C:\\Program Files\\mcpwatch.exe", "approve", "github"]
    ["cmd.exe", "/d", "/c", "start", "mcpwatch", "C:\\Program Files\\mcpwatch.exe", "approve", "github"]
    "#);
    insta::assert_snapshot!(lines(Desk::Windows, r"C:\a;b%PATH%\mcpwatch.exe", "github", ""), @r#"["wt.exe", "new-tab", "--title", "mcpwatch", "C:\\a\\;b%PATH%\\mcpwatch.exe", "approve", "github"]"#);
}

#[test]
fn a_name_that_is_not_plain_is_left_out() {
    for name in ["a b", "; rm -rf ~", "$(id)", "--yes", "", "ä", &"x".repeat(65)] {
        assert!(
            lines(Desk::Free, "/m", name, "").lines().all(|line| line.ends_with(r#""approve"]"#)),
            "{name}"
        );
        assert_eq!(script("/m", &Name::new(name, 1)), "#!/bin/sh\nclear\nexec '/m' 'approve'\n");
    }
}

#[test]
fn the_script_quotes_its_words() {
    let script = script("/Users/o'neill/$HOME/mcpwatch", &Name::new("github", 1));
    assert_eq!(script, "#!/bin/sh\nclear\nexec '/Users/o'\\''neill/$HOME/mcpwatch' 'approve' 'github'\n");
}
