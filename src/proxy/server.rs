//! The server behind the gate: a program, or a remote one.

use super::http::{Connection, Marks};
use super::remote::Said;
use crate::engine::gate::Approval;
use crate::engine::launchpin::Launch;
use crate::sys::process::{Command, Process, SpawnError, Stderr};
use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

/// How long the status of a server is waited for that closed its stdout.
const STATUS: Duration = Duration::from_millis(500);

/// How long the goodbye to a remote server may take.
const GOODBYE: Duration = Duration::from_millis(1_500);

/// Where the server's messages come from.
pub type FromServer = Box<dyn AsyncRead + Unpin>;

/// Where messages to the server go.
pub type ToServer = Box<dyn AsyncWrite + Unpin>;

/// A server that was started.
pub enum Server {
    /// A program and its group.
    Program(Process),
    /// A remote server, with the ends of its stream until they are taken.
    Remote(Box<Remote>),
}

/// What happens beside a server's messages.
pub enum Happened {
    /// Its transport says something.
    Said(Said),
    /// Its process ended and did not mean to; helpers of it may hold its output open.
    Died,
}

/// A remote server.
pub struct Remote {
    ends: Option<(FromServer, ToServer)>,
    said: Receiver<Said>,
    marks: Marks,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts it; what went wrong is said in our words.
    pub fn start(launch: &Launch, limit: usize) -> Result<Self, String> {
        match launch {
            Launch::Command(launch) => {
                let command = Command {
                    program: launch.command.clone().into(),
                    args: launch.args.iter().map(Into::into).collect(),
                    env: BTreeMap::new(),
                    cwd: None,
                };
                let started = Process::spawn(&command, Stderr::Inherit);
                started.map(Server::Program).map_err(|error| match error {
                    SpawnError::NotFound { .. } => "its program is not installed on this machine.".to_owned(),
                    SpawnError::Beside { .. } => {
                        "a file of the working folder has its program's name, and Windows would start that."
                            .to_owned()
                    }
                    SpawnError::NoFolder { .. } | SpawnError::Failed { .. } => {
                        "its program could not be started.".to_owned()
                    }
                })
            }
            Launch::Url(launch) => super::http::connect(launch, limit).map(|connection| {
                let Connection { from_server, to_server, said, marks, task } = connection;
                Server::Remote(Box::new(Remote { ends: Some((from_server, to_server)), said, marks, task }))
            }),
        }
    }

    /// Its two ends, once.
    pub fn ends(&mut self) -> (FromServer, ToServer) {
        let none = || (Box::new(tokio::io::empty()) as FromServer, Box::new(tokio::io::sink()) as ToServer);
        match self {
            Server::Program(process) => match (process.take_stdout(), process.take_stdin()) {
                (Some(stdout), Some(stdin)) => (Box::new(stdout), Box::new(stdin)),
                _ => none(),
            },
            Server::Remote(remote) => remote.ends.take().unwrap_or_else(none),
        }
    }

    /// Waits for what happens beside its messages.
    pub async fn news(&mut self) -> Happened {
        match self {
            Server::Program(process) => match process.wait().await {
                // A launcher may leave well while what it started goes on with its ends.
                Ok(status) if !status.success() => Happened::Died,
                Ok(_) | Err(_) => std::future::pending().await,
            },
            Server::Remote(remote) => match remote.said.recv().await {
                Some(said) => Happened::Said(said),
                None => std::future::pending().await,
            },
        }
    }

    /// Takes in what is approved of it.
    pub fn set_approval(&self, approval: &Approval) {
        match self {
            Server::Program(_) => {}
            Server::Remote(remote) => remote.marks.set(approval),
        }
    }

    /// Its process, if it is one.
    pub fn id(&self) -> Option<u32> {
        match self {
            Server::Program(process) => Some(process.id()),
            Server::Remote(..) => None,
        }
    }

    /// How it ended, after it closed its output: the exit code, and a sentence.
    pub async fn status(&mut self) -> (u8, String) {
        let Server::Program(process) = self else { return (0, "the connection was closed.".to_owned()) };
        match tokio::time::timeout(STATUS, process.wait()).await {
            Ok(Ok(status)) => told(status),
            Ok(Err(_)) | Err(_) => (0, "it closed its output.".to_owned()),
        }
    }

    /// Hands a signal on to its group.
    pub fn signal(&self, signal: i32) {
        match self {
            Server::Program(process) => process.signal(signal),
            Server::Remote(..) => {}
        }
    }

    /// Ends it with everything it started; gives the exit code.
    pub async fn end(self) -> u8 {
        match self {
            Server::Program(process) => process.end().await.map_or(0, |status| told(status).0),
            Server::Remote(remote) => {
                // The session ends with or without a goodbye.
                let _late = tokio::time::timeout(GOODBYE, remote.task).await;
                0
            }
        }
    }
}

fn told(status: ExitStatus) -> (u8, String) {
    if let Some(code) = status.code() {
        return (u8::try_from(code & 0xFF).unwrap_or(1), format!("its process ended with exit code {code}."));
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let code = u8::try_from(128 + signal).unwrap_or(1);
        return (code, format!("its process was ended by signal {signal}."));
    }
    (1, "its process ended.".to_owned())
}
