//! Peers of the socket, honest, stalled and hostile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::IpcError;
use super::super::client::{self, Client};
use super::super::message::{Askable, Gate, GateNews, ServerId, Status};
use super::super::socket;
use super::*;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A daemon that answers everything with `Done`, and tells what it saw.
fn daemon(folder: &Path) -> mpsc::Receiver<String> {
    let listener = Listener::bind(folder).unwrap();
    let (incoming, mut events) = mpsc::channel(8);
    let (tell, told) = mpsc::channel(64);
    tokio::spawn(serve(listener, 7, incoming));
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let text = match event {
                Incoming::Opened(peer) => {
                    peer.outbox.push(Push::PinsChanged(Vec::new()));
                    format!("opened {}", peer.id)
                }
                Incoming::Asked { peer, request, answer } => {
                    let text = format!("{peer} asks {request:?}");
                    let reply = match request {
                        Request::Status => Reply::Status(Status::default()),
                        Request::Run(_) => Reply::Askable(Askable::Yes),
                        Request::Stop => Reply::Failed("not \u{1b}[2Jnow".to_owned()),
                        _ => Reply::Done,
                    };
                    let _ = answer.send(reply);
                    text
                }
                Incoming::Closed(peer) => format!("closed {peer}"),
            };
            let _ = tell.send(text).await;
        }
    });
    told
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    place
}

#[tokio::test]
async fn asked_and_answered() {
    let place = place();
    let mut told = daemon(place.path());
    let mut client = Client::connect(place.path()).await.unwrap();
    assert_eq!(client.daemon().since, 7);
    assert_eq!(client.ask(&Request::Status).await.unwrap(), Reply::Status(Status::default()));
    assert_eq!(client.ask(&Request::Scan { server: None }).await.unwrap(), Reply::Done);
    let refused = client.ask(&Request::Stop).await.unwrap_err();
    assert_eq!(refused.to_string(), "the daemon answers: not [2Jnow");
    drop(client);
    for expected in ["opened 1", "1 asks Status", "1 asks Scan { server: None }", "1 asks Stop", "closed 1"] {
        assert_eq!(told.recv().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_gate_is_told_and_tells() {
    let place = place();
    let mut told = daemon(place.path());
    let server = ServerId { scope: "/p/mcp.lock".to_owned(), name: "github".to_owned() };
    let gate = Gate { server, ..Gate::default() };
    let mut attached = client::attach(place.path().to_owned(), gate.clone());
    assert_eq!(attached.pushes.recv().await.unwrap(), Push::PinsChanged(Vec::new()));
    assert_eq!(attached.pushes.recv().await.unwrap(), Push::Askable(Askable::Yes));
    attached.news.send(GateNews::Clear).await.unwrap();
    assert_eq!(told.recv().await.unwrap(), "opened 1");
    assert_eq!(told.recv().await.unwrap(), format!("1 asks {:?}", Request::Run(GateNews::Attached(gate))));
    assert_eq!(told.recv().await.unwrap(), "1 asks Run(Clear)");
    drop(attached);
    assert_eq!(told.recv().await.unwrap(), "closed 1");
}

#[tokio::test]
async fn a_hostile_peer_hurts_only_itself() {
    let place = place();
    let mut told = daemon(place.path());
    // One says nothing, one talks HTTP, one claims 4 GiB, one is of another protocol.
    let silent = socket::connect(place.path()).await.unwrap();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xFF; 64], b"\0\0\0\x02{}", b"\0\0\0\x0a{\"a\":[[[["] {
        let mut stream = socket::connect(place.path()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer, b"", "nothing is answered before a hello");
    }
    let mut other = socket::connect(place.path()).await.unwrap();
    let hello = Hello { mcpwatch: 99, ..Hello::own(0) };
    wire::write(&mut other, &hello, HELLO_LIMIT).await.unwrap();
    assert_eq!(wire::read::<Hello>(&mut other, HELLO_LIMIT).await.unwrap().mcpwatch, PROTOCOL);
    assert!(matches!(wire::read::<Hello>(&mut other, HELLO_LIMIT).await, Err(WireError::Closed)));
    // One floods and never reads: others are served meanwhile.
    let mut flood = socket::connect(place.path()).await.unwrap();
    wire::write(&mut flood, &Hello::own(0), HELLO_LIMIT).await.unwrap();
    let flooding =
        tokio::spawn(
            async move { while wire::write(&mut flood, &Request::Status, FRAME_LIMIT).await.is_ok() {} },
        );
    tokio::spawn(async move { while told.recv().await.is_some() {} });
    let mut client = Client::connect(place.path()).await.unwrap();
    for _ in 0..20 {
        let asked = timeout(Duration::from_millis(500), client.ask(&Request::Scan { server: None }));
        assert_eq!(asked.await.unwrap().unwrap(), Reply::Done);
    }
    flooding.abort();
    drop(silent);
}

#[tokio::test]
async fn a_request_that_is_not_known_is_answered_so() {
    let place = place();
    let _told = daemon(place.path());
    let mut stream = socket::connect(place.path()).await.unwrap();
    wire::write(&mut stream, &Hello::own(0), HELLO_LIMIT).await.unwrap();
    let _: Hello = wire::read(&mut stream, HELLO_LIMIT).await.unwrap();
    wire::write(&mut stream, &"weather", FRAME_LIMIT).await.unwrap();
    let mut replies = Vec::new();
    for _ in 0..2 {
        replies.push(wire::read::<Message>(&mut stream, FRAME_LIMIT).await.unwrap());
    }
    let failed = Reply::Failed("a request that this daemon does not know".to_owned());
    assert!(replies.contains(&Message::Reply(failed)), "{replies:?}");
}

#[tokio::test]
async fn a_silent_daemon_is_an_error_in_time() {
    let place = place();
    let listener = Listener::bind(place.path()).unwrap();
    let (client, daemon) = tokio::join!(Client::connect(place.path()), listener.accept());
    assert!(daemon.unwrap().is_some());
    assert!(matches!(client, Err(IpcError::Timeout)), "{client:?}");
}

#[test]
fn a_command_asks_without_a_runtime() {
    let place = place();
    assert!(matches!(client::ask_once(place.path(), &Request::Status), Err(IpcError::NoDaemon)));
}
