//! Words for people: styles and small phrases that several commands share.

use crate::engine::show;
use clap::builder::styling::{AnsiColor, Style};

/// A removed line, or something that failed.
pub const RED: Style = Style::new().fg_color(Some(clap::builder::styling::Color::Ansi(AnsiColor::Red)));
/// An added line, or something that went well.
pub const GREEN: Style = Style::new().fg_color(Some(clap::builder::styling::Color::Ansi(AnsiColor::Green)));
/// Something that waits.
pub const YELLOW: Style = Style::new().fg_color(Some(clap::builder::styling::Color::Ansi(AnsiColor::Yellow)));
/// A name that the line is about.
pub const BOLD: Style = Style::new().bold();
/// What may be skipped.
pub const DIM: Style = Style::new().dimmed();

/// A text in a style. Without colours the text reads the same.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A number and its noun: "1 tool", "3 tools".
pub fn count(number: usize, singular: &str, plural: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {plural}") }
}

/// Names of servers in a sentence, neutral: a configuration may come with a repository.
pub fn names(names: &[String]) -> String {
    list(&names.iter().map(|name| show::name(name)).collect::<Vec<String>>())
}

/// Words in a sentence: "a", "a and b", "a, b and c".
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}
