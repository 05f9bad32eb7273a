//! Notifications on a real session bus, with a real notification service on a display without a screen.
//!
//! The parent test brings up bus, display and service; the scenario runs in a process of its own,
//! because the session's address comes from the environment.

use mcpwatch::alert::code::CodeRequest;
use mcpwatch::alert::text::{Action, Cause, Name, Notice, What};
use mcpwatch::alert::{Desktop, Heard};
use mcpwatch::engine::approval::Answer;
use mcpwatch::engine::digest::{Digest, Tag};
use mcpwatch::engine::surface::Kind;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A session bus, a display and a notification service; gone when dropped.
pub struct Session {
    folder: tempfile::TempDir,
    bus: String,
    display: String,
    children: Vec<Child>,
}

const PROGRAMS: [&str; 6] = ["dbus-daemon", "dbus-send", "dunst", "dunstctl", "Xvfb", "import"];

impl Session {
    /// Brings a session up, or tells which program is missing.
    pub fn start() -> Result<Self, String> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let missing =
            |program: &&str| !std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
        if let Some(program) = PROGRAMS.iter().find(|program| missing(program)) {
            return Err(format!("{program} is missing"));
        }
        let folder = tempfile::tempdir().unwrap();
        let mut session = Self { folder, bus: String::new(), display: String::new(), children: Vec::new() };
        session.start_bus();
        session.start_display();
        session.start_dunst();
        Ok(session)
    }

    /// A command in this session, with nothing else of the environment that could matter.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("DISPLAY", &self.display)
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("CI")
            .env_remove("SSH_CONNECTION")
            .env_remove("SSH_TTY")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// What the service showed so far: one line for each notification, `summary | body`.
    pub fn shown(&self) -> PathBuf {
        self.folder.path().join("shown")
    }

    /// Without directories of services, so that nothing comes back by itself.
    fn start_bus(&mut self) {
        let socket = self.folder.path().join("bus");
        let config = self.folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>\
             <allow own='*'/></policy></busconfig>",
            socket.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(&config).args(["--nofork", "--print-address"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.bus = line.trim().to_owned();
        self.children.push(child);
    }

    fn start_display(&mut self) {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "640x240x24", "-nolisten", "tcp"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.display = format!(":{}", line.trim());
        self.children.push(child);
    }

    fn start_dunst(&mut self) {
        let script = self.folder.path().join("note.sh");
        let text = format!(
            "#!/bin/sh\nprintf '%s | %s\\n' \"$DUNST_SUMMARY\" \"$(printf %s \"$DUNST_BODY\" | tr '\\n' ' ')\" >> {}\n",
            self.shown().display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let config = self.folder.path().join("dunstrc");
        let text = format!(
            "[global]\nfont = DejaVu Sans 11\nwidth = 560\nheight = 200\norigin = top-center\noffset = 0x40\n\
             markup = full\nformat = \"<b>%a: %s</b>\\n%b\"\nshow_indicators = yes\npadding = 14\n\
             horizontal_padding = 18\nframe_width = 2\nstack_duplicates = false\nenable_posix_regex = true\n\
             [urgency_critical]\nbackground = \"#fdf6e3\"\nforeground = \"#333333\"\nframe_color = \"#c0392b\"\n\
             [urgency_normal]\nbackground = \"#fdf6e3\"\nforeground = \"#333333\"\nframe_color = \"#7f8c8d\"\n\
             [note]\nsummary = \".*\"\nscript = {}\n",
            script.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = self.command("dunst");
        command.arg("-config").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        self.children.push(command.spawn().unwrap());
        let up = || self.run(&["dunstctl", "is-paused"]).status.success();
        assert!(eventually(up), "dunst answers");
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words[0]).args(&words[1..]).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn notifications_on_a_real_desktop() {
    let session = match Session::start() {
        Ok(session) => session,
        Err(why) => return eprintln!("skipped: notifications_on_a_real_desktop ({why})"),
    };
    let mut command = session.command(std::env::current_exe().unwrap());
    command
        .args(["--exact", "desktop::scenario", "--nocapture"])
        .env("MCPWATCH_TEST_SESSION", session.shown());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(child.wait().unwrap().success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "{out}");
}

/// Runs inside the session that [`notifications_on_a_real_desktop`] brings up; alone it does nothing.
#[tokio::test]
async fn scenario() {
    let Some(shown) = std::env::var_os("MCPWATCH_TEST_SESSION").map(PathBuf::from) else { return };
    let (tell, mut heard) = mpsc::channel(16);
    let desktop = Desktop::open(tell).await.unwrap();
    let github = || Name::new("github", 1);
    let notice = |number, held| Notice::Change {
        server: github(),
        items: vec![(What::Changed, Kind::Tool, number)],
        cause: Cause::SameArtifact,
        since: "12:03".to_owned(),
        held,
    };

    // Shown, and replaced rather than stacked.
    let first = desktop.show(&notice(1, 0).text(), 0).await.unwrap();
    assert!(eventually(|| read(&shown).contains("github changed 1 tool")), "{}", read(&shown));
    let second = desktop.show(&notice(2, 1).text(), first).await.unwrap();
    assert_eq!(first, second);
    assert!(eventually(|| read(&shown).contains("github changed 2 tools")), "{}", read(&shown));
    assert_eq!(run(&["dunstctl", "count", "displayed"]), "1");
    if let Some(file) = std::env::var_os("MCPWATCH_TEST_SCREENSHOT") {
        tokio::time::sleep(Duration::from_millis(500)).await;
        run(&["import", "-window", "root", file.to_str().unwrap()]);
    }

    // A forged click, to everybody and to each connection by its own name, is not heard.
    for connection in connections().iter().map(Some).chain([None]) {
        for key in ["review", "default"] {
            let mut words = vec!["dbus-send", "--session", "--type=signal"];
            let to = connection.map(|name| format!("--dest={name}"));
            words.extend(to.as_deref());
            let (id, key) = (format!("uint32:{second}"), format!("string:{key}"));
            words.extend([
                "/org/freedesktop/Notifications",
                "org.freedesktop.Notifications.ActionInvoked",
                &id,
                &key,
            ]);
            run(&words);
        }
    }
    let silence = tokio::time::timeout(Duration::from_millis(700), heard.recv()).await;
    assert!(silence.is_err(), "a forged click was heard: {silence:?}");

    // A real one is.
    run(&["dunstctl", "action", "0"]);
    let clicked = tokio::time::timeout(Duration::from_secs(5), heard.recv()).await.unwrap();
    assert_eq!(clicked, Some(Heard::Clicked { id: second, action: Action::Review }));
    run(&["dunstctl", "close"]);
    let closed = tokio::time::timeout(Duration::from_secs(5), heard.recv()).await.unwrap();
    assert_eq!(closed, Some(Heard::Closed { id: second }));

    // The code is read from the notification; it counts once, and for its offer.
    let offer = Digest::of_bytes(Tag::Offer, b"shown");
    let ask = || CodeRequest::show(github(), 2, offer, Name::new("pts/4", 0), 1_000).unwrap();
    let mut request = ask();
    let code = code_in(&shown);
    assert_eq!(request.answer(2_000, &offer, &code), Answer::Accepted);
    assert_eq!(request.answer(2_001, &offer, &code), Answer::Expired, "a code counts once");
    drop(request);
    assert!(eventually(|| run(&["dunstctl", "count", "displayed"]) == "0"), "a used code is taken away");

    // Three wrong ones drop the request, and that is announced.
    let mut request = ask();
    let last = code_in(&shown);
    assert_ne!(last, code);
    for expected in [Answer::Wrong(2), Answer::Wrong(1), Answer::Dropped] {
        assert_eq!(request.answer(2_000, &offer, &code), expected);
    }
    assert_eq!(request.answer(2_000, &offer, &last), Answer::Expired);
    drop(request);
    assert!(eventually(|| read(&shown).contains("Three wrong codes for github")), "{}", read(&shown));
    assert_eq!(run(&["dunstctl", "count", "displayed"]), "1", "the announcement stays");

    // A service that goes away is an answer, not a failure.
    let pid = run(&[
        "dbus-send",
        "--session",
        "--print-reply=literal",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.GetConnectionUnixProcessID",
        "string:org.freedesktop.Notifications",
    ]);
    let pid = pid.trim().trim_start_matches("uint32").trim().to_owned();
    run(&["kill", &pid]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let gone = desktop.show(&notice(3, 0).text(), 0).await.unwrap_err();
    assert_eq!(gone.to_string(), "no notification service runs on this desktop");
    let refused = CodeRequest::show(github(), 2, offer, Name::new("pts/4", 0), 1_000).unwrap_err();
    assert_eq!(refused.to_string(), "no notification service runs on this desktop");
}

/// The code that the notification service showed last.
fn code_in(shown: &Path) -> String {
    let before = read(shown).lines().filter(|line| line.starts_with("Code ")).count();
    let newest = || {
        read(shown).lines().filter(|line| line.starts_with("Code ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(eventually(|| !newest().is_empty() && newest().len() >= before), "{}", read(shown));
    std::thread::sleep(Duration::from_millis(300));
    newest().last().unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// The unique names on the bus.
fn connections() -> Vec<String> {
    let names = run(&[
        "dbus-send",
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.ListNames",
    ]);
    names.split('"').filter(|name| name.starts_with(':')).map(str::to_owned).collect()
}

fn run(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    holds()
}
