//! The gate's own stdin and stdout, whatever a client makes them: pipes, socketpairs, terminals, files.
//! A flag that is set on an open file is set for everybody who holds it, so none is left behind.

use super::fixture;
use super::gate::{Place, approved};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

const TEXT: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"blob","arguments":{"bytes":300000}}}"#,
    "\n",
);

/// A gate that is ready to be started.
fn gate() -> (Place, Command) {
    let place = Place::new();
    let args = place.server(&[]);
    place.pin(&args, approved());
    let mut command = place.run(&["--trust-lock"]);
    command.arg("--").arg(fixture::path()).args(&args).stderr(Stdio::null());
    (place, command)
}

fn is_nonblocking(fd: impl AsFd) -> bool {
    OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL).unwrap()).contains(OFlag::O_NONBLOCK)
}

/// Runs a session over the two ends, which are ours from `to` and `from`.
#[track_caller]
fn check(what: &str, input: OwnedFd, output: OwnedFd, mut to: File, from: File) {
    let (_place, mut command) = gate();
    let (own_input, own_output) = (input.try_clone().unwrap(), output.try_clone().unwrap());
    let mut child = command.stdin(input).stdout(output).spawn().unwrap();
    drop(command);
    to.write_all(TEXT.as_bytes()).unwrap();
    let mut lines = BufReader::new(from).lines();
    let mut answers = Vec::new();
    while answers.len() < 3 {
        let line = lines.next().unwrap_or_else(|| panic!("{what}: it ended")).unwrap();
        if line.contains(r#""id":"#) {
            answers.push(line);
        }
        // Whoever shares the open file is not disturbed while the gate runs, where that can be helped.
        let shares = cfg!(target_os = "linux") && (is_nonblocking(&own_input) || is_nonblocking(&own_output));
        assert!(!shares, "{what}: a flag is set for everybody");
    }
    assert!(answers.iter().any(|line| line.contains("hello")), "{what}: {:.2000}", answers.join(" "));
    assert!(answers.iter().any(|line| line.len() > 300_000), "{what}");
    let (input, output) = (own_input.try_clone().unwrap(), own_output.try_clone().unwrap());
    drop((to, own_input, own_output, lines));
    if what == "a terminal" {
        // Its end is the end of the last who holds it, which is the gate itself: it is told to go.
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap()),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
    }
    let _status = child.wait().unwrap();
    assert!(!is_nonblocking(&input) && !is_nonblocking(&output), "{what}: a flag was left behind");
}

#[test]
fn pipes() {
    let (input, to) = std::io::pipe().unwrap();
    let (from, output) = std::io::pipe().unwrap();
    check("pipes", input.into(), output.into(), OwnedFd::from(to).into(), OwnedFd::from(from).into());
}

/// Node's `spawn` gives a socketpair for each end.
#[test]
fn socketpairs() {
    let (to, input) = UnixStream::pair().unwrap();
    let (from, output) = UnixStream::pair().unwrap();
    check("socketpairs", input.into(), output.into(), OwnedFd::from(to).into(), OwnedFd::from(from).into());
}

#[test]
fn a_terminal() {
    let pty = nix::pty::openpty(None, None).unwrap();
    // As an editor would have it: no echo, no translation, no limit to a line.
    let mut modes = tcgetattr(&pty.slave).unwrap();
    cfmakeraw(&mut modes);
    tcsetattr(&pty.slave, SetArg::TCSANOW, &modes).unwrap();
    let (to, from) = (pty.master.try_clone().unwrap(), pty.master);
    check("a terminal", pty.slave.try_clone().unwrap(), pty.slave, to.into(), from.into());
}

/// Everything is there at once, and the end with it.
#[test]
fn files() {
    let (place, mut command) = gate();
    let (input, output) = (place.path("input"), place.path("output"));
    std::fs::write(&input, TEXT).unwrap();
    let status =
        command.stdin(File::open(input).unwrap()).stdout(File::create(&output).unwrap()).status().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(output).unwrap();
    assert!(text.contains("hello") && text.len() > 300_000, "{text:.2000}");
    assert_eq!(text.lines().filter(|line| line.contains(r#""id":"#)).count(), 3);
}

/// What can be read without end and written without trace.
#[test]
fn devices() {
    let (_place, mut command) = gate();
    let status =
        command.stdin(File::open("/dev/null").unwrap()).stdout(File::create("/dev/null").unwrap()).status();
    assert!(status.unwrap().success());
}
