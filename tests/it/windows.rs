//! What is other on Windows: ends that cannot be polled, launchers that are scripts, and process trees
//! that a job object holds together.

use super::fixture;
use super::gate::{PATIENCE, Place, Session, approved, is_refused};
use mcpwatch::engine::launchpin::{CommandLaunch, Launch};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc::channel;

/// A client's entry says `npx`; what there is on Windows is `npx.cmd`, which starts the server as a
/// process below itself.
#[test]
fn npx_is_a_script_and_its_whole_tree_ends_with_the_client() {
    let place = Place::new();
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let server = place.server(&["--change", "description,stays"]).join("\" \"");
    let script = format!("@echo off\r\n\"{}\" \"{server}\"\r\n", fixture::path().display());
    std::fs::write(bin.join("npx.cmd"), script).unwrap();
    let args = ["-y".to_owned(), "notes-server@1.0.0".to_owned()];
    let launch = CommandLaunch { command: "npx".to_owned(), args: args.to_vec(), ..CommandLaunch::default() };
    place.pin_launch(&Launch::Command(launch), approved());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [bin].into_iter().chain(std::env::split_paths(&path));
    let mut command = place.run(&["--trust-lock"]);
    command.env("PATH", std::env::join_paths(folders).unwrap()).args(["--", "npx"]).args(args);
    // Everybody below the gate inherits its stderr, so that ends when the last of them has.
    let (mut alive, stderr) = std::io::pipe().unwrap();
    let mut session = Session::start_with(command, stderr.into());
    session.open();
    assert_eq!(session.tools().len(), 8);
    assert!(is_refused(&session.call("search", r#"{"query":"x"}"#)));
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    assert!(!session.has_seen("CHANGED"), "{:#?}", session.seen);
    assert!(!place.log().contains("\"search\""), "the call reached the server");
    session.close();
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(alive.read_to_end(&mut Vec::new()).is_ok()));
    assert!(told.recv_timeout(PATIENCE).unwrap(), "somebody of the tree lives on");
}

/// What an argument means to `cmd.exe`, which runs a script, it does not mean: the server gets the text.
#[test]
fn an_argument_of_a_script_is_a_text_whatever_it_says_to_cmd() {
    for text in [
        "two words",
        r#"a "quoted" word"#,
        r#"{"a": "b"}"#,
        "100%",
        "%PATH%",
        "%CMDCMDLINE:~-1%& echo x> injected",
        "a^b ^& c^",
        "a&echo x> injected",
        r#"a" & echo x> injected & rem ""#,
        "a|b <c >d",
        "!PATH!",
        "(a) ; b, c = d",
        r"C:\some folder\",
        r#"a\" & echo x> injected"#,
        "ä €",
    ] {
        let place = Place::new();
        let (mut session, stderr) = through_npx(&place, text);
        session.open();
        assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)), "{text}");
        drop(session);
        let said = std::fs::read_to_string(stderr).unwrap();
        // Wine's cmd expands variables in spite of what holds the system's own off.
        assert!(text.contains('%') || said.trim_end_matches(['\r', '\n']) == text, "{text} became {said}");
        assert!(!place.path("injected").exists(), "{text}");
    }
}

/// A line's end cannot be handed on to a script: nothing starts.
#[test]
fn an_argument_that_would_end_the_line_starts_no_script() {
    for text in ["a\necho x> injected", "a\recho x> injected"] {
        let place = Place::new();
        let (mut session, _) = through_npx(&place, text);
        session.open();
        let answer = session.call("echo", r#"{"text":"hello"}"#);
        assert!(is_refused(&answer) && format!("{answer:?}").contains("could not be started"), "{answer:?}");
        assert!(!place.path("injected").exists() && place.log().is_empty());
    }
}

/// A gate in front of an `npx.cmd` that hands its arguments on to the fixture, as npm's own does; one of
/// them is a text that the fixture writes to stderr, which is the file given.
fn through_npx(place: &Place, text: &str) -> (Session, std::path::PathBuf) {
    let bin = place.path("the bin");
    std::fs::create_dir(&bin).unwrap();
    let server = place.server(&[]).join("\" \"");
    let script = format!("@ECHO off\r\n\"{}\" \"{server}\" %*\r\n", fixture::path().display());
    std::fs::write(bin.join("npx.cmd"), script).unwrap();
    let args = ["--stderr".to_owned(), text.to_owned()];
    let launch = CommandLaunch { command: "npx".to_owned(), args: args.to_vec(), ..CommandLaunch::default() };
    place.pin_launch(&Launch::Command(launch), approved());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [bin].into_iter().chain(std::env::split_paths(&path));
    let mut command = place.run(&["--trust-lock"]);
    command.env("PATH", std::env::join_paths(folders).unwrap()).args(["--", "npx"]).args(args);
    let stderr = place.path("stderr");
    (Session::start_with(command, File::create(&stderr).unwrap().into()), stderr)
}

/// Everything is there at once, and the end with it.
#[test]
fn a_session_from_one_file_to_another() {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut input = File::create(place.path("input")).unwrap();
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"blob","arguments":{"bytes":300000}}}"#,
    ] {
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let mut command = place.run(&["--trust-lock"]);
    command.arg("--").arg(fixture::path()).args(&args).stderr(Stdio::null());
    command.stdin(File::open(place.path("input")).unwrap());
    command.stdout(File::create(place.path("output")).unwrap());
    assert!(command.status().unwrap().success());
    let text = std::fs::read_to_string(place.path("output")).unwrap();
    assert!(text.contains("hello") && text.len() > 300_000, "{text:.2000}");
    assert_eq!(text.lines().filter(|line| line.contains(r#""id":"#)).count(), 3);
}
