//! Files of variables: VS Code's `envFile` and our `--env-file`.
//!
//! One `NAME=VALUE` a line; `#` starts a comment line; `export ` before a name and quotes around a
//! value are taken off; double quotes know `\n`, `\"` and `\\`. Nothing is expanded.

use super::problem::Place;
use std::collections::BTreeMap;

/// A line that is no variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {} is neither NAME=VALUE nor a comment", place.line)]
pub struct BadLine {
    /// Where.
    pub place: Place,
}

/// Reads the variables of a text.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, BadLine> {
    let mut vars = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let bad = BadLine { place: Place { line: index + 1, column: 1 } };
        let (name, value) = line.split_once('=').ok_or(bad.clone())?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(bad);
        }
        vars.insert(name.to_owned(), unquote(value.trim()));
    }
    Ok(vars)
}

fn unquote(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(plain) = inside('\'') {
        return plain.to_owned();
    }
    let Some(escaped) = inside('"') else { return value.to_owned() };
    let mut out = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}
