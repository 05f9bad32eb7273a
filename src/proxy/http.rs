//! A remote server over Streamable HTTP, as a stream of lines for the pump; both eras.
//!
//! Promises: nothing is sent anywhere but to the launch's own address (no redirects, no plain `http`
//! beyond loopback); a request whose answer cannot come gets an error at once; sessions are ended when
//! the client leaves; streams that break are taken up again where the server left off.
//!
//! Does not: judge what passes, log in, or speak the HTTP+SSE transport of 2024-11-05.

use super::remote::{Outgoing, Remote};
use super::server::{FromServer, ToServer};
use crate::engine::frame::{Frame, LineFramer};
use crate::engine::jsonrpc::{self, Envelope, Id, Shape};
use crate::engine::launchpin::UrlLaunch;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};

/// How much may stand between the pump and the network.
const BUFFER: usize = 64 << 10;

/// How many answers may wait to be written to the pump.
const ANSWERS: usize = 16;

/// A connection that was opened.
pub struct Connection {
    /// Where the server's messages come from.
    pub from_server: FromServer,
    /// Where messages to the server go.
    pub to_server: ToServer,
    /// Ends once the pump closed its end and the session is over.
    pub task: JoinHandle<()>,
}

/// Connects to a remote server; what went wrong is said in our words.
pub fn connect(launch: &UrlLaunch, limit: usize) -> Result<Connection, String> {
    if launch.sse {
        return Err("it speaks the HTTP+SSE transport of 2024, which cannot be gated yet.".to_owned());
    }
    let remote = Remote::new(launch, limit)?;
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let (from_server, to_server) = tokio::io::split(ours);
    let (requests, answers) = tokio::io::split(theirs);
    let task = tokio::spawn(serve(remote, requests, answers, limit));
    Ok(Connection { from_server: Box::new(from_server), to_server: Box::new(to_server), task })
}

async fn serve(
    remote: Remote,
    requests: ReadHalf<DuplexStream>,
    mut answers: WriteHalf<DuplexStream>,
    limit: usize,
) {
    let (out, mut lines) = mpsc::channel::<Vec<u8>>(ANSWERS);
    let remote = Arc::new(remote);
    let writing = async move {
        while let Some(mut line) = lines.recv().await {
            line.push(b'\n');
            if answers.write_all(&line).await.is_err() {
                break;
            }
        }
    };
    let reading = read(Arc::clone(&remote), requests, out, limit);
    // The pump closes its end, or the connection cannot go on.
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
    remote.goodbye().await;
}

/// Reads what goes to the server and sends it, requests side by side and everything else in order.
async fn read(
    remote: Arc<Remote>,
    mut requests: ReadHalf<DuplexStream>,
    out: mpsc::Sender<Vec<u8>>,
    limit: usize,
) {
    let mut framer = LineFramer::new(limit);
    let mut running: HashMap<Id, AbortHandle> = HashMap::new();
    let mut listening: Option<AbortHandle> = None;
    loop {
        while let Some(frame) = framer.next_frame() {
            let Frame::Message(range) = frame else { continue };
            let message = framer.bytes(range).to_vec();
            let Some(outgoing) = outgoing(&message) else { continue };
            if let Some(id) = outgoing.cancels.as_ref().and_then(|id| running.remove(id))
                && outgoing.version.is_some()
            {
                // Without sessions, to take a request back is to close its stream.
                id.abort();
                continue;
            }
            running.retain(|_, task| !task.is_finished());
            let (remote, out) = (Arc::clone(&remote), out.clone());
            match &outgoing.id {
                Some(id) if outgoing.method != "initialize" => {
                    let id = id.clone();
                    let task = tokio::spawn(async move { remote.exchange(&outgoing, message, &out).await });
                    running.insert(id, task.abort_handle());
                }
                // The session's name comes with the answer, so nothing overtakes it.
                Some(_) => remote.exchange(&outgoing, message, &out).await,
                None => {
                    let opens = outgoing.method == "notifications/initialized";
                    remote.exchange(&outgoing, message, &out).await;
                    if opens && listening.is_none() {
                        let task = tokio::spawn(async move { remote.listen(&out).await });
                        listening = Some(task.abort_handle());
                    }
                }
            }
        }
        match requests.read(framer.spare()).await {
            Ok(read @ 1..) => framer.fill(read),
            Ok(0) | Err(_) => break,
        }
    }
    for task in running.into_values().chain(listening) {
        task.abort();
    }
}

/// What of a message its headers repeat. Batches are told by their first element.
fn outgoing(message: &[u8]) -> Option<Outgoing> {
    let element = match jsonrpc::read(message).ok()? {
        Envelope::Single(message) => message,
        Envelope::Batch(elements) => jsonrpc::read_element(elements.first()?).ok()?,
    };
    let text = |path: &[&str]| element.string(path).map(std::borrow::Cow::into_owned);
    let (id, method) = match &element.shape {
        Shape::Request(id, method) => (Some(id.clone()), method.clone().into_owned()),
        Shape::Notification(method) => (None, method.clone().into_owned()),
        Shape::Result(_) | Shape::Error(_) => (None, String::new()),
    };
    let name = match method.as_str() {
        "tools/call" | "prompts/get" => text(&["params", "name"]),
        "resources/read" => text(&["params", "uri"]),
        _ => None,
    };
    let cancels = (method == "notifications/cancelled")
        .then(|| element.raw(&["params", "requestId"]).and_then(Id::read))
        .flatten();
    let version = text(&["params", "_meta", "io.modelcontextprotocol/protocolVersion"]);
    Some(Outgoing { id, method, name, version, cancels })
}
