//! How the daemon is, in words. Pure.

use crate::ipc::message::{Hello, Status};

/// One sentence, and one line for each thing worth knowing: running since, watching, waiting.
///
/// `now` is Unix milliseconds.
pub fn sentence(daemon: &Hello, status: &Status, now: u64) -> String {
    let watched = status.servers.iter().filter(|server| server.watch != "off").count();
    let waiting: u32 = status.servers.iter().map(|server| server.waiting).sum();
    let held: u32 = status.servers.iter().map(|server| server.held).sum();
    let mut out = format!(
        "Running for {} (process {}), watching {}, {} waiting for you.",
        lasting(now.saturating_sub(daemon.since)),
        daemon.pid,
        count(watched, "server", "servers"),
        if waiting == 0 { "nothing".to_owned() } else { count(waiting as usize, "item", "items") },
    );
    if held > 0 {
        out.push_str(&format!(" {} held.", count(held as usize, "call is", "calls are")));
    }
    let flapping: Vec<&str> = status
        .servers
        .iter()
        .filter(|server| server.flapping)
        .map(|server| server.server.name.as_str())
        .collect();
    if !flapping.is_empty() {
        out.push_str(&format!(
            "\n{} so often that you are not told any more: run `mcpwatch status`.",
            count(flapping.len(), "server changes", "servers change")
        ));
    }
    if let Some(why) = &status.no_notifications {
        out.push_str(&format!("\nNo notifications: {why}."));
    }
    if let Some(why) = &status.no_log {
        out.push_str(&format!("\nThe log cannot be written, and blocking goes on: {why}."));
    }
    if !status.missed.is_empty() {
        let missed = count(status.missed.len(), "notification was", "notifications were");
        out.push_str(&format!("\n{missed} not answered: run `mcpwatch status`."));
    }
    if !status.out_of_reach.is_empty() {
        let places = count(status.out_of_reach.len(), "place is", "places are");
        out.push_str(&format!("\n{places} out of reach from here: run `mcpwatch status`."));
    }
    out
}

/// A stretch of time in its largest unit.
fn lasting(milliseconds: u64) -> String {
    let minutes = milliseconds / 60_000;
    let (number, one, many) = match minutes {
        0 => return "less than a minute".to_owned(),
        1..=119 => (minutes, "minute", "minutes"),
        120..=2879 => (minutes / 60, "hour", "hours"),
        _ => (minutes / 1440, "day", "days"),
    };
    count(usize::try_from(number).unwrap_or(usize::MAX), one, many)
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
