//! Server text made visible, neutral and short: the only way from a server to a screen.
//!
//! Promises: what comes out holds no control character but the line ends of [`block`], nothing that a
//! terminal obeys, reorders or hides, and no space that is wider or narrower than a space; each such
//! character stands as a mark `⟨U+202E⟩` in its place, so that nothing disappears. The brackets of
//! the marks are marked themselves: a text cannot fake them. What is cut says how much was cut.
//!
//! Does not: judge the text (`findings/`), mask secrets (`secret.rs`), or translate anything.

use super::surface::Kind;
use unicode_width::UnicodeWidthChar;

/// Fewer characters than this are not worth cutting off.
const LEAST: usize = 24;
/// Longer runs of spaces within a line are told by their number.
const SPACES: usize = 16;
/// More empty lines in a row are told by their number.
const EMPTY_LINES: usize = 3;
/// More combining characters on one letter are marked.
const COMBINING: usize = 2;
/// The most characters of a name that are shown.
const NAME: usize = 80;

/// One line, neutral; line ends are marked too. At most `max` characters of the text are shown.
pub fn line(text: &str, max: usize) -> String {
    let (kept, rest) = cut(text, max);
    let mut out = String::with_capacity(kept.len());
    neutral(kept, true, &mut out);
    out.push_str(&rest);
    out
}

/// The lines of a text, each neutral. At most `max` characters of the text are shown.
pub fn block(text: &str, max: usize) -> Vec<String> {
    let (kept, rest) = cut(text, max);
    let mut lines = Vec::new();
    let mut empty = 0;
    for line in kept.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim_matches([' ', '\t']).is_empty() {
            empty += 1;
            continue;
        }
        end_empty(&mut lines, &mut empty);
        let mut out = String::with_capacity(line.len());
        neutral(line, false, &mut out);
        lines.push(out);
    }
    end_empty(&mut lines, &mut empty);
    if !rest.is_empty() {
        lines.push(rest.trim_start().to_owned());
    }
    lines
}

/// A name for a review: as it is if it is plain, or `name@client` of plain parts, else quoted and neutral.
pub fn name(name: &str) -> String {
    let is_plain = match name.split_once('@') {
        Some((server, client)) => is_plain_name(server) && is_plain_name(client),
        None => is_plain_name(name),
    };
    if is_plain { name.to_owned() } else { format!("\"{}\"", line(name, NAME)) }
}

/// A name for everywhere else: as it is if it is plain, else the kind and our number for it, so that
/// nothing the server chose is read as our words.
pub fn label(kind: Kind, name: &str, number: usize) -> String {
    if is_plain_name(name) { name.to_owned() } else { format!("{} #{number}", kind.singular()) }
}

/// Whether a name is `[A-Za-z0-9_.-]{1,64}`.
pub fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// A number with commas between thousands.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Cuts a text after `max` characters and says how many are missing.
fn cut(text: &str, max: usize) -> (&str, String) {
    match text.char_indices().nth(max) {
        None => (text, String::new()),
        // A cut that saves next to nothing is none.
        Some((at, _)) if text[at..].chars().nth(LEAST).is_none() => (text, String::new()),
        Some((at, _)) => {
            let rest = text[at..].chars().count();
            let s = if rest == 1 { "" } else { "s" };
            (&text[..at], format!(" … {} more character{s}", count(rest)))
        }
    }
}

fn end_empty(lines: &mut Vec<String>, empty: &mut usize) {
    if *empty > EMPTY_LINES {
        lines.push(format!("⟨{} empty lines⟩", count(*empty)));
    } else {
        lines.extend(std::iter::repeat_n(String::new(), *empty));
    }
    *empty = 0;
}

/// Appends a text with everything marked that is not plainly visible.
fn neutral(text: &str, one_line: bool, out: &mut String) {
    let mut spaces = 0;
    let mut combining = 0;
    let mut previous = ' ';
    let mut word = Word::default();
    let indent = if one_line { 0 } else { text.len() - text.trim_start_matches(' ').len() };
    for (at, c) in text.char_indices() {
        if c == ' ' && (at >= indent || indent > 4 * SPACES) {
            spaces += 1;
            previous = c;
            continue;
        }
        end_spaces(&mut spaces, out);
        combining = if is_combining(c) { combining + 1 } else { 0 };
        if !c.is_alphanumeric() {
            word = Word::default();
        } else if word.start.is_none() {
            word = Word::at(&text[at..]);
        }
        let shown = match c {
            '\n' if one_line => {
                out.push('⏎');
                previous = c;
                continue;
            }
            '\t' if !one_line => {
                out.push_str("    ");
                previous = c;
                continue;
            }
            '\u{FE0F}' => is_pictograph(previous),
            _ if is_combining(c) => {
                combining <= COMBINING && (previous.is_alphanumeric() || is_combining(previous))
            }
            _ => is_visible(c) && !(word.mixed && is_lookalike(c)),
        };
        if shown {
            out.push(c)
        } else {
            mark(c, out)
        }
        previous = c;
    }
    end_spaces(&mut spaces, out);
}

fn end_spaces(spaces: &mut usize, out: &mut String) {
    if *spaces > SPACES {
        out.push_str(&format!("⟨{} spaces⟩", count(*spaces)));
    } else {
        out.extend(std::iter::repeat_n(' ', *spaces));
    }
    *spaces = 0;
}

fn mark(c: char, out: &mut String) {
    out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
}

/// The word around a place, as far as it matters: whether it mixes Latin letters with lookalikes.
#[derive(Default)]
struct Word {
    start: Option<()>,
    mixed: bool,
}

impl Word {
    fn at(text: &str) -> Self {
        let letters = || text.chars().take_while(|c| c.is_alphanumeric() || is_combining(*c));
        let mixed = letters().any(|c| c.is_ascii_alphabetic()) && letters().any(is_lookalike);
        Self { start: Some(()), mixed }
    }
}

/// Letters of other scripts that are drawn like Latin ones: Greek, Cyrillic, Armenian, Cherokee,
/// Lisu, letter-like and mathematical letters, full-width forms.
fn is_lookalike(c: char) -> bool {
    matches!(u32::from(c),
        0x0370..=0x03FF | 0x0400..=0x052F | 0x0530..=0x058F | 0x13A0..=0x13FF | 0x1D00..=0x1DBF
        | 0x2100..=0x214F | 0x2C60..=0x2C7F | 0xA4D0..=0xA4FF | 0xAB30..=0xABBF | 0xFF01..=0xFF5E
        | 0x1D400..=0x1D7FF)
        && c.is_alphabetic()
}

fn is_combining(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x0610..=0x061A | 0x064B..=0x065F
        | 0x0E31 | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        | 0x20D0..=0x20FF | 0x3099..=0x309A | 0xFE20..=0xFE2F)
}

fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c), 0x00A9 | 0x00AE | 0x203C | 0x2049 | 0x2100..=0x2BFF | 0x3030 | 0x303D
        | 0x3297 | 0x3299 | 0x1F000..=0x1FAFF)
}

/// Whether a character, standing alone, is drawn as itself, has the width of what it looks like, and
/// moves nothing else.
fn is_visible(c: char) -> bool {
    if c == ' ' || c.is_ascii_graphic() {
        return true;
    }
    // A second net for what the list below forgets: what fills no column is not seen.
    if c.width().unwrap_or(0) == 0 || u32::from(c) & 0xFFFE == 0xFFFE {
        return false;
    }
    !matches!(u32::from(c),
        // Controls, DEL and the C1 set.
        0x0000..=0x001F | 0x007F..=0x009F
        // Spaces that are not a space, and what looks like one.
        | 0x00A0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 | 0x2800
        // Invisible: soft hyphen, joiners, fillers, marks of direction, separators, operators.
        | 0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFC | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
        // Variation selectors, tags, and everything else of plane 14.
        | 0xFE00..=0xFE0F | 0xE0000..=0xEFFFF
        // Private use, surrogates and non-characters.
        | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF0000..=0x10FFFF
        // The brackets of our own marks.
        | 0x27E8 | 0x27E9
        // Egyptian and musical layout controls.
        | 0x13430..=0x1343F)
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
