//! Reviews on a terminal or in a pipe: the engine's lines with colours, and what differs outside of
//! the surface (launch, masked values, artifact) in the same form.
//!
//! Promises: without colours every line still says what is new and what is gone.

use super::human::{BOLD, DIM, GREEN, RED, YELLOW, count, list, paint};
use super::proposals;
use crate::engine::review::{self, Line, Mark, Role, Size, Span};
use crate::engine::show;
use crate::engine::surface::ItemKey;
use crate::survey::decide::{Part, parts};
use crate::survey::judge::{self, Change, New};
use crate::survey::sighted::Seen;
use clap::builder::styling::Style;

/// The most items that are named in one line.
const MOST_NAMES: usize = 5;

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

/// Where the bytes come from that a review shows, where a gate saw them, and whether the server shows
/// us others.
pub fn seen(seen: &Seen) -> Vec<String> {
    let client = seen.client.as_ref().map(|name| format!(" of {}", show::line(name, 40)));
    let client = client.unwrap_or_default();
    let items = names(&seen.items);
    let mut lines =
        vec![paint(DIM, &format!("as the gate saw it in a session{client}, {}: {items}", at(seen.at)))];
    if seen.more > 0 {
        let sessions = count(seen.more, "older session", "older sessions");
        lines.push(paint(YELLOW, &format!("{sessions} of the gate saw something else, which waits too")));
    }
    if let Some(why) = &seen.unread {
        let words = format!("the server could not be read now: {}", show::line(why, VALUE));
        lines.push(paint(YELLOW, &words));
    }
    if !seen.split.is_empty() {
        let words = format!(
            "split-view: asked by mcpwatch, the server shows something else of {}; \
             it tells its readers apart, or it changed in between",
            names(&seen.split)
        );
        lines.push(paint(RED, &words));
    }
    lines
}

/// Items in a sentence.
fn names(keys: &[ItemKey]) -> String {
    let mut words: Vec<String> = keys.iter().take(MOST_NAMES).map(item).collect();
    if keys.len() > MOST_NAMES {
        words.push(format!("{} more", keys.len() - MOST_NAMES));
    }
    list(&words)
}

fn item(key: &ItemKey) -> String {
    if key.kind.is_single() {
        return format!("its {}", key.kind.singular());
    }
    format!("{} {}", key.kind.singular(), show::name(&key.name))
}

/// A moment as the person's own clock has it.
pub(super) fn at(ms: u64) -> String {
    let stamp = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let Some(stamp) = stamp else { return "at an unknown time".to_owned() };
    let then = stamp.to_zoned(jiff::tz::TimeZone::system());
    let (date, time) = (then.date(), format!("{:02}:{:02}", then.hour(), then.minute()));
    if date == jiff::Zoned::now().date() { time } else { format!("{date} {time}") }
}

/// What differs outside of the surface.
fn around(change: &Change) -> Vec<String> {
    let mut lines: Vec<String> = change.seen.iter().flat_map(seen).collect();
    lines.extend(launch(change));
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
