//! The pump: two directions, one gate.
//!
//! Promises: a forwarded message is written from the buffer it was read into; each direction waits
//! for its own writer before it reads on (back-pressure), and never for the other direction's, so the
//! two cannot block each other; what the gate sends against the stream goes through a queue, which
//! stops a client that does not read and is bounded for a server that does not.

use super::remote::Said;
use super::report::Report;
use crate::engine::frame::{Frame, LineFramer};
use crate::engine::gate::{Effect, Event, Gate, Input, Output, Side, Stream};
use crate::engine::jsonrpc::{self, Envelope, Message, Shape};
use crate::ipc::message::GateNews;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, Notify};

/// Everything that the two directions share.
pub struct Pump {
    gate: RefCell<Gate>,
    client: Outlet,
    server: Outlet,
    report: RefCell<Report>,
    clock: Clock,
    /// The moment that the ticker waits for; the end of time for none.
    armed: Cell<u64>,
    /// Since when the daemon waits to hear what the server shows in this session.
    looks: Cell<Option<u64>>,
    /// Told when something was written to the server.
    asked: Notify,
    rearm: Notify,
    limit: usize,
    was_refused: Cell<Option<&'static str>>,
}

/// What must hold before the first message of a server is taken in.
pub struct Check {
    /// What it comes to, begun when it is waited for.
    pub result: Pin<Box<dyn Future<Output = Checked>>>,
    /// Whether it has to wait for that message; else it begins as soon as the server has work to do.
    pub is_late: bool,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Why nothing of the server may be let through, in our words.
    pub refused: Option<&'static str>,
    /// What it depends on that it did not when it was approved.
    pub dependencies: Option<String>,
}

/// A writer, and what waits for it.
struct Outlet {
    /// `None` before there is one and once it is closed.
    writer: Mutex<Option<Box<dyn AsyncWrite + Unpin>>>,
    queue: RefCell<VecDeque<Vec<u8>>>,
    /// How many bytes are in the queue.
    queued: Cell<usize>,
    wake: Notify,
    drained: Notify,
}

/// From here on a client that sends and does not read is not read from either.
const HIGH: usize = 1 << 20;

/// More than this is not kept for a server that sends and does not read.
const FULL: usize = 16 << 20;

/// Unix time that never goes back.
struct Clock {
    start: Instant,
    at_start: u64,
}

impl Pump {
    /// A pump that writes to a client, for messages of at most `limit` bytes.
    pub fn new(gate: Gate, report: Report, client: Box<dyn AsyncWrite + Unpin>, limit: usize) -> Self {
        let clock = Clock { start: Instant::now(), at_start: crate::survey::machine::now() };
        Self {
            gate: RefCell::new(gate),
            client: Outlet::new(Some(client)),
            server: Outlet::new(None),
            report: RefCell::new(report),
            clock,
            armed: Cell::new(u64::MAX),
            looks: Cell::new(None),
            asked: Notify::new(),
            rearm: Notify::new(),
            limit,
            was_refused: Cell::new(None),
        }
    }

    /// Gives the pump a server to write to.
    pub fn set_server(&self, writer: Box<dyn AsyncWrite + Unpin>) {
        // Nobody writes to a server that is not there yet.
        if let Ok(mut place) = self.server.writer.try_lock() {
            *place = Some(writer);
        }
    }

    /// Tells a daemon what the gate sees, from now on.
    pub fn attach(&self, news: tokio::sync::mpsc::Sender<GateNews>) {
        let mut report = self.report.borrow_mut();
        report.opened();
        report.attach(news);
    }

    /// From now on the log keeps no arguments of calls.
    pub fn keep_no_contents(&self) {
        self.report.borrow_mut().keep_no_contents();
    }

    /// Moves one direction until its source ends, or its first bytes do not stand the check.
    pub async fn direction(
        &self,
        from: Side,
        mut source: impl AsyncRead + Unpin,
        mut check: Option<Check>,
    ) -> io::Result<()> {
        let mut framer = LineFramer::new(self.limit);
        loop {
            while let Some(frame) = framer.next_frame() {
                self.frame(from, &framer, frame).await?;
            }
            let read = match check.take() {
                None => source.read(framer.spare()).await?,
                Some(check) => match self.read_and_check(&mut source, framer.spare(), check).await? {
                    Ok(read) => read,
                    Err(why) => {
                        self.was_refused.set(Some(why));
                        return Ok(());
                    }
                },
            };
            match read {
                0 => return Ok(()),
                read => framer.fill(read),
            }
        }
    }

    /// Reads, and gives what was read once the check is done; why nothing may be let through if it fails.
    async fn read_and_check(
        &self,
        source: &mut (impl AsyncRead + Unpin),
        spare: &mut [u8],
        Check { mut result, is_late }: Check,
    ) -> io::Result<Result<usize, &'static str>> {
        let early = async {
            self.asked.notified().await;
            (&mut result).await
        };
        let (read, checked) = tokio::select! {
            checked = early, if !is_late => (None, Some(checked)),
            read = source.read(spare) => (Some(read?), None),
        };
        let checked = match checked {
            Some(checked) => checked,
            None => result.await,
        };
        if let Some(why) = self.checked(checked) {
            return Ok(Err(why));
        }
        Ok(Ok(match read {
            Some(read) => read,
            None => source.read(spare).await?,
        }))
    }

    /// Why a check failed, if one did since this was asked last.
    pub fn was_refused(&self) -> Option<&'static str> {
        self.was_refused.take()
    }

    fn checked(&self, checked: Checked) -> Option<&'static str> {
        if let Some(dependencies) = checked.dependencies {
            self.report.borrow_mut().dependencies(self.clock.now(), &dependencies);
        }
        checked.refused
    }

    /// Tells the gate something that did not come as a message.
    pub fn tell(&self, input: Input<'_>) {
        let effects = self.step(input);
        for effect in effects {
            self.perform_apart(effect);
        }
        self.answer_looks();
    }

    /// The daemon asks what the server shows in this session: its lists are read again.
    pub fn look(&self) {
        self.looks.set(Some(self.clock.now()));
        self.tell(Input::Reconnected);
    }

    /// Says that a reading the daemon asked for found everything as approved; what it found otherwise is
    /// an offer, and told as one.
    fn answer_looks(&self) {
        let Some(since) = self.looks.get() else { return };
        let Some(kind) = self.gate.borrow().read_since(since) else { return };
        self.looks.set(None);
        let surface = self.gate.borrow().offered().digest();
        self.report.borrow().looked(surface, kind);
    }

    /// Tells the gate what a transport says beside the messages.
    pub fn heed(&self, said: Said) {
        match said {
            Said::Gap => self.tell(Input::Reconnected),
            Said::Renewed(answer) => self.tell(Input::Renewed(&answer)),
            Said::Undelivered(message) => self.tell(Input::Undelivered(&message)),
            Said::Failed(id, why) => self.tell(Input::Failed(id, why)),
        }
    }

    /// Does what is due, for as long as the pump lives.
    pub async fn tick(&self) {
        loop {
            let deadline = self.armed.get();
            let wait = deadline.saturating_sub(self.clock.now());
            tokio::select! {
                () = self.rearm.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(wait)), if deadline != u64::MAX => {
                    self.armed.set(u64::MAX);
                    self.tell(Input::Tick);
                }
            }
        }
    }

    /// Writes what waits for the client, for as long as the pump lives.
    pub async fn drain_client(&self) {
        self.client.drain().await;
    }

    /// Writes what waits for the server, for as long as the pump lives.
    pub async fn drain_server(&self) {
        self.server.drain().await;
    }

    /// Writes everything that still waits for the client.
    pub async fn flush(&self) -> io::Result<()> {
        self.client.write(b"").await
    }

    /// Closes the way to the server, once nothing is left to be said to it.
    pub async fn close_server(&self) {
        let _gone = self.server.write(b"").await;
        if let Some(mut writer) = self.server.writer.lock().await.take() {
            let _gone = writer.shutdown().await;
        }
    }

    /// Whether nobody waits for anything.
    pub fn is_idle(&self) -> bool {
        self.gate.borrow().is_idle()
    }

    /// The end: whoever wrote the records finishes.
    pub fn finish(&self, why: &str) {
        if let Some(client) = self.gate.borrow().settled_client() {
            let mut report = self.report.borrow_mut();
            report.settled(client);
            if report.is_as_approved() {
                report.listed(self.clock.now(), &self.gate.borrow().offered());
            }
        }
        self.report.borrow_mut().finish(self.clock.now(), why);
    }

    async fn frame(&self, from: Side, framer: &LineFramer, frame: Frame) -> io::Result<()> {
        let (effects, line) = match frame {
            Frame::Message(range) => {
                let effects = self.step(Input::Frame(from, framer.bytes(range.clone())));
                (effects, framer.line(range))
            }
            Frame::TooLong { id, is_request } => {
                (self.step(Input::TooLong { from, id, is_request }), &b""[..])
            }
            Frame::RawCr => {
                (self.step(Input::Unframed(from, "a carriage return inside a message")), &b""[..])
            }
        };
        let along = from.other();
        for effect in effects {
            match effect.output {
                Output::Forward(to) if to == along => self.write(to, line).await?,
                Output::Send(to, mut bytes) if to == along => {
                    bytes.push(b'\n');
                    self.write(to, &bytes).await?;
                }
                Output::Forward(to) => self.push(to, line.to_vec()),
                output => self.perform_apart(Effect { stream: effect.stream, output }),
            }
        }
        self.answer_looks();
        if from == Side::Client {
            self.client.room().await;
        }
        Ok(())
    }

    fn step(&self, input: Input<'_>) -> Vec<Effect> {
        let mut gate = self.gate.borrow_mut();
        let effects = gate.step(self.clock.now(), Event { stream: Stream(0), input });
        let deadline = gate.deadline().unwrap_or(u64::MAX);
        if deadline < self.armed.get() {
            self.armed.set(deadline);
            self.rearm.notify_one();
        }
        effects
    }

    /// Does what needs no waiting.
    fn perform_apart(&self, effect: Effect) {
        match effect.output {
            Output::Send(to, mut bytes) => {
                bytes.push(b'\n');
                self.push(to, bytes);
            }
            Output::Record(record) => self.report.borrow_mut().record(self.clock.now(), record),
            Output::Offer(seen) => self.report.borrow_mut().offer(self.clock.now(), &seen),
            Output::Ask(items) => self.report.borrow_mut().ask(&items),
            // Only a frame can be forwarded, and frames are handled where they are at hand.
            Output::Forward(_) => {}
        }
    }

    /// Writes along the stream. A server that reads no more is seen when its own stream ends.
    async fn write(&self, to: Side, bytes: &[u8]) -> io::Result<()> {
        match to {
            Side::Client => self.client.write(bytes).await,
            Side::Server => {
                let _gone = self.server.write(bytes).await;
                self.asked.notify_one();
                Ok(())
            }
        }
    }

    fn push(&self, to: Side, bytes: Vec<u8>) {
        match to {
            Side::Client => self.client.push(bytes),
            // Waiting for it here could wait for ever: it may be waiting for us to read.
            Side::Server if self.server.queued.get() > FULL => self.give_up(&bytes),
            Side::Server => self.server.push(bytes),
        }
    }

    /// What cannot be kept for the server is not sent: whoever waits for an answer gets one.
    fn give_up(&self, message: &[u8]) {
        let id = match jsonrpc::read(message) {
            Ok(Envelope::Single(Message { shape: Shape::Request(id, _), .. })) => id,
            _ => return,
        };
        self.tell(Input::Failed(id, "mcpwatch: the server does not read what is sent to it.".to_owned()));
    }
}

impl Outlet {
    fn new(writer: Option<Box<dyn AsyncWrite + Unpin>>) -> Self {
        Self {
            writer: Mutex::new(writer),
            queue: RefCell::default(),
            queued: Cell::new(0),
            wake: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Writes what waits, then this.
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut writer = self.writer.lock().await;
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(next) = next else { break };
            self.queued.set(self.queued.get().saturating_sub(next.len()));
            self.drained.notify_one();
            writer.write_all(&next).await?;
        }
        if !bytes.is_empty() {
            writer.write_all(bytes).await?;
        }
        writer.flush().await
    }

    fn push(&self, bytes: Vec<u8>) {
        self.queued.set(self.queued.get() + bytes.len());
        self.queue.borrow_mut().push_back(bytes);
        self.wake.notify_one();
    }

    /// Waits until little is left in the queue.
    async fn room(&self) {
        while self.queued.get() > HIGH {
            self.drained.notified().await;
        }
    }

    async fn drain(&self) {
        loop {
            self.wake.notified().await;
            // A peer that is gone is seen by the direction that reads from it.
            let _gone = self.write(b"").await;
        }
    }
}

impl Clock {
    fn now(&self) -> u64 {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at_start.saturating_add(since)
    }
}
