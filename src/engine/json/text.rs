//! What reader and writer know of strings alike: which bytes stand in one as they are.
//!
//! Promises: exactly the bytes that RFC 8259 §7 lets stand unescaped, looked at many at once. Does not
//! read UTF-8: whoever asks has a text.

/// How many bytes at the start need no look in a string: no quote, backslash or control character.
pub fn plain_run(bytes: &[u8]) -> usize {
    const WIDTH: usize = 32;
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let mut at = 0;
    // Without an early exit inside a chunk, the compiler looks at many bytes at once.
    for chunk in bytes.chunks_exact(WIDTH) {
        if chunk.iter().fold(false, |found, byte| found | special(*byte)) {
            break;
        }
        at += WIDTH;
    }
    at + bytes[at..].iter().position(|byte| special(*byte)).unwrap_or(bytes.len() - at)
}
