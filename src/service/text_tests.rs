//! The unit, the agent and the task, word by word and by their rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::process::Command;

fn plain() -> Program {
    Program { path: "/usr/local/bin/mcpwatch".to_owned(), home: None, search: None }
}

/// Every character that some quoting could trip over.
fn odd() -> Program {
    Program {
        path: "/home/o'neill/my \"bin\" & <co>/100%$HOME\\mcpwatch".to_owned(),
        home: Some("/home/o'neill/moved %h $x".to_owned()),
        search: Some("/home/o'neill/.nvm/bin:/usr/bin:/opt/a & b".to_owned()),
    }
}

#[test]
fn units() {
    insta::assert_snapshot!(unit(&plain(), Confinement::Namespaces));
    insta::assert_snapshot!(unit(&odd(), Confinement::Plain));
}

#[test]
fn agents() {
    insta::assert_snapshot!(agent(&plain()));
    insta::assert_snapshot!(agent(&odd()));
}

#[test]
fn tasks() {
    insta::assert_snapshot!(task(&plain(), r"DESK\ada"));
    insta::assert_snapshot!(task(&odd(), "a&b"));
    assert_eq!(utf16("a\n"), [0xFF, 0xFE, b'a', 0, b'\r', 0, b'\n', 0]);
}

/// Runs a checker over a file of that text, or tells that there is none.
fn check(name: &str, file: &str, text: &str, command: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, text).unwrap();
    let output = Command::new(command[0])
        .args(&command[1..])
        .arg(&path)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: {name} ({} is missing)", command[0]);
        return;
    };
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    assert!(!words.contains("mcpwatch.service:"), "no line of ours is complained about: {words}");
}

#[test]
fn systemd_accepts_the_unit() {
    // A program that exists, because the checker looks.
    let program = Program {
        path: "/bin/true".to_owned(),
        home: Some("/tmp/%h $x \"q\"".to_owned()),
        search: Some("/usr/bin:/opt/50% \\ $HOME".to_owned()),
    };
    for confinement in [Confinement::Namespaces, Confinement::Plain] {
        let text = unit(&program, confinement).replace("man:mcpwatch(1)", "https://example.org");
        let command = ["systemd-analyze", "--user", "--man=no", "verify"];
        check("systemd_accepts_the_unit", UNIT, &text, &command);
    }
}

#[test]
fn agents_and_tasks_are_sound_xml() {
    for program in [plain(), odd()] {
        let parse = "import sys, plistlib; p = plistlib.load(open(sys.argv[1], 'rb')); \
                     assert p['ProgramArguments'][1:] == ['daemon'] and p['KeepAlive'] == {'SuccessfulExit': False}";
        check("agents_and_tasks_are_sound_xml", "agent.plist", &agent(&program), &["python3", "-c", parse]);
        let parse = "import sys, xml.etree.ElementTree as e; r = e.fromstring(open(sys.argv[1]).read()\
                     .replace('UTF-16', 'UTF-8').encode()); assert [c.tag.split('}')[1] for c in r] == \
                     ['RegistrationInfo', 'Triggers', 'Principals', 'Settings', 'Actions']";
        check(
            "agents_and_tasks_are_sound_xml",
            "task.xml",
            &task(&program, "ada"),
            &["python3", "-c", parse],
        );
    }
}
