//! What is configured: each server, its launch and its places, without anything being started.

use super::human::{BOLD, DIM, YELLOW, count, paint};
use super::json;
use crate::discover::Problem;
use crate::engine::json::{Object, Value};
use crate::engine::launchpin;
use crate::engine::show;
use crate::survey::Ground;
use crate::survey::plan::{Plan, Server, Standing};
use std::fmt::Write;
use std::path::Path;

/// The most characters of a launch that are shown on a line.
const LAUNCH: usize = 160;

/// The most characters of one change of a launch.
const LAUNCH_CHANGE: usize = 400;

/// The servers of a plan for people.
pub fn human(plan: &Plan, ground: &Ground) -> String {
    let mut text = String::new();
    for server in &plan.servers {
        let _ = writeln!(text, "{}  {}", heading(server), paint(DIM, &state(server)));
        let _ = writeln!(text, "    {}", launch(server, ground));
        for line in places(server, ground) {
            let _ = writeln!(text, "    {}", paint(DIM, &line));
        }
    }
    text
}

/// The servers of a plan for programs.
pub fn members(plan: &Plan, ground: &Ground) -> Object {
    let mut members = Object::new();
    let servers = plan.servers.iter().map(|server| Value::Object(server_members(plan, server, ground)));
    members.insert("servers", servers.collect::<Vec<Value>>());
    members.insert("problems", plan.problems.iter().map(json::problem).collect::<Vec<Value>>());
    members
}

/// What a program learns of a server without its being started.
pub fn server_members(plan: &Plan, server: &Server, ground: &Ground) -> Object {
    let mut members = Object::new();
    members.insert("name", server.name.as_str());
    members.insert("lock", plan.locks[server.lock].path.to_string_lossy().into_owned());
    members.insert("pinned", server.pin.is_some());
    members.insert("state", short_state(server));
    if let Some(entry) = server.entry() {
        members.insert("launch", ground.pin_of(entry).to_value());
    }
    members.insert("places", server.entries.iter().map(json::place).collect::<Vec<Value>>());
    members
}

/// A server's name, as far as it may stand on a screen.
pub fn heading(server: &Server) -> String {
    paint(BOLD, &show::name(&server.name))
}

/// What differs between the launch that is configured and the one that is pinned, a line each; none
/// where one of them is missing.
pub fn launch_changes(server: &Server, ground: &Ground) -> Option<Vec<String>> {
    let changes = launchpin::compare(&server.pin.as_ref()?.launch, &ground.pin_of(server.entry()?));
    Some(changes.iter().map(|change| show::line(&change.to_string(), LAUNCH_CHANGE)).collect())
}

/// The launch on one line, secrets masked.
pub fn launch(server: &Server, ground: &Ground) -> String {
    let entry = server.entry();
    entry.map(|entry| show::line(&ground.pin_of(entry).describe(), LAUNCH)).unwrap_or_default()
}

/// Where it is configured, a line each.
pub fn places(server: &Server, ground: &Ground) -> Vec<String> {
    let line = |entry: &crate::discover::Entry| {
        let disabled = if entry.disabled { ", disabled" } else { "" };
        let file = short_path(&entry.file, ground);
        format!("{} ({}{disabled})  {file}:{}", entry.client, entry.scope, entry.place.line)
    };
    server.entries.iter().map(line).collect()
}

/// A path with the home folder as `~`, and below the current folder without it.
pub fn short_path(path: &Path, ground: &Ground) -> String {
    if let Ok(below) = path.strip_prefix(&ground.cwd) {
        return show::line(&below.to_string_lossy(), 200);
    }
    match path.strip_prefix(&ground.places.home) {
        Ok(below) if ground.places.home.parent().is_some() => {
            format!("~{}{}", std::path::MAIN_SEPARATOR, show::line(&below.to_string_lossy(), 200))
        }
        _ => show::line(&path.to_string_lossy(), 200),
    }
}

/// Files and entries that could not be read, with what to do: words for stderr.
pub fn problems(problems: &[Problem]) -> Vec<String> {
    let words = |problem: &Problem| {
        let message = show::line(&problem.to_string(), 400);
        format!("{} {message}\n  {}", paint(YELLOW, "problem:"), problem.hint())
    };
    problems.iter().map(words).collect()
}

/// Said where nothing is configured: where was looked, and what to try.
pub fn nothing_found(plan: &Plan, ground: &Ground) -> String {
    let mut clients: Vec<&str> = Vec::new();
    for looked in &plan.looked_in {
        if !clients.contains(&looked.client.title()) {
            clients.push(looked.client.title());
        }
    }
    let mut text = format!(
        "No MCP server is configured. Looked for {} in {}:\n",
        clients.join(", "),
        count(plan.looked_in.len(), "file", "files")
    );
    for looked in &plan.looked_in {
        let found = if looked.found { "  (no servers in it)" } else { "" };
        let _ = writeln!(text, "  {}{}", short_path(&looked.file, ground), paint(DIM, found));
    }
    text.push_str(
        "Name a file of your own with `--config FILE`. To see mcpwatch stop a rug pull without any \
         client,\nrun `cargo run --example rug_pull` in its source folder.",
    );
    text
}

fn state(server: &Server) -> String {
    match (&server.standing, &server.pin) {
        (Standing::Disabled, _) => "disabled".to_owned(),
        (Standing::Unresolved(why), _) => format!("not started: {}", show::line(&why.to_string(), 200)),
        (Standing::Ready(_), Some(_)) => "pinned".to_owned(),
        (Standing::Ready(_), None) => "not pinned".to_owned(),
    }
}

fn short_state(server: &Server) -> &'static str {
    match (&server.standing, &server.pin) {
        (Standing::Disabled, _) => "disabled",
        (Standing::Unresolved(_), _) => "not-started",
        (Standing::Ready(_), Some(_)) => "pinned",
        (Standing::Ready(_), None) => "not-pinned",
    }
}
