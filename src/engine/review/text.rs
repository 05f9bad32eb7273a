//! A changed text as the words that changed, with a few equal words around them.
//!
//! Promises: every added character is shown; equal text further away is left out, removed text is cut
//! with its length told unless `full`.

use super::wrap;
use super::{Line, Mark, Role, Span};
use crate::engine::diff::words::{self, Piece};
use crate::engine::show;

/// Equal words shown before and after changed ones.
const AROUND: usize = 5;
/// Characters shown of a removed stretch.
const GONE: usize = 160;
/// Characters shown of a changed stretch that was shown before.
const FEW: usize = 30;
/// Texts less alike than this are shown as one removed and one added.
const ALIKE: f64 = 0.3;

/// The lines of a changed text. `label` opens the first line.
pub(super) fn changed(label: &str, before: &str, after: &str, full: bool) -> Vec<Line> {
    let pieces = words::compare(before.trim_ascii(), after.trim_ascii());
    let short = before.chars().count().max(after.chars().count()) <= 60;
    let adds = pieces.iter().any(|piece| matches!(piece, Piece::Added(_)));
    if adds && !short && words::likeness(&pieces) < ALIKE {
        return replaced(label, before, after, full);
    }
    let lookalike = pieces.windows(2).any(|pair| match pair {
        [Piece::Removed(a), Piece::Added(b)] => may_look_alike(a, b),
        _ => false,
    });
    let mut spans = vec![Span::new(Mark::Plain, label)];
    let last = pieces.len().saturating_sub(1);
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Equal(text) => spans.push(Span::new(Mark::Plain, around(text, index == 0, index == last))),
            Piece::Removed(text) => {
                let max = if full { usize::MAX } else { GONE };
                spans.push(Span::new(Mark::Removed, signless(&flat(text, max, lookalike))));
            }
            Piece::Added(text) => spans.push(Span::new(Mark::Added, signless(&broken(text, lookalike)))),
        }
    }
    wrap::spans(Role::Context, spans, 2)
}

/// The same for words that a review has already shown: only where else they stand.
pub(super) fn again(label: &str, before: &str, after: &str) -> Vec<Line> {
    let pieces = words::compare(before.trim_ascii(), after.trim_ascii());
    let last = pieces.len().saturating_sub(1);
    let mut spans = vec![Span::new(Mark::Plain, label)];
    for (index, piece) in pieces.iter().enumerate() {
        let text = piece.text();
        let start: String = text.chars().take(FEW).collect();
        let short = if start.len() < text.len() { format!("{}…", start.trim_end()) } else { start };
        let short = signless(&show::line(&short, usize::MAX));
        spans.push(match piece {
            Piece::Equal(text) => Span::new(Mark::Plain, around(text, index == 0, index == last)),
            Piece::Removed(_) => Span::new(Mark::Removed, short),
            Piece::Added(_) => Span::new(Mark::Added, short),
        });
    }
    wrap::spans(Role::Context, spans, 2)
}

/// Whether so few characters changed that what they do depends on where they stand.
pub(super) fn is_short(before: &str, after: &str) -> bool {
    let changed = |piece: &Piece| match piece {
        Piece::Equal(_) => 0,
        other => other.text().chars().count(),
    };
    words::compare(before.trim_ascii(), after.trim_ascii()).iter().map(changed).sum::<usize>() <= 2 * FEW
}

/// The lines of a text that was replaced.
fn replaced(label: &str, before: &str, after: &str, full: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let max = if full { usize::MAX } else { GONE };
    lines.extend(wrap::text(Role::Removed, format!("{label}{}", flat(before, max, false)), 2));
    lines.extend(added(label, after));
    lines
}

/// The lines of a new text; empty lines and what all lines but the first are indented by are left out.
pub(super) fn added(label: &str, text: &str) -> Vec<Line> {
    let mut shown = lines_of(text);
    if let Some(first) = shown.first_mut() {
        *first = first.trim_start_matches(' ').to_owned();
    }
    let mut lines = Vec::new();
    for (index, line) in shown.iter().enumerate() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let label = if index == 0 { label } else { "" };
        lines.extend(wrap::text(Role::Added, format!("{label}{line}"), (indent + 2).min(16)));
    }
    if lines.is_empty() {
        lines.extend(wrap::text(Role::Added, format!("{label}\"\""), 2));
    }
    lines
}

/// The lines of a text that say something, without their common indent.
fn lines_of(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = show::block(text, usize::MAX);
    lines.retain(|line| !line.is_empty());
    let indent = |line: &String| line.len() - line.trim_start_matches(' ').len();
    let common = lines.iter().skip(1).map(indent).min().unwrap_or(0);
    for line in lines.iter_mut().skip(1) {
        line.drain(..common);
    }
    lines
}

/// The few equal words next to a changed stretch.
fn around(text: &str, first: bool, last: bool) -> String {
    let tokens = words::tokens(text);
    let is_word = |token: &&&str| token.chars().any(char::is_alphanumeric);
    if tokens.iter().filter(is_word).count() <= 2 * AROUND + 2 && !first && !last {
        return show::line(text, usize::MAX);
    }
    let take = |from_end: bool| {
        let mut kept: Vec<&str> = Vec::new();
        let mut count = 0;
        let mut walk = tokens.iter();
        while count < AROUND {
            let next = if from_end { walk.next_back() } else { walk.next() };
            let Some(token) = next else { break };
            count += usize::from(is_word(&token));
            kept.push(token);
        }
        let all = walk.next().is_none();
        if from_end {
            kept.reverse();
        }
        (show::line(&kept.concat(), usize::MAX), all)
    };
    let (head, head_all) = take(false);
    let (tail, tail_all) = take(true);
    match (first, last) {
        (true, _) if tail_all => tail,
        (true, _) => format!("…{tail}"),
        (_, true) if head_all => head,
        (_, true) => format!("{head}…"),
        _ => format!("{head} … {tail}"),
    }
}

/// A text on one line; `codes` also marks everything beyond ASCII.
fn flat(text: &str, max: usize, codes: bool) -> String {
    let shown = show::line(text, max);
    if codes { ascii(&shown) } else { shown }
}

/// A text with its own line breaks, but for those at its ends, which stand as marks.
fn broken(text: &str, codes: bool) -> String {
    let inner = text.trim_matches('\n');
    let shown = if inner.contains('\n') {
        let first = if text.starts_with('\n') { "⏎" } else { "" };
        let last = if text.ends_with('\n') { "⏎" } else { "" };
        format!("{first}{}{last}", lines_of(inner).join("\n"))
    } else {
        show::line(text, usize::MAX)
    };
    if codes { ascii(&shown) } else { shown }
}

/// Whether two short stretches may be drawn alike: one is ASCII, the other is not, of about one length.
fn may_look_alike(a: &str, b: &str) -> bool {
    let (long, short) = (a.chars().count(), b.chars().count());
    a.is_ascii() != b.is_ascii() && long.abs_diff(short) <= 2 && long.max(short) <= 40
}

/// Our signs for changed words, were they in the text, are taken apart by a mark.
fn signless(text: &str) -> String {
    ["{+", "+}", "[-", "-]"].iter().fold(text.to_owned(), |text, sign| {
        if !text.contains(sign) {
            return text;
        }
        let (first, second) = sign.split_at(1);
        text.replace(sign, &format!("{first}⟨⟩{second}"))
    })
}

fn ascii(text: &str) -> String {
    let mark = |c: char| match c {
        _ if c.is_ascii() || matches!(c, '⟨' | '⟩' | '⏎' | '…') => c.to_string(),
        _ => format!("⟨U+{:04X}⟩", u32::from(c)),
    };
    text.chars().map(mark).collect()
}
