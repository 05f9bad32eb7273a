//! `run`: one client on our stdin and stdout, one server behind the gate.
//!
//! Promises: launch and artifact are compared before anything is started, and what runs is compared
//! again before its first answer reaches the client; the server's exit code, its stderr and the
//! signals we get pass through; when the client is gone, the server's whole group ends. A gate that is
//! closed starts nothing, says why through the client, and starts the server once it opens.

use super::ends;
use super::pins::{self, ARTIFACT_CHANGED, ARTIFACT_UNSEEN, Asked, Loaded, Pins, ProxyError, Runs};
use super::pump::{Check, Checked, Pump};
use super::report::Report;
use super::server::{Happened, Server};
use super::signals::Signals;
use crate::engine::gate::{Approval, Config, Gate, Input, Mode, Side};
use crate::engine::launchpin::Launch;
use crate::ipc;
use crate::ipc::message::{Askable, Cause, Push, ServerId};
use crate::launch::Platform;
use crate::sys::watch::Files;
use std::fmt::Write;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long requests that are open when the client closes its end may still be answered.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long a server may take to leave after its stdin closed.
const LEAVE: Duration = Duration::from_secs(3);

/// How long it may take to leave after a second signal. Claude Code sends SIGINT, SIGTERM 100 ms later and
/// SIGKILL 400 ms after that.
const HURRY: Duration = Duration::from_millis(200);

/// How long a burst of changes may take until it is told.
const SETTLE: Duration = Duration::from_millis(20);

/// How often files are looked at where they cannot be watched.
const POLL: Duration = Duration::from_secs(2);

/// How long what a server and its client said last is still on its way when the server is gone.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// When files are watched and the daemon is looked for: after the opening, which they must not slow.
const SETTLED: Duration = Duration::from_millis(100);

/// The longest time between two looks at approvals that end with the day.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Why the conversation ended.
enum End {
    /// The client is gone.
    Client,
    /// The server is gone.
    Server,
    /// We got this signal.
    Signal(i32),
}

/// A direction of the pump, while it runs.
type Direction<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;

/// Stands in front of a server until one of the two is gone; gives the exit code.
pub async fn run(asked: Asked) -> Result<u8, ProxyError> {
    let signals = Signals::new().map_err(|source| system("signals cannot be received", source))?;
    let mut prefix = [0; 16];
    getrandom::fill(&mut prefix).map_err(|error| ProxyError::NoRandom(error.to_string()))?;
    let session = hex(&prefix);
    let pins = Arc::new(Pins::new(asked.clone(), session.clone())?);
    let mut loaded = pins.load_start();
    // The server comes up while the rest is read and made ready.
    let (started, cause) = start(&pins, &mut loaded);
    pins.complete(&mut loaded);
    let started = started.filter(|_| !matches!(loaded.approval, Approval::Closed(_)));
    let (input, output, restore) =
        ends::standard().map_err(|source| system("stdin or stdout cannot be used", source))?;
    let config = Config {
        name: asked.server.clone(),
        mode: loaded.mode,
        limits: loaded.limits,
        prefix,
        platform: Platform::current().key(),
        machine: pins.machine(),
    };
    let report = Report::new(&asked.server, &pins.lock(), &session, pins.paths(), &asked.launch, cause)
        .with_contents(loaded.log_contents);
    let gate = Gate::new(config, loaded.approval.clone());
    let pump = Pump::new(gate, report, output, loaded.message);
    let observes = loaded.mode == Mode::Observe;
    let conversation = Conversation {
        pump: &pump,
        pins,
        name: asked.server,
        approval: loaded.approval,
        ends: loaded.ends_in.map(in_time),
        observes,
        signals,
    };
    let code = conversation.run(input, started).await;
    drop(restore);
    Ok(code)
}

/// One conversation of a client with a server.
struct Conversation<'a> {
    pump: &'a Pump,
    pins: Arc<Pins>,
    name: String,
    approval: Approval,
    /// When to look again, because an approval ends with the day.
    ends: Option<Instant>,
    observes: bool,
    signals: Signals,
}

impl<'a> Conversation<'a> {
    async fn run(mut self, input: ends::Input, started: Option<(Server, Check)>) -> u8 {
        let pump = self.pump;
        let mut from_client: Direction<'a> = Box::pin(pump.direction(Side::Client, input, None));
        let mut from_server: Direction<'a> = Box::pin(std::future::pending());
        let mut server = None;
        if let Some((process, check)) = started {
            from_server = self.connect(process, check, &mut server);
        }
        let (mut tick, mut to_client, mut to_server) =
            (Box::pin(pump.tick()), Box::pin(pump.drain_client()), Box::pin(pump.drain_server()));
        let mut settled = Box::pin(tokio::time::sleep(SETTLED));
        let mut outside = Outside::default();
        let mut leaving: Option<Direction<'a>> = None;
        let mut died = None;
        let end = loop {
            tokio::select! {
                () = &mut tick => {}
                () = &mut to_client => {}
                () = &mut to_server => {}
                _ = &mut from_client, if leaving.is_none() => {
                    if server.is_none() {
                        break End::Client;
                    }
                    leaving = Some(Box::pin(leave(pump)));
                }
                _ = async { if let Some(leaving) = &mut leaving { let _left = leaving.await; } }, if leaving.is_some() => {
                    break End::Client;
                }
                _ = &mut from_server, if server.is_some() => {
                    if let Some(why) = pump.was_refused().filter(|_| leaving.is_none()) {
                        // What runs is not what is pinned: it ends, and we stay to say so.
                        self.approval = Approval::Closed(why.to_owned());
                        pump.tell(Input::Approval(self.approval.clone()));
                        pump.tell(Input::ServerClosed(why.to_owned()));
                        end_server(server.take(), &mut self.signals, false).await;
                        from_server = Box::pin(std::future::pending());
                        continue;
                    }
                    break End::Server;
                }
                signal = self.signals.next() => break End::Signal(signal),
                happened = news(&mut server), if died.is_none() => match happened {
                    Happened::Said(said) => pump.heed(said),
                    Happened::Died => died = Some(Box::pin(tokio::time::sleep(LAST_WORDS))),
                },
                () = async { if let Some(died) = &mut died { died.await; } }, if died.is_some() => break End::Server,
                () = async { if let Some(ends) = self.ends { tokio::time::sleep_until(ends).await } },
                    if self.ends.is_some() =>
                {
                    if let Some((process, check)) = self.reload(server.as_ref()) {
                        from_server = self.connect(process, check, &mut server);
                        pump.tell(Input::Started);
                    }
                }
                () = &mut settled, if !outside.is_open() => outside = self.look_outside(&server),
                news = outside.next() => match news {
                    News::Askable(can_ask) => pump.tell(Input::CanAsk(can_ask)),
                    News::Look => pump.look(),
                    News::Changed => {
                        if let Some((process, check)) = self.reload(server.as_ref()) {
                            from_server = self.connect(process, check, &mut server);
                            pump.tell(Input::Started);
                        }
                    }
                },
            }
        };
        drop(from_server);
        if let End::Server = end {
            let why = match &mut server {
                Some(server) => server.status().await.1,
                None => "it closed its output.".to_owned(),
            };
            pump.tell(Input::ServerClosed(why));
            if leaving.is_none() {
                // What the client has sent by now is answered too.
                let _unread = tokio::time::timeout(LAST_WORDS, from_client).await;
            }
        }
        finish(end, pump, server, &mut self.signals).await
    }

    /// Ties a server that was started to the pump.
    fn connect(&self, mut process: Server, check: Check, server: &mut Option<Server>) -> Direction<'a> {
        let (stdout, stdin) = process.ends();
        self.pump.set_server(stdin);
        *server = Some(process);
        Box::pin(self.pump.direction(Side::Server, stdout, Some(check)))
    }

    /// Reads the pins anew; gives a server if one may be started now and none runs.
    fn reload(&mut self, server: Option<&Server>) -> Option<(Server, Check)> {
        let mut loaded = self.pins.load();
        self.ends = loaded.ends_in.map(in_time);
        if !loaded.log_contents {
            self.pump.keep_no_contents();
        }
        match loaded.mode {
            Mode::Enforce if self.observes => {
                self.observes = false;
                self.pump.tell(Input::Enforce);
            }
            // What loosens a gate counts from the next session on.
            Mode::Enforce | Mode::Observe => {}
        }
        if loaded.approval == self.approval {
            return None;
        }
        let is_running = server.is_some();
        let started = if is_running { None } else { start(&self.pins, &mut loaded).0 };
        if let Some(server) = server {
            server.set_approval(&loaded.approval);
        }
        self.approval = loaded.approval.clone();
        self.pump.tell(Input::Approval(loaded.approval));
        started
    }

    /// Watches the files and looks for a daemon.
    fn look_outside(&mut self, server: &Option<Server>) -> Outside {
        let scope = self.pins.lock().to_string_lossy().into_owned();
        let gate = ipc::message::Gate {
            server: ServerId { scope, name: self.name.clone() },
            client: None,
            process: server.as_ref().and_then(Server::id),
            observe: self.observes,
            no_log: None,
        };
        let attached = ipc::client::attach(self.pins.paths().runtime.clone(), gate);
        self.pump.attach(attached.news);
        let mut watch = Files::new(SETTLE, POLL);
        watch.set(&self.pins.files().into_iter().collect());
        // What changed before the watch began is seen now.
        let (again, first) = mpsc::channel(1);
        let _first = again.try_send(());
        Outside { watch: Some(watch), pushes: Some(attached.pushes), first: Some(first) }
    }
}

/// What comes from neither side.
#[derive(Default)]
struct Outside {
    watch: Option<Files>,
    pushes: Option<mpsc::Receiver<Push>>,
    first: Option<mpsc::Receiver<()>>,
}

impl Outside {
    fn is_open(&self) -> bool {
        self.watch.is_some()
    }

    /// Waits for a file that matters to change, or for the daemon.
    async fn next(&mut self) -> News {
        if let Some(mut first) = self.first.take()
            && first.try_recv().is_ok()
        {
            return News::Changed;
        }
        let Self { watch, pushes, .. } = self;
        tokio::select! {
            () = async { match watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            } } => News::Changed,
            push = async { match pushes {
                Some(pushes) => pushes.recv().await,
                None => std::future::pending().await,
            } } => match push {
                Some(Push::Askable(askable)) => News::Askable(matches!(askable, Askable::Yes)),
                Some(Push::PinsChanged(_)) => News::Changed,
                Some(Push::Look(_)) => News::Look,
                None => {
                    *pushes = None;
                    News::Askable(false)
                }
            },
        }
    }
}

/// What came from neither side.
enum News {
    /// Files that matter changed.
    Changed,
    /// Whether a person can be asked.
    Askable(bool),
    /// The daemon wants to know what the server shows here.
    Look,
}

/// When to look again: a clock that is set or a machine that sleeps must not make a day longer.
fn in_time(left: Duration) -> Instant {
    Instant::now() + left.min(LOOK_AGAIN).max(Duration::from_millis(10))
}

/// Starts the server, if it may be and is what is pinned; also tells what a change of it would come from.
fn start(pins: &Arc<Pins>, loaded: &mut Loaded) -> (Option<(Server, Check)>, Cause) {
    if !loaded.may_start {
        return (None, Cause::Unknown);
    }
    let launch = pins.start(&loaded.approval);
    let runs = pins.will_run(&launch, &loaded.approval);
    match runs {
        Runs::AsPinned | Runs::Dependencies(_) | Runs::Unseen => {}
        Runs::Otherwise => {
            loaded.approval = Approval::Closed(ARTIFACT_CHANGED.to_owned());
            return (None, Cause::Upgrade);
        }
    }
    let cause = pins.cause(&loaded.approval, &runs);
    match Server::start(&launch, loaded.message) {
        Ok(server) => {
            server.set_approval(&loaded.approval);
            let check = check(Arc::clone(pins), launch, loaded.approval.clone(), runs);
            (Some((server, check)), cause)
        }
        Err(why) => {
            loaded.approval = Approval::Closed(why);
            (None, cause)
        }
    }
}

/// Waits for what happens beside the server's messages.
async fn news(server: &mut Option<Server>) -> Happened {
    match server {
        Some(server) => server.news().await,
        None => std::future::pending().await,
    }
}

/// The second comparison: while the server comes up where everything could be seen before, else when it
/// has spoken, because package managers install in between.
///
/// What was seen when it was approved and cannot be seen now is not let through.
fn check(pins: Arc<Pins>, launch: Launch, approval: Approval, runs: Runs) -> Check {
    let is_late = matches!(runs, Runs::Unseen | Runs::Otherwise);
    // One file is looked at sooner than a thread has started.
    let is_small = pins::is_one_file(&approval);
    let again = move || {
        let runs = pins.runs(&launch, &approval);
        pins.forget_digests();
        match runs {
            Runs::AsPinned => Checked::default(),
            Runs::Dependencies(what) => Checked { dependencies: Some(what), refused: None },
            Runs::Unseen => Checked { refused: Some(ARTIFACT_UNSEEN), dependencies: None },
            Runs::Otherwise => Checked { refused: Some(ARTIFACT_CHANGED), dependencies: None },
        }
    };
    // A comparison that breaks off has compared nothing.
    let broken = || Checked { refused: Some(ARTIFACT_UNSEEN), dependencies: None };
    let result: Pin<Box<dyn Future<Output = Checked>>> = if is_small {
        Box::pin(async move { again() })
    } else {
        Box::pin(async move { tokio::task::spawn_blocking(again).await.unwrap_or_else(|_| broken()) })
    };
    Check { result, is_late }
}

/// The client is gone: what it asked for is still done, then the server may leave by itself.
async fn leave(pump: &Pump) -> io::Result<()> {
    let answered = async {
        while !pump.is_idle() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _late = tokio::time::timeout(LAST_ANSWERS, answered).await;
    pump.close_server().await;
    tokio::time::sleep(LEAVE).await;
    Ok(())
}

async fn finish(end: End, pump: &Pump, server: Option<Server>, signals: &mut Signals) -> u8 {
    let code = match end {
        End::Client => {
            pump.close_server().await;
            end_server(server, signals, false).await
        }
        End::Server => {
            let mut server = server;
            let code = match &mut server {
                Some(server) => server.status().await.0,
                None => 0,
            };
            let _client_gone = tokio::time::timeout(LEAVE, pump.flush()).await;
            pump.close_server().await;
            end_server(server, signals, false).await;
            code
        }
        End::Signal(signal) => {
            if let Some(server) = &server {
                server.signal(signal);
            }
            pump.close_server().await;
            end_server(server, signals, true).await;
            u8::try_from(128 + signal).unwrap_or(1)
        }
    };
    pump.finish(match end {
        End::Client => "the client left",
        End::Server => "the server ended",
        End::Signal(_) => "a signal came",
    });
    code
}

/// Ends the server with its group. Whoever sends a second signal will kill us soon, and may find nothing
/// left behind then; `is_second` says whether the next one is that.
async fn end_server(server: Option<Server>, signals: &mut Signals, mut is_second: bool) -> u8 {
    let Some(server) = server else { return 0 };
    let mut ending = std::pin::pin!(server.end());
    loop {
        tokio::select! {
            code = &mut ending => return code,
            signal = signals.next() => {
                if is_second {
                    // What did not end in time is killed when this is dropped.
                    let ended = tokio::time::timeout(HURRY, ending).await;
                    return ended.unwrap_or_else(|_| u8::try_from(128 + signal).unwrap_or(1));
                }
                is_second = true;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn system(what: &'static str, source: io::Error) -> ProxyError {
    ProxyError::System { what, source }
}
