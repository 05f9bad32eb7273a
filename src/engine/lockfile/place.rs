//! Where in a text a path leads: lines for error messages.
//!
//! Does not judge the text: it has been read by the strict parser before. A path that leads nowhere
//! gives the place of its last step that exists.

use crate::engine::json::{self, Path, Step};

/// The line (from 1) of the value that a path leads to.
pub(super) fn line_of(text: &str, path: &Path) -> usize {
    line_at(text, offset_of(text, path))
}

/// The line (from 1) of a byte offset.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn offset_of(text: &str, path: &Path) -> usize {
    let mut walk = Walk { bytes: text.as_bytes(), at: 0 };
    walk.skip_space();
    let mut found = walk.at;
    for step in &path.0 {
        let entered = match step {
            Step::Key(key) => walk.enter_key(text, key),
            Step::Index(index) => walk.enter_index(*index),
        };
        match entered {
            Some(at) => found = at,
            None => break,
        }
    }
    found
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Steps over one punctuation byte and the space around it.
    fn skip_mark(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    /// Steps to the value of a key; gives the offset of the key.
    fn enter_key(&mut self, text: &str, key: &str) -> Option<usize> {
        if self.peek() != Some(b'{') {
            return None;
        }
        self.skip_mark();
        while self.peek() == Some(b'"') {
            let start = self.at;
            self.skip_string();
            let token = text.get(start..self.at)?;
            let here = json::parse(token.as_bytes()).ok()?.as_str() == Some(key);
            self.skip_space();
            self.skip_mark();
            if here {
                return Some(start);
            }
            self.skip_value();
            self.skip_space();
            self.skip_mark();
        }
        None
    }

    fn enter_index(&mut self, index: usize) -> Option<usize> {
        if self.peek() != Some(b'[') {
            return None;
        }
        self.skip_mark();
        for _ in 0..index {
            self.skip_value();
            self.skip_space();
            if self.peek() != Some(b',') {
                return None;
            }
            self.skip_mark();
        }
        Some(self.at)
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    /// Steps over one whole value.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => {
                    // At depth 0 this closes the parent: a number or word has just ended.
                    self.at += depth;
                    return;
                }
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}
