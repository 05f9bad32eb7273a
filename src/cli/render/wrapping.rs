//! What became of clients' files when mcpwatch was put in or taken out.

use super::human::{BOLD, DIM, GREEN, RED, YELLOW, list, paint};
use super::json;
use super::listing::short_path;
use crate::cli::error::Error;
use crate::discover::{Disk, Entry};
use crate::engine::json::{Object, Value};
use crate::engine::show;
use crate::survey::plan::{Plan, Server};
use crate::survey::wrap::{Change, Left, Outcome};
use crate::survey::wrap_diff::{self, Side};
use crate::survey::wrap_status::{Standing, Wrappings};
use crate::survey::{Ground, SurveyError};

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// mcpwatch is put before servers.
    In,
    /// It is taken away.
    Out,
}

/// One file for people, a few lines.
pub fn human(change: &Change, way: Way, ground: &Ground) -> Vec<String> {
    let (done, already) = match way {
        Way::In => ("wrapped", "wrapped already"),
        Way::Out => ("unwrapped", "not wrapped"),
    };
    let with = |wanted: &Outcome| -> Vec<String> {
        let entries = change.entries.iter().filter(|(_, outcome)| outcome == wanted);
        entries.map(|(name, _)| show::name(name)).collect()
    };
    let mut lines = vec![format!("{} ({})", paint(BOLD, &short_path(&change.file, ground)), change.client)];
    for (names, words, style) in
        [(with(&Outcome::Changed), done, GREEN), (with(&Outcome::Already), already, DIM)]
    {
        if !names.is_empty() {
            lines.push(format!("    {}: {}", paint(style, words), list(&names)));
        }
    }
    let mut reasons: Vec<(&Left, Vec<String>)> = Vec::new();
    for (name, left) in lefts(change) {
        match reasons.iter_mut().find(|(known, _)| *known == left) {
            Some((_, names)) => names.push(show::name(name)),
            None => reasons.push((left, vec![show::name(name)])),
        }
    }
    for (left, names) in reasons {
        let style = if is_failure(left) { RED } else { YELLOW };
        lines.push(format!("    {}: {}", paint(style, &format!("left, {left}")), list(&names)));
        lines.push(format!("        {}", paint(DIM, &left.hint())));
    }
    lines
}

/// What would change in one file, as a diff.
pub fn diff(change: &Change, ground: &Ground) -> String {
    let mut text = format!("{}\n", paint(BOLD, &short_path(&change.file, ground)));
    for line in wrap_diff::lines(change) {
        let written = format!("{} {}", line.side.sign(), line.text);
        let written = match line.side {
            Side::Place => paint(DIM, &format!("@@ {} @@", line.text)),
            Side::Both => written,
            Side::Before => paint(RED, &written),
            Side::After => paint(GREEN, &written),
        };
        text.push_str(&written);
        text.push('\n');
    }
    text
}

/// How the places of a plan stand, those of pinned servers and those that mcpwatch has or had to do
/// with: a line each.
pub fn standings(plan: &Plan, ground: &Ground) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for (server, entry, standing) in places(plan, ground)? {
        if standing == Standing::Plain && server.pin.is_none() {
            continue;
        }
        let style = if standing.hint().is_some() { YELLOW } else { DIM };
        let words = paint(style, standing.words());
        let place = format!("{} ({})", short_path(&entry.file, ground), entry.client);
        lines.push(format!("{}  {words}  {}", paint(BOLD, &show::name(&entry.name)), paint(DIM, &place)));
        lines.extend(standing.hint().map(|hint| format!("    {}", paint(DIM, hint))));
    }
    Ok(lines)
}

/// How the places of a plan stand, for programs.
pub fn standing_members(plan: &Plan, ground: &Ground) -> Result<Value, Error> {
    let member = |(_, entry, standing): (&Server, &Entry, Standing)| {
        let Value::Object(mut place) = json::place(entry) else { return Value::Null };
        let state = match standing {
            Standing::Plain => "plain",
            Standing::Wrapped => "wrapped",
            Standing::Edited => "edited",
            Standing::Broken => "broken",
            Standing::Undone => "undone",
        };
        place.insert("wrapping", state);
        Value::Object(place)
    };
    Ok(Value::Array(places(plan, ground)?.into_iter().map(member).collect()))
}

fn places<'a>(plan: &'a Plan, ground: &Ground) -> Result<Vec<(&'a Server, &'a Entry, Standing)>, Error> {
    let wrappings = Wrappings::load(&ground.paths, &Disk).map_err(SurveyError::from)?;
    let of = |server: &'a Server| server.entries.iter().map(move |entry| (server, entry));
    let entries = plan.servers.iter().flat_map(of);
    let stand = |(server, entry)| Ok((server, entry, wrappings.standing(entry).map_err(SurveyError::from)?));
    entries.map(stand).collect()
}

/// The files for programs.
pub fn members(changes: &[Change]) -> Object {
    let file = |change: &Change| {
        let mut file = Object::new();
        file.insert("file", change.file.to_string_lossy().into_owned());
        file.insert("client", change.client.id());
        file.insert("changed", !change.is_empty());
        file.insert("entries", change.entries.iter().map(entry).collect::<Vec<Value>>());
        Value::Object(file)
    };
    let mut members = Object::new();
    members.insert("files", changes.iter().map(file).collect::<Vec<Value>>());
    members
}

fn lefts(change: &Change) -> impl Iterator<Item = (&str, &Left)> {
    change.entries.iter().filter_map(|(name, outcome)| match outcome {
        Outcome::Left(left) => Some((name.as_str(), left)),
        Outcome::Changed | Outcome::Already => None,
    })
}

fn is_failure(left: &Left) -> bool {
    matches!(left, Left::Edit(_))
}

fn entry((name, outcome): &(String, Outcome)) -> Value {
    let mut entry = Object::new();
    entry.insert("name", name.as_str());
    let state = match outcome {
        Outcome::Changed => "changed",
        Outcome::Already => "already",
        Outcome::Left(_) => "left",
    };
    entry.insert("outcome", state);
    if let Outcome::Left(left) = outcome {
        entry.insert("reason", left.to_string());
        entry.insert("hint", left.hint());
    }
    Value::Object(entry)
}
