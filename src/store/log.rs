//! The log on disk: one private folder of append-only files, shared by gate, daemon and commands.
//!
//! `log.jsonl` grows; above its limit it becomes `log.000001.jsonl`, and the next file carries the
//! chain on. Any number of processes append: each holds `log.lock` for the one line it writes.
//! Promises: what [`Log::append`] accepted is whole, and on the disk if it was a decision; a line that
//! a full disk or a lost power supply cut short is removed by the next writer, who says so; no error
//! here stops the caller, who may go on without the log. Links and foreign files are refused.
//!
//! Does not keep more than [`KEEP`] older files; does not know what events mean (`engine::record`).

mod read;

use crate::engine::digest::Digest;
use crate::engine::record::{Chain, Event};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub use read::{Broken, Follower, Lines, Sound};

/// Bytes after which a file is closed and the next one begun.
pub const FILE_LIMIT: u64 = 8 << 20;

/// How many closed files are kept.
pub const KEEP: usize = 12;

/// The longest line that is read back; calls with contents are the longest.
const LINE_LIMIT: u64 = 16 << 20;

/// How long a writer waits for another one; a decision waits longer.
const PATIENCE: Duration = Duration::from_millis(250);
const PATIENCE_FOR_DECISIONS: Duration = Duration::from_secs(3);

const CURRENT: &str = "log.jsonl";

/// The log in one folder.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    limit: u64,
    /// Where this process last saw the end, so that it need not read it again.
    tail: Mutex<Option<Tail>>,
}

/// Why a line was not written, or the log could not be read. The caller may go on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder or a file in it cannot be used.
    #[error("cannot use the log {}: {source}", path.display())]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk did not take the line.
    #[error("cannot write the log {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds the log.
    #[error("the log {} is held by another process", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

#[derive(Clone, Debug)]
struct Tail {
    file: FileId,
    length: u64,
    chain: Chain,
}

/// Tells a file from another one that took its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl LogError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            LogError::Unusable { path, .. } => {
                format!("Check who owns {}, and that it is no link.", path.display())
            }
            LogError::Write { .. } => {
                "Check the space on that disk. Nothing else depends on the log: what is \
                                       blocked stays blocked."
                    .to_owned()
            }
            LogError::Busy { .. } => "Try again; `mcpwatch status` lists our processes.".to_owned(),
        }
    }
}

impl Log {
    /// The log in that folder; nothing is touched before the first line.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: FILE_LIMIT, tail: Mutex::new(None) }
    }

    /// The same with another limit for a file.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Appends one event that happened at `now` (Unix milliseconds).
    pub fn append(&self, now: u64, event: &Event) -> Result<(), LogError> {
        self.append_all(&[(now, event.clone())])
    }

    /// Appends events in order, all or none of those that one disk write holds.
    pub fn append_all(&self, events: &[(u64, Event)]) -> Result<(), LogError> {
        let durable = events.iter().any(|(_, event)| event.is_durable());
        let _lock = self.lock(if durable { PATIENCE_FOR_DECISIONS } else { PATIENCE })?;
        let now = events.first().map_or(0, |(at, _)| *at);
        let mut file = self.open_current()?;
        let mut tail = self.tail(&mut file, now)?;
        if tail.length > self.limit {
            file = self.rotate(&file)?;
            tail = self.tail(&mut file, now)?;
        }
        let mut text = Vec::new();
        let mut chain = tail.chain.clone();
        for (at, event) in events {
            text.extend_from_slice(&chain.line(*at, event));
            text.push(b'\n');
        }
        self.write(&mut file, tail, &text, chain)?;
        if durable {
            file.sync_data().map_err(|source| self.write_error(source))?;
        }
        Ok(())
    }

    /// The current file.
    pub fn current(&self) -> PathBuf {
        self.folder.join(CURRENT)
    }

    /// All files that exist, oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = closed(&self.folder).into_iter().map(|(_, path)| path).collect();
        files.extend(Some(self.current()).filter(|path| path.exists()));
        files
    }

    fn write(&self, file: &mut File, tail: Tail, text: &[u8], chain: Chain) -> Result<(), LogError> {
        let mut known = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known = None;
        if let Err(source) = file.write_all(text) {
            // What was written of it is no line; if this fails too the next writer cuts it off.
            let _ = file.set_len(tail.length);
            return Err(self.write_error(source));
        }
        *known = Some(Tail { length: tail.length + text.len() as u64, chain, ..tail });
        Ok(())
    }

    /// The end of the current file; begins or mends the file where needed.
    fn tail(&self, file: &mut File, now: u64) -> Result<Tail, LogError> {
        let unusable = |source| LogError::Unusable { path: self.current(), source };
        let metadata = file.metadata().map_err(unusable)?;
        let (id, length) = (FileId::of(&metadata), metadata.len());
        {
            let known = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(tail) = known.as_ref().filter(|tail| tail.file == id && tail.length == length) {
                return Ok(tail.clone());
            }
        }
        let (whole, last) = last_line(file, length).map_err(unusable)?;
        let mut notes = Vec::new();
        if whole < length {
            file.set_len(whole).map_err(|source| self.write_error(source))?;
            notes.push(format!("a half-written line of {} bytes was cut off", length - whole));
        }
        let chain = match last {
            Some(line) => Chain::after(&line).unwrap_or_else(|damage| {
                notes.push(format!("the last line could not be read ({damage}); the chain starts anew"));
                Chain::default()
            }),
            None => self.begin(file, now)?,
        };
        let length = file.metadata().map_err(unusable)?.len();
        let mut tail = Tail { file: id, length, chain };
        for what in notes {
            let mut text = tail.chain.line(now, &Event::Trouble { what });
            text.push(b'\n');
            let chain = tail.chain.clone();
            self.write(file, tail.clone(), &text, chain)?;
            tail.length += text.len() as u64;
        }
        Ok(tail)
    }

    /// Writes the first line of a new file, if there is a file before it.
    fn begin(&self, file: &mut File, now: u64) -> Result<Chain, LogError> {
        let Some((_, before)) = closed(&self.folder).pop() else { return Ok(Chain::default()) };
        let unusable = |source| LogError::Unusable { path: before.clone(), source };
        let mut old = open(&before, OpenOptions::new().read(true)).map_err(unusable)?;
        let length = old.metadata().map_err(unusable)?.len();
        let (_, last) = last_line(&mut old, length).map_err(unusable)?;
        let chain = last.and_then(|line| Chain::after(&line).ok()).unwrap_or_default();
        let Some(from) = chain.last() else { return Ok(Chain::default()) };
        let mut next = chain;
        let mut text = next.line(now, &continued(from, &before));
        text.push(b'\n');
        file.write_all(&text).map_err(|source| self.write_error(source))?;
        Ok(next)
    }

    /// Closes the current file under the next number, removes the oldest, and begins a new one.
    fn rotate(&self, current: &File) -> Result<File, LogError> {
        current.sync_data().map_err(|source| self.write_error(source))?;
        let files = closed(&self.folder);
        let number = files.last().map_or(1, |(number, _)| number + 1);
        let to = self.folder.join(format!("log.{number:06}.jsonl"));
        fs::rename(self.current(), to).map_err(|source| self.write_error(source))?;
        for (_, path) in files.iter().take((files.len() + 1).saturating_sub(KEEP)) {
            let _ = fs::remove_file(path);
        }
        self.open_current()
    }

    fn open_current(&self) -> Result<File, LogError> {
        let path = self.current();
        open(&path, OpenOptions::new().read(true).append(true).create(true))
            .map_err(|source| LogError::Unusable { path, source })
    }

    fn lock(&self, patience: Duration) -> Result<File, LogError> {
        let path = self.folder.join("log.lock");
        let unusable = |source| LogError::Unusable { path: path.clone(), source };
        make_folder(&self.folder).map_err(unusable)?;
        let file = open(&path, OpenOptions::new().write(true).create(true)).map_err(unusable)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) if start.elapsed() > patience => {
                    return Err(LogError::Busy { path });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn write_error(&self, source: io::Error) -> LogError {
        LogError::Write { path: self.current(), source }
    }
}

impl FileId {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// Windows shows no number of a file to stable Rust; its creation time tells it apart well enough.
    #[cfg(not(unix))]
    fn of(metadata: &fs::Metadata) -> Self {
        let since = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        since.map_or(Self(0, 0), |since| Self(since.as_secs(), u64::from(since.subsec_nanos())))
    }
}

fn continued(from: Digest, before: &Path) -> Event {
    let file = before.file_name().map(|name| name.to_string_lossy().into_owned());
    Event::Continued { from, file: file.unwrap_or_default() }
}

/// The closed files of a folder with their numbers, oldest first.
fn closed(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let name = entry.file_name();
        let digits = name.to_str()?.strip_prefix("log.")?.strip_suffix(".jsonl")?;
        Some((digits.parse().ok()?, entry.path()))
    });
    let mut files: Vec<(u64, PathBuf)> = numbered.collect();
    files.sort();
    files
}

/// Where the last line feed ends the file's whole lines, and the last whole line.
fn last_line(file: &mut File, length: u64) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut window = 4096;
    loop {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length - start).read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let begin = end.and_then(|end| bytes[..end].iter().rposition(|byte| *byte == b'\n'));
        match (end, begin) {
            (Some(end), Some(begin)) => {
                return Ok((start + end as u64 + 1, Some(bytes[begin + 1..end].to_vec())));
            }
            (Some(end), None) if start == 0 => return Ok((end as u64 + 1, Some(bytes[..end].to_vec()))),
            (None, _) if start == 0 => return Ok((0, None)),
            _ if window > LINE_LIMIT => return Err(io::Error::other("a line longer than any of ours")),
            _ => window *= 8,
        }
    }
}

/// Makes the folder with its final mode; one that exists is left as it is.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file of ours: private from its first moment, no link followed, nothing but a plain file.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a plain file")) }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
