//! `mcpwatch wrap [NAME…]`: puts mcpwatch between clients and their servers, in the clients' files.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::prompt::{Choice, Terminal};
use crate::cli::render::human::list;
use crate::cli::render::listing::short_path;
use crate::cli::render::wrapping::{self, Way};
use crate::cli::render::{json, listing};
use crate::discover::Disk;
use crate::survey::plan::Plan;
use crate::survey::wrap::{self, Change, Target};
use crate::survey::wrap_reach::{self, Unreached};
use crate::survey::{Ground, machine};
use std::path::PathBuf;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names; without names, all that are pinned
    names: Vec<String>,
    /// Also what this project configures, in files that others share
    #[arg(long)]
    project: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Wraps.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let plan = app.plan(&app.ask(&args.names), &ground)?;
    let unread = app.tell_problems(&plan);
    let exe = program()?;
    let targets = targets(&plan, args);
    let mut changes = wrap::wrap(&targets, &exe, &ground.paths, &Disk)?;
    if changes.is_empty() {
        app.out.say(&listing::nothing_found(&plan, &ground));
    }
    if args.dry_run {
        show(app, &changes, &ground)?;
    } else {
        changes = apply(changes, &ground)?;
        report(app, &changes, Way::In, &ground)?;
        if changes.iter().any(|change| !change.is_empty()) {
            app.out.say("Restart the clients to make it so; `mcpwatch unwrap` takes it back.");
        }
    }
    let unreached = wrap_reach::unreached(&targets, &ground);
    warn(app, &unreached);
    let failed = changes.iter().any(Change::has_failures) || unread.is_some();
    let exit = if failed { Exit::Failed } else { Exit::Done };
    if app.common.json() {
        let mut members = wrapping::members(&changes);
        members.insert("unreached", wrapping::unreached_members(&unreached));
        app.out.data(&json::document("wrap", exit, &[exit], members))?;
    }
    Ok(exit)
}

/// Offers to wrap servers that were just pinned. No answer is a no.
pub(super) fn offer(
    app: &App,
    terminal: &mut Terminal,
    names: &[String],
    ground: &Ground,
) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let plan = app.plan(&app.ask(names), ground)?;
    let exe = program()?;
    let args = Args { names: Vec::new(), project: false, dry_run: false };
    let targets = targets(&plan, &args);
    let changes = wrap::wrap(&targets, &exe, &ground.paths, &Disk)?;
    let files: Vec<String> = changes
        .iter()
        .filter(|change| !change.is_empty())
        .map(|change| short_path(&change.file, ground))
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let question = format!("\nPut mcpwatch between the client and these servers, in {}?", list(&files));
    let choices = [
        Choice { key: 'y', label: "wrap them" },
        Choice { key: 'n', label: "not now" },
        Choice { key: 'd', label: "show the difference" },
    ];
    loop {
        match terminal.ask(&question, &choices) {
            Ok('d') => {
                let shown = changes.iter().filter(|change| !change.is_empty());
                terminal.show(&shown.map(|change| wrapping::diff(change, ground)).collect::<String>())?;
            }
            Ok('y') => break,
            Ok(_) | Err(_) => {
                app.out.say("`mcpwatch wrap` does it later.");
                return Ok(());
            }
        }
    }
    let changes = apply(changes, ground)?;
    report(app, &changes, Way::In, ground)?;
    warn(app, &wrap_reach::unreached(&targets, ground));
    app.out.say("Restart the clients to make it so; `mcpwatch unwrap` takes it back.");
    Ok(())
}

/// Says where gates would not find what is approved.
fn warn(app: &App, unreached: &[Unreached]) {
    unreached.iter().flat_map(wrapping::unreached).for_each(|line| app.out.warn(&line));
}

/// Every place of the servers that are meant.
fn targets<'a>(plan: &'a Plan, args: &Args) -> Vec<Target<'a>> {
    let mut targets = Vec::new();
    for server in &plan.servers {
        let lock = &plan.locks[server.lock];
        let named = !args.names.is_empty();
        targets.extend(server.entries.iter().map(|entry| Target {
            entry,
            name: &server.name,
            lock: lock.project.then_some(lock.path.as_path()),
            requested: named || (args.project && entry.scope.is_project()),
            pinned: server.pin.is_some(),
        }));
    }
    targets
}

/// The path of this program that will last: where `PATH` has it, if that is this very file, because
/// package managers put a new file behind the same link.
fn program() -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(Error::Program)?;
    let (Ok(real), Some(name)) = (exe.canonicalize(), exe.file_name()) else { return Ok(exe) };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let linked = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.canonicalize().is_ok_and(|found| found == real));
    Ok(linked.unwrap_or(exe))
}

/// Makes the changes.
pub(super) fn apply(changes: Vec<Change>, ground: &Ground) -> Result<Vec<Change>, Error> {
    let now = machine::now();
    let made = changes.into_iter().map(|change| change.apply(&ground.paths, &Disk, now));
    Ok(made.collect::<Result<_, _>>()?)
}

/// Shows what would change.
pub(super) fn show(app: &App, changes: &[Change], ground: &Ground) -> Result<(), Error> {
    if app.common.json() {
        return Ok(());
    }
    for change in changes.iter().filter(|change| !change.is_empty()) {
        app.out.data(&wrapping::diff(change, ground))?;
    }
    if changes.iter().all(Change::is_empty) {
        app.out.say("Nothing would change.");
    }
    Ok(())
}

/// Says what became of each file.
pub(super) fn report(app: &App, changes: &[Change], way: Way, ground: &Ground) -> Result<(), Error> {
    for change in changes.iter().filter(|change| !change.entries.is_empty()) {
        wrapping::human(change, way, ground).iter().for_each(|line| app.out.say(line));
    }
    Ok(())
}
