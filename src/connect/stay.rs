//! A session that stays: read, then listened to, and read again whenever that is asked for.
//!
//! Promises: a signal of the server (`list_changed`, in either era) is told once, however many came
//! since; every reading is whole, by the same rules as a single one; the session ends when its caller
//! does, and the server's process with it.

use super::error::Reason;
use super::listening::{Heard, Listening};
use super::options::{Options, Target};
use super::session::Session;
use super::tap::Tap;
use super::walk;
use super::{ConnectError, Reading, Then, read_with};
use crate::engine::surface::{Era, ItemKey, Kind};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What a session tells.
#[derive(Debug)]
pub enum Told {
    /// It was read whole, the first time or again; and how long its lists live, where it says so.
    Read(Box<Reading>, Option<Duration>),
    /// The server says that its lists changed, or may have said so unheard.
    Signal,
    /// The server offers no way to say so.
    Deaf,
}

/// The caller's ends of a session that stays.
pub(super) struct Resident {
    told: mpsc::Sender<Told>,
    again: mpsc::Receiver<()>,
    listening: Listening,
}

/// Opens a session, reads it, and keeps it until `again` is closed (then the end is `Ok`), or until
/// the server is gone. Each message in `again` asks for another reading.
pub async fn stay(
    target: &Target,
    options: &Options,
    told: mpsc::Sender<Told>,
    again: mpsc::Receiver<()>,
) -> Result<(), ConnectError> {
    let mut resident = Resident { told, again, listening: Listening::default() };
    let quiet = |_| {};
    read_with(target, options, &quiet, &mut Then::Stay(&mut resident)).await.map(|_| ())
}

impl Resident {
    /// Listens for what a stateless server signals; sessions have their own stream.
    pub(super) async fn listen(&mut self, session: &Session) {
        if session.era == Era::Stateless {
            self.listening = Listening::start(session).await;
        }
    }

    /// Goes on after the first reading.
    pub(super) async fn go_on(
        &mut self,
        session: &Session,
        tap: &Tap,
        first: Reading,
        options: &Options,
    ) -> Result<(), Reason> {
        if self.told.send(Told::Read(Box::new(first), tap.take_life())).await.is_err() {
            return Ok(());
        }
        loop {
            tokio::select! {
                asked = self.again.recv() => {
                    if asked.is_none() {
                        return Ok(());
                    }
                    let reading = self.read(session, tap, options).await?;
                    if self.told.send(Told::Read(Box::new(reading), tap.take_life())).await.is_err() {
                        return Ok(());
                    }
                }
                news = tap.news() => {
                    if let Some(reason) = news.lost {
                        return Err(reason);
                    }
                    if news.deaf {
                        let _ = self.told.send(Told::Deaf).await;
                    }
                    if news.signalled {
                        // One that waits to be heard says as much as two.
                        let _ = self.told.try_send(Told::Signal);
                    }
                }
                heard = self.listening.next(session) => match heard {
                    Heard::Gap => {
                        let _ = self.told.try_send(Told::Signal);
                    }
                    Heard::Deaf => {
                        let _ = self.told.send(Told::Deaf).await;
                    }
                    Heard::Lost(reason) => return Err(reason),
                }
            }
        }
    }

    async fn read(&self, session: &Session, tap: &Tap, options: &Options) -> Result<Reading, Reason> {
        let started = Instant::now();
        tap.renew();
        let (mut surface, mut notes) = walk::walk(session, &options.limits).await?;
        for method in tap.requests() {
            surface.add(ItemKey::new(Kind::Request, method), true.into());
        }
        notes.extend(tap.notes());
        let elapsed = started.elapsed();
        Ok(Reading {
            surface,
            protocol: session.protocol.clone(),
            era: session.era,
            notes,
            stderr_tail: String::new(),
            time_to_start: Duration::ZERO,
            time_total: elapsed,
        })
    }
}
