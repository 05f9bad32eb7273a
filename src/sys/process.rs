//! Child processes that end as a whole: each in a process group (Windows: a job object) of its own.
//!
//! Promises: when a [`Process`] ends or is dropped, its group is gone, helpers it left behind
//! included; its stderr is drained while it lives, the last 16 KiB kept. [`end_all`] ends every living
//! group, for whoever handles Ctrl-C: a group of its own hears no signal from the terminal.
//!
//! Does not: speak a protocol, or mask secrets in what it kept of stderr.

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

/// How much of a process's stderr is kept.
pub const TAIL: usize = 16 * 1024;

/// How long a group may take between SIGTERM and SIGKILL. Whoever ends a gate must not do so sooner, or the
/// group is left behind: the client libraries of npm (`@modelcontextprotocol/sdk` 1.x) and PyPI (`mcp` 2.x)
/// wait two seconds.
pub const GRACE: Duration = Duration::from_millis(1_500);

/// How long a process may take to leave by itself after its stdin closed. Short, because a reading waits
/// for it, and SIGTERM is no harm to a server that was only asked for its lists.
const LEAVE: Duration = Duration::from_millis(40);

/// How long the last words on stderr are waited for.
const DRAIN: Duration = Duration::from_millis(250);

/// What to start. The environment is ours plus `env`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The program: a name for `PATH`, or a path.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables set beside the inherited ones; `None` removes one.
    pub env: BTreeMap<OsString, Option<OsString>>,
    /// The working folder; ours where none is set.
    pub cwd: Option<PathBuf>,
}

/// Where a process's stderr goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// Kept, the last [`TAIL`] bytes.
    Tail,
    /// To our own.
    Inherit,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// No such program.
    #[error("the program {program:?} was not found")]
    NotFound {
        /// The program, as asked for.
        program: OsString,
    },
    /// No such working folder.
    #[error("the working folder {} does not exist", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of that name lies where Windows looks before the folders of `PATH`.
    #[error("the program {program:?} would be {} of the working folder", file.display())]
    Beside {
        /// The program, as asked for.
        program: OsString,
        /// The file.
        file: PathBuf,
    },
    /// Anything else the system said.
    #[error("the program {program:?} could not be started: {source}")]
    Failed {
        /// The program, as asked for.
        program: OsString,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A running process and its group.
#[derive(Debug)]
pub struct Process {
    child: Box<dyn ChildWrapper>,
    group: Group,
    tail: Tail,
    drained: Option<JoinHandle<()>>,
    ended: bool,
}

/// The last bytes of a stderr, shared with the task that drains it.
#[derive(Clone, Debug, Default)]
pub struct Tail(Arc<Mutex<VecDeque<u8>>>);

/// A living group, by the id of the process that leads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group(u32);

/// The groups that live now.
static LIVING: Mutex<Vec<Group>> = Mutex::new(Vec::new());

impl SpawnError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            SpawnError::NotFound { program } => format!(
                "install {} or give its full path; the folders searched are those of PATH",
                program.display()
            ),
            SpawnError::NoFolder { .. } => "create the folder, or correct `cwd` in the client's file".into(),
            SpawnError::Beside { program, .. } => format!(
                "give the full path of {} in the client's file, or move that file away",
                program.display()
            ),
            SpawnError::Failed { program, .. } => {
                format!("check that {} is a program this user may run", program.display())
            }
        }
    }
}

impl Process {
    /// Starts a process with piped stdin and stdout.
    pub fn spawn(command: &Command, stderr: Stderr) -> Result<Self, SpawnError> {
        if let Some(folder) = command.cwd.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(SpawnError::NoFolder { folder: folder.clone() });
        }
        let mut child = wrapped(command, stderr)?.spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => SpawnError::NotFound { program: command.program.clone() },
            _ => SpawnError::Failed { program: command.program.clone(), source },
        })?;
        let group = Group(child.id().unwrap_or_default());
        living().push(group);
        let tail = Tail::default();
        let drained = child.stderr().take().map(|stderr| tokio::spawn(drain(stderr, tail.clone())));
        Ok(Self { child, group, tail, drained, ended: false })
    }

    /// The process's stdin, once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin().take()
    }

    /// The process's stdout, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    /// The process's id, which is its group's too.
    pub fn id(&self) -> u32 {
        self.group.0
    }

    /// What is kept of stderr; also readable after the end.
    pub fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// The exit status, if the process has ended by itself; its group may live on.
    pub fn try_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal to the whole group, by its number; nothing on systems without signals.
    pub fn signal(&self, signal: i32) {
        #[cfg(unix)]
        if let Ok(signal) = nix::sys::signal::Signal::try_from(signal) {
            self.group.signal(Some(signal));
        }
        #[cfg(not(unix))]
        let _ = signal;
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends the whole group: stdin closed, then SIGTERM, then after [`GRACE`] SIGKILL. Drop the ends of
    /// the pipes that were taken before calling this, or the process does not see its input end.
    pub async fn end(self) -> Option<ExitStatus> {
        self.end_after(LEAVE).await
    }

    /// The same for a server that did work: it has this long to leave by itself before SIGTERM.
    pub async fn end_after(mut self, leave: Duration) -> Option<ExitStatus> {
        drop(self.child.stdin().take());
        let mut status = tokio::time::timeout(leave, self.child.wait()).await.ok().and_then(Result::ok);
        self.group.terminate();
        let deadline = tokio::time::Instant::now() + GRACE;
        while status.is_none() || self.group.is_alive() {
            if tokio::time::Instant::now() >= deadline {
                self.kill();
                break;
            }
            if status.is_none() {
                let wait = tokio::time::timeout(Duration::from_millis(20), self.child.wait());
                status = wait.await.ok().and_then(Result::ok);
            } else {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        if status.is_none() {
            status = self.child.wait().await.ok();
        }
        #[cfg(windows)]
        self.kill();
        self.forget();
        // What was written last is still on its way to us.
        if let Some(drained) = self.drained.take() {
            let _ = tokio::time::timeout(DRAIN, drained).await;
        }
        status
    }

    fn kill(&mut self) {
        self.group.kill();
        let _ = self.child.start_kill();
    }

    fn forget(&mut self) {
        self.ended = true;
        living().retain(|group| *group != self.group);
    }
}

impl Drop for Process {
    /// The short way: whoever can wait calls [`Process::end`].
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            self.forget();
        }
    }
}

/// Ends every living group: SIGTERM to all, [`GRACE`] for all together, then SIGKILL.
pub async fn end_all() {
    let groups = living().clone();
    groups.iter().for_each(|group| group.terminate());
    let deadline = tokio::time::Instant::now() + GRACE;
    while groups.iter().any(|group| group.is_alive()) && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    groups.iter().for_each(|group| group.kill());
}

impl Tail {
    /// The kept bytes as text, cut at the start of a line where something was dropped.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = bytes.len() >= TAIL;
        let (front, back) = bytes.as_slices();
        let text = String::from_utf8_lossy(&[front, back].concat()).into_owned();
        match text.split_once('\n') {
            Some((_, rest)) if full => rest.to_owned(),
            _ => text,
        }
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let excess = kept.len().saturating_sub(TAIL);
        kept.drain(..excess);
    }
}

async fn drain(mut stderr: ChildStderr, tail: Tail) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        tail.push(&buffer[..read]);
    }
}

fn living() -> std::sync::MutexGuard<'static, Vec<Group>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wrapped(command: &Command, stderr: Stderr) -> Result<CommandWrap, SpawnError> {
    let mut wrap = CommandWrap::with_new(program(command)?, |inner| {
        inner.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(match stderr {
            Stderr::Tail => Stdio::piped(),
            Stderr::Inherit => Stdio::inherit(),
        });
        for (name, value) in &command.env {
            match value {
                Some(value) => inner.env(name, value),
                None => inner.env_remove(name),
            };
        }
        if let Some(folder) = &command.cwd {
            inner.current_dir(folder);
        }
    });
    #[cfg(unix)]
    wrap.wrap(process_wrap::tokio::ProcessGroup::leader());
    // The job ends with its last handle, however we end.
    #[cfg(windows)]
    wrap.wrap(process_wrap::tokio::KillOnDrop).wrap(process_wrap::tokio::JobObject);
    Ok(wrap)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn program(command: &Command) -> Result<OsString, SpawnError> {
    Ok(command.program.clone())
}

/// The file that [`find`](crate::sys::program::find) gives, so that nobody else's rule decides what
/// starts: the system would look beside our own program too, and knows `npx.exe` by the name `npx`, but
/// not `npx.cmd`. What lies in the working folder under a bare name is not started in place of what is
/// installed, as Windows would, nor is the other one, which a client without us would not start.
#[cfg(windows)]
fn program(command: &Command) -> Result<OsString, SpawnError> {
    use crate::sys::program::{ENDINGS, Found, find};
    let variable = |name: &str| {
        let own = command.env.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        own.map_or_else(|| std::env::var_os(name), |(_, value)| value.clone()).unwrap_or_default()
    };
    let endings = variable("PATHEXT").into_string().ok().filter(|endings| !endings.is_empty());
    let here = command.cwd.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    let program = command.program.clone();
    let endings = endings.as_deref().unwrap_or(ENDINGS);
    match find(program.as_ref(), &here, &variable("PATH"), endings) {
        Found::File(file) => Ok(file.into_os_string()),
        Found::Beside(file) => Err(SpawnError::Beside { program, file }),
        Found::Nowhere => Err(SpawnError::NotFound { program }),
    }
}

#[cfg(unix)]
impl Group {
    fn signal(self, signal: Option<nix::sys::signal::Signal>) -> bool {
        // Group 0 would be our own.
        i32::try_from(self.0).is_ok_and(|id| {
            id > 1 && nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), signal).is_ok()
        })
    }

    fn terminate(self) {
        self.signal(Some(nix::sys::signal::Signal::SIGTERM));
    }

    fn kill(self) {
        self.signal(Some(nix::sys::signal::Signal::SIGKILL));
    }

    /// Whether anybody is left. The dead whom nobody reaped count for the system but not for us: in a
    /// container without an init process they would cost each end the whole grace.
    fn is_alive(self) -> bool {
        self.signal(None) && !self.is_all_dead()
    }

    #[cfg(target_os = "linux")]
    fn is_all_dead(self) -> bool {
        let Ok(entries) = std::fs::read_dir("/proc") else { return false };
        let mut stats =
            entries.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        !stats.any(|stat| {
            // `pid (name) state parent group …`; the name may hold anything, the last bracket ends it.
            let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            let state = fields.next().unwrap_or_default();
            fields.nth(1) == Some(&self.0.to_string()) && !matches!(state, "Z" | "X")
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn is_all_dead(self) -> bool {
        false
    }
}

/// A job object has no signals: closing stdin is the request, and the job's end the answer.
#[cfg(windows)]
impl Group {
    fn terminate(self) {}

    fn kill(self) {}

    fn is_alive(self) -> bool {
        false
    }
}

#[cfg(all(test, unix))]
#[path = "process_tests.rs"]
mod tests;

#[cfg(all(test, windows))]
#[path = "process_windows_tests.rs"]
mod windows_tests;
