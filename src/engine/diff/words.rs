//! Two texts compared down to the words.
//!
//! Promises: what is equal or added, put together, is the offered text, byte for byte; what is equal or
//! removed is the pinned text, but that plain white space between two words equals any other (see
//! [`same_words`]); the same texts always give the same pieces (no deadline decides); the effort stays
//! bounded, because a text too large for words is compared by lines, and a text too large for lines
//! counts as replaced.

use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::collections::HashMap;

/// A stretch of text that stands in both texts, or in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// In both.
    Equal(String),
    /// Only in the pinned text.
    Removed(String),
    /// Only in the offered text.
    Added(String),
}

/// The most comparisons (old words times new words) that a comparison may always cost.
const WORK: usize = 4_000_000;

/// The most (words times words that differ at least) that a comparison of longer texts may cost.
const SPARSE_WORK: usize = 2_000_000;

/// Texts of fewer words are always compared by words.
const SHORT: usize = 40;

/// Compares two texts; neighbouring pieces are of different kinds, `Removed` before `Added`.
pub fn compare(before: &str, after: &str) -> Vec<Piece> {
    let mut raw = Vec::new();
    let (old, new) = (tokens(before), tokens(after));
    if !may_be_alike(&old, &new) {
        raw.extend([(DiffTag::Delete, before.to_owned()), (DiffTag::Insert, after.to_owned())]);
    } else if is_affordable(&old, &new) {
        slices(&old, &new, &mut raw, &mut |_, _, _| false);
    } else {
        let old: Vec<&str> = before.split_inclusive('\n').collect();
        let new: Vec<&str> = after.split_inclusive('\n').collect();
        if is_affordable(&old, &new) {
            slices(&old, &new, &mut raw, &mut by_words);
        } else {
            raw.extend([(DiffTag::Delete, before.to_owned()), (DiffTag::Insert, after.to_owned())]);
        }
    }
    tidy(raw)
}

/// Whether two texts hold the same words, apart by any plain white space (space, tab, line end).
pub fn same_words(before: &str, after: &str) -> bool {
    before.split_ascii_whitespace().eq(after.split_ascii_whitespace())
}

/// The share of the longer text that stands in both, from 0 to 1.
pub fn likeness(pieces: &[Piece]) -> f64 {
    let (mut equal, mut removed, mut added) = (0_u32, 0_u32, 0_u32);
    for piece in pieces {
        let (count, text) = match piece {
            Piece::Equal(text) => (&mut equal, text),
            Piece::Removed(text) => (&mut removed, text),
            Piece::Added(text) => (&mut added, text),
        };
        let letters = text.chars().filter(|c| !c.is_whitespace()).count();
        *count = count.saturating_add(u32::try_from(letters).unwrap_or(u32::MAX));
    }
    let longer = equal.saturating_add(removed.max(added));
    if longer == 0 { 1.0 } else { f64::from(equal) / f64::from(longer) }
}

/// Splits a text into words, runs of white space and single other characters.
pub fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' => 0,
        _ if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut tokens = Vec::new();
    let (mut start, mut last) = (0, 3);
    for (at, c) in text.char_indices() {
        let now = class(c);
        if at > 0 && (now != last || now == 2) {
            tokens.push(&text[start..at]);
            start = at;
        }
        last = now;
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

type Raw = Vec<(DiffTag, String)>;

fn slices<'a>(
    old: &[&'a str],
    new: &[&'a str],
    out: &mut Raw,
    refine: &mut dyn FnMut(&str, &str, &mut Raw) -> bool,
) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |token: &&'a str| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(spaceless(token)).or_insert(next)
    };
    let (a, b): (Vec<u32>, Vec<u32>) =
        (old.iter().map(&mut number).collect(), new.iter().map(&mut number).collect());
    for op in capture_diff_slices(Algorithm::Myers, &a, &b) {
        let (before, after) = (old[op.old_range()].concat(), new[op.new_range()].concat());
        match op.tag() {
            DiffTag::Equal => out.push((DiffTag::Equal, after)),
            DiffTag::Replace if refine(&before, &after, out) => {}
            _ => out.extend([(DiffTag::Delete, before), (DiffTag::Insert, after)]),
        }
    }
}

/// Whether long texts share enough words for a comparison to show anything: a fifth of the longer.
fn may_be_alike<'a>(old: &[&'a str], new: &[&'a str]) -> bool {
    let words = |tokens: &[&'a str]| -> Vec<&'a str> {
        tokens.iter().copied().filter(|token| token.len() > 1).collect()
    };
    let (old, new) = (words(old), words(new));
    let longer = old.len().max(new.len());
    longer < SHORT || shared(&old, &new) * 5 >= longer
}

/// Whether a comparison is worth its cost, which grows with the length of both texts and with how
/// much of them differs.
fn is_affordable(old: &[&str], new: &[&str]) -> bool {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..], &new[same..]);
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - same], &new[..new.len() - same]);
    if old.len().saturating_mul(new.len()) <= WORK {
        return true;
    }
    let all = old.len() + new.len();
    let differing = all - 2 * shared(old, new);
    // Words in another order differ too, but are not counted: the product bounds them.
    let bounded = old.len().saturating_mul(new.len()) <= 4 * WORK;
    bounded && all.saturating_mul(differing) <= SPARSE_WORK
}

/// How many words stand in both, in whatever order.
fn shared(old: &[&str], new: &[&str]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for token in old {
        *counts.entry(token).or_default() += 1;
    }
    let mut shared = 0;
    for token in new {
        if let Some(count) = counts.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    shared
}

/// A token for comparing: plain white space equals any other.
fn spaceless(token: &str) -> &str {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_whitespace()) { " " } else { token }
}

/// Refines a replaced stretch of lines into words, where that is affordable.
fn by_words(before: &str, after: &str, out: &mut Raw) -> bool {
    let (old, new) = (tokens(before), tokens(after));
    let affordable = is_affordable(&old, &new);
    if affordable {
        slices(&old, &new, out, &mut |_, _, _| false);
    }
    affordable
}

/// Joins neighbours of a kind, and swallows an equal stretch too small to help a reader between two
/// changed ones: white space, punctuation, or less than the words changed on either side.
fn tidy(raw: Raw) -> Vec<Piece> {
    let mut hunks: Vec<(String, String, String)> = vec![Default::default()]; // removed, added, equal after
    for (tag, text) in raw.into_iter().filter(|(_, text)| !text.is_empty()) {
        let closed = hunks.last().is_none_or(|hunk| !hunk.2.is_empty());
        if closed && tag != DiffTag::Equal {
            hunks.push(Default::default());
        }
        if let Some(hunk) = hunks.last_mut() {
            match tag {
                DiffTag::Equal => hunk.2.push_str(&text),
                DiffTag::Delete => hunk.0.push_str(&text),
                _ => hunk.1.push_str(&text),
            }
        }
    }
    let mut joined: Vec<(String, String, String)> = Vec::new();
    for hunk in hunks {
        match joined.last_mut() {
            Some(last) if swallows(last, &hunk) => {
                let gap = std::mem::take(&mut last.2);
                last.0 = format!("{}{gap}{}", last.0, hunk.0);
                last.1 = format!("{}{gap}{}", last.1, hunk.1);
                last.2 = hunk.2;
            }
            _ => joined.push(hunk),
        }
    }
    let mut pieces = Vec::new();
    for (removed, added, equal) in joined {
        let three = [Piece::Removed(removed), Piece::Added(added), Piece::Equal(equal)];
        pieces.extend(three.into_iter().filter(|piece| !piece.text().is_empty()));
    }
    pieces
}

fn swallows(last: &(String, String, String), next: &(String, String, String)) -> bool {
    let first = last.0.is_empty() && last.1.is_empty();
    let gap = &last.2;
    if first || gap.contains('\n') {
        return false;
    }
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let beside = letters(&last.0).max(letters(&last.1)).min(letters(&next.0).max(letters(&next.1)));
    let words = gap.split_whitespace().count();
    letters(gap) == 0 && gap.len() <= 4 || words <= 3 && letters(gap) * 2 <= beside
}

impl Piece {
    /// The text of the piece.
    pub fn text(&self) -> &str {
        let (Piece::Equal(text) | Piece::Removed(text) | Piece::Added(text)) = self;
        text
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
