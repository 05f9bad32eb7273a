//! Process groups: how they start and how nothing of them is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::time::Instant;

fn shell(script: &str) -> Command {
    Command { program: "sh".into(), args: vec!["-c".into(), script.into()], ..Command::default() }
}

/// Whether any process lives whose command line holds this mark.
fn lives(mark: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.into_iter().any(|entry| {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
        !own && String::from_utf8_lossy(&command).replace('\0', " ").contains(mark)
    })
}

async fn started(mark: &str) {
    let until = Instant::now() + Duration::from_secs(5);
    while !lives(mark) {
        assert!(Instant::now() < until, "{mark} did not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn check_end(script: &str, mark: &str, at_most: Duration) {
    let process = Process::spawn(&shell(script), Stderr::Tail).unwrap();
    started(mark).await;
    let start = Instant::now();
    process.end().await;
    assert!(start.elapsed() < at_most, "took {:?}", start.elapsed());
    assert!(!lives(mark), "{mark} lives on");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_helper_survives_the_end() {
    check_end("sleep 610.1 & cat", "sleep 610.1", Duration::from_secs(1)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_helper_that_outlived_its_server_ends_too() {
    let mut process = Process::spawn(&shell("sleep 610.2 & exit 3"), Stderr::Tail).unwrap();
    assert_eq!(process.wait().await.unwrap().code(), Some(3));
    started("sleep 610.2").await;
    assert_eq!(process.end().await.unwrap().code(), Some(3));
    assert!(!lives("sleep 610.2"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_ignores_sigterm_is_killed_after_the_grace() {
    let script = "trap '' TERM; sleep 610.3 & while :; do wait; sleep 0.1; done";
    check_end(script, "sleep 610.3", GRACE + LEAVE + Duration::from_secs(1)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_kills_the_group() {
    let process = Process::spawn(&shell("sleep 610.4 & sleep 610.5"), Stderr::Tail).unwrap();
    started("sleep 610.4").await;
    started("sleep 610.5").await;
    drop(process);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!lives("sleep 610.4") && !lives("sleep 610.5"));
}

#[tokio::test]
async fn the_end_of_stderr_is_kept() {
    let script = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; echo last >&2; exit 1";
    let mut process = Process::spawn(&shell(script), Stderr::Tail).unwrap();
    process.wait().await.unwrap();
    let tail = process.tail();
    process.end().await;
    let text = tail.text();
    assert!(text.len() <= TAIL && text.len() > TAIL - 100, "{}", text.len());
    assert!(text.starts_with("line ") && text.ends_with("line 2999\nlast\n"), "{}", &text[..40]);
}

#[tokio::test]
async fn what_does_not_start_is_told() {
    let check = |command: Command, expected: &str| {
        let error = Process::spawn(&command, Stderr::Tail).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!error.hint().is_empty());
    };
    check(
        Command { program: "no-such-program-here".into(), ..Command::default() },
        r#"the program "no-such-program-here" was not found"#,
    );
    check(
        Command { cwd: Some("/no/such/folder".into()), ..shell("true") },
        "the working folder /no/such/folder does not exist",
    );
}

#[tokio::test]
async fn variables_are_set_and_removed() {
    let mut command = shell("echo $ADDED${HOME+home} >&2");
    command.env.insert("ADDED".into(), Some("yes".into()));
    command.env.insert("HOME".into(), None);
    let mut process = Process::spawn(&command, Stderr::Tail).unwrap();
    process.wait().await.unwrap();
    let tail = process.tail();
    process.end().await;
    assert_eq!(tail.text(), "yes\n");
}
