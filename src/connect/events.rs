//! Event streams through the tap: the server's events in, events of ours for rmcp out.

use super::error::Reason;
use super::tap::Tap;
use crate::engine::frame::{SseError, SseEvent, SseFramer};
use bytes::Bytes;
use futures_util::stream::{BoxStream, unfold};
use futures_util::{Stream, StreamExt};
use reqwest::Response;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::transport::streamable_http_client::SseError as RmcpSseError;
use sse_stream::Sse;
use std::collections::VecDeque;
use std::sync::Arc;

/// A stream as rmcp wants it.
pub(super) type Boxed = BoxStream<'static, Result<Sse, RmcpSseError>>;

/// One response's events.
pub(super) struct EventStream {
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    framer: SseFramer,
    tap: Arc<Tap>,
    /// The request whose answer the stream owes, if it owes one.
    owed: Option<i64>,
    /// Whether the server named an event from which it would go on.
    resumable: bool,
    /// Whether it is never gone on from there.
    once: bool,
    limit: usize,
    ready: VecDeque<Sse>,
    over: bool,
}

impl EventStream {
    pub(super) fn new(response: Response, tap: Arc<Tap>, owed: Option<i64>, limit: usize) -> Self {
        let chunks = response.bytes_stream().boxed();
        let framer = SseFramer::new(limit);
        let ready = VecDeque::new();
        Self { chunks, framer, tap, owed, resumable: false, once: false, limit, ready, over: false }
    }

    /// The same stream, which is over when it ends.
    pub(super) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// The next event; none at the end.
    pub(super) async fn next(&mut self) -> Option<Sse> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => match self.framer.feed(&chunk) {
                    Ok(events) => events.into_iter().for_each(|event| self.event(event)),
                    Err(error) => self.broken(error),
                },
                // A stream may end before the answer and be resumed by rmcp, if the server said how.
                Some(Err(_)) | None => self.end(),
            }
        }
    }

    fn event(&mut self, event: SseEvent) {
        self.resumable |= !self.once && event.id.as_ref().is_some_and(|id| !id.is_empty());
        let (id, retry) = if self.once { (None, None) } else { (event.id.clone(), event.retry) };
        let told = messages(&self.tap, &event);
        if told.is_empty() && (id.is_some() || retry.is_some()) {
            self.ready.push_back(Sse { event: None, data: None, id, retry });
        } else {
            self.ready.extend(told.iter().map(sse));
        }
    }

    fn broken(&mut self, error: SseError) {
        self.over = true;
        let reason = |_| match error {
            SseError::TooLong(_) => Reason::TooLong { limit: self.limit },
            SseError::RawCr | SseError::NotUtf8 => Reason::RawCr,
        };
        let told = match self.owed {
            Some(id) => self.tap.fail(id, reason(String::new())).into_iter().collect(),
            None => self.tap.fail_all(reason),
        };
        self.ready.extend(told.iter().map(sse));
    }

    fn end(&mut self) {
        self.over = true;
        let Some((id, method)) =
            self.owed.filter(|_| !self.resumable).and_then(|id| Some((id, self.tap.method_of(id)?)))
        else {
            return;
        };
        let told = self.tap.fail(id, Reason::Ended { method, status: None });
        self.ready.extend(told.iter().map(sse));
    }
}

/// What rmcp is told of one event.
pub(super) fn messages(tap: &Tap, event: &SseEvent) -> Vec<ServerJsonRpcMessage> {
    if !event.is_message() || event.data.trim_ascii().is_empty() {
        return Vec::new();
    }
    tap.receive(&event.data)
}

/// The stream as rmcp wants it.
pub(super) fn boxed(events: EventStream) -> Boxed {
    stream(events).boxed()
}

fn stream(events: EventStream) -> impl Stream<Item = Result<Sse, RmcpSseError>> {
    unfold(events, |mut events| async move {
        let event = events.next().await?;
        Some((Ok(event), events))
    })
}

fn sse(message: &ServerJsonRpcMessage) -> Sse {
    // Messages of ours serialize; rmcp passes over an event without data.
    Sse { event: None, data: serde_json::to_string(message).ok(), id: None, retry: None }
}
