//! A person at a terminal: commands run on a pseudo-terminal, and answers typed to what they ask.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a terminal sends for Ctrl-C, as an answer.
pub const CTRL_C: &str = "\x03";

/// Runs a command on a pseudo-terminal; each answer is typed after the next question. Gives what was
/// shown and the exit code, or `None` where the system has no `script` command to make a terminal.
pub fn answer(command: &Command, answers: &[&str]) -> Option<(String, i32)> {
    if !Path::new("/usr/bin/script").exists() || cfg!(not(target_os = "linux")) {
        crate::servers::skipped("script");
        return None;
    }
    let mut line = format!("exec '{}'", command.get_program().to_str().unwrap());
    command.get_args().for_each(|arg| line.push_str(&format!(" '{}'", arg.to_str().unwrap())));
    let mut script = Command::new("/usr/bin/script");
    script.args(["-qefc", &line, "/dev/null"]);
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let mut child = script
        .env("NO_COLOR", "1")
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    let (mut seen, mut answers) = (Vec::new(), answers.iter());
    let (mut from, until) = (0, Instant::now() + Duration::from_secs(60));
    loop {
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok(bytes) => seen.extend(bytes),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
        }
        let new = String::from_utf8_lossy(&seen[from..]).into_owned();
        if new.ends_with(" > ") || new.ends_with("to go on: ") {
            from = seen.len();
            // The question is asked a moment after what was typed before is thrown away.
            std::thread::sleep(Duration::from_millis(100));
            match answers.next() {
                Some(&CTRL_C) => stdin.write_all(CTRL_C.as_bytes()).unwrap(),
                Some(answer) => stdin.write_all(format!("{answer}\n").as_bytes()).unwrap(),
                None => stdin.write_all(b"\x04").unwrap(),
            }
        }
        assert!(Instant::now() < until, "no end: {}", String::from_utf8_lossy(&seen));
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Some((String::from_utf8_lossy(&seen).replace('\r', ""), code))
}
