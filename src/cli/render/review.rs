//! Reviews on a terminal or in a pipe: the engine's lines with colours, and what differs outside of
//! the surface (launch, masked values, artifact) in the same form.
//!
//! Promises: without colours every line still says what is new and what is gone.

use super::human::{BOLD, DIM, GREEN, RED, YELLOW, paint};
use super::proposals;
use crate::engine::review::{self, Line, Mark, Role, Size, Span};
use crate::engine::show;
use crate::survey::decide::{Part, parts};
use crate::survey::judge::{self, Change, New};
use clap::builder::styling::Style;

/// The most characters of one value of a launch that are shown.
const VALUE: usize = 400;

/// Everything that differs, as lines.
pub fn change(change: &Change, full: bool) -> Vec<String> {
    let mut lines = around(change);
    lines.extend(review::lines(&change.full, full).iter().map(line));
    if let Some(set) = &change.empty {
        lines.push(paint(BOLD, "for clients without capabilities"));
        lines.extend(review::lines(set, full).iter().skip(1).map(line));
    }
    lines
}

/// The lines of one question.
pub fn part(change: &Change, part: Part, full: bool) -> Vec<String> {
    match part {
        Part::Launch => launch(change),
        Part::Artifact => artifact(change),
        Part::Full(index) => review::decision(&change.full, index, full).iter().map(line).collect(),
        Part::Empty(index) => {
            let set = change.empty.iter();
            let lines = set.flat_map(|set| review::decision(set, index, full));
            let note = paint(DIM, "  (only for clients without capabilities)");
            lines.map(|text| line(&text)).chain([note]).collect()
        }
    }
}

/// Why it may differ, in our words.
pub fn cause(change: &Change) -> String {
    let first = review::lines(&change.full, false).first().map(Line::text);
    first.unwrap_or_else(|| "what it shows is the same".to_owned())
}

/// How much there is to decide and to read.
pub fn size(change: &Change) -> Size {
    Size { decisions: parts(change).len(), lines: self::change(change, false).len() }
}

/// Everything that a server shows which is not pinned yet.
pub fn new(new: &New, full: bool) -> Vec<String> {
    // The first line is the cause, and nothing caused it.
    let mut lines: Vec<String> = review::lines(&new.full, full).iter().skip(1).map(line).collect();
    if let Ok(draft) = &new.draft {
        lines.extend(proposals::draft(draft));
    }
    lines
}

/// One line of a review.
pub fn line(line: &Line) -> String {
    let style = match line.role {
        Role::Heading => BOLD,
        Role::Added => GREEN,
        Role::Removed => RED,
        Role::Context => Style::new(),
        Role::Note => DIM,
    };
    let mut text = paint(style, line.role.gutter());
    for span in &line.spans {
        let (open, close) = Span::signs(span.mark);
        let style = match span.mark {
            Mark::Plain => style,
            Mark::Removed => RED,
            Mark::Added => GREEN,
            Mark::Placeholder => YELLOW,
        };
        text.push_str(&paint(style, &format!("{open}{}{close}", span.text)));
    }
    text
}

/// What differs outside of the surface.
fn around(change: &Change) -> Vec<String> {
    let mut lines = launch(change);
    lines.extend(artifact(change));
    lines
}

fn launch(change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    if !change.launch.is_empty() || !change.values.is_empty() {
        lines.push(paint(BOLD, "the launch changed"));
    }
    for place in &change.launch {
        lines.push(paint(YELLOW, &format!("  ~ {}", show::line(&place.to_string(), VALUE))));
    }
    for place in &change.values {
        let words = format!(
            "  ~ {}: another value than when you approved it (secrets are not shown)",
            show::line(place, 80)
        );
        lines.push(paint(YELLOW, &words));
    }
    lines
}

fn artifact(change: &Change) -> Vec<String> {
    let (deciding, telling): (Vec<_>, Vec<_>) =
        change.artifact.iter().partition(|change| judge::asks(change));
    let mut lines = Vec::new();
    if !deciding.is_empty() {
        lines.push(paint(BOLD, "what it runs changed"));
    }
    for change in deciding {
        lines.push(paint(YELLOW, &format!("  ~ {}", show::line(&change.to_string(), VALUE))));
    }
    for change in telling {
        lines.push(note(&show::line(&change.to_string(), VALUE)));
    }
    lines
}

fn note(words: &str) -> String {
    paint(DIM, &format!("{}{words}", Role::Note.gutter()))
}
