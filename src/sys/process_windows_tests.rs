//! Job objects: how processes start and how nothing of them is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::path::Path;
use std::time::Instant;

fn cmd(script: &str) -> Command {
    Command { program: "cmd".into(), args: vec!["/c".into(), script.into()], ..Command::default() }
}

/// The output ends when the last process that holds it has ended.
async fn check_end(script: &str, drops: bool) {
    let mut process = Process::spawn(&cmd(script), Stderr::Tail).unwrap();
    let mut output = process.take_stdout().unwrap();
    let mut first = [0];
    output.read_exact(&mut first).await.unwrap();
    let start = Instant::now();
    if drops {
        drop(process);
    } else {
        process.end().await;
    }
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), output.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(start.elapsed() < GRACE + LEAVE + Duration::from_secs(2), "took {:?}", start.elapsed());
}

#[tokio::test]
async fn no_helper_survives_the_end() {
    check_end("start /b ping -n 60 127.0.0.1 & echo up & ping -n 60 127.0.0.1", false).await;
}

#[tokio::test]
async fn a_helper_that_outlived_its_server_ends_too() {
    check_end("echo up & start /b ping -n 60 127.0.0.1 & exit 3", false).await;
}

#[tokio::test]
async fn dropping_ends_the_job() {
    check_end("start /b ping -n 60 127.0.0.1 & echo up & ping -n 60 127.0.0.1", true).await;
}

#[tokio::test]
async fn what_does_not_start_is_told() {
    let command = Command { program: "no-such-program-here".into(), ..Command::default() };
    let error = Process::spawn(&command, Stderr::Tail).unwrap_err();
    assert_eq!(error.to_string(), r#"the program "no-such-program-here" was not found"#);
}

/// Starts a program with a folder before those of `PATH`.
fn started(program: impl Into<OsString>, first: &Path, cwd: &Path) -> Result<Process, SpawnError> {
    let args = vec!["it".into()];
    let cwd = Some(cwd.to_owned());
    let mut command = Command { program: program.into(), args, cwd, ..Command::default() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned()].into_iter().chain(std::env::split_paths(&path));
    command.env.insert("Path".into(), Some(std::env::join_paths(folders).unwrap()));
    Process::spawn(&command, Stderr::Tail)
}

#[tokio::test]
async fn scripts_are_found_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let (bin, cwd) = (folder.path().join("the bin"), folder.path().join("work"));
    for folder in [&bin, &cwd] {
        std::fs::create_dir(folder).unwrap();
    }
    for name in ["npxlike.cmd", "python3.11.bat", "server.js.cmd"] {
        std::fs::write(bin.join(name), "@echo found %1\r\n").unwrap();
    }
    // What npm puts beside each of its scripts is for other shells.
    std::fs::write(bin.join("npxlike"), "#!/bin/sh\n").unwrap();
    let bare = ["npxlike", "npxlike.cmd", "NPXLIKE", "python3.11", "server.js"].map(OsString::from);
    let paths = [bin.join("npxlike"), bin.join("python3.11"), "..\\the bin\\npxlike".into()];
    for program in bare.into_iter().chain(paths.map(PathBuf::into_os_string)) {
        let mut process = started(&program, &bin, &cwd).unwrap();
        let mut text = String::new();
        process.take_stdout().unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text.trim(), "found it", "{program:?}");
        process.end().await;
    }
}

#[tokio::test]
async fn what_lies_in_the_working_folder_stands_in_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (bin, cwd) = (folder.path().join("bin"), folder.path().join("work"));
    for folder in [&bin, &cwd] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("npxlike.cmd"), "@echo found %1\r\n").unwrap();
    }
    std::fs::write(cwd.join("alone.cmd"), "@echo found %1\r\n").unwrap();
    for program in ["npxlike", "npxlike.cmd", "alone"] {
        let error = started(program, &bin, &cwd).unwrap_err();
        assert!(matches!(error, SpawnError::Beside { .. }), "{program}: {error}");
    }
    // The one file by two ways is one.
    started("npxlike", &bin, &bin).unwrap().end().await;
    started(cwd.join("alone"), &bin, &cwd).unwrap().end().await;
}
