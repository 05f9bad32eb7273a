//! A remote server as a stream of lines for the pump: Streamable HTTP of both eras, and the HTTP+SSE
//! of 2024-11-05 where the launch says so or the address speaks nothing else.
//!
//! Promises: nothing is sent anywhere but to the launch's own origin (no redirects, no plain `http`
//! beyond loopback); a request whose answer cannot come gets an error at once; streams that break are
//! taken up again where the server left off. A session that the server forgot begins anew with the
//! client's own opening, and nothing goes to it before the gate has judged what it says: until then
//! everything comes back to the gate ([`Said`]).
//!
//! Does not: judge what passes, or log in.

use super::headers::{Outgoing, Params};
use super::legacy::{self, Owed, Refusal};
use super::remote::{Heard, Out, Outcome, RETRY, Remote, Said, Session, UNREACHABLE, answered, refused};
use super::server::{FromServer, ToServer};
use crate::engine::frame::{Frame, LineFramer};
use crate::engine::gate::Approval;
use crate::engine::jsonrpc::Id;
use crate::engine::launchpin::UrlLaunch;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};

/// How much may stand between the pump and the network.
const BUFFER: usize = 64 << 10;

/// How many answers may wait to be written to the pump.
const ANSWERS: usize = 16;

/// How many sessions may begin anew in [`RENEWAL_SPAN`].
const RENEWALS: usize = 3;

/// The time in which sessions that begin anew are counted.
const RENEWAL_SPAN: Duration = Duration::from_secs(60);

/// What is said when a session cannot begin anew.
const OVER: &str = "mcpwatch: the server ended the session, and a new one could not be opened.";

/// A connection that was opened.
pub struct Connection {
    /// Where the server's messages come from.
    pub from_server: FromServer,
    /// Where messages to the server go.
    pub to_server: ToServer,
    /// What the transport says by itself.
    pub said: mpsc::Receiver<Said>,
    /// What of calls is repeated in header fields.
    pub marks: Marks,
    /// Ends once the pump closed its end and the session is over.
    pub task: JoinHandle<()>,
}

/// The parameters that approved schemas mark, which change with an approval.
#[derive(Clone, Default)]
pub struct Marks(Arc<Mutex<Arc<Params>>>);

impl Marks {
    /// Takes them from what is approved.
    pub fn set(&self, approval: &Approval) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Params::of(approval));
    }

    fn get(&self) -> Arc<Params> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Connects to a remote server; what went wrong is said in our words.
pub fn connect(launch: &UrlLaunch, limit: usize) -> Result<Connection, String> {
    let remote = Arc::new(Remote::new(launch, limit)?);
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let (from_server, to_server) = tokio::io::split(ours);
    let (requests, answers) = tokio::io::split(theirs);
    let (told, said) = mpsc::channel(ANSWERS);
    let marks = Marks::default();
    let (lines, messages) = mpsc::channel(ANSWERS);
    let (news, heard) = mpsc::channel(ANSWERS);
    let bridge = Bridge {
        remote: Arc::clone(&remote),
        marks: marks.clone(),
        out: Out { lines, said: told },
        news,
        way: if launch.sse { Way::Stream(None) } else { Way::Posts },
        opening: None,
        is_lost: false,
        is_closed: false,
        renewals: VecDeque::new(),
        running: HashMap::new(),
        listening: None,
    };
    let task = tokio::spawn(async move {
        // The pump closes its end, or the connection cannot go on.
        tokio::select! {
            () = bridge.run(requests, heard, limit) => {}
            () = write(messages, answers) => {}
        }
        remote.goodbye().await;
    });
    let (from_server, to_server) = (Box::new(from_server), Box::new(to_server));
    Ok(Connection { from_server, to_server, said, marks, task })
}

async fn write(mut lines: mpsc::Receiver<Vec<u8>>, mut answers: WriteHalf<DuplexStream>) {
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        if answers.write_all(&line).await.is_err() {
            break;
        }
    }
}

/// How the server is spoken to.
enum Way {
    /// Streamable HTTP.
    Posts,
    /// HTTP+SSE, once its stream is open.
    Stream(Option<Open>),
}

/// An open stream of HTTP+SSE.
struct Open {
    to: reqwest::Url,
    owed: Owed,
}

/// Between the pump and the network.
struct Bridge {
    remote: Arc<Remote>,
    marks: Marks,
    out: Out,
    news: mpsc::Sender<Heard>,
    way: Way,
    /// The client's opening, with which a session begins anew.
    opening: Option<Bytes>,
    /// Whether the session is gone and none has taken its place.
    is_lost: bool,
    /// Whether a session began anew and the gate has not yet opened it.
    is_closed: bool,
    renewals: VecDeque<Instant>,
    running: HashMap<Id, AbortHandle>,
    listening: Option<AbortHandle>,
}

impl Bridge {
    async fn run(
        mut self,
        mut requests: ReadHalf<DuplexStream>,
        mut heard: mpsc::Receiver<Heard>,
        limit: usize,
    ) {
        let mut framer = LineFramer::new(limit);
        loop {
            while let Some(frame) = framer.next_frame() {
                let Frame::Message(range) = frame else { continue };
                let message = Bytes::copy_from_slice(framer.bytes(range));
                self.message(message).await;
            }
            tokio::select! {
                read = requests.read(framer.spare()) => match read {
                    Ok(read @ 1..) => framer.fill(read),
                    Ok(0) | Err(_) => break,
                },
                // The bridge keeps a sender itself, so it never ends.
                Some(heard) = heard.recv() => self.hear(heard).await,
            }
        }
        for task in self.running.into_values().chain(self.listening) {
            task.abort();
        }
    }

    /// Sends a message, requests side by side and everything else in order.
    async fn message(&mut self, message: Bytes) {
        let Some(outgoing) = Outgoing::read(&message, &self.marks.get()) else { return };
        if self.is_closed {
            if outgoing.method != "notifications/initialized" {
                // It was judged by what another session had said.
                self.out.say(Said::Undelivered(message)).await;
                return;
            }
            self.is_closed = false;
        }
        if outgoing.method == "initialize" {
            self.opening = Some(message.clone());
            self.is_lost = false;
        } else if self.is_lost {
            return self.renew_for(message).await;
        }
        if let Way::Stream(open) = &self.way {
            let open = open.as_ref().map(|open| (open.to.clone(), open.owed.clone()));
            return self.write(open, outgoing, message).await;
        }
        self.post(outgoing, message).await;
    }

    async fn post(&mut self, outgoing: Outgoing, message: Bytes) {
        if let Some(task) = outgoing.cancels.as_ref().and_then(|id| self.running.remove(id))
            && outgoing.version.is_some()
        {
            // Without sessions, to take a request back is to close its stream.
            return task.abort();
        }
        self.running.retain(|_, task| !task.is_finished());
        let remote = Arc::clone(&self.remote);
        match outgoing.ids.first() {
            Some(id) if outgoing.method != "initialize" => {
                let (out, news) = (self.out.clone(), self.news.clone());
                let id = id.clone();
                let task = tokio::spawn(async move {
                    match remote.exchange(&outgoing, message.clone(), &out).await {
                        Outcome::Lost(session) => drop(news.send(Heard::Lost(session, Some(message))).await),
                        Outcome::Unreachable => drop(news.send(Heard::Gap).await),
                        Outcome::NotHere(_) | Outcome::Done => {}
                    }
                });
                self.running.insert(id, task.abort_handle());
            }
            // The session's name comes with the answer, so nothing overtakes it.
            Some(_) => match remote.exchange(&outgoing, message.clone(), &self.out).await {
                Outcome::NotHere(status) => self.other_way(outgoing, message, &refused(status)).await,
                Outcome::Lost(_) => self.out.fail(&outgoing.ids, OVER).await,
                Outcome::Unreachable | Outcome::Done => {}
            },
            None => {
                let outcome = remote.exchange(&outgoing, message, &self.out).await;
                if outgoing.method == "notifications/initialized" && self.listening.is_none() {
                    self.listen();
                }
                if let Outcome::Lost(session) = outcome {
                    self.lost(&session, None).await;
                }
            }
        }
    }

    fn listen(&mut self) {
        let (remote, out, news) = (Arc::clone(&self.remote), self.out.clone(), self.news.clone());
        let task = tokio::spawn(async move {
            remote.listen(&out, &news).await;
        });
        self.listening = Some(task.abort_handle());
    }

    /// Nobody speaks Streamable HTTP here: perhaps the older transport is spoken.
    async fn other_way(&mut self, outgoing: Outgoing, message: Bytes, why: &str) {
        match legacy::open(&self.remote).await {
            Ok(stream) => {
                let open = self.begin(stream);
                self.write(Some(open), outgoing, message).await;
            }
            // A stream that was refused says more than that there was nothing else.
            Err(refusal @ Refusal::OtherOrigin) => self.out.fail(&outgoing.ids, &refusal.to_string()).await,
            Err(_) => self.out.fail(&outgoing.ids, why).await,
        }
    }

    /// Writes a message to the server of a stream, which answers on that stream.
    async fn write(&mut self, open: Option<(reqwest::Url, Owed)>, outgoing: Outgoing, message: Bytes) {
        let opens = outgoing.method == "initialize";
        let (to, owed) = match open {
            Some(open) => open,
            // A session that was open before begins anew first.
            None if self.opening.is_some() && !opens => return self.renew_for(message).await,
            None => match legacy::open(&self.remote).await {
                Ok(stream) => self.begin(stream),
                Err(why) => return self.out.fail(&outgoing.ids, &why.to_string()).await,
            },
        };
        owed.add(&outgoing.ids);
        match self.remote.post_to(&to, message).await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                self.out.fail(&owed.give_up(&outgoing.ids), &refused(response.status())).await;
            }
            Err(_) => {
                self.out.fail(&owed.give_up(&outgoing.ids), UNREACHABLE).await;
            }
        }
    }

    /// Hands on what a stream says from now on.
    fn begin(&mut self, stream: legacy::Stream) -> (reqwest::Url, Owed) {
        let (to, owed) = (stream.to.clone(), Owed::default());
        self.way = Way::Stream(Some(Open { to: to.clone(), owed: owed.clone() }));
        let (remote, out, news) = (Arc::clone(&self.remote), self.out.clone(), self.news.clone());
        let owes = owed.clone();
        let task = tokio::spawn(async move {
            stream.hand_on(&remote, owes, &out).await;
            let _gone = news.send(Heard::StreamEnded).await;
        });
        self.listening = Some(task.abort_handle());
        (to, owed)
    }

    async fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Gap => self.out.say(Said::Gap).await,
            Heard::Lost(session, message) => self.lost(&session, message).await,
            Heard::StreamEnded => {
                self.way = Way::Stream(None);
                // So that it can go on telling what changes. One that cannot is asked with the next message.
                let _closed = self.renew().await;
            }
        }
    }

    /// The server forgot a session: it begins anew, and what did not reach it comes back.
    async fn lost(&mut self, session: &Session, message: Option<Bytes>) {
        if !self.remote.forget(session) {
            if let Some(message) = message {
                self.out.say(Said::Undelivered(message)).await;
            }
            return;
        }
        self.is_lost = true;
        match message {
            Some(message) => self.renew_for(message).await,
            None => drop(self.renew().await),
        }
    }

    async fn renew_for(&mut self, message: Bytes) {
        if self.renew().await {
            self.out.say(Said::Undelivered(message)).await;
        } else if let Some(outgoing) = Outgoing::read(&message, &Params::default()) {
            self.out.fail(&outgoing.ids, OVER).await;
        }
    }

    /// Opens a session as the client had opened its own; the gate then opens it to everything else.
    async fn renew(&mut self) -> bool {
        self.renewals.retain(|at| at.elapsed() < RENEWAL_SPAN);
        let Some(opening) = self.opening.clone().filter(|_| self.renewals.len() < RENEWALS) else {
            return false;
        };
        self.renewals.push_back(Instant::now());
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
        let answer = match &self.way {
            Way::Posts => self.opened_by_post(opening).await,
            Way::Stream(_) => self.opened_by_stream(opening).await,
        };
        let Some(answer) = answer else { return false };
        self.is_lost = false;
        self.is_closed = true;
        self.out.say(Said::Renewed(answer)).await;
        true
    }

    async fn opened_by_post(&self, opening: Bytes) -> Option<Vec<u8>> {
        let outgoing = Outgoing::read(&opening, &Params::default())?;
        let (lines, mut answers) = mpsc::channel(ANSWERS);
        let exchange = async {
            // Its end is the end of the answers.
            let out = Out { lines, said: self.out.said.clone() };
            self.remote.exchange(&outgoing, opening, &out).await
        };
        let reading = async {
            let mut found = None;
            while let Some(line) = answers.recv().await {
                if answered(&line) == outgoing.ids {
                    found = Some(line);
                } else {
                    let _gone = self.out.line(line).await;
                }
            }
            found
        };
        let (outcome, found) = tokio::join!(exchange, reading);
        found.filter(|_| outcome == Outcome::Done)
    }

    async fn opened_by_stream(&mut self, opening: Bytes) -> Option<Vec<u8>> {
        let outgoing = Outgoing::read(&opening, &Params::default())?;
        let mut wait = RETRY.0;
        // A server that is started again is not there at once.
        let mut stream = loop {
            match legacy::open(&self.remote).await {
                Ok(stream) => break stream,
                Err(_) if wait < 4 * RETRY.0 => tokio::time::sleep(wait).await,
                Err(_) => return None,
            }
            wait *= 2;
        };
        let sent = self.remote.post_to(&stream.to, opening).await.ok()?;
        if !sent.status().is_success() {
            return None;
        }
        let answer = stream.answer(&self.remote, outgoing.ids.first()?, &self.out).await?;
        self.begin(stream);
        Some(answer)
    }
}
