//! Messages on the wire: lengths, versions, limits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::message::{Hello, Request};
use super::*;

/// What reading these bytes as a request gives, in words.
async fn check(bytes: &[u8], expected: &str) {
    let mut stream = bytes;
    let text = match read::<Request>(&mut stream, 64).await {
        Ok(request) => format!("{request:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(text, expected, "{bytes:?}");
}

fn frame(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[tokio::test]
async fn frames() {
    check(&frame("\"status\""), "Status").await;
    check(&frame("{\"scan\":{\"server\":null,\"newer\":1}}"), "Scan { server: None }").await;
    check(&frame("\"weather\""), "a message that is not understood").await;
    check(&frame("\"status\" x"), "a message that is not understood").await;
    check(&frame(""), "a message that is not understood").await;
    check(b"", "the other end closed the connection").await;
    check(&frame("\"status\"")[..6], "the other end closed the connection").await;
    check(&[0xFF; 8], "a frame of 4294967295 bytes, which is more than allowed").await;
    check(&frame(&" ".repeat(65)), "a frame of 65 bytes, which is more than allowed").await;
    check(b"\0\0", "the connection broke: early eof").await;
}

#[tokio::test]
async fn a_frame_must_end_in_time() {
    let (mut near, mut far) = tokio::io::duplex(64);
    far.write_all(&frame("\"status\"")[..9]).await.unwrap();
    assert!(matches!(read::<Request>(&mut near, 64).await, Err(WireError::Stalled)));
    drop(far);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let (mut near, far) = tokio::io::duplex(8);
    let hello = Hello::own(0);
    assert!(matches!(write(&mut near, &hello, HELLO_LIMIT).await, Err(WireError::Stalled)));
    assert!(matches!(write(&mut near, &hello, 8).await, Err(WireError::TooLarge(_))));
    drop(far);
}
