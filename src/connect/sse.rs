//! The transport of 2024-11-05: a stream of events for what the server says, and an address of its own
//! for what we say, which the stream's first event names. rmcp has none of its own.

use super::error::Reason;
use super::events;
use super::http::Endpoint;
use super::tap::Tap;
use crate::engine::frame::{SseError, SseFramer};
use crate::sys::http::{self, HttpError};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;

/// An open stream and the address to write to.
pub(super) struct Sse {
    endpoint: Endpoint,
    to: Url,
    tap: Arc<Tap>,
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    framer: SseFramer,
    ready: VecDeque<ServerJsonRpcMessage>,
}

/// Opens the stream and waits for the event that names the address.
pub(super) async fn connect(endpoint: &Endpoint, tap: Arc<Tap>) -> Result<Sse, Reason> {
    let request = endpoint.request(reqwest::Method::GET, endpoint.url.clone());
    let response = endpoint.send(request.header(ACCEPT, "text/event-stream")).await?;
    let response = http::checked(&endpoint.url, response)?;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let refused = |kind: String| HttpError::Kind { host: http::host(&endpoint.url), kind };
    if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        return Err(refused("no event stream".into()).into());
    }
    let mut chunks = response.bytes_stream().boxed();
    let mut framer = SseFramer::new(endpoint.limit);
    loop {
        let Some(Ok(chunk)) = chunks.next().await else {
            return Err(refused("an event stream without an endpoint".into()).into());
        };
        let events = framer.feed(&chunk).map_err(|error| refused(error.to_string()))?;
        let mut events = events.into_iter();
        let Some(event) = events.by_ref().find(|event| event.event == "endpoint") else { continue };
        let address = String::from_utf8_lossy(&event.data).into_owned();
        let to = endpoint
            .url
            .join(address.trim())
            .map_err(|_| refused("an endpoint that is no address".into()))?;
        if to.origin() != endpoint.url.origin() {
            // It would get the headers that were meant for this one.
            let (host, to) = (http::host(&endpoint.url), to.origin().ascii_serialization());
            return Err(HttpError::OtherOrigin { host, to }.into());
        }
        let ready = events.flat_map(|event| events::messages(&tap, &event)).collect();
        return Ok(Sse { endpoint: endpoint.clone(), to, tap, chunks, framer, ready });
    }
}

impl Transport<RoleClient> for Sse {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (endpoint, to) = (self.endpoint.clone(), self.to.clone());
        let (tap, body) = (Arc::clone(&self.tap), self.tap.sending(&message));
        async move {
            let request = endpoint.request(reqwest::Method::POST, to);
            let request = request.header(CONTENT_TYPE, "application/json").body(body);
            let sent = endpoint.send(request).await;
            match sent.and_then(|response| http::checked(&endpoint.url, response)) {
                Ok(_) => Ok(()),
                Err(error) => {
                    if let ClientJsonRpcMessage::Request(request) = &message
                        && let RequestId::Number(id) = request.id
                    {
                        tap.fail(id, error.into());
                    }
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
            }
        }
    }

    /// Cancel-safe: a chunk is fed before the next wait.
    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            let Some(Ok(chunk)) = self.chunks.next().await else {
                // In this revision the stream is the session.
                self.tap.lose(Reason::Left { status: None });
                return None;
            };
            match self.framer.feed(&chunk) {
                Ok(events) => {
                    self.ready.extend(events.iter().flat_map(|event| events::messages(&self.tap, event)));
                }
                Err(SseError::TooLong(limit)) => {
                    self.ready.extend(self.tap.fail_all(|_| Reason::TooLong { limit }));
                }
                Err(SseError::RawCr | SseError::NotUtf8) => {
                    self.ready.extend(self.tap.fail_all(|_| Reason::RawCr));
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.chunks = futures_util::stream::empty().boxed();
        Ok(())
    }
}
