//! The daemon's half: takes connections and hands what they ask to the daemon's loop.
//!
//! Promises: every peer has two tasks of its own and nothing shared; one that stalls, floods, or talks
//! nonsense loses its connection and takes nothing with it; at most [`PEERS`] are served at once.

use super::message::{Hello, Message, PROTOCOL, Push, Reply, Request};
use super::socket::{Listener, Stream};
use super::wire::{self, FRAME_LIMIT, HANDSHAKE, HELLO_LIMIT, WireError};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// How many peers are served at once: a gate for each of 200 servers, and commands.
pub const PEERS: usize = 512;

/// What may wait for a peer before it counts as stalled.
const OUTBOX: usize = 64;

/// Requests that a peer may send at once, and how fast it may go on.
const BURST: u32 = 200;
const REFILL: Duration = Duration::from_millis(20);

/// Tells peers apart.
pub type PeerId = u64;

/// What the daemon's loop gets to know.
#[derive(Debug)]
pub enum Incoming {
    /// A peer said hello.
    Opened(Peer),
    /// It asks for something.
    Asked {
        /// Who.
        peer: PeerId,
        /// What.
        request: Request,
        /// Where the answer goes.
        answer: oneshot::Sender<Reply>,
    },
    /// It is gone.
    Closed(PeerId),
}

/// A peer that said hello.
#[derive(Debug)]
pub struct Peer {
    /// Its number.
    pub id: PeerId,
    /// Its process, as it says.
    pub pid: u32,
    /// Where what nobody asked for goes.
    pub outbox: Outbox,
}

/// The way to a peer that never blocks the sender.
#[derive(Clone, Debug)]
pub struct Outbox(mpsc::Sender<Message>);

impl Outbox {
    /// Sends; `false` says that the peer is gone or takes nothing, and should be forgotten.
    pub fn push(&self, push: Push) -> bool {
        self.0.try_send(Message::Push(push)).is_ok()
    }
}

/// Serves peers until the loop no longer listens. `since` is when the daemon started.
pub async fn serve(listener: Listener, since: u64, incoming: mpsc::Sender<Incoming>) {
    let places = Arc::new(Semaphore::new(PEERS));
    let mut id: PeerId = 0;
    while !incoming.is_closed() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = incoming.closed() => return,
        };
        match accepted {
            Ok(Some(stream)) => {
                id += 1;
                let incoming = incoming.clone();
                tokio::spawn(async move {
                    serve_peer(stream, id, since, incoming).await;
                    drop(place);
                });
            }
            Ok(None) => {}
            // Out of descriptors, most likely: others have to end first.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve_peer(stream: Stream, id: PeerId, since: u64, incoming: mpsc::Sender<Incoming>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let greeting = timeout(HANDSHAKE, greet(&mut reader, &mut writer, since));
    let Ok(Ok(hello)) = greeting.await else { return };
    let (outbox, messages) = mpsc::channel(OUTBOX);
    let peer = Peer { id, pid: hello.pid, outbox: Outbox(outbox.clone()) };
    if incoming.send(Incoming::Opened(peer)).await.is_err() {
        return;
    }
    // Whichever half ends first ends the other: the connection is closed when both are dropped.
    tokio::select! {
        () = listen(&mut reader, id, &incoming, outbox) => {}
        () = speak(&mut writer, messages) => {}
    }
    let _ = incoming.send(Incoming::Closed(id)).await;
}

async fn greet(
    reader: &mut ReadHalf<Stream>,
    writer: &mut WriteHalf<Stream>,
    since: u64,
) -> Result<Hello, WireError> {
    let hello: Hello = wire::read(reader, HELLO_LIMIT).await?;
    // Answered even if it is of another protocol: the command then knows which version runs.
    wire::write(writer, &Hello::own(since), HELLO_LIMIT).await?;
    if hello.mcpwatch == PROTOCOL { Ok(hello) } else { Err(WireError::Unknown) }
}

async fn listen(
    reader: &mut ReadHalf<Stream>,
    id: PeerId,
    incoming: &mpsc::Sender<Incoming>,
    outbox: mpsc::Sender<Message>,
) {
    let mut allowance = BURST;
    let mut refilled = Instant::now();
    loop {
        let reply = match wire::read::<Request>(reader, FRAME_LIMIT).await {
            Ok(request) => {
                let (answer, answered) = oneshot::channel();
                if incoming.send(Incoming::Asked { peer: id, request, answer }).await.is_err() {
                    return;
                }
                let Ok(reply) = answered.await else { return };
                reply
            }
            Err(WireError::Unknown) => Reply::Failed("a request that this daemon does not know".to_owned()),
            Err(_) => return,
        };
        if outbox.send(Message::Reply(reply)).await.is_err() {
            return;
        }
        let earned = refilled.elapsed().as_millis() / REFILL.as_millis();
        if let Ok(earned @ 1..) = u32::try_from(earned) {
            allowance = allowance.saturating_add(earned).min(BURST);
            refilled = Instant::now();
        }
        allowance = allowance.saturating_sub(1);
        if allowance == 0 {
            sleep(REFILL).await;
        }
    }
}

async fn speak(writer: &mut WriteHalf<Stream>, mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        if wire::write(writer, &message, FRAME_LIMIT).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
