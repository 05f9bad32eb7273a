//! Data for programs: one JSON object a run, documented in docs/json.md.
//!
//! Promises: `version` changes when a field changes its meaning or goes away; new fields may come at
//! any time. Keys are sorted, the text ends with a newline, and characters that a screen would hide
//! are written as escapes.

use crate::cli::exit::Exit;
use crate::discover::{Entry, Problem};
use crate::engine::json::{Number, Object, Value};
use crate::engine::lockfile::render_value;

/// The version of the format.
pub const VERSION: u32 = 1;

/// A whole document: what the command found, its exit code, and the codes that went into it.
pub fn document(command: &str, exit: Exit, codes: &[Exit], members: Object) -> String {
    let mut document = members;
    let mut all: Vec<u8> = codes.iter().map(|exit| exit.code()).collect();
    all.sort_unstable();
    all.dedup();
    document.insert("version", VERSION);
    document.insert("command", command);
    document.insert("exit", u32::from(exit.code()));
    document
        .insert("exits", all.into_iter().map(|code| Value::from(u32::from(code))).collect::<Vec<Value>>());
    render_value(&Value::Object(document)) + "\n"
}

/// A document about servers, and about what could not be read beside them.
pub fn of_servers(
    command: &str,
    (exit, codes): (Exit, &[Exit]),
    servers: impl IntoIterator<Item = Object>,
    problems: &[Problem],
) -> String {
    let mut members = Object::new();
    members.insert("servers", servers.into_iter().map(Value::Object).collect::<Vec<Value>>());
    members.insert("problems", problems.iter().map(problem).collect::<Vec<Value>>());
    document(command, exit, codes, members)
}

/// Where a server is configured.
pub fn place(entry: &Entry) -> Value {
    let mut place = Object::new();
    place.insert("client", entry.client.id());
    place.insert("scope", entry.scope.to_string());
    place.insert("file", entry.file.to_string_lossy().into_owned());
    place.insert("line", number(entry.place.line));
    place.insert("name", entry.name.as_str());
    place.insert("disabled", entry.disabled);
    Value::Object(place)
}

/// What could not be read.
pub fn problem(problem: &Problem) -> Value {
    let mut value = Object::new();
    value.insert("file", problem.file.to_string_lossy().into_owned());
    if let Some(place) = problem.place {
        value.insert("line", number(place.line));
        value.insert("column", number(place.column));
    }
    value.insert("message", problem.to_string());
    value.insert("hint", problem.hint());
    Value::Object(value)
}

/// A count.
pub fn number(count: usize) -> Value {
    Value::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A moment in Unix milliseconds.
pub fn moment(ms: u64) -> Value {
    // Whole milliseconds of any year that a clock shows are exact.
    #[allow(clippy::cast_precision_loss)]
    Number::new(ms as f64).map_or(Value::Null, Value::Number)
}

/// Texts as an array.
pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(texts.into_iter().map(Value::from).collect())
}
