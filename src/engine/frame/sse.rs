//! Server-sent events: a stream of bytes into events, as WHATWG defines them, limited.
//!
//! Stricter in one point: a carriage return that no line feed follows ends the stream, because readers
//! differ on whether it ends a line.

/// The longest event id that is kept for resumption.
const MAX_ID: usize = 4096;

/// One event with data, or only an id (a priming event).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// `event:`; empty for the default, `message`.
    pub event: String,
    /// The `data:` lines, joined by line feeds.
    pub data: Vec<u8>,
    /// `id:`, if the event set one.
    pub id: Option<String>,
    /// `retry:` in milliseconds, if the event set it.
    pub retry: Option<u64>,
}

impl SseEvent {
    /// Whether it is of the default type, which carries messages.
    pub fn is_message(&self) -> bool {
        matches!(self.event.as_str(), "" | "message")
    }
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event is longer than the limit.
    #[error("an event longer than {0} bytes")]
    TooLong(usize),
    /// A carriage return without a line feed.
    #[error("a carriage return that no line feed follows")]
    RawCr,
    /// A line is not UTF-8.
    #[error("a line that is not UTF-8")]
    NotUtf8,
}

/// Cuts a stream into events.
#[derive(Debug)]
pub struct SseFramer {
    buffer: Vec<u8>,
    searched: usize,
    event: SseEvent,
    has_data: bool,
    first: bool,
    limit: usize,
}

impl SseFramer {
    /// A framer for events of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let event = SseEvent::default();
        Self { buffer: Vec::new(), searched: 0, event, has_data: false, first: true, limit }
    }

    /// Takes in bytes; gives the events that are now whole.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, SseError> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(found) = super::find(b'\n', &self.buffer[self.searched..]) {
            let end = self.searched + found;
            let line = self.buffer[start..end].to_vec();
            start = end + 1;
            self.searched = start;
            events.extend(self.line(&line)?);
        }
        self.buffer.drain(..start);
        self.searched = self.buffer.len();
        if self.buffer.len() + self.event.data.len() > self.limit {
            return Err(SseError::TooLong(self.limit));
        }
        Ok(events)
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<SseEvent>, SseError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.first { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
        self.first = false;
        if super::find(b'\r', line).is_some() {
            return Err(SseError::RawCr);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let is_event = std::mem::take(&mut self.has_data) || event.id.is_some() || event.retry.is_some();
            return Ok(is_event.then_some(event));
        }
        let (field, value) = match super::find(b':', line) {
            Some(0) => return Ok(None),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || std::str::from_utf8(value).map_err(|_| SseError::NotUtf8);
        match field {
            b"data" => {
                if self.has_data {
                    self.event.data.push(b'\n');
                }
                self.has_data = true;
                self.event.data.extend_from_slice(value);
                if self.event.data.len() > self.limit {
                    return Err(SseError::TooLong(self.limit));
                }
            }
            b"event" => self.event.event = text()?.to_owned(),
            b"id" if value.len() <= MAX_ID && !value.contains(&0) => {
                self.event.id = Some(text()?.to_owned());
            }
            b"retry" => self.event.retry = text()?.parse().ok(),
            _ => {}
        }
        Ok(None)
    }
}
