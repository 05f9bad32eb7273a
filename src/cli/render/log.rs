//! The log for people: a line a record, names neutral, nothing longer than a line.

use crate::engine::canon;
use crate::engine::record::event::{Decision, Event};
use crate::engine::record::{NotAnEvent, Record};
use crate::engine::show;
use crate::engine::surface::ItemKey;

/// How much of a text is shown.
const WORDS: usize = 160;

/// A record as one line; `time` is its time as the reader wants it.
pub fn line(record: &Record, time: &str) -> String {
    let server = record.event.server().map(show::name).unwrap_or_default();
    let words = words(&record.event);
    let gap = if server.is_empty() { "" } else { "  " };
    format!("{time}  {server}{gap}{words}\n")
}

/// What a filter by kind may name.
pub fn kind(text: &str) -> Result<String, NotAnEvent> {
    const KINDS: [&str; 13] = [
        "session",
        "closed",
        "listed",
        "change",
        "finding",
        "block",
        "call",
        "decision",
        "alert",
        "configuration",
        "daemon",
        "trouble",
        "missing",
    ];
    let known = KINDS.iter().find(|kind| **kind == text);
    known.map(|kind| (*kind).to_owned()).ok_or(NotAnEvent("kind"))
}

fn words(event: &Event) -> String {
    let text = |text: &str| show::line(text, WORDS);
    match event {
        Event::Session { view, client, protocol, .. } => {
            let client = client.as_ref().map(|client| format!(" for {}", text(client))).unwrap_or_default();
            format!("session opened by the {view}{client}, {}", text(protocol))
        }
        Event::Closed { view, reason, .. } => format!("session of the {view} ended: {}", text(reason)),
        Event::Listed { view, items, surface, .. } => {
            format!("read by the {view}: {}, {}", count(*items, "item"), surface.short())
        }
        Event::Change { view, offer, cause, items, .. } => {
            let items: Vec<String> = items.iter().take(8).map(item).collect();
            let items = if items.is_empty() { "its launch".to_owned() } else { items.join(", ") };
            format!("changed, seen by the {view} ({}): {items}; offer {}", text(cause), offer.short())
        }
        Event::Finding { code, severity, place, .. } => {
            format!("finding {} ({}) at {}", text(code), text(severity), text(place))
        }
        Event::Block { item: None, reason, .. } => format!("blocked: {}", text(reason)),
        Event::Block { item: Some(key), reason, .. } => format!("blocked {}: {}", item(key), text(reason)),
        Event::Call { item: key, size, outcome, duration, contents, .. } => {
            let size = count(*size, "byte");
            let kept = contents.as_ref().map(|contents| {
                let bytes = canon::canonical(contents);
                format!(": {}", text(&String::from_utf8_lossy(&bytes)))
            });
            let kept = kept.unwrap_or_default();
            format!("called {}: {outcome}, {duration} ms, {size} of arguments{kept}", item(key))
        }
        Event::Decision(decision) => decided(decision),
        Event::Alert { text: said, shown: true, .. } => format!("told: {}", text(said)),
        Event::Alert { text: said, shown: false, .. } => format!("not told: {}", text(said)),
        Event::Configuration { client, what, .. } if client.is_empty() => text(what),
        Event::Configuration { client, what, .. } => format!("{} in {}", text(what), text(client)),
        Event::Daemon { what, version } => format!("daemon {}: {}", text(version), text(what)),
        Event::Trouble { what } => text(what),
        Event::Continued { file, .. } => format!("continues {}", text(file)),
        Event::Missing { after, last, .. } => missing(*after, *last),
        Event::Other(_) => format!("{} (of a newer version)", text(event.name())),
    }
}

/// What had been written and is gone; `last` is not known where the note of it is gone as well.
pub fn missing(after: u64, last: Option<u64>) -> String {
    match last {
        Some(last) if last == after + 1 => format!("line {last} had been written and is gone"),
        Some(last) => format!("lines {} to {last} had been written and are gone", after + 1),
        None if after == 0 => "earlier lines and the note of them are gone".to_owned(),
        None => format!("the note of what follows line {after} is gone; lines may be missing there"),
    }
}

fn decided(decision: &Decision) -> String {
    let mut out = show::line(&decision.verb, WORDS);
    if decision.items > 0 {
        out.push_str(&format!(" of {}", count(decision.items, "item")));
    }
    let place = if decision.terminal.is_empty() {
        "without a terminal".to_owned()
    } else {
        format!("on {}", show::line(&decision.terminal, WORDS))
    };
    out.push_str(&format!(" by {}, {place}, level {}", show::line(&decision.user, WORDS), decision.level));
    if let Some(lifetime) = &decision.lifetime {
        out.push_str(&format!(", {lifetime}"));
    }
    match &decision.refused {
        Some(why) => format!("refused: {out}: {}", show::line(why, WORDS)),
        None => out,
    }
}

fn item(key: &ItemKey) -> String {
    if key.kind.is_single() {
        key.kind.singular().to_owned()
    } else {
        format!("{} {}", key.kind.singular(), show::name(&key.name))
    }
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::approval::{Level, Lifetime};
    use crate::engine::digest::{Digest, Tag};
    use crate::engine::record::event::{Outcome, View};
    use crate::engine::surface::Kind;

    #[test]
    fn lines_for_people() {
        let server = || "github".to_owned();
        let digest = Digest::of_bytes(Tag::File, b"x");
        let tool = ItemKey::new(Kind::Tool, "create_issue");
        let hostile = ItemKey::new(Kind::Tool, "a\n\u{1b}[2Jb");
        let decision = Decision {
            server: server(),
            verb: "approve".to_owned(),
            offer: Some(digest),
            items: 2,
            level: Level::Code,
            lifetime: Some(Lifetime::UntilChange),
            user: "ada".to_owned(),
            terminal: "pts/4".to_owned(),
            pid: 1,
            refused: None,
        };
        let refused = Decision {
            refused: Some("three wrong codes".to_owned()),
            terminal: String::new(),
            items: 0,
            ..decision.clone()
        };
        let events = [
            Event::Session {
                server: server(),
                view: View::Gate,
                client: Some("claude-code".to_owned()),
                protocol: "2025-11-25".to_owned(),
            },
            Event::Closed { server: server(), view: View::Daemon, reason: "the server ended".to_owned() },
            Event::Listed { server: server(), view: View::Daemon, surface: digest, items: 1 },
            Event::Change {
                server: server(),
                view: View::Gate,
                offer: digest,
                cause: "same-artifact".to_owned(),
                items: vec![tool.clone(), ItemKey::single(Kind::Instructions)],
            },
            Event::Block { server: server(), item: Some(hostile), reason: "never approved".to_owned() },
            Event::Call {
                server: server(),
                item: tool,
                arguments: digest,
                size: 1,
                outcome: Outcome::Result,
                duration: 31,
                contents: None,
            },
            Event::Decision(decision),
            Event::Decision(refused),
            Event::Alert { server: server(), text: "github changed".to_owned(), shown: false },
            Event::Configuration {
                client: "cursor".to_owned(),
                server: server(),
                what: "appeared".to_owned(),
            },
            Event::Daemon { what: "started".to_owned(), version: "0.1.0".to_owned() },
        ];
        let lines: Vec<String> =
            events.into_iter().map(|event| line(&Record { seq: 1, at: 0, event }, "12:03:00")).collect();
        insta::assert_snapshot!(lines.concat());
    }
}
