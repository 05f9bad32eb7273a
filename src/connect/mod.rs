//! Asks a server for its surface.
//!
//! Promises: what is read are the bytes received, by strict rules (`tap`); a reading is whole or an
//! error, never a part; every wait and every size has a limit; the server's whole process group has
//! ended when [`read`] returns or is dropped. rmcp is named here and nowhere else: it opens the
//! conversation in either era and carries the requests, but decodes nothing that is kept.
//!
//! Does not: expand references, resolve packages, mask secrets, or read twice; its callers do.

mod error;
mod events;
mod http;
mod listening;
mod options;
mod session;
mod signals;
mod sse;
mod stay;
mod stdio;
mod tap;
mod told;
mod walk;

pub use error::{ConnectError, Reason};
pub use options::{Capabilities, ClientName, Limits, Options, Remote, Target};
pub use stay::{Told, stay};

use crate::engine::surface::{Era, ItemKey, Kind, Surface};
use crate::sys::process::{Command, Process, Stderr};
use session::{Opening, Session};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tap::{DISCOVER, INITIALIZE, Tap};

/// What one reading of a server gave.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Everything the server showed. Kinds of request are those that it happened to send while it was
    /// read: their absence says nothing.
    pub surface: Surface,
    /// The protocol version that was spoken.
    pub protocol: String,
    /// The era it was spoken in; give it back as [`Options::protocol_hint`].
    pub era: Era,
    /// What was skipped on the way, in our words.
    pub notes: Vec<String>,
    /// The end of what the server wrote to stderr, secrets in clear.
    pub stderr_tail: String,
    /// From the start to the answer of the opening.
    pub time_to_start: Duration,
    /// From the start to the last answer.
    pub time_total: Duration,
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The process starts, or the address is being reached.
    Starting,
    /// The conversation is open; lists are being read.
    Reading,
}

/// What happens to a session once it was read.
enum Then<'a> {
    /// It ends.
    End,
    /// It stays.
    Stay(&'a mut stay::Resident),
}

/// Who is told how far it is.
pub type Progress<'a> = &'a (dyn Fn(Stage) + Send + Sync);

/// Reads a server once.
pub async fn read(
    target: &Target,
    options: &Options,
    progress: Progress<'_>,
) -> Result<Reading, ConnectError> {
    read_with(target, options, progress, &mut Then::End).await
}

async fn read_with(
    target: &Target,
    options: &Options,
    progress: Progress<'_>,
    then: &mut Then<'_>,
) -> Result<Reading, ConnectError> {
    let hint = match (options.protocol_hint, target) {
        (Some(Era::Session), _) => Opening::Initialize,
        (Some(Era::Stateless), Target::Command(_)) => Opening::Discover,
        (Some(Era::Stateless), Target::Url(_)) | (None, _) => Opening::Probe,
    };
    let first = read_once(target, hint, options, progress, then).await;
    let Some((opening, options)) = first.as_ref().err().and_then(|error| again(error, hint, options)) else {
        return first;
    };
    match read_once(target, opening, &options, progress, then).await {
        // The first reason is the better one, unless it only says that a question of ours was one too many.
        Err(second) if !matches!(second.reason, Reason::Ended { .. }) => first.or(Err(second)),
        second => second,
    }
}

/// The other way to open, where the first failed in a way that it explains.
fn again(error: &ConnectError, opening: Opening, options: &Options) -> Option<(Opening, Options)> {
    match (opening, &error.reason) {
        // It ended at a question it does not know.
        (Opening::Probe, Reason::Ended { method, .. }) if method == DISCOVER => {
            Some((Opening::Initialize, options.clone()))
        }
        // It spoke the stateless era when it was pinned, and does no more.
        (
            Opening::Discover,
            Reason::Error { method, .. } | Reason::Ended { method, .. } | Reason::Timeout { method, .. },
        ) if method == DISCOVER => Some((Opening::Initialize, options.clone())),
        // It was only slow to say that it knows no `initialize`; or it has moved on since it was pinned.
        (_, Reason::Error { method, .. }) if method == INITIALIZE => {
            let mut options = options.clone();
            options.limits.probe = options.limits.start;
            Some((Opening::Discover, options))
        }
        _ => None,
    }
}

async fn read_once(
    target: &Target,
    opening: Opening,
    options: &Options,
    progress: Progress<'_>,
    then: &mut Then<'_>,
) -> Result<Reading, ConnectError> {
    progress(Stage::Starting);
    match target {
        Target::Command(command) => read_command(command, opening, options, progress, then).await,
        Target::Url(remote) => http::read(remote, opening, options, progress, then).await,
    }
}

async fn read_command(
    command: &Command,
    opening: Opening,
    options: &Options,
    progress: Progress<'_>,
    then: &mut Then<'_>,
) -> Result<Reading, ConnectError> {
    let started = Instant::now();
    let plain = |reason| ConnectError { reason, stderr_tail: String::new(), notes: Vec::new() };
    let mut process = Process::spawn(command, Stderr::Tail).map_err(|error| plain(error.into()))?;
    let (Some(stdin), Some(stdout)) = (process.take_stdin(), process.take_stdout()) else {
        return Err(plain(Reason::Ended { method: "its start".into(), status: None }));
    };
    let tap = Arc::new(Tap::new(options));
    // A server that spoke the stateless era last time is given longer: it may only be slow today.
    let probe = match options.protocol_hint {
        Some(Era::Stateless) => options.limits.start.max(options.limits.probe),
        _ => options.limits.probe,
    };
    let transport = stdio::Stdio::new(Arc::clone(&tap), stdin, stdout, options.limits.message, probe);
    let session = Session::open(transport, Arc::clone(&tap), opening, options).await;
    let read = converse(session, &tap, started, options, progress, then).await;
    let tail = process.tail();
    let status = process.end().await;
    let (stderr_tail, notes) = (tail.text(), tap.notes());
    match read {
        Ok(reading) => Ok(Reading { stderr_tail, ..reading }),
        Err(Reason::Ended { method, .. }) => {
            let status = status.map(|status| status.to_string());
            Err(ConnectError { reason: Reason::Ended { method, status }, stderr_tail, notes })
        }
        Err(Reason::Left { .. }) => {
            let status = status.map(|status| status.to_string());
            Err(ConnectError { reason: Reason::Left { status }, stderr_tail, notes })
        }
        Err(reason) => Err(ConnectError { reason, stderr_tail, notes }),
    }
}

/// Reads everything over an open session, stays if that is wanted, and closes it.
async fn converse(
    session: Result<Session, Reason>,
    tap: &Tap,
    started: Instant,
    options: &Options,
    progress: Progress<'_>,
    then: &mut Then<'_>,
) -> Result<Reading, Reason> {
    let session = session?;
    let time_to_start = started.elapsed();
    progress(Stage::Reading);
    if let Then::Stay(resident) = &mut *then {
        // What changes while it is read is signalled.
        resident.listen(&session).await;
    }
    let walked = walk::walk(&session, &options.limits).await;
    let time_total = started.elapsed();
    let (protocol, era) = (session.protocol.clone(), session.era);
    let mut reading = walked.map(|(mut surface, mut notes)| {
        for method in tap.requests() {
            surface.add(ItemKey::new(Kind::Request, method), true.into());
        }
        notes.extend(tap.notes());
        let stderr_tail = String::new();
        Reading { surface, protocol, era, notes, stderr_tail, time_to_start, time_total }
    });
    let stayed = match (&mut reading, then) {
        (Ok(reading), Then::Stay(resident)) => {
            // Handed on, not kept for as long as the session stays.
            let surface = std::mem::take(&mut reading.surface);
            resident.go_on(&session, tap, Reading { surface, ..reading.clone() }, options).await
        }
        (Ok(_), Then::End) | (Err(_), _) => Ok(()),
    };
    session.close().await;
    stayed.and(reading)
}
