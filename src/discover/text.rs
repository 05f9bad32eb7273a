//! From bytes to text: byte order marks, UTF-16, NUL bytes, emptiness.
//!
//! Promises: what comes back is text without a byte order mark, or a reason; nothing is replaced or
//! dropped silently.

use super::problem::{Fault, Place};

/// The largest file that is read. Claude Code's own file reaches a few megabytes.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A file's text and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text, without byte order mark.
    pub text: String,
    /// Its encoding.
    pub encoding: Encoding,
}

/// How a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    /// UTF-16, little-endian, after a byte order mark.
    Utf16Le,
    /// UTF-16, big-endian, after a byte order mark.
    Utf16Be,
}

impl Text {
    /// The bytes of another text, written as this one was.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let units = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
        match self.encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf8Bom => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            Encoding::Utf16Le => [b"\xFF\xFE", &units(u16::to_le_bytes)[..]].concat(),
            Encoding::Utf16Be => [b"\xFE\xFF", &units(u16::to_be_bytes)[..]].concat(),
        }
    }
}

impl Encoding {
    /// A remark for whoever wonders why a client does not read the file; `None` for UTF-8.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Utf8 | Self::Utf8Bom => None,
            Self::Utf16Le | Self::Utf16Be => Some("the file is UTF-16, which some clients do not read"),
        }
    }
}

/// Decodes a file. The place goes with faults that have one.
pub fn decode(bytes: &[u8]) -> Result<Text, (Fault, Option<Place>)> {
    let (text, encoding) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (utf8(rest)?, Encoding::Utf8Bom),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes)?, Encoding::Utf16Le),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes)?, Encoding::Utf16Be),
        _ => (utf8(bytes)?, Encoding::Utf8),
    };
    if let Some(at) = text.find('\0') {
        return Err((Fault::NulByte, Some(Place::at(&text, at))));
    }
    if text.trim().is_empty() {
        return Err((Fault::Empty, None));
    }
    Ok(Text { text, encoding })
}

fn utf8(bytes: &[u8]) -> Result<String, (Fault, Option<Place>)> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            Err((Fault::NotText, Some(Place::at(good, good.len()))))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, (Fault, Option<Place>)> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err((Fault::NotText, None));
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| (Fault::NotText, None))
}
