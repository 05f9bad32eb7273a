//! The half of commands and gates.
//!
//! Promises: a daemon that is missing, slow or of another version is an error in two seconds at most;
//! a gate that attached stays attached over the daemon's restarts without anybody waiting for it.

use super::IpcError;
use super::message::{Askable, Gate, GateNews, Hello, Message, PROTOCOL, Push, Reply, Request};
use super::socket::{self, Stream};
use super::wire::{self, FRAME_LIMIT, HANDSHAKE, HELLO_LIMIT};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a gate waits before it looks for the daemon again: at first, and at most.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    daemon: Hello,
}

/// A gate's connection, kept up in the background while this is held.
#[derive(Debug)]
pub struct Attached {
    /// What the gate tells; never blocks, and is dropped while no daemon runs.
    pub news: mpsc::Sender<GateNews>,
    /// What the daemon tells.
    pub pushes: mpsc::Receiver<Push>,
}

impl Client {
    /// Connects to the daemon of that folder.
    pub async fn connect(folder: &Path) -> Result<Self, IpcError> {
        let open = async {
            let mut stream = socket::connect(folder).await?;
            wire::write(&mut stream, &Hello::own(0), HELLO_LIMIT).await?;
            let daemon: Hello = wire::read(&mut stream, HELLO_LIMIT).await?;
            Ok::<_, IpcError>(Self { stream, daemon })
        };
        let client: Self = timeout(HANDSHAKE, open).await.map_err(|_| IpcError::Timeout)??;
        if client.daemon.mcpwatch == PROTOCOL {
            Ok(client)
        } else {
            Err(IpcError::Version(printable(&client.daemon.version)))
        }
    }

    /// The daemon's hello.
    pub fn daemon(&self) -> &Hello {
        &self.daemon
    }

    /// Asks, and waits for the answer; what the daemon pushes meanwhile is passed over.
    pub async fn ask(&mut self, request: &Request) -> Result<Reply, IpcError> {
        let exchange = async {
            wire::write(&mut self.stream, request, FRAME_LIMIT).await?;
            loop {
                match wire::read(&mut self.stream, FRAME_LIMIT).await? {
                    Message::Reply(Reply::Failed(why)) => return Err(IpcError::Refused(printable(&why))),
                    Message::Reply(reply) => return Ok(reply),
                    Message::Push(_) => {}
                }
            }
        };
        timeout(ANSWER, exchange).await.map_err(|_| IpcError::Timeout)?
    }
}

/// Connects, asks one thing and closes; for commands that have no runtime of their own.
pub fn ask_once(folder: &Path, request: &Request) -> Result<(Hello, Reply), IpcError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| IpcError::Socket { path: folder.to_owned(), source })?;
    runtime.block_on(async {
        let mut client = Client::connect(folder).await?;
        let reply = client.ask(request).await?;
        Ok((client.daemon, reply))
    })
}

/// Keeps a gate attached to whatever daemon runs, now or later. Needs a tokio runtime.
pub fn attach(folder: PathBuf, gate: Gate) -> Attached {
    let (news, outgoing) = mpsc::channel(64);
    let (incoming, pushes) = mpsc::channel(64);
    tokio::spawn(stay(folder, Standing { gate, offered: None }, outgoing, incoming));
    Attached { news, pushes }
}

/// What a daemon that comes later has to be told anew.
struct Standing {
    gate: Gate,
    /// What is not as approved, if anything is.
    offered: Option<GateNews>,
}

impl Standing {
    fn note(&mut self, news: &GateNews) {
        match news {
            GateNews::Attached(gate) => self.gate = gate.clone(),
            GateNews::Offered { .. } => self.offered = Some(news.clone()),
            GateNews::Listed { .. } | GateNews::Clear => self.offered = None,
            GateNews::Log { trouble } => self.gate.no_log.clone_from(trouble),
            GateNews::Holding { .. } => {}
        }
    }
}

async fn stay(
    folder: PathBuf,
    mut standing: Standing,
    mut news: mpsc::Receiver<GateNews>,
    pushes: mpsc::Sender<Push>,
) {
    let mut wait = FIRST_RETRY;
    loop {
        if let Ok(client) = Client::connect(&folder).await {
            wait = FIRST_RETRY;
            if talk(client, &mut standing, &mut news, &pushes).await.is_none() {
                return;
            }
            let gone = Push::Askable(Askable::No("the daemon is gone".to_owned()));
            if pushes.send(gone).await.is_err() {
                return;
            }
        }
        let retry = sleep(wait);
        tokio::pin!(retry);
        loop {
            tokio::select! {
                () = &mut retry => break,
                told = news.recv() => match told {
                    Some(told) => standing.note(&told),
                    None => return,
                },
            }
        }
        wait = (wait * 2).min(LAST_RETRY);
    }
}

/// Talks until the daemon is gone; `None` says that the gate is.
async fn talk(
    client: Client,
    standing: &mut Standing,
    news: &mut mpsc::Receiver<GateNews>,
    pushes: &mpsc::Sender<Push>,
) -> Option<()> {
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    for told in
        [Some(GateNews::Attached(standing.gate.clone())), standing.offered.clone()].into_iter().flatten()
    {
        if wire::write(&mut writer, &Request::Run(told), FRAME_LIMIT).await.is_err() {
            return Some(());
        }
    }
    let speak = async {
        loop {
            let told = news.recv().await?;
            standing.note(&told);
            if wire::write(&mut writer, &Request::Run(told), FRAME_LIMIT).await.is_err() {
                return Some(());
            }
        }
    };
    let listen = async {
        loop {
            let push = match wire::read(&mut reader, FRAME_LIMIT).await {
                Ok(Message::Push(push)) => push,
                Ok(Message::Reply(Reply::Askable(askable))) => Push::Askable(askable),
                Ok(Message::Reply(_)) => continue,
                Err(_) => return Some(()),
            };
            pushes.send(push).await.ok()?;
        }
    };
    tokio::select! {
        end = speak => end,
        end = listen => end,
    }
}

/// Text of another process, cut and cleared for a screen.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(200).collect()
}
