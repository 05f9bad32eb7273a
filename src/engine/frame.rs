//! Framing: bytes of a stream into whole messages, one a line (stdio) or one an event (SSE), limited.
//!
//! Promises: a message is handed out only when it is whole; nothing above the limit is kept, and what
//! is too long still tells its id, so that the request can be answered; a carriage return that some
//! reader takes for the end of a line is refused. No copy of a message is made for lines.
//!
//! Does not: read anything itself, or look into messages that fit (`jsonrpc` does).

use super::jsonrpc::Id;
use std::ops::Range;

mod skim;
mod sse;

use skim::Skim;
pub use sse::{SseError, SseEvent, SseFramer};

/// The largest message that is read unless the settings say otherwise: 64 MiB.
pub const LIMIT: usize = 64 << 20;

/// How much is read at once, and the size of an idle buffer, unless said otherwise.
const CHUNK: usize = 64 << 10;

/// Cuts a stream into lines.
#[derive(Debug)]
pub struct LineFramer {
    /// Initialised to its end, so that reading into it needs no clearing first.
    buffer: Vec<u8>,
    /// How much of the buffer is filled.
    filled: usize,
    /// Where the first line that was not handed out starts.
    start: usize,
    /// Up to where there is no line end.
    searched: usize,
    limit: usize,
    /// How much is read at once, and the size of the idle buffer.
    chunk: usize,
    /// Set while a line that is too long passes by.
    skim: Option<Skim>,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message, without its line end; see [`LineFramer::bytes`], until the next read.
    Message(Range<usize>),
    /// A line longer than the limit, thrown away.
    TooLong {
        /// The id it carries at its top level, if one could be made out.
        id: Option<Id>,
        /// Whether it has a method, so that it is a request and not an answer.
        is_request: bool,
    },
    /// A line with a carriage return inside, thrown away.
    RawCr,
}

impl LineFramer {
    /// A framer for messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), filled: 0, start: 0, searched: 0, limit, chunk: CHUNK, skim: None }
    }

    /// The same with another size of the idle buffer, for conversations that rest most of the time.
    #[must_use]
    pub fn with_chunk(mut self, bytes: usize) -> Self {
        self.chunk = bytes.max(1);
        self
    }

    /// Where to read to; say with [`Self::fill`] how much came. Ask for frames until there is none
    /// before reading more.
    pub fn spare(&mut self) -> &mut [u8] {
        let chunk = self.chunk;
        if self.start == self.filled {
            (self.start, self.searched, self.filled) = (0, 0, 0);
            // What one large message needed is given back.
            self.buffer.truncate(chunk);
            self.buffer.shrink_to(chunk);
        } else if self.start > 0 && self.buffer.len() - self.filled < chunk {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.filled < chunk / 2 {
            let size = (self.buffer.len() * 2).clamp(chunk, (self.limit + chunk).max(self.filled + chunk));
            self.buffer.resize(size, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Takes in what was read into [`Self::spare`].
    pub fn fill(&mut self, read: usize) {
        self.filled = (self.filled + read).min(self.buffer.len());
    }

    /// A message's bytes.
    pub fn bytes(&self, message: Range<usize>) -> &[u8] {
        &self.buffer[message]
    }

    /// A message's bytes and the line end as it came.
    pub fn line(&self, message: Range<usize>) -> &[u8] {
        let end = find(b'\n', &self.buffer[message.end..self.filled])
            .map_or(message.end, |at| message.end + at + 1);
        &self.buffer[message.start..end]
    }

    /// The next line that is whole. Empty lines are passed over.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let Some(found) = find(b'\n', &self.buffer[self.searched..self.filled]) else {
                self.searched = self.filled;
                self.skim_tail();
                return None;
            };
            let (start, end) = (self.start, self.searched + found);
            self.start = end + 1;
            self.searched = end + 1;
            if let Some(mut skim) = self.skim.take() {
                skim.feed(&self.buffer[start..end]);
                return Some(Frame::TooLong { id: skim.id(), is_request: skim.has_method() });
            }
            let line = &self.buffer[start..end];
            if line.len() > self.limit {
                let mut skim = Skim::default();
                skim.feed(line);
                return Some(Frame::TooLong { id: skim.id(), is_request: skim.has_method() });
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if find(b'\r', line).is_some() {
                return Some(Frame::RawCr);
            }
            if line.iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
                return Some(Frame::Message(start..start + line.len()));
            }
        }
    }

    /// Whether bytes of an unfinished line are left; at the end of a stream they are no message.
    pub fn has_rest(&self) -> bool {
        self.start < self.filled || self.skim.is_some()
    }

    /// Gives up what is already too long, keeping only what its id needs.
    fn skim_tail(&mut self) {
        if self.skim.is_none() && self.filled - self.start <= self.limit {
            return;
        }
        self.skim.get_or_insert_default().feed(&self.buffer[self.start..self.filled]);
        self.start = self.filled;
    }
}

/// The id at the top level of a text that is not valid, if one can be made out.
pub fn skim_id(bytes: &[u8]) -> Option<Id> {
    let mut skim = Skim::default();
    skim.feed(bytes);
    if skim.has_method() { None } else { skim.id() }
}

/// The first place of a byte.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const WIDTH: usize = 64;
    let mut at = 0;
    // Without an early exit inside a chunk, the compiler looks at many bytes at once.
    for chunk in bytes.chunks_exact(WIDTH) {
        if chunk.iter().fold(false, |found, other| found | (*other == byte)) {
            break;
        }
        at += WIDTH;
    }
    bytes[at..].iter().position(|other| *other == byte).map(|place| at + place)
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
