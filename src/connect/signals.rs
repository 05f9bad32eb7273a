//! The stream on which a server of the session era tells what changed: opened, and opened again for as
//! long as the session stands.
//!
//! Promises: a stream that ends in good order, as servers and the proxies before them do, is opened again
//! and counts as a signal, because something may have been missed in between; one that cannot be opened
//! again is the end of the session, and the tap is told why; a server that offers no stream is known to
//! be one. rmcp sees one stream that never ends, and so decides nothing of this.

use super::events::{Boxed, EventStream};
use super::http::Failure;
use super::tap::Tap;
use crate::sys::http::HttpError;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use sse_stream::Sse;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The wait before a stream is opened again, where the server names none.
const WAIT: Duration = Duration::from_secs(1);

/// What a server may ask for instead.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The longest wait before a stream that never lasts is opened again.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// A stream that lasted this long was no failure.
const LASTING: Duration = Duration::from_secs(10);

/// How long the head of an answer may take before the server is asked whether it still lives. Some send
/// none before the first event.
const HEAD: Duration = Duration::from_secs(10);

/// How long to wait before a stream is opened again: longer each time if it never lasts.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// What the server asked for.
    asked: Option<Duration>,
    /// Streams in a row that did not last.
    brief: u32,
    opened: Option<Instant>,
}

/// The stream and all that opening it again takes.
struct Signals<Open> {
    tap: Arc<Tap>,
    open: Open,
    events: EventStream,
    pause: Pause,
}

/// One stream out of many: the first, and those that `open` gives. Fails if there is not even a first one.
pub(super) async fn lasting<Open, Opened>(tap: Arc<Tap>, mut open: Open) -> Result<Boxed, Failure>
where
    Open: FnMut() -> Opened + Send + 'static,
    Opened: Future<Output = Result<EventStream, HttpError>> + Send,
{
    match open().await {
        Ok(events) => {
            let mut pause = Pause::default();
            pause.opened(Instant::now());
            let signals = Signals { tap, open, events, pause };
            let next = |mut signals: Signals<Open>| async move { Some((Ok(signals.next().await), signals)) };
            Ok(unfold(signals, next).boxed())
        }
        // It answered a moment ago.
        Err(error @ HttpError::Network { .. }) => {
            tap.lose(error.into());
            Err(StreamableHttpError::ServerDoesNotSupportSse)
        }
        Err(_) => {
            tap.deafen();
            Err(StreamableHttpError::ServerDoesNotSupportSse)
        }
    }
}

impl<Open, Opened> Signals<Open>
where
    Open: FnMut() -> Opened,
    Opened: Future<Output = Result<EventStream, HttpError>>,
{
    async fn next(&mut self) -> Sse {
        loop {
            if let Some(event) = self.events.next().await {
                if let Some(retry) = event.retry {
                    self.pause.ask(Duration::from_millis(retry));
                }
                return event;
            }
            sleep(self.pause.next(Instant::now())).await;
            match self.opened().await {
                Ok(events) => {
                    self.pause.opened(Instant::now());
                    self.events = events;
                    // Something may have been missed.
                    self.tap.signalled();
                }
                Err(error) if is_busy(&error) => {}
                Err(HttpError::Status { status: 405 | 501, .. }) => {
                    self.tap.deafen();
                    return std::future::pending().await;
                }
                Err(error) => {
                    self.tap.lose(error.into());
                    return std::future::pending().await;
                }
            }
        }
    }

    /// Opens the stream; one that keeps us waiting has the lists read, which shows whether it still lives.
    async fn opened(&mut self) -> Result<EventStream, HttpError> {
        let opening = (self.open)();
        tokio::pin!(opening);
        if let Ok(opened) = timeout(HEAD, &mut opening).await {
            return opened;
        }
        self.tap.signalled();
        opening.await
    }
}

/// Whether a server asks to be left alone for a while.
pub(super) fn is_busy(error: &HttpError) -> bool {
    matches!(error, HttpError::Status { status: 408 | 429, .. })
}

impl Pause {
    /// Notes what the server asked for.
    fn ask(&mut self, wait: Duration) {
        self.asked = Some(wait.clamp(WAITS.0, WAITS.1));
    }

    /// Notes that a stream is open.
    pub(super) fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// The stream ended: how long to wait now.
    pub(super) fn next(&mut self, now: Instant) -> Duration {
        let lasted = self.opened.take().is_some_and(|opened| now.duration_since(opened) >= LASTING);
        let before = if lasted { 0 } else { self.brief };
        self.brief = before.saturating_add(1);
        // One that ends early may have its reasons; from the second on it is made to wait.
        let times = 1_u32 << before.saturating_sub(1).min(16);
        self.asked.unwrap_or(WAIT).saturating_mul(times).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_never_lasts_is_opened_later_and_later() {
        let (mut pause, now) = (Pause::default(), Instant::now());
        for expected in [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            pause.opened(now);
            assert_eq!(pause.next(now), Duration::from_secs(expected));
        }
        // One that lasted has the first wait again, the one that the server asks for, within limits.
        for (asked, expected) in [(10, 100), (2_000, 2_000), (3_600_000, 10_000)] {
            pause.ask(Duration::from_millis(asked));
            pause.opened(now);
            assert_eq!(pause.next(now + LASTING), Duration::from_millis(expected));
        }
    }
}
