//! What a planned change does to a file, as lines for a screen.
//!
//! Promises: secrets are masked and everything is neutral; a file on one line of megabytes shows the
//! place that changes, not the line.

use super::wrap::Change;
use crate::engine::{secret, show};
use similar::{ChangeTag, DiffOp, TextDiff};

/// Unchanged lines around a change.
const CONTEXT: usize = 2;

/// Characters of a line that are shown.
const WIDTH: usize = 240;

/// Characters before the first difference of a long line.
const LEAD: usize = 60;

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub side: Side,
    /// Its text, masked and neutral.
    pub text: String,
}

/// The sides of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where a run of changes begins: `@@ line N @@`.
    Place,
    /// On both.
    Both,
    /// Only before.
    Before,
    /// Only after.
    After,
}

impl Side {
    /// The sign at the start of the line.
    pub fn sign(self) -> char {
        match self {
            Self::Place => '@',
            Self::Both => ' ',
            Self::Before => '-',
            Self::After => '+',
        }
    }
}

/// The lines of a change.
pub fn lines(change: &Change) -> Vec<Line> {
    let (before, after) = change.texts();
    let diff = TextDiff::from_lines(&before, &after);
    let mut out = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        let at = group.first().map_or(0, |op| op.old_range().start) + 1;
        out.push(Line { side: Side::Place, text: format!("line {at}") });
        for op in &group {
            let starts = starts(&diff, op);
            for (change, start) in diff.iter_changes(op).zip(starts.into_iter().chain(std::iter::repeat(0))) {
                let side = match change.tag() {
                    ChangeTag::Equal => Side::Both,
                    ChangeTag::Delete => Side::Before,
                    ChangeTag::Insert => Side::After,
                };
                out.push(Line { side, text: shown(change.value(), start) });
            }
        }
    }
    out
}

/// Where to start showing the lines of an operation: a long line that replaces one other starts a
/// little before the first character that differs.
fn starts(diff: &TextDiff<'_, '_, str>, op: &DiffOp) -> Vec<usize> {
    let lines: Vec<&str> = diff.iter_changes(op).map(|change| change.value()).collect();
    match (op, &lines[..]) {
        (DiffOp::Replace { .. }, [old, new]) if old.len().max(new.len()) > WIDTH => {
            let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
            vec![same.saturating_sub(LEAD); 2]
        }
        _ => Vec::new(),
    }
}

fn shown(line: &str, start: usize) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    // The window is masked with what surrounds it, so that a secret is not cut out of its field.
    let from = line.char_indices().nth(start).map_or(line.len(), |(at, _)| at);
    let lead = if start > 0 { "… " } else { "" };
    let masked = secret::mask_text(&line[from..]);
    let spaces = masked.len() - masked.trim_start_matches([' ', '\t']).len();
    let indent = masked[..spaces].replace('\t', "    ");
    format!("{lead}{indent}{}", show::line(&masked[spaces..], WIDTH))
}
