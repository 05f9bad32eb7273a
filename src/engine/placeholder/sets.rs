//! Sets: single tokens joined by commas, whose order an honest server may shuffle (Python's `set`).
//!
//! Promises: a set matches exactly its own tokens, each as often as it was pinned; a token has no
//! space, no brace and at most [`MAX_TOKEN`] characters, so no new word can come in.

/// The longest token.
const MAX_TOKEN: usize = 64;

/// The most tokens.
const MAX_TOKENS: usize = 256;

/// A list at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The tokens in the order written.
    pub tokens: Vec<String>,
    /// Whether `, ` joins them instead of `,`.
    pub spaced: bool,
    /// The length of the text read.
    pub length: usize,
}

/// Whether a character can be part of a token.
pub(super) fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | ':' | '/' | '@' | '+' | '#' | '\'' | '"')
}

/// The longest list of at least two tokens at the start of a text.
pub(super) fn parse(text: &str) -> Option<Listed> {
    let first = token(text)?;
    let mut tokens = vec![first.to_owned()];
    let mut length = first.len();
    let rest = text[length..].strip_prefix(',')?;
    let spaced = rest.starts_with(' ');
    let separator = if spaced { ", " } else { "," };
    while tokens.len() < MAX_TOKENS {
        let Some(next) = text[length..].strip_prefix(separator).and_then(token) else { break };
        length += separator.len() + next.len();
        tokens.push(next.to_owned());
    }
    (tokens.len() > 1).then_some(Listed { tokens, spaced, length })
}

/// A text that is one list from start to end.
pub(super) fn parse_all(text: &str) -> Option<Listed> {
    parse(text).filter(|listed| listed.length == text.len())
}

/// The length of the list at the start of a text that has exactly these tokens.
pub(super) fn length(tokens: &[String], spaced: bool, text: &str) -> Option<usize> {
    let listed = parse(text)?;
    (listed.spaced == spaced && sorted(&listed.tokens) == sorted(tokens)).then_some(listed.length)
}

/// The tokens in one order for all.
pub(super) fn sorted(tokens: &[String]) -> Vec<String> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens
}

/// The token at the start of a text. A full stop or colon ends a sentence, not a token, unless a
/// comma follows; a quotation mark belongs to a token only as a pair.
fn token(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_token_char(c)).unwrap_or(text.len());
    let mut token = &text[..end];
    if !text[end..].starts_with(',') {
        token = token.trim_end_matches(['.', ':']);
    }
    for quote in ['\'', '"'] {
        match (token.starts_with(quote), token.ends_with(quote)) {
            (true, true) if token.len() > 2 => {}
            (true, _) => return None,
            (false, _) => token = token.trim_end_matches(quote),
        }
    }
    let end = token.strip_prefix(['\'', '"']).map_or(token, |inner| &inner[..inner.len() - 1]);
    let quoted_within = end.contains(['\'', '"']);
    (!token.is_empty() && token.len() <= MAX_TOKEN && !quoted_within).then_some(token)
}
