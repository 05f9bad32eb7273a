//! The log on disk: one private folder of append-only files, shared by gate, daemon and commands.
//!
//! `log.jsonl` grows; above its limit it becomes `log.000001.jsonl`, and the next file carries the
//! chain on. Any number of processes append: each holds `log.lock` for the one line it writes.
//! Promises: what [`Log::append`] accepted is whole, and on the disk if it was a decision; a line that
//! a full disk or a lost power supply cut short is removed by the next writer, who says so; no error
//! here stops the caller, who may go on without the log; what was lost is counted and said by the next
//! line that can be written. Lines that were taken away are noticed by the next writer and by
//! [`Log::verify`] ([`head`]). Links and foreign files are refused.
//!
//! Does not keep more than [`KEEP`] older files; does not know what events mean (`engine::record`).

mod files;
mod head;
mod read;

use crate::engine::digest::Digest;
use crate::engine::record::{Chain, Event};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::sys::paths::Paths;
use files::{FileId, closed, end_of, first_of, last_line, make_folder, open};
pub use head::last_line as last_noted_line;
use head::{Anchor, Head, Noted};
pub use read::{Broken, Follower, Gap, Lines, Sound};

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
    /// The note of its end, where one is kept.
    anchor: Option<Anchor>,
    /// Where this process last saw the end, so that it need not read it again.
    tail: Mutex<Option<Tail>>,
    /// What this process could not write.
    lost: Mutex<Lost>,
}

/// Lines that were not written, and why the last of them was not.
#[derive(Debug, Default)]
struct Lost {
    lines: usize,
    why: String,
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
    /// The number of the oldest line that is kept, and the last line that the disk was made to keep.
    first: u64,
    durable: Option<head::Line>,
}

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
    /// This account's log, with a note of its end in another folder; nothing is touched before the
    /// first line.
    pub fn of(paths: &Paths) -> Self {
        Self { anchor: Some(Anchor::of(paths)), ..Self::at(paths.log_dir()) }
    }

    /// The log in that folder, of whose end nothing is noted.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            limit: FILE_LIMIT,
            anchor: None,
            tail: Mutex::default(),
            lost: Mutex::default(),
        }
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
        let Some((at, _)) = events.first() else { return Ok(()) };
        let mut lost = lock_of(&self.lost);
        let written = match lost.lines {
            0 => self.write_all(events),
            lines => {
                let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
                let what = format!("{lines} before this one could not be written: {}", lost.why);
                let told = [(*at, Event::Trouble { what })];
                self.write_all(&[&told, events].concat())
            }
        };
        match &written {
            Ok(()) => *lost = Lost::default(),
            Err(error) => *lost = Lost { lines: lost.lines + events.len(), why: error.to_string() },
        }
        written
    }

    fn write_all(&self, events: &[(u64, Event)]) -> Result<(), LogError> {
        let durable = events.iter().any(|(_, event)| event.is_durable());
        let _lock = self.lock(if durable { PATIENCE_FOR_DECISIONS } else { PATIENCE })?;
        let now = events.first().map_or(0, |(at, _)| *at);
        let mut file = self.open_current()?;
        let mut tail = self.tail(&mut file, now)?;
        if tail.length > self.limit {
            file = self.rotate(&file, &tail)?;
            tail = self.tail(&mut file, now)?;
        }
        let mut text = Vec::new();
        for (at, event) in events {
            text.extend_from_slice(&tail.chain.line(*at, event));
            text.push(b'\n');
        }
        self.write(&mut file, &mut tail, &text)?;
        if durable {
            file.sync_data().map_err(|source| self.write_error(source))?;
            tail.durable = tail.chain.last().map(|link| (tail.chain.seq(), link));
        }
        self.note(&tail);
        *lock_of(&self.tail) = Some(tail);
        Ok(())
    }

    /// Whether a line could be written now; says nothing where there is no log yet.
    pub fn try_out(&self) -> Result<(), LogError> {
        if !self.folder.exists() {
            return Ok(());
        }
        let _lock = self.lock(PATIENCE)?;
        self.open_current()?;
        // As much as a line takes; a full disk has no room for it.
        let path = self.folder.join("log.room");
        let room = open(&path, OpenOptions::new().write(true).create(true).truncate(true))
            .and_then(|mut file| file.write_all(&[b' '; 4096]));
        let _ = fs::remove_file(&path);
        room.map_err(|source| self.write_error(source))
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

    /// Writes lines at the end of a file, and moves its end on.
    fn write(&self, file: &mut File, tail: &mut Tail, text: &[u8]) -> Result<(), LogError> {
        *lock_of(&self.tail) = None;
        if let Err(source) = file.write_all(text) {
            // What was written of it is no line; if this fails too the next writer cuts it off.
            let _ = file.set_len(tail.length);
            return Err(self.write_error(source));
        }
        tail.length += text.len() as u64;
        Ok(())
    }

    /// Notes where the log ends. A note that cannot be written stays behind, and says nothing wrong.
    fn note(&self, tail: &Tail) {
        if let (Some(anchor), Some(link)) = (&self.anchor, tail.chain.last()) {
            let last = (tail.chain.seq(), link);
            let _ = anchor.write(&Head { first: tail.first, last, durable: tail.durable });
        }
    }

    /// The end of the current file; begins or mends the file where needed, and says what is missing.
    fn tail(&self, file: &mut File, now: u64) -> Result<Tail, LogError> {
        let unusable = |source| LogError::Unusable { path: self.current(), source };
        let metadata = file.metadata().map_err(unusable)?;
        let (id, length) = (FileId::of(&metadata), metadata.len());
        let known = lock_of(&self.tail).clone();
        if let Some(tail) = known.filter(|tail| tail.file == id && tail.length == length) {
            return Ok(tail);
        }
        let (whole, last) = last_line(file, length).map_err(unusable)?;
        let mut notes = Vec::new();
        if whole < length {
            file.set_len(whole).map_err(|source| self.write_error(source))?;
            let what = format!("a half-written line of {} bytes was cut off", length - whole);
            notes.push(Event::Trouble { what });
        }
        let closed = closed(&self.folder);
        let (mut chain, mut begun) = (Chain::default(), None);
        match last {
            Some(line) => match Chain::after(&line) {
                Ok(after) => chain = after,
                Err(damage) => {
                    let what = format!("the last line could not be read ({damage}); the chain starts anew");
                    notes.push(Event::Trouble { what });
                }
            },
            None => {
                if let Some((_, before)) = closed.last() {
                    chain = end_of(before)?;
                    begun = chain.last().map(|from| continued(from, before));
                }
            }
        }
        let is_empty = closed.is_empty() && chain.last().is_none() && notes.is_empty();
        let noted = match &self.anchor {
            Some(anchor) => anchor.read(!is_empty),
            None => Noted::Nothing,
        };
        let (mut first, mut durable) = (1, None);
        if let Noted::Head(head) = &noted {
            (first, durable) = (head.first, head.durable);
            let oldest = closed.first().map_or_else(|| self.current(), |(_, oldest)| oldest.clone());
            if let Some(oldest) = first_of(&oldest).filter(|oldest| *oldest > first) {
                notes.push(Event::Missing { after: first - 1, last: Some(oldest - 1), from: None });
                first = oldest;
            }
        }
        if let Some(event) = missing(&noted, &mut chain) {
            if let Event::Missing { last: Some(last), from: Some(_), .. } = event {
                first = last + 1;
            }
            notes.push(event);
        }
        let mut tail = Tail { file: id, length: whole, chain, first, durable };
        let mut text = Vec::new();
        for event in begun.iter().chain(&notes) {
            text.extend_from_slice(&tail.chain.line(now, event));
            text.push(b'\n');
        }
        if !text.is_empty() {
            self.write(file, &mut tail, &text)?;
            self.note(&tail);
        }
        Ok(tail)
    }

    /// Closes the current file under the next number, removes the oldest, and begins a new one.
    fn rotate(&self, current: &File, tail: &Tail) -> Result<File, LogError> {
        current.sync_data().map_err(|source| self.write_error(source))?;
        let mut files = closed(&self.folder);
        let number = files.last().map_or(1, |(number, _)| number + 1);
        let to = self.folder.join(format!("log.{number:06}.jsonl"));
        fs::rename(self.current(), &to).map_err(|source| self.write_error(source))?;
        files.push((number, to));
        let kept = files.split_off(files.len().saturating_sub(KEEP));
        let first = kept.first().filter(|_| !files.is_empty()).and_then(|(_, oldest)| first_of(oldest));
        if let Some(first) = first {
            // Before they go, so that nobody takes them for taken away.
            self.note(&Tail { first: first.max(tail.first), ..tail.clone() });
        }
        for (_, path) in files {
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

/// Says which lines are gone, as the note of the end has it; the chain goes on from there where nothing
/// is left.
fn missing(noted: &Noted, chain: &mut Chain) -> Option<Event> {
    let after = chain.seq();
    match noted {
        Noted::Nothing => None,
        Noted::Gone => Some(Event::Missing { after, last: None, from: None }),
        Noted::Head(head) => {
            let (last, link) = head.last;
            if after > last || after == last && chain.last() == Some(link) {
                return None;
            }
            let from = chain.last().is_none().then_some(link);
            if from.is_some() {
                *chain = Chain::after_line(last, link);
            }
            Some(Event::Missing { after: after.min(last - 1), last: Some(last), from })
        }
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn continued(from: Digest, before: &Path) -> Event {
    let file = before.file_name().map(|name| name.to_string_lossy().into_owned());
    Event::Continued { from, file: file.unwrap_or_default() }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
