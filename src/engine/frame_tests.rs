//! Lines and events cut out of bytes that arrive in any pieces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

/// Feeds `text` in pieces of `size` bytes and writes down the frames.
fn lines(text: &[u8], size: usize, limit: usize) -> Vec<String> {
    let mut framer = LineFramer::new(limit);
    let mut most = 0;
    let mut seen = Vec::new();
    for piece in text.chunks(size.max(1)) {
        framer.spare()[..piece.len()].copy_from_slice(piece);
        framer.fill(piece.len());
        while let Some(frame) = framer.next_frame() {
            seen.push(match frame {
                Frame::Message(range) => String::from_utf8_lossy(framer.bytes(range)).into_owned(),
                Frame::TooLong { id, is_request } => {
                    format!("too long: {:?} {is_request}", id.map(|id| id.to_string()))
                }
                Frame::RawCr => "raw CR".to_owned(),
            });
        }
        most = most.max(framer.buffer.len());
    }
    if framer.has_rest() {
        seen.push("rest".to_owned());
    }
    assert!(most <= limit + 2 * CHUNK, "keeps more than the limit");
    seen
}

#[test]
fn cuts_lines() {
    let cases: [(&str, &[&str]); 8] = [
        ("{}\n[]\n", &["{}", "[]"]),
        ("{}\r\n\r\n \n\n{}\n", &["{}", "{}"]),
        ("{\r}\n{}\n", &["raw CR", "{}"]),
        ("{}\r\r\n", &["raw CR"]),
        ("{}", &["rest"]),
        (
            "{\"result\":{\"id\":3,\"x\":[\"},\\\"id\\\":4\"]},\"jsonrpc\":\"2.0\",\"id\":\"a,b\"}\n{}\n",
            &["too long: Some(\"\\\"a,b\\\"\") false", "{}"],
        ),
        ("{\"id\": 12 ,\"method\":\"tools/call\",\"params\":{\"id\":1}}\n", &["too long: Some(\"12\") true"]),
        ("[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4},{\"id\":5}]\n", &["too long: None false"]),
    ];
    for (text, expected) in cases {
        for size in [1, 2, 7, 1000] {
            assert_eq!(lines(text.as_bytes(), size, 32), expected, "{text:?} by {size}");
        }
    }
}

#[test]
fn cuts_events() {
    let text = "\u{FEFF}: hello\r\nid: 1\r\ndata: \r\n\r\nevent: message\ndata: {\"a\":\ndata:1}\nid:2\nretry: 5\n\n\nfoo\ndata";
    for size in [1, 3, 1000] {
        let mut framer = SseFramer::new(64);
        let events: Vec<SseEvent> =
            text.as_bytes().chunks(size).flat_map(|piece| framer.feed(piece).unwrap()).collect();
        assert_eq!(events.len(), 2, "by {size}");
        assert_eq!(events[0], SseEvent { id: Some("1".to_owned()), ..SseEvent::default() });
        assert_eq!(events[1].data, b"{\"a\":\n1}");
        assert_eq!(events[1].retry, Some(5));
    }
    assert_eq!(SseFramer::new(8).feed(b"data: x\ry\n\n"), Err(SseError::RawCr));
    assert_eq!(SseFramer::new(8).feed(b"data: 123456789\n"), Err(SseError::TooLong(8)));
    assert_eq!(SseFramer::new(8).feed(b"data: 1234567"), Err(SseError::TooLong(8)));
}

#[test]
fn a_large_message_is_whole_and_gives_its_memory_back() {
    let mut framer = LineFramer::new(1 << 20);
    let message = format!("{{\"x\":\"{}\"}}\r\n", "y".repeat(700_000));
    for piece in message.as_bytes().chunks(30_000) {
        framer.spare()[..piece.len()].copy_from_slice(piece);
        framer.fill(piece.len());
    }
    let Some(Frame::Message(range)) = framer.next_frame() else { panic!("no message") };
    assert_eq!(framer.line(range.clone()), message.as_bytes());
    assert_eq!(framer.bytes(range), message.trim_end().as_bytes());
    assert_eq!(framer.next_frame(), None);
    assert!(framer.spare().len() <= CHUNK);
    // A message over the limit is never kept whole.
    for _ in 0..1000 {
        let size = framer.spare().len().min(30_000);
        framer.spare()[..size].fill(b' ');
        framer.fill(size);
        assert_eq!(framer.next_frame(), None);
        assert!(framer.buffer.len() <= (1 << 20) + 2 * CHUNK);
    }
}

proptest! {
    #[test]
    fn pieces_make_no_difference(text in "[a\\r\\n{}\", ]{0,80}", size in 1usize..20, limit in 1usize..40) {
        prop_assert_eq!(lines(text.as_bytes(), size, limit), lines(text.as_bytes(), 1, limit));
    }

    #[test]
    fn finds_bytes(bytes in prop::collection::vec(0u8..4, 0..300)) {
        prop_assert_eq!(find(3, &bytes), bytes.iter().position(|byte| *byte == 3));
    }
}
