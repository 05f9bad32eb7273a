//! The transport of 2024-11-05 (HTTP+SSE): one stream for what the server says, and an address of its
//! own for what is said to it, which the stream's first event names.
//!
//! Promises: the address is of the same origin as the stream, since it gets the header fields that are
//! meant for this server; when the stream ends, what is still open is answered.

use super::remote::{BROKEN, Out, Remote, Session, UNREACHABLE, answered, is_stream, refused};
use crate::engine::frame::{SseEvent, SseFramer};
use crate::engine::jsonrpc::Id;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::Url;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the stream may take to name its address, and a session to open anew.
const OPENING: Duration = Duration::from_secs(20);

/// A stream that was opened.
pub struct Stream {
    /// Where to say something.
    pub to: Url,
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    framer: SseFramer,
    ready: VecDeque<SseEvent>,
}

/// The requests that the stream owes an answer.
#[derive(Clone, Default)]
pub struct Owed(Arc<Mutex<HashSet<Id>>>);

/// Why a stream could not be opened, in our words.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It was not given.
    #[error("{0}")]
    None(String),
    /// It does not name an address.
    #[error("mcpwatch: the server's stream does not say where to write to.")]
    NoAddress,
    /// The address would get what is meant for the launch's own.
    #[error("mcpwatch: the server wants messages sent to another origin.")]
    OtherOrigin,
}

/// Opens the stream and waits for its address.
pub async fn open(remote: &Remote) -> Result<Stream, Refusal> {
    match tokio::time::timeout(OPENING, opened(remote)).await {
        Ok(opened) => opened,
        Err(_) => Err(Refusal::NoAddress),
    }
}

async fn opened(remote: &Remote) -> Result<Stream, Refusal> {
    let response = remote.get(None, &Session::default()).await;
    let response = response.map_err(|_| Refusal::None(UNREACHABLE.to_owned()))?;
    if !is_stream(&response) {
        return Err(Refusal::None(refused(response.status())));
    }
    let chunks = response.bytes_stream().boxed();
    let (to, ready) = (remote.url.clone(), VecDeque::new());
    let mut stream = Stream { to, chunks, framer: SseFramer::new(remote.limit), ready };
    while let Some(event) = stream.event().await {
        if event.event != "endpoint" {
            continue;
        }
        let address = String::from_utf8_lossy(&event.data).into_owned();
        let to = remote.url.join(address.trim()).ok().filter(|to| to.origin() == remote.url.origin());
        return match to {
            Some(to) => Ok(Stream { to, ..stream }),
            None => Err(Refusal::OtherOrigin),
        };
    }
    Err(Refusal::NoAddress)
}

impl Stream {
    /// Hands on what the stream says, to its end; then answers what it owes.
    pub async fn hand_on(mut self, remote: &Remote, owed: Owed, out: &Out) {
        while let Some(message) = self.message(remote).await {
            owed.settle(&answered(&message));
            if !out.line(message).await {
                return;
            }
        }
        out.fail(&owed.take(), BROKEN).await;
    }

    /// Waits for the answer to a request; hands on everything else.
    pub async fn answer(&mut self, remote: &Remote, id: &Id, out: &Out) -> Option<Vec<u8>> {
        let answer = async {
            while let Some(message) = self.message(remote).await {
                if answered(&message).contains(id) {
                    return Some(message);
                }
                if !out.line(message).await {
                    return None;
                }
            }
            None
        };
        tokio::time::timeout(OPENING, answer).await.ok().flatten()
    }

    async fn message(&mut self, remote: &Remote) -> Option<Vec<u8>> {
        loop {
            let event = self.event().await?;
            if event.data.is_empty() || !event.is_message() {
                continue;
            }
            if let Some(line) = remote.line(event.data, None) {
                return Some(line);
            }
        }
    }

    async fn event(&mut self) -> Option<SseEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let chunk = self.chunks.next().await?.ok()?;
            self.ready.extend(self.framer.feed(&chunk).ok()?);
        }
    }
}

impl Owed {
    /// These requests are sent.
    pub fn add(&self, ids: &[Id]) {
        self.with(|owed| owed.extend(ids.iter().cloned()));
    }

    /// These requests have their answer.
    pub fn settle(&self, ids: &[Id]) {
        self.with(|owed| owed.retain(|id| !ids.contains(id)));
    }

    /// Those of these requests that had no answer yet, which they get now.
    pub fn give_up(&self, ids: &[Id]) -> Vec<Id> {
        self.with(|owed| ids.iter().filter(|id| owed.remove(id)).cloned().collect())
    }

    fn take(&self) -> Vec<Id> {
        self.with(|owed| owed.drain().collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashSet<Id>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
