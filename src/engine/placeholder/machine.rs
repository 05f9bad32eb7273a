//! The values of one machine, as far as a placeholder may stand for them.
//!
//! Promises: a value that could carry a sentence is never held, so it never matches: at most
//! [`MAX_VALUE`] characters, no control, format or bidirectional characters, few and short words.
//! The shells give home and user from the account database, so that an entry's `HOME` has no say.

use super::{Name, Placeholder, dates, sets};
use std::collections::BTreeMap;

/// The longest value, in characters.
pub const MAX_VALUE: usize = 256;

/// The most words, apart by spaces, in one part of a path or in a name.
const MAX_SPACED_WORDS: usize = 3;

/// The most words, however apart (`read-me-first`, `readMeFirst`), in one part.
const MAX_WORDS: usize = 8;

/// The most words in a whole path.
const MAX_PATH_WORDS: usize = 24;

/// The most letters of scripts that write without spaces, in one part.
const MAX_UNSPACED: usize = 12;

/// The values of one machine at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    values: BTreeMap<Name, Vec<String>>,
    unusable: Vec<(Name, String, Unusable)>,
    now: u64,
}

/// Why a value cannot stand for a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_VALUE`] characters.
    #[error("is longer than 256 characters")]
    TooLong,
    /// Control, format or bidirectional characters.
    #[error("has characters that cannot be seen")]
    Invisible,
    /// It could be read as words to a model.
    #[error("reads like a sentence")]
    Sentence,
}

impl Machine {
    /// A machine of which only the moment is known, in Unix milliseconds.
    pub fn new(now: u64) -> Self {
        Self { now, ..Self::default() }
    }

    /// The same machine with one more value; an unusable one is left out and told by
    /// [`Machine::unusable`]. See [`Machine::add`].
    #[must_use]
    pub fn with(mut self, name: Name, value: impl Into<String>) -> Self {
        let value = value.into();
        if let Err(why) = self.add(name, value.as_str())
            && why != Unusable::Empty
        {
            self.unusable.push((name, value, why));
        }
        self
    }

    /// Adds a value of that name; several are alternatives (a symlink and its target, a short and a
    /// full host name), the first is the one that is filled in.
    pub fn add(&mut self, name: Name, value: impl Into<String>) -> Result<(), Unusable> {
        let value = value.into();
        let value = if name.is_path() { trim_separator(&value).to_owned() } else { value };
        usable(&value)?;
        let values = self.values.entry(name).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
        Ok(())
    }

    /// The values of that name.
    pub fn values(&self, name: Name) -> &[String] {
        self.values.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Values that were left out, for which no placeholder is ever proposed, and why.
    pub fn unusable(&self) -> &[(Name, String, Unusable)] {
        &self.unusable
    }

    /// The moment, in Unix milliseconds.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The same values at another moment.
    #[must_use]
    pub fn at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    /// The lengths of text at the start of `rest` that the placeholder stands for here.
    pub(super) fn lengths(&self, placeholder: &Placeholder, rest: &str, mut found: impl FnMut(usize)) {
        match placeholder {
            Placeholder::Value(name) => {
                for value in self.values(*name) {
                    if let Some(length) = value_length(*name, value, rest) {
                        found(length);
                    }
                }
                if *name == Name::App {
                    nix_store_length(rest).into_iter().for_each(found);
                }
            }
            Placeholder::Date => dates::date_lengths(rest, self.now).into_iter().for_each(found),
            Placeholder::Timestamp => dates::timestamp_lengths(rest, self.now).into_iter().for_each(found),
            Placeholder::Set(tokens, spaced) => {
                sets::length(tokens, *spaced, rest).into_iter().for_each(found);
            }
        }
    }

    /// What the placeholder stands for here, or its own spelling.
    pub(super) fn fill(&self, placeholder: &Placeholder) -> String {
        match placeholder {
            Placeholder::Value(name) => {
                self.values(*name).first().cloned().unwrap_or_else(|| placeholder.to_string())
            }
            Placeholder::Date => dates::spell_date(self.now),
            Placeholder::Timestamp => dates::spell_timestamp(self.now),
            Placeholder::Set(tokens, spaced) => tokens.join(if *spaced { ", " } else { "," }),
        }
    }
}

/// A path without the separator at its end, unless that is all of it (`/`, `C:\`).
fn trim_separator(path: &str) -> &str {
    let trimmed = path.trim_end_matches(if is_windows(path) { &['/', '\\'][..] } else { &['/'][..] });
    if trimmed.is_empty() || trimmed.ends_with(':') { path } else { trimmed }
}

/// Whether a path is spelled as on Windows: a drive, or a share.
fn is_windows(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    (drive && matches!(bytes[2], b'\\' | b'/')) || path.starts_with(r"\\")
}

/// The length of the value at the start of a text. A Windows path is the same in any case and with
/// either separator, also doubled as JSON within text writes it; spaces of a path may be `%20`.
fn value_length(name: Name, value: &str, rest: &str) -> Option<usize> {
    if rest.starts_with(value) {
        return Some(value.len());
    }
    if !name.is_path() {
        return None;
    }
    let windows = is_windows(value);
    let mut at = rest;
    for c in value.chars() {
        at = match c {
            '\\' | '/' if windows => at.strip_prefix(r"\\").or_else(|| at.strip_prefix(['\\', '/']))?,
            ' ' => at.strip_prefix("%20").or_else(|| at.strip_prefix(' '))?,
            c => {
                let found = at.chars().next()?;
                let same = found == c || (windows && found.to_lowercase().eq(c.to_lowercase()));
                if !same {
                    return None;
                }
                &at[found.len_utf8()..]
            }
        };
    }
    Some(rest.len() - at.len())
}

/// The length of `/nix/store/HASH-` at the start of a text: 32 digits of Nix's base 32.
fn nix_store_length(rest: &str) -> Option<usize> {
    const STORE: &str = "/nix/store/";
    const HASH: usize = 32;
    let hash = rest.strip_prefix(STORE)?.as_bytes();
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z') && !b"eotu".contains(byte);
    let whole = hash.len() > HASH && hash[..HASH].iter().all(digit) && hash[HASH] == b'-';
    whole.then_some(STORE.len() + HASH + 1)
}

/// Whether a value may stand for a placeholder.
fn usable(value: &str) -> Result<(), Unusable> {
    if value.is_empty() {
        return Err(Unusable::Empty);
    }
    if value.chars().count() > MAX_VALUE {
        return Err(Unusable::TooLong);
    }
    if value.chars().any(is_invisible) {
        return Err(Unusable::Invisible);
    }
    let parts = || value.split(['/', '\\']).filter(|part| !part.is_empty());
    let spaced: usize = parts().map(|part| part.split_whitespace().count().saturating_sub(1)).sum();
    if parts().any(is_sentence) || spaced > 2 * MAX_SPACED_WORDS || words(value) > MAX_PATH_WORDS {
        return Err(Unusable::Sentence);
    }
    Ok(())
}

/// Control characters, white space other than the space, and what Unicode hides or reorders.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether one part of a path, or a name, has the words of a sentence.
fn is_sentence(part: &str) -> bool {
    if part.split_whitespace().count() > MAX_SPACED_WORDS {
        return true;
    }
    if part.contains(['!', '?', ';', '"', '<', '>', '`', '{', '}', '|'])
        || part.contains(": ")
        || part.contains(". ")
    {
        return true;
    }
    let unspaced = |c: &char| {
        matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
    };
    part.chars().filter(unspaced).count() > MAX_UNSPACED || words(part) > MAX_WORDS
}

/// The number of runs of two or more letters, a capital within a run opening another.
fn words(part: &str) -> usize {
    let (mut words, mut run, mut lower) = (0, 0, false);
    for c in part.chars() {
        let opens = c.is_uppercase() && lower;
        if !c.is_alphabetic() || opens {
            words += usize::from(run > 1);
            run = 0;
        }
        run += usize::from(c.is_alphabetic());
        lower = c.is_lowercase();
    }
    words + usize::from(run > 1)
}
