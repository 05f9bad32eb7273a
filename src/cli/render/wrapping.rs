//! What became of clients' files when mcpwatch was put in or taken out.

use super::human::{BOLD, DIM, GREEN, RED, YELLOW, list, paint};
use super::json;
use super::listing::short_path;
use crate::cli::error::Error;
use crate::discover::{Disk, Entry, Format};
use crate::engine::json::{Object, Value};
use crate::engine::show;
use crate::survey::plan::{Plan, Server};
use crate::survey::wrap::{Change, Left, Outcome};
use crate::survey::wrap_diff::{self, Side};
use crate::survey::wrap_reach::Unreached;
use crate::survey::wrap_status::{Standing, Wrappings};
use crate::survey::{Ground, SurveyError};

/// How much of a variable's value is shown.
const VALUE: usize = 300;

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

/// What is to be done so that gates of a client find the approvals: a few lines.
pub fn unreached(unreached: &Unreached) -> Vec<String> {
    let names: Vec<String> = unreached.variables.keys().cloned().collect();
    let servers: Vec<String> = unreached.servers.iter().map(|name| show::name(name)).collect();
    let value = |text: &str| show::line(&serde_json::Value::from(text).to_string(), VALUE);
    let member = |(name, text): (&String, &String)| match unreached.client.0.format {
        Format::Json => format!("\"{name}\": {}", value(text)),
        Format::Toml => format!("{name} = {}", value(text)),
    };
    let members = unreached.variables.iter().map(member).collect::<Vec<_>>().join(", ");
    let written = match unreached.client.0.format {
        Format::Json => format!("\"env\": {{{members}}}"),
        Format::Toml => format!("env = {{ {members} }}"),
    };
    let verb = if names.len() == 1 { "is" } else { "are" };
    vec![
        format!(
            "{}: {} {verb} set here, and what {} starts may not get that. Its gates would then look for \
             approvals in the usual folders and find none. Put this into the entry of {}:",
            paint(YELLOW, "note"),
            list(&names),
            unreached.client,
            list(&servers)
        ),
        format!("    {written}"),
    ]
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
            Standing::Elsewhere => "elsewhere",
            Standing::Broken => "broken",
            Standing::Unfound => "unfound",
            Standing::Undone => "undone",
        };
        place.insert("wrapping", state);
        Value::Object(place)
    };
    Ok(Value::Array(places(plan, ground)?.into_iter().map(member).collect()))
}

fn places<'a>(plan: &'a Plan, ground: &Ground) -> Result<Vec<(&'a Server, &'a Entry, Standing)>, Error> {
    let wrappings = Wrappings::load(&ground.paths, &Disk, &ground.vars.env).map_err(SurveyError::from)?;
    let of = |server: &'a Server| server.entries.iter().map(move |entry| (server, entry));
    let entries = plan.servers.iter().flat_map(of);
    let stand = |(server, entry)| Ok((server, entry, wrappings.standing(entry).map_err(SurveyError::from)?));
    entries.map(stand).collect()
}

/// What gates would not find, for programs.
pub fn unreached_members(unreached: &[Unreached]) -> Value {
    let missing = |unreached: &Unreached| {
        let mut missing = Object::new();
        missing.insert("client", unreached.client.id());
        missing.insert("servers", unreached.servers.iter().cloned().map(Value::from).collect::<Vec<Value>>());
        let mut env = Object::new();
        for (name, value) in &unreached.variables {
            env.insert(name.as_str(), value.as_str());
        }
        missing.insert("env", env);
        Value::Object(missing)
    };
    Value::Array(unreached.iter().map(missing).collect())
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
