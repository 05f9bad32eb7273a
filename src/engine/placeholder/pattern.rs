//! The spelling of patterns: literal text and placeholders, apart.
//!
//! Promises: one text has one reading; every `${` of a pattern opens a placeholder of this version.

use super::sets;
use super::{Name, Placeholder};

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text that stands for itself.
    Literal(String),
    /// A span that varies.
    Placeholder(Placeholder),
}

/// The parts of a pattern, or the text from the `${` on that no placeholder of this version has.
pub(super) fn parse(pattern: &str) -> Result<Vec<Segment>, &str> {
    let mut segments = Vec::new();
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some(open) = rest.find("${") {
        literal.push_str(&rest[..open]);
        let from = &rest[open..];
        let close = from.find('}').ok_or(from)?;
        let name = &from[2..close];
        rest = &from[close + 1..];
        if name == "dollar" {
            literal.push('$');
            continue;
        }
        let placeholder = read(name).ok_or(from)?;
        if !literal.is_empty() {
            segments.push(Segment::Literal(std::mem::take(&mut literal)));
        }
        segments.push(Segment::Placeholder(placeholder));
    }
    literal.push_str(rest);
    if !literal.is_empty() || segments.is_empty() {
        segments.push(Segment::Literal(literal));
    }
    Ok(segments)
}

/// Whether a pattern has anything but literal text; what cannot be read counts as varying.
pub(super) fn is_varying(pattern: &str) -> bool {
    let literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
    parse(pattern).map_or(true, |segments| !segments.iter().all(literal))
}

fn read(name: &str) -> Option<Placeholder> {
    match name {
        "date" => Some(Placeholder::Date),
        "timestamp" => Some(Placeholder::Timestamp),
        _ => match name.strip_prefix("set:") {
            Some(tokens) => sets::parse_all(tokens).map(|set| Placeholder::Set(set.tokens, set.spaced)),
            None => Name::ALL.into_iter().find(|known| known.key() == name).map(Placeholder::Value),
        },
    }
}
