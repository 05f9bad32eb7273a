//! `mcpwatch status`: the locks in force, what each pins, whether it is trusted, what was refused, and
//! what the daemon watches and could not tell. Starts nothing.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::render::human::{BOLD, DIM, YELLOW, paint};
use crate::cli::render::{guard, json, listing, outcome, review, watching, wrapping};
use crate::engine::json::{Object, Value};
use crate::engine::show;
use crate::store::trust::{Denied, Subject};
use crate::survey::Ground;
use crate::survey::locks::LockUse;
use crate::survey::machine;
use crate::survey::plan::{Plan, Server};
use crate::survey::sighted::{self, Seen};
use crate::survey::trust;
use std::fmt::Write;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Tells.
pub fn run(_args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let plan = app.plan(&app.ask(&[]), &ground)?;
    let exit = app.tell_problems(&plan).unwrap_or(Exit::Done);
    if app.common.json() {
        app.out.data(&json::document("status", exit, &[exit], members(&plan, &ground)?))?;
        return Ok(exit);
    }
    let mut text = String::new();
    for (index, lock) in plan.locks.iter().enumerate() {
        text.push_str(&one(&plan, index, lock, &ground));
    }
    if plan.locks.iter().all(|lock| lock.loaded.is_none()) {
        app.out.say("Nothing is pinned yet. Run `mcpwatch init` to review and pin what is configured.");
    }
    for denial in ground.trust.iter().flat_map(|trust| trust.denials()) {
        let what = match &denial.subject {
            Subject::Item(key) => format!("{} {}", key.kind.singular(), show::name(&key.name)),
            Subject::Launch => "launch".to_owned(),
            Subject::Artifact(platform) => format!("what it runs on {platform}"),
        };
        let how = match denial.how {
            Denied::Rejected => "rejected",
            Denied::Revoked => "revoked",
        };
        let _ = writeln!(
            text,
            "{}  {how}: {what} ({})",
            paint(BOLD, &show::name(&denial.server)),
            denial.digest.short()
        );
    }
    for server in &plan.servers {
        let changes = listing::launch_changes(server, &ground).unwrap_or_default();
        if !changes.is_empty() {
            let name = show::name(&server.name);
            let _ =
                writeln!(text, "{}  changed its launch: run `mcpwatch approve {name}`", paint(BOLD, &name));
            changes.iter().for_each(|change| text.push_str(&format!("    ~ {change}\n")));
        }
    }
    for (server, seen) in waiting(&plan, &ground)? {
        let name = show::name(&server.name);
        let _ = writeln!(text, "{}  waits: run `mcpwatch approve {name}`", paint(BOLD, &name));
        for line in review::seen(&seen) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for line in guard::lines(&ground) {
        let _ = writeln!(text, "{line}");
    }
    for line in watching::lines(&watching::ask(&ground), machine::now()) {
        let _ = writeln!(text, "{line}");
    }
    for line in wrapping::standings(&plan, &ground)? {
        let _ = writeln!(text, "{line}");
    }
    app.out.data(&text)?;
    Ok(exit)
}

/// What gates saw that waits for a decision.
fn waiting<'a>(plan: &'a Plan, ground: &Ground) -> Result<Vec<(&'a Server, Seen)>, Error> {
    let mut waiting = Vec::new();
    for server in &plan.servers {
        let sighted = sighted::find(plan, server, ground)?;
        waiting.extend(sighted.map(|sighted| (server, sighted.seen())));
    }
    Ok(waiting)
}

fn one(plan: &Plan, index: usize, lock: &LockUse, ground: &Ground) -> String {
    let Some(loaded) = &lock.loaded else { return String::new() };
    let path = listing::short_path(&lock.path, ground);
    let trusted = if lock.is_trusted() {
        paint(DIM, "trusted")
    } else {
        paint(YELLOW, "not trusted on this machine: run `mcpwatch trust`")
    };
    let mut text = format!("{}  {trusted}\n", paint(BOLD, &path));
    let folder = loaded.path.parent().unwrap_or(&ground.cwd);
    for (name, pin) in &loaded.lockfile.servers {
        let contents = outcome::contents(&trust::surface_of(pin, folder));
        let gone = plan.gone.iter().any(|(lock, gone)| *lock == index && gone == name);
        let note = if gone { "  configured nowhere" } else { "" };
        let _ = writeln!(text, "  {}  {contents}{}", show::name(name), paint(YELLOW, note));
        let _ = writeln!(text, "      {}", paint(DIM, &show::line(&pin.launch.describe(), 160)));
    }
    let new = plan.servers.iter().filter(|server| server.lock == index && server.pin.is_none());
    for server in new {
        let _ = writeln!(
            text,
            "  {}  {}",
            show::name(&server.name),
            paint(YELLOW, "not pinned: run `mcpwatch init`")
        );
    }
    text
}

fn members(plan: &Plan, ground: &Ground) -> Result<Object, Error> {
    let lock = |lock: &LockUse| {
        let mut value = Object::new();
        value.insert("path", lock.path.to_string_lossy().into_owned());
        value.insert("project", lock.project);
        value.insert("exists", lock.loaded.is_some());
        value.insert("trusted", lock.is_trusted());
        if let Some(loaded) = &lock.loaded {
            value.insert("digest", loaded.digest.to_string());
            value.insert("servers", json::texts(loaded.lockfile.servers.keys().map(String::as_str)));
        }
        Value::Object(value)
    };
    let mut members = listing::members(plan, ground);
    members.insert("locks", plan.locks.iter().map(lock).collect::<Vec<Value>>());
    let seen = |(server, seen): &(&Server, Seen)| {
        let Value::Object(mut value) = outcome::seen_value(seen) else { return Value::Null };
        value.insert("server", server.name.as_str());
        Value::Object(value)
    };
    let moved = plan.servers.iter().filter_map(|server| {
        let changes = listing::launch_changes(server, ground).filter(|changes| !changes.is_empty())?;
        let mut value = Object::new();
        value.insert("server", server.name.as_str());
        value.insert("changes", json::texts(changes.iter().map(String::as_str)));
        Some(Value::Object(value))
    });
    members.insert("launchChanged", moved.collect::<Vec<Value>>());
    members.insert("waiting", waiting(plan, ground)?.iter().map(seen).collect::<Vec<Value>>());
    guard::members(ground, &mut members);
    members.insert("daemon", watching::value(&watching::ask(ground)));
    members.insert("gone", json::texts(plan.gone.iter().map(|(_, name)| name.as_str())));
    members.insert("wrapping", wrapping::standing_members(plan, ground)?);
    Ok(members)
}
