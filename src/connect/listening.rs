//! The stream on which a server of the stateless era tells what changed: opened, and opened again for as
//! long as the session stays.
//!
//! Promises: as for the stream of the session era (`signals`): an end in good order is a gap in what was
//! heard and no more, a server that cannot be reached is lost, one that refuses is deaf.

use super::error::Reason;
use super::session::Session;
use super::signals::{Pause, is_busy};
use super::tap::Answer;
use crate::sys::http::HttpError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// What became of the stream.
#[derive(Debug)]
pub(super) enum Heard {
    /// It ended and is open again: something may have been missed.
    Gap,
    /// The server offers none.
    Deaf,
    /// The server cannot be reached any more.
    Lost(Reason),
}

/// The stream.
#[derive(Debug, Default)]
pub(super) struct Listening {
    state: State,
    pause: Pause,
    /// Whether the server ever answered with a stream.
    was_open: bool,
}

#[derive(Debug, Default)]
enum State {
    /// There is none.
    #[default]
    Off,
    Open(JoinHandle<Option<Answer>>),
    /// It ended, and is opened again then.
    Waiting(Instant),
}

impl Listening {
    /// Opens the stream.
    pub(super) async fn start(session: &Session) -> Self {
        let mut listening = Self::default();
        listening.open(session).await;
        listening
    }

    async fn open(&mut self, session: &Session) {
        self.state = session.listen().await.map_or(State::Off, State::Open);
        self.pause.opened(Instant::now());
    }

    /// Waits until something becomes of the stream; for ever if there is none. Cancel-safe.
    pub(super) async fn next(&mut self, session: &Session) -> Heard {
        loop {
            match &mut self.state {
                State::Off => std::future::pending().await,
                State::Open(stream) => {
                    let answer = stream.await.ok().flatten();
                    self.state = State::Off;
                    match answer {
                        Some(Err(Reason::Error { .. } | Reason::Shape { .. })) => return Heard::Deaf,
                        Some(Err(Reason::Http(error))) if !is_busy(&error) => {
                            let refused = !self.was_open && !matches!(error, HttpError::Network { .. });
                            return if refused { Heard::Deaf } else { Heard::Lost(error.into()) };
                        }
                        // The server closed it, or its connection broke.
                        Some(_) | None => {
                            self.was_open = true;
                            let now = Instant::now();
                            self.state = State::Waiting(now + self.pause.next(now));
                        }
                    }
                }
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    self.open(session).await;
                    return Heard::Gap;
                }
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let State::Open(stream) = &self.state {
            stream.abort();
        }
    }
}
