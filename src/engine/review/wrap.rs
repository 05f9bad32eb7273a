//! Stretches of text laid out in lines that fit.
//!
//! Promises: no character is lost but the spaces at a break; no line is wider than [`WIDTH`] columns
//! with its gutter and signs.

use super::{Line, Mark, Role, Span, WIDTH};
use unicode_width::UnicodeWidthChar;

/// Lays stretches out; a `\n` in one begins a new line. Continuation lines are indented by `indent`.
pub(super) fn spans(role: Role, spans: Vec<Span>, indent: usize) -> Vec<Line> {
    let mut page = Page { role, indent, room: room(role), lines: vec![], line: vec![], used: 0 };
    for span in spans {
        for (index, part) in span.text.split('\n').enumerate() {
            if index > 0 {
                page.end_line();
            }
            page.put(span.mark, part);
        }
    }
    if !page.line.is_empty() {
        page.end_line();
    }
    page.lines
}

/// Lays one text out.
pub(super) fn text(role: Role, text: impl Into<String>, indent: usize) -> Vec<Line> {
    spans(role, vec![Span::new(Mark::Plain, text)], indent)
}

/// The columns that a text fills.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn room(role: Role) -> usize {
    WIDTH - role.gutter().chars().count()
}

struct Page {
    role: Role,
    indent: usize,
    room: usize,
    lines: Vec<Line>,
    line: Vec<Span>,
    used: usize,
}

impl Page {
    fn put(&mut self, mark: Mark, text: &str) {
        let signs = if mark == Mark::Plain { 0 } else { 4 };
        for word in words(text) {
            let open = self.line.last().is_some_and(|span| span.mark == mark);
            let cost = if open { 0 } else { signs };
            let visible = width(word.trim_end_matches(' '));
            if self.used + cost + visible > self.room && self.used > self.indent {
                self.end_line();
            }
            self.push(mark, word, signs);
        }
    }

    fn push(&mut self, mark: Mark, word: &str, signs: usize) {
        if self.used == 0 && !self.lines.is_empty() && self.indent > 0 && self.line.is_empty() {
            self.line.push(Span::new(Mark::Plain, " ".repeat(self.indent)));
            self.used = self.indent;
        }
        for c in word.chars() {
            let open = self.line.last().is_some_and(|span| span.mark == mark);
            let cost = if open { 0 } else { signs } + c.width().unwrap_or(0);
            if c != ' ' && self.used + cost > self.room {
                self.end_line();
            }
            self.used += cost;
            match self.line.last_mut() {
                Some(span) if span.mark == mark => span.text.push(c),
                _ => self.line.push(Span::new(mark, c)),
            }
        }
    }

    fn end_line(&mut self) {
        let mut spans = std::mem::take(&mut self.line);
        self.used = 0;
        if let Some(last) = spans.last_mut().filter(|last| last.mark == Mark::Plain) {
            last.text.truncate(last.text.trim_end_matches(' ').len());
        }
        spans.retain(|span| !span.text.is_empty());
        if !spans.is_empty() {
            self.lines.push(Line { role: self.role, spans });
        }
    }
}

/// Splits after runs of spaces.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut after_space = false;
    for (at, c) in text.char_indices() {
        if after_space && c != ' ' {
            words.push(&text[start..at]);
            start = at;
        }
        after_space = c == ' ';
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}
