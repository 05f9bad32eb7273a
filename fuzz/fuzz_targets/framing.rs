//! Any bytes in any pieces: the framers of lines and of server-sent events never panic, never hand out
//! more than their limit, and hand out the same whether the bytes come at once or in pieces.
//!
//! The first byte is the size of a piece.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpwatch::engine::frame::{Frame, LineFramer, SseError, SseEvent, SseFramer};

/// The limit that the framers are given.
const LIMIT: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let size = usize::from(*first).max(1);
    assert_eq!(lines(bytes, bytes.len().max(1)), lines(bytes, size), "lines depend on the pieces");
    let (whole, pieces) = (events(bytes, bytes.len().max(1)), events(bytes, size));
    // What is too long may be noticed sooner in pieces: then it is a beginning of the same.
    let shorter = whole.0.len().min(pieces.0.len());
    assert_eq!(whole.0[..shorter], pieces.0[..shorter], "events depend on the pieces");
    if whole.1.is_ok() && pieces.1.is_ok() {
        assert_eq!(whole.0, pieces.0, "events are lost in pieces");
    }
});

/// The messages of a stream of lines; `None` for what was refused.
fn lines(bytes: &[u8], size: usize) -> Vec<Option<Vec<u8>>> {
    let mut framer = LineFramer::new(LIMIT);
    let mut found = Vec::new();
    for piece in bytes.chunks(size) {
        let mut rest = piece;
        while !rest.is_empty() {
            let spare = framer.spare();
            let count = spare.len().min(rest.len());
            assert!(count > 0, "there is no room to read into");
            spare[..count].copy_from_slice(&rest[..count]);
            framer.fill(count);
            rest = &rest[count..];
            while let Some(frame) = framer.next_frame() {
                found.push(match frame {
                    Frame::Message(range) => {
                        let message = framer.bytes(range).to_vec();
                        assert!(message.len() <= LIMIT, "longer than the limit");
                        assert!(!message.contains(&b'\n') && !message.contains(&b'\r'), "two lines in one");
                        Some(message)
                    }
                    Frame::TooLong { .. } | Frame::RawCr => None,
                });
            }
        }
    }
    found
}

/// The events of a stream, up to where it cannot be read on.
fn events(bytes: &[u8], size: usize) -> (Vec<SseEvent>, Result<(), SseError>) {
    let mut framer = SseFramer::new(LIMIT);
    let mut found = Vec::new();
    for piece in bytes.chunks(size) {
        match framer.feed(piece) {
            Ok(events) => found.extend(events),
            Err(error) => return (found, Err(error)),
        }
    }
    for event in &found {
        assert!(event.data.len() <= LIMIT, "longer than the limit");
        assert!(!event.event.contains(['\n', '\r']), "two lines in a field");
        assert!(event.id.as_ref().is_none_or(|id| !id.contains(['\n', '\r', '\0'])), "two lines in an id");
    }
    (found, Ok(()))
}
