//! A session that stays: read, signalled, read again, in both eras and over both transports.

use crate::fixture;
use mcpwatch::connect::{ConnectError, Options, Reading, Remote, Target, Told, stay};
use mcpwatch::engine::surface::{Era, ItemKey, Kind};
use mcpwatch::sys::process::Command;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The caller's ends of a session.
struct Session {
    told: mpsc::Receiver<Told>,
    again: mpsc::Sender<()>,
    end: JoinHandle<Result<(), ConnectError>>,
}

impl Session {
    fn open(target: Target) -> Self {
        let (tell, told) = mpsc::channel(4);
        let (again, asked) = mpsc::channel(1);
        let mut options = Options::default();
        options.limits.probe = Duration::from_millis(300);
        let end = tokio::spawn(async move { stay(&target, &options, tell, asked).await });
        Self { told, again, end }
    }

    async fn next(&mut self) -> Told {
        timeout(Duration::from_secs(10), self.told.recv())
            .await
            .expect("in time")
            .expect("a session that stays")
    }

    /// Opens one with a remote server, reads it, and comes to rest.
    async fn at_rest(server: &fixture::Http, sse: bool) -> Self {
        let mut session =
            Self::open(Target::Url(Remote { url: server.url.clone(), sse, ..Remote::default() }));
        session.reading().await;
        // The stream of signals opens beside the first reading.
        tokio::time::sleep(Duration::from_millis(300)).await;
        session
    }

    /// Nobody asks anything; the session ends by itself.
    async fn ends(mut self) -> ConnectError {
        let end = timeout(Duration::from_secs(20), &mut self.end).await;
        end.expect("known in time").unwrap().expect_err("a server that went away")
    }

    async fn reading(&mut self) -> Reading {
        loop {
            if let Told::Read(reading, _) = self.next().await {
                return *reading;
            }
        }
    }
}

fn description(reading: &Reading) -> String {
    let tool = reading.surface.get(&ItemKey::new(Kind::Tool, "search")).unwrap();
    tool.get("description").unwrap().as_str().unwrap().to_owned()
}

fn command(state: &Path, args: &[&str]) -> Target {
    let mut args: Vec<_> = args.iter().map(Into::into).collect();
    args.extend(["--state".into(), state.into()]);
    Target::Command(Command { program: fixture::path().into(), args, ..Command::default() })
}

/// Changes the server's lists under a session, and follows it.
async fn check(target: Target, state: &Path, era: Era) {
    let mut session = Session::open(target);
    let first = session.reading().await;
    assert_eq!(first.era, era);
    assert!(!description(&first).contains("CHANGED"));
    // The stream of signals opens beside the first reading.
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(state.join("change"), "").unwrap();
    assert!(matches!(session.next().await, Told::Signal), "the server said so");
    session.again.send(()).await.unwrap();
    assert!(description(&session.reading().await).contains("CHANGED"));
    drop(session.again);
    assert!(timeout(Duration::from_secs(5), session.end).await.unwrap().unwrap().is_ok(), "ends when asked");
}

const CHANGES: [&str; 5] = ["--change", "description", "--when", "file", "--notify"];

#[tokio::test]
async fn signals_over_stdio() {
    for (era, name) in [(Era::Session, "session"), (Era::Stateless, "stateless")] {
        let state = tempfile::tempdir().unwrap();
        let args = [&CHANGES[..], &["--era", name]].concat();
        check(command(state.path(), &args), state.path(), era).await;
    }
}

#[tokio::test]
async fn signals_over_http() {
    for (era, name) in [(Era::Session, "session"), (Era::Stateless, "stateless")] {
        let server = fixture::Http::start(&[&CHANGES[..], &["--era", name]].concat());
        let target = Target::Url(Remote { url: server.url.clone(), ..Remote::default() });
        check(target, server.state(), era).await;
    }
}

#[tokio::test]
async fn the_end_of_the_server_is_told() {
    let state = tempfile::tempdir().unwrap();
    let log = state.path().join("pid");
    let script = format!("echo $$ > {}; exec {} --era session", log.display(), fixture::path().display());
    let target = Target::Command(Command {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        ..Command::default()
    });
    let mut session = Session::open(target);
    session.reading().await;
    let pid = std::fs::read_to_string(log).unwrap();
    std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
    let end = timeout(Duration::from_secs(5), session.end).await.unwrap().unwrap();
    assert!(end.is_err(), "a server that went away");
}

#[tokio::test]
async fn a_remote_server_that_is_killed_at_rest_is_known_to_be_gone() {
    let ways: [&[&str]; 5] = [
        &["--era", "session"],
        &["--era", "session", "--sse"],
        &["--era", "stateless"],
        &["--era", "stateless", "--sse"],
        &["--legacy-sse"],
    ];
    for way in ways {
        let server = fixture::Http::start(way);
        let session = Session::at_rest(&server, way.contains(&"--legacy-sse")).await;
        drop(server);
        let error = session.ends().await;
        let why = error.to_string();
        assert!(
            why.contains("could not be reached") || why == "the server ended its session",
            "{way:?}: {why}"
        );
    }
}

#[tokio::test]
async fn a_session_that_its_server_forgot_is_over() {
    let server = fixture::Http::start(&["--era", "session", "--change", "drops,forgets", "--when", "file"]);
    let session = Session::at_rest(&server, false).await;
    std::fs::write(server.state().join("change"), "").unwrap();
    let why = session.ends().await.to_string();
    assert!(why.ends_with("answered with status 404"), "{why}");
}

#[tokio::test]
async fn a_stream_that_ends_in_good_order_is_a_gap_and_no_end() {
    for era in ["session", "stateless"] {
        // The change is said to nobody: the streams are closed before.
        let own = ["--change", "drops,description", "--when", "file", "--notify", "--era", era];
        let server = fixture::Http::start(&own);
        let mut session = Session::at_rest(&server, false).await;
        std::fs::write(server.state().join("change"), "").unwrap();
        assert!(matches!(session.next().await, Told::Signal), "{era}: something may have been missed");
        session.again.send(()).await.unwrap();
        assert!(description(&session.reading().await).contains("CHANGED"), "{era}");
        // It is listened to as before.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!session.end.is_finished(), "{era}");
        drop(server);
        session.ends().await;
    }
}

#[tokio::test]
async fn a_server_without_a_stream_is_known_to_be_deaf() {
    for (era, how) in [("session", "no-stream"), ("session", "no-session"), ("stateless", "no-stream")] {
        let server = fixture::Http::start(&["--change", how, "--era", era]);
        let mut session = Session::open(Target::Url(Remote { url: server.url.clone(), ..Remote::default() }));
        session.reading().await;
        assert!(matches!(session.next().await, Told::Deaf), "{era} {how}");
        session.again.send(()).await.unwrap();
        session.reading().await;
        drop(server);
        session.again.send(()).await.unwrap();
        session.ends().await;
    }
}
