//! A person at a pseudo-terminal, made by `script`: waits for questions, and types the answers.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A command at a pseudo-terminal.
struct Pty {
    child: Child,
    stdin: ChildStdin,
    screen: Arc<Mutex<String>>,
}

/// Runs a `script` command, types each answer after its question, and gives exit code and screen.
pub fn type_at(mut script: Command, answers: &[(&str, &dyn Fn() -> String)]) -> (i32, String) {
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = script.spawn().unwrap();
    let screen = Arc::new(Mutex::new(String::new()));
    let (mut stdout, copy) = (child.stdout.take().unwrap(), Arc::clone(&screen));
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut bytes) {
            copy.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    });
    let stdin = child.stdin.take().unwrap();
    let mut pty = Pty { child, stdin, screen };
    for (prompt, answer) in answers {
        pty.wait_for(prompt);
        let answer = answer();
        pty.screen.lock().unwrap().clear();
        pty.stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    let status = eventually(20, || pty.child.try_wait().unwrap());
    let screen = pty.screen.lock().unwrap().clone();
    let status = status.unwrap_or_else(|| panic!("it does not end:\n{screen}"));
    (status.code().unwrap_or(-1), screen)
}

impl Pty {
    fn wait_for(&mut self, prompt: &str) {
        let found = eventually(20, || self.screen.lock().unwrap().contains(prompt).then_some(()));
        let screen = self.screen.lock().unwrap().clone();
        assert!(found.is_some(), "no prompt {prompt:?}:\n{screen}");
        // What is typed before a question stands is not its answer.
        std::thread::sleep(Duration::from_millis(150));
    }
}

/// Looks again and again, for that many seconds at most.
pub fn eventually<T>(seconds: u64, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        let found = look();
        if found.is_some() || Instant::now() > until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(40));
    }
}
