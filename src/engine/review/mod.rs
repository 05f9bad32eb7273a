//! The review: what a person reads before deciding, as lines that any front end can draw.
//!
//! Promises: every word that was added or changed stands in some line, neutral (`show.rs`); what is
//! equal is left out, what is gone is cut with its length told; a line fits [`WIDTH`] columns, so that
//! the number of lines is what a reader scrolls through. `full` unfolds noise, names and removed text.
//!
//! Does not: colour, prompt, or decide. Without colour a line still says what is new and what is gone
//! ([`Line`]'s `Display`).

mod edit;
mod folded;
mod item;
mod label;
mod text;
mod wrap;

use super::diff::{Cause, ChangeSet, Subject, What, group};
use super::show;
use std::fmt;

/// The columns that a line may fill.
pub const WIDTH: usize = 100;

/// One line of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What the line is.
    pub role: Role,
    /// Its text, in stretches.
    pub spans: Vec<Span>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opens a decision, in our words.
    Heading,
    /// All of it is new.
    Added,
    /// All of it is gone.
    Removed,
    /// Equal text around words that changed.
    Context,
    /// Our words.
    Note,
}

/// A stretch of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is, within its line.
    pub mark: Mark,
    /// The text, neutral.
    pub text: String,
}

/// What a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As the line says.
    Plain,
    /// Words that are gone, in a line of context.
    Removed,
    /// New words, in a line of context.
    Added,
    /// A value of this machine that a placeholder stands for.
    Placeholder,
}

/// How much there is to decide and to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Questions to answer.
    pub decisions: usize,
    /// Lines to read.
    pub lines: usize,
}

/// The whole review: the cause, each decision in order, and what needs none.
pub fn lines(set: &ChangeSet, full: bool) -> Vec<Line> {
    if set.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new(Role::Heading, cause(&set.cause))];
    for index in 0..set.decisions.len() {
        lines.extend(decision(set, index, full));
    }
    lines.extend(quiet(set, full));
    lines
}

/// The lines of one decision.
pub fn decision(set: &ChangeSet, index: usize, full: bool) -> Vec<Line> {
    let Some(decision) = set.decisions.get(index) else {
        return Vec::new();
    };
    match &decision.subject {
        Subject::Added(change) => item::added(set, *change, full),
        Subject::Renamed(changes) => item::renamed(set, changes),
        Subject::Edited(likes) => edit::edited(set, likes, full),
        Subject::Removed { items, parts } => folded::removed(set, items, parts, full),
        Subject::Noise(places) => folded::noise(set, places, full),
    }
}

/// How much there is to decide and to read.
pub fn size(set: &ChangeSet, full: bool) -> Size {
    Size { decisions: set.decisions.len(), lines: lines(set, full).len() }
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Upgrade { from, to } => {
            format!("upgrade {} → {}", show::line(from, 40), show::line(to, 40))
        }
        Cause::LaunchChanged => "the configuration starts something else".to_owned(),
        Cause::ArtifactChanged => "the same version, but other files or dependencies".to_owned(),
        Cause::NothingUpgraded => "nothing was upgraded: the same program shows something else".to_owned(),
        Cause::Unknown => "what runs there is not known, so neither is why it changed".to_owned(),
    }
}

/// What the server says of itself and asks for no decision.
fn quiet(set: &ChangeSet, full: bool) -> Vec<Line> {
    let edits = set.changes.iter().filter_map(|change| match &change.what {
        What::Changed { edits, .. } => Some((change.key.kind, edits)),
        _ => None,
    });
    let quiet = edits.flat_map(|(kind, edits)| {
        edits.iter().filter(move |edit| group::is_quiet(kind, edit)).map(move |edit| (kind, edit))
    });
    quiet.flat_map(|(kind, edit)| edit::alone("serverInfo", kind, edit, full)).collect()
}

impl Line {
    /// A line of one stretch.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, spans: vec![Span::new(Mark::Plain, text)] }
    }

    /// The text without any sign of what it is.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

impl Span {
    /// A stretch.
    pub fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, text: text.into() }
    }

    /// The signs around a stretch that carry its meaning without colour.
    pub fn signs(mark: Mark) -> (&'static str, &'static str) {
        match mark {
            Mark::Plain => ("", ""),
            Mark::Removed => ("[-", "-]"),
            Mark::Added => ("{+", "+}"),
            Mark::Placeholder => ("‹", "›"),
        }
    }
}

impl Role {
    /// The gutter that carries a line's role without colour.
    pub fn gutter(self) -> &'static str {
        match self {
            Role::Heading => "",
            Role::Added => "  + ",
            Role::Removed => "  - ",
            Role::Context => "    ",
            Role::Note => "  · ",
        }
    }
}

impl fmt::Display for Line {
    /// The line without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.gutter())?;
        for span in &self.spans {
            let (open, close) = Span::signs(span.mark);
            write!(f, "{open}{}{close}", span.text)?;
        }
        Ok(())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let (decisions, lines) = (self.decisions, self.lines);
        write!(
            f,
            "{} decision{}, {} line{}",
            show::count(decisions),
            s(decisions),
            show::count(lines),
            s(lines)
        )
    }
}

/// One word or the other, by number.
fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
