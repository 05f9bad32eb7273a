//! How servers stand, one by one: for people and for programs.

use super::human::{DIM, GREEN, RED, YELLOW, count, paint};
use super::{json, listing, review};
use crate::cli::error::sentence;
use crate::cli::exit::Exit;
use crate::engine::diff::{ChangeSet, What};
use crate::engine::json::{Object, Value};
use crate::engine::marks::Unfit;
use crate::engine::show;
use crate::engine::surface::{ItemKey, Kind, Surface};
use crate::survey::Ground;
use crate::survey::judge::{Change, New, Outcome};
use crate::survey::plan::{Plan, Server};
use crate::survey::reading::{Failure, Shown};
use crate::survey::sighted::Seen;

/// The exit code that an outcome comes to in `check`.
pub fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::AsPinned(_) | Outcome::Disabled => Exit::Done,
        Outcome::Changed(_) | Outcome::NotPinned(_) => Exit::ChangeWaits,
        Outcome::Failed(_) | Outcome::NotStarted(_) => Exit::Failed,
    }
}

/// What a surface has, in a few words: "2 tools, 1 prompt, instructions".
pub fn contents(surface: &Surface) -> String {
    let of = |kind: Kind| match surface.of_kind(kind).count() {
        0 => None,
        _ if matches!(kind, Kind::Capabilities | Kind::ServerInfo) => None,
        _ if kind.is_single() => Some(kind.singular().to_owned()),
        number => Some(count(number, kind.singular(), kind.plural())),
    };
    let words: Vec<String> = Kind::ALL.into_iter().filter_map(of).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// The line that opens a change: "notes changed 1 tool (1 decision, 4 lines)".
pub fn changed(server: &Server, change: &Change) -> String {
    let mut what = Vec::new();
    if !change.launch.is_empty() || !change.values.is_empty() {
        what.push("its launch".to_owned());
    }
    if change.artifact.iter().any(crate::survey::judge::asks) {
        what.push("what it runs".to_owned());
    }
    for kind in Kind::ALL {
        let number = change.full.changes.iter().filter(|change| change.key.kind == kind).count();
        match number {
            0 => {}
            _ if kind == Kind::ServerInfo => {}
            _ if kind.is_single() => what.push(format!("its {}", kind.singular())),
            _ => what.push(count(number, kind.singular(), kind.plural())),
        }
    }
    if what.is_empty() {
        what.push("what it shows to clients without capabilities".to_owned());
    }
    let size = review::size(change);
    format!(
        "{} changed {} {}",
        listing::heading(server),
        super::human::list(&what),
        paint(DIM, &format!("({size})"))
    )
}

/// A server that could not be read: why, its last words, and what to do.
pub fn failed(server: &Server, failure: &Failure) -> String {
    let mut text = format!("{} {}: {}", paint(RED, "\u{2717}"), listing::heading(server), failure.reason);
    for line in &failure.stderr {
        text.push_str(&format!("\n    {}", paint(DIM, &format!("| {line}"))));
    }
    if !failure.hint.is_empty() {
        text.push_str(&format!("\n    {}", sentence(&failure.hint)));
    }
    text
}

/// A server that was not started: why, and what to do.
pub fn not_started(server: &Server, why: &crate::discover::Unresolved) -> String {
    let reason = show::line(&why.to_string(), 300);
    format!(
        "{} {} was not started: {reason}\n    {}",
        paint(YELLOW, "-"),
        listing::heading(server),
        sentence(&why.hint())
    )
}

/// A server that was read: its name and what it shows.
pub fn read(server: &Server, surface: &Surface, state: &str) -> String {
    format!(
        "{} {}  {}  {}",
        paint(GREEN, "\u{2713}"),
        listing::heading(server),
        contents(surface),
        paint(DIM, state)
    )
}

/// What a program learns of a server and how it stands. `whole`: with everything it shows.
pub fn members(plan: &Plan, server: &Server, outcome: &Outcome, whole: bool, ground: &Ground) -> Object {
    let mut members = listing::server_members(plan, server, ground);
    let shown = match outcome {
        Outcome::AsPinned(change) => {
            members.insert("state", "as-pinned");
            Some(&change.shown)
        }
        Outcome::Changed(change) => {
            members.insert("state", "changed");
            changed_members(&mut members, change);
            Some(&change.shown)
        }
        Outcome::NotPinned(new) => {
            members.insert("state", "not-pinned");
            new_members(&mut members, new);
            Some(&new.shown)
        }
        Outcome::Failed(failure) => {
            members.insert("state", "could-not-check");
            members.insert("reason", failure.reason.as_str());
            members.insert("hint", failure.hint.as_str());
            members.insert("stderr", json::texts(failure.stderr.iter().map(String::as_str)));
            None
        }
        Outcome::NotStarted(why) => {
            members.insert("state", "not-started");
            members.insert("reason", why.to_string());
            members.insert("hint", why.hint());
            None
        }
        Outcome::Disabled => {
            members.insert("state", "disabled");
            None
        }
    };
    if let Some(shown) = shown {
        members.insert("artifact", shown.artifact.to_value());
        members.insert("protocol", shown.protocol.as_str());
        let notes: Vec<String> = shown.notes.iter().cloned().chain(unfit(shown)).collect();
        members.insert("notes", json::texts(notes.iter().map(String::as_str)));
        if whole {
            members.insert("surface", shown.full.to_value());
        }
    }
    members
}

/// What clients leave away although it is approved, or would be: a line each.
pub fn unfit(shown: &Shown) -> Vec<String> {
    let line = |(name, why): (&str, Unfit)| {
        format!("tool {} is left away over HTTP, as clients must: {why}", show::name(name))
    };
    shown.unfit().into_iter().map(line).collect()
}

fn changed_members(members: &mut Object, change: &Change) {
    let size = review::size(change);
    members.insert("offer", change.offer.to_string());
    if let Some(seen) = &change.seen {
        members.insert("gate", seen_value(seen));
    }
    members.insert("decisions", json::number(size.decisions));
    members.insert("lines", json::number(size.lines));
    let launch = change.launch.iter().map(ToString::to_string).chain(
        change.values.iter().map(|place| format!("{place}: another value than when it was approved here")),
    );
    members.insert("launchChanges", launch.map(Value::from).collect::<Vec<Value>>());
    let artifact = change.artifact.iter().map(|change| Value::from(change.to_string()));
    members.insert("artifactChanges", artifact.collect::<Vec<Value>>());
    let mut changes = set_values(&change.full, "full");
    changes.extend(change.empty.iter().flat_map(|set| set_values(set, "empty")));
    members.insert("changes", changes);
    let review = review::change(change, true);
    let plain = review.iter().map(|line| anstream::adapter::strip_str(line).to_string());
    members.insert("review", plain.map(Value::from).collect::<Vec<Value>>());
}

/// What a gate saw that the changes show.
pub fn seen_value(seen: &Seen) -> Value {
    let mut value = Object::new();
    if let Some(client) = &seen.client {
        value.insert("client", client.as_str());
    }
    value.insert("at", json::moment(seen.at));
    let items = |keys: &[ItemKey]| keys.iter().map(|key| Value::Object(item(key))).collect::<Vec<Value>>();
    value.insert("items", items(&seen.items));
    value.insert("splitView", items(&seen.split));
    value.insert("more", json::number(seen.more));
    Value::Object(value)
}

fn new_members(members: &mut Object, new: &New) {
    members.insert("offer", new.offer.to_string());
    match &new.draft {
        Ok(draft) => {
            let placeholder = |(key, found): &(_, crate::engine::placeholder::Found)| {
                let mut value = item(key);
                value.insert("path", found.path.to_string());
                value.insert("placeholder", found.placeholder.to_string());
                value.insert("value", found.first.as_str());
                Value::Object(value)
            };
            members
                .insert("placeholders", draft.placeholders.iter().map(placeholder).collect::<Vec<Value>>());
        }
        Err(echo) => {
            members.insert("reason", echo.to_string());
            members.insert("hint", echo.hint());
        }
    }
}

/// The changes of a set: the item, what happened to it, and its definitions before and after.
fn set_values(set: &ChangeSet, view: &str) -> Vec<Value> {
    let one = |change: &crate::engine::diff::Change| {
        let mut value = item(&change.key);
        value.insert("view", view);
        match &change.what {
            What::Added { value: after, renamed_from } => {
                value.insert("what", "added");
                value.insert("after", after.clone());
                if let Some(from) = renamed_from {
                    value.insert("renamedFrom", from.name.as_str());
                }
            }
            What::Removed { value: before } => {
                value.insert("what", "removed");
                value.insert("before", before.clone());
            }
            What::Changed { before, after, edits } => {
                value.insert("what", "changed");
                value.insert("before", before.clone());
                value.insert("after", after.clone());
                let paths = edits.iter().map(|edit| Value::from(edit.path.to_string()));
                value.insert("paths", paths.collect::<Vec<Value>>());
            }
        }
        Value::Object(value)
    };
    set.changes.iter().map(one).collect()
}

fn item(key: &ItemKey) -> Object {
    let mut value = Object::new();
    value.insert("kind", key.kind.key());
    value.insert("name", key.name.as_str());
    value
}
