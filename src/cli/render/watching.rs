//! What the daemon says of itself: what it watches, what waits, and what it could not tell.
//!
//! Promises: without a daemon nothing here fails or waits; its words and every name are made neutral.

use super::human::{BOLD, DIM, YELLOW, paint};
use super::json;
use super::review::at;
use crate::engine::json::{Object, Value};
use crate::engine::show;
use crate::ipc::IpcError;
use crate::ipc::client::ask_once;
use crate::ipc::message::{Hello, Reply, Request, ServerStatus, Status};
use crate::service::words;
use crate::survey::Ground;

/// The most characters of one of its texts that are shown.
const TEXT: usize = 300;

/// What came of asking it.
pub enum Answer {
    /// It runs.
    Runs(Hello, Status),
    /// None runs.
    None,
    /// One runs, or should, and cannot be asked; why.
    Unclear(String),
}

/// Asks the daemon how things stand.
pub fn ask(ground: &Ground) -> Answer {
    match ask_once(&ground.paths.runtime, &Request::Status) {
        Ok((daemon, Reply::Status(status))) => Answer::Runs(daemon, status),
        Ok(_) => Answer::Unclear("it did not answer with its status".to_owned()),
        Err(IpcError::NoDaemon) => Answer::None,
        Err(error) => Answer::Unclear(error.to_string()),
    }
}

/// A line for the daemon, and one for each thing of its that a person should know. `now` is Unix
/// milliseconds.
pub fn lines(answer: &Answer, now: u64) -> Vec<String> {
    let (daemon, status) = match answer {
        Answer::Runs(daemon, status) => (daemon, status),
        Answer::None => return Vec::new(),
        Answer::Unclear(why) => {
            return vec![paint(YELLOW, &format!("the daemon: {}", show::line(why, TEXT)))];
        }
    };
    let told = words::sentence(daemon, status, now);
    let mut lines = vec![format!(
        "{}  {}",
        paint(BOLD, "daemon"),
        show::line(told.lines().next().unwrap_or_default(), TEXT)
    )];
    for server in status.servers.iter().filter(|server| is_worth_telling(server)) {
        let name = show::name(&server.server.name);
        let mut words = show::line(&server.state, TEXT);
        if server.waiting > 0 {
            words.push_str(&format!("; {} waiting: `mcpwatch approve {name}`", server.waiting));
        }
        if server.flapping {
            words.push_str("; changes so often that you are not told any more");
        }
        lines.push(format!("  {name}  {words}"));
    }
    for missed in &status.missed {
        let text = show::line(&missed.text, TEXT);
        lines.push(format!("  {}  {text}", paint(YELLOW, &format!("not answered, {}", at(missed.at)))));
    }
    for place in &status.out_of_reach {
        let (what, why) = (show::line(&place.what, TEXT), show::line(&place.why, TEXT));
        lines.push(format!("  {}  {what}: {why}", paint(DIM, "out of reach")));
    }
    if let Some(why) = &status.no_notifications {
        lines.push(paint(DIM, &format!("  no notifications: {}", show::line(why, TEXT))));
    }
    if let Some(why) = &status.no_log {
        let words = format!("  the log cannot be written, and blocking goes on: {}", show::line(why, TEXT));
        lines.push(paint(YELLOW, &words));
    }
    lines
}

/// The same for programs: `null` where none runs.
pub fn value(answer: &Answer) -> Value {
    let (daemon, status) = match answer {
        Answer::Runs(daemon, status) => (daemon, status),
        Answer::None => return Value::Null,
        Answer::Unclear(why) => return Value::Object([("problem", why.as_str())].into_iter().collect()),
    };
    let server = |server: &ServerStatus| {
        let mut value = Object::new();
        value.insert("name", server.server.name.as_str());
        value.insert("watch", server.watch.as_str());
        value.insert("state", server.state.as_str());
        value.insert("gates", Value::from(server.gates));
        value.insert("waiting", Value::from(server.waiting));
        value.insert("held", Value::from(server.held));
        value.insert("flapping", server.flapping);
        value.insert(
            "lastRead",
            if server.last_read == 0 { Value::Null } else { json::moment(server.last_read) },
        );
        Value::Object(value)
    };
    let mut value = Object::new();
    value.insert("process", Value::from(daemon.pid));
    value.insert("since", json::moment(daemon.since));
    value.insert("servers", status.servers.iter().map(server).collect::<Vec<Value>>());
    let missed = status.missed.iter().map(|missed| {
        let mut value = Object::new();
        value.insert("at", json::moment(missed.at));
        value.insert("server", missed.server.name.as_str());
        value.insert("text", missed.text.as_str());
        Value::Object(value)
    });
    value.insert("missed", missed.collect::<Vec<Value>>());
    let places = status.out_of_reach.iter().map(|place| {
        Value::Object([("what", place.what.as_str()), ("why", place.why.as_str())].into_iter().collect())
    });
    value.insert("outOfReach", places.collect::<Vec<Value>>());
    let or_null = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    value.insert("noNotifications", or_null(&status.no_notifications));
    value.insert("noLog", or_null(&status.no_log));
    Value::Object(value)
}

/// Whether there is more to say of a server than that all is well.
fn is_worth_telling(server: &ServerStatus) -> bool {
    server.waiting > 0 || server.flapping || !server.is_well
}

#[cfg(test)]
#[path = "watching_tests.rs"]
mod tests;
