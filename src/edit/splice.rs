//! Replacing spans of a text, all of them found in the text as it was.

use std::ops::Range;

/// A list of replacements that do not overlap.
#[derive(Default)]
pub(super) struct Splice(Vec<(Range<usize>, String)>);

impl Splice {
    /// Replaces a span.
    pub fn replace(&mut self, span: Range<usize>, by: impl Into<String>) {
        self.0.push((span, by.into()));
    }

    /// Inserts before a place.
    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// The text with every replacement made.
    pub fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for (span, by) in self.0 {
            out.push_str(text.get(at..span.start).unwrap_or_default());
            out.push_str(&by);
            at = span.end.max(at);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }
}

/// The line of a byte offset, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
