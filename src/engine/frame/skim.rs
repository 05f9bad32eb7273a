//! A look at a message that is too long to keep: its top-level id and whether it has a method.
//!
//! The text is not validated. What is found here only picks which open request is answered with an
//! error, and a server may answer any of them with an error anyway.

use crate::engine::jsonrpc::Id;

/// Longer keys and ids are of no interest.
const MAX_TOKEN: usize = 256;

/// Reads a message piece by piece and keeps next to nothing of it.
#[derive(Debug, Default)]
pub struct Skim {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The token at the top level that is being read.
    token: Vec<u8>,
    /// The key whose value follows.
    key: Option<Key>,
    id: Option<Id>,
    has_method: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Id,
    Other,
}

impl Skim {
    /// Reads the next piece.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
        }
    }

    /// The id at the top level, if one was found.
    pub fn id(&self) -> Option<Id> {
        self.id.clone()
    }

    /// Whether a method stands at the top level.
    pub fn has_method(&self) -> bool {
        self.has_method
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(byte);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.end_member();
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 => {
                self.key = Some(if self.token == b"\"id\"" { Key::Id } else { Key::Other });
                self.has_method |= self.token == b"\"method\"";
                self.token.clear();
            }
            b',' => self.end_member(),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            other => self.keep(other),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() < MAX_TOKEN {
            self.token.push(byte);
        }
    }

    fn end_member(&mut self) {
        if self.depth != 1 {
            return;
        }
        if self.key.take() == Some(Key::Id) && self.token.len() < MAX_TOKEN {
            self.id = std::str::from_utf8(&self.token).ok().and_then(Id::read);
        }
        self.token.clear();
    }
}
