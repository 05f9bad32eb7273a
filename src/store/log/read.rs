//! Reading the log back: every record in order, the first broken link, and new lines as they come.
//!
//! Promises: reading takes no lock and never stops a writer; a last line without its line feed is one
//! that is being written, and is left for later.

use super::head::{Anchor, Noted};
use super::{LINE_LIMIT, Log, LogError, open};
use crate::engine::record::{Chain, Damage, Event, Record, Verifier};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The log verified to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// How many lines.
    pub lines: u64,
    /// In how many files.
    pub files: usize,
    /// Whether older files were removed, so that the oldest line is not the first one ever.
    pub starts_late: bool,
    /// Lines that had been written and are gone, oldest first.
    pub gaps: Vec<Gap>,
}

/// Lines that are gone, though every line that is left follows from the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last line that is there; 0 where none is.
    pub after: u64,
    /// The last line that had been written; `None` where the note of it is gone as well.
    pub last: Option<u64>,
    /// Whether the disk was made to keep some of them, so that no loss of power explains it.
    pub durable: bool,
    /// When a writer noticed; `None` if none did yet.
    pub noticed: Option<u64>,
}

/// The first line that does not follow from the one before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {damage}", file.display())]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub damage: Damage,
}

/// The lines of one file, whole ones only.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
}

/// Hands out records that were appended since the last look.
#[derive(Debug)]
pub struct Follower<'a> {
    log: &'a Log,
    /// The last record that was handed out.
    seen: u64,
    /// The number of the current file's first line, and how far it was read.
    place: Option<(u64, u64)>,
}

impl Log {
    /// Every record, oldest first; a line that cannot be read is handed out as damage with its place.
    pub fn records(&self) -> Result<Vec<Result<Record, Broken>>, LogError> {
        let mut records = Vec::new();
        for file in self.files() {
            for (number, line) in Lines::of(&file)?.enumerate() {
                let line = line.map_err(|source| LogError::Unusable { path: file.clone(), source })?;
                let place = |damage| Broken { file: file.clone(), line: number as u64 + 1, damage };
                records.push(Record::read(&line).map_err(place));
            }
        }
        Ok(records)
    }

    /// Follows every link; the inner error names the first broken one.
    pub fn verify(&self) -> Result<Result<Sound, Broken>, LogError> {
        let files = self.files();
        // Before the lines are read: a log that grows meanwhile is not behind its note.
        let noted = self.anchor.as_ref().map_or(Noted::Nothing, |anchor| anchor.read(!files.is_empty()));
        let mut verifier = Verifier::new();
        let (mut first, mut gaps, mut is_last_there) = (None, Vec::new(), false);
        for file in &files {
            verifier.next_file();
            for (number, line) in Lines::of(file)?.enumerate() {
                let line = line.map_err(|source| LogError::Unusable { path: file.clone(), source })?;
                let place = |damage| Broken { file: file.clone(), line: number as u64 + 1, damage };
                let record = match verifier.line(&line) {
                    Ok(record) => record,
                    Err(damage) => return Ok(Err(place(damage))),
                };
                first = first.or(Some(record.seq));
                if let Event::Missing { after, last, .. } = record.event {
                    gaps.push(Gap { after, last, durable: false, noticed: Some(record.at) });
                }
                if let Noted::Head(head) = &noted {
                    let link = verifier.chain().and_then(Chain::last);
                    is_last_there |= head.last.0 == record.seq && link == Some(head.last.1);
                }
            }
        }
        let end = verifier.chain().map_or(0, Chain::seq);
        match noted {
            Noted::Nothing if end == 0 && self.anchor.as_ref().is_some_and(Anchor::has_decisions) => {
                gaps.push(Gap { after: 0, last: None, durable: true, noticed: None });
            }
            Noted::Nothing => {}
            Noted::Gone => gaps.push(Gap { after: end, last: None, durable: false, noticed: None }),
            Noted::Head(head) => {
                if let Some(first) = first.filter(|first| *first > head.first) {
                    let gap =
                        Gap { after: head.first - 1, last: Some(first - 1), durable: true, noticed: None };
                    gaps.insert(0, gap);
                }
                if !is_last_there {
                    let (last, after) = (head.last.0, end.min(head.last.0 - 1));
                    let durable = head.durable.is_some_and(|(durable, _)| durable > after);
                    gaps.push(Gap { after, last: Some(last), durable, noticed: None });
                }
            }
        }
        let starts_late = first.is_some_and(|seq| seq > 1);
        Ok(Ok(Sound { lines: verifier.lines(), files: files.len(), starts_late, gaps }))
    }

    /// Follows the log from after that record on; 0 hands out all of it.
    pub fn follow(&self, seen: u64) -> Follower<'_> {
        Follower { log: self, seen, place: None }
    }
}

impl Lines {
    /// The lines of a file; a file that is not there has none.
    pub fn of(path: &Path) -> Result<Self, LogError> {
        Self::from(path, 0)
    }

    fn from(path: &Path, offset: u64) -> Result<Self, LogError> {
        let unusable = |source| LogError::Unusable { path: path.to_owned(), source };
        let mut file = open(path, OpenOptions::new().read(true)).map_err(unusable)?;
        file.seek(SeekFrom::Start(offset)).map_err(unusable)?;
        Ok(Self { reader: BufReader::new(file) })
    }
}

impl Iterator for Lines {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Err(error) => Some(Err(error)),
            Ok(_) if line.last() == Some(&b'\n') => {
                line.pop();
                Some(Ok(line))
            }
            Ok(length) if length as u64 >= LINE_LIMIT => {
                Some(Err(io::Error::other("a line longer than any of ours")))
            }
            Ok(_) => None,
        }
    }
}

impl Follower<'_> {
    /// The records that are new since the last call; lines that cannot be read are passed over.
    pub fn poll(&mut self) -> Result<Vec<Record>, LogError> {
        let current = self.log.current();
        if !current.exists() {
            return Ok(Vec::new());
        }
        let first = Lines::of(&current)?.next().and_then(Result::ok);
        let first = first.and_then(|line| Record::read(&line).ok()).map_or(0, |record| record.seq);
        let offset = match self.place {
            Some((same, offset)) if same == first => offset,
            _ => {
                // Another file took the name, or this is the first look: the closed files have the rest.
                let rest = self.log.records()?.into_iter().flatten().filter(|record| record.seq > self.seen);
                let rest: Vec<Record> = rest.collect();
                self.seen = rest.iter().map(|record| record.seq).max().unwrap_or(self.seen);
                self.place = Some((first, 0));
                return Ok(rest);
            }
        };
        let mut records = Vec::new();
        let mut end = offset;
        for line in Lines::from(&current, offset)? {
            let line = line.map_err(|source| LogError::Unusable { path: current.clone(), source })?;
            end += line.len() as u64 + 1;
            records.extend(Record::read(&line).ok().filter(|record| record.seq > self.seen));
        }
        self.place = Some((first, end));
        self.seen = records.last().map_or(self.seen, |record| record.seq);
        Ok(records)
    }
}
