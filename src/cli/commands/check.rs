//! `mcpwatch check [NAME…]`: compares the servers with their locks. Quiet when nothing changed.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::reading::{self, Width};
use crate::cli::render::human::{self, DIM, count, paint};
use crate::cli::render::{json, listing, outcome, review};
use crate::engine::json::Object;
use crate::engine::show;
use crate::store::trust::Standing as LockStanding;
use crate::survey::judge::Outcome;
use crate::survey::plan::{Plan, Server};
use crate::survey::reading::Views;
use crate::survey::{Ground, decide};

/// The most lines of one server's changes; `diff` shows the rest.
const LINES: usize = 40;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names
    names: Vec<String>,
    /// Compare only configurations and launches with the locks; nothing is started
    #[arg(long = "static")]
    is_static: bool,
    /// Start whatever project configurations name
    #[arg(long)]
    yes: bool,
    /// Start what a project's lock pins, although it is not trusted on this machine: for CI
    #[arg(long)]
    trust_lock: bool,
    #[command(flatten)]
    width: Width,
}

/// Checks.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(&args.names);
    (ask.yes, ask.trust_lock) = (args.yes, args.trust_lock);
    let mut plan = app.pinned_plan(&ask, &ground)?;
    let unread = app.tell_problems(&plan);
    let unpinned = take_unpinned(&mut plan);
    let found = match args.is_static {
        true => compare_launches(&plan, &ground),
        false => check(app, &plan, args.width, &ground)?,
    };
    let mut codes: Vec<Exit> = found.iter().map(|found| found.exit).collect();
    codes.extend(unread);
    let locked = |server: &&Server| plan.locks[server.lock].loaded.is_some();
    if unpinned.iter().any(|server| locked(&server)) {
        codes.push(Exit::ChangeWaits);
    }
    let exit = codes.iter().fold(Exit::Done, |exit, code| exit.and(*code));
    if app.common.json() {
        let new = unpinned.iter().map(|server| listing::server_members(&plan, server, &ground));
        let servers = found.into_iter().map(|found| found.members).chain(new);
        codes.push(exit);
        app.out.data(&json::of_servers("check", (exit, &codes), servers, &plan.problems))?;
        return Ok(exit);
    }
    for found in &found {
        app.out.data(&found.text)?;
    }
    say(app, &plan, &found, &unpinned, exit);
    Ok(exit)
}

/// One server, compared.
struct Found {
    exit: Exit,
    text: String,
    members: Object,
    name: String,
}

/// Takes the servers out of the plan of which nothing is pinned: there is nothing to compare.
fn take_unpinned(plan: &mut Plan) -> Vec<Server> {
    let (pinned, unpinned) =
        std::mem::take(&mut plan.servers).into_iter().partition(|server| server.pin.is_some());
    plan.servers = pinned;
    unpinned
}

/// Reads the servers and compares everything.
fn check(app: &App, plan: &Plan, width: Width, ground: &Ground) -> Result<Vec<Found>, Error> {
    let outcomes = reading::read(app, plan, width, Views::Once, ground)?;
    let found = plan.servers.iter().zip(&outcomes).map(|(server, outcome)| {
        // What may not be started can still be compared by its launch.
        let launch = match outcome {
            Outcome::NotStarted(_) => compare_launch(plan, server, ground),
            _ => None,
        };
        if let Outcome::AsPinned(change) | Outcome::Changed(change) = outcome {
            let name = show::name(&server.name);
            outcome::unfit(&change.shown).iter().for_each(|words| app.out.warn(&format!("{name}: {words}")));
        }
        launch.filter(|found| found.exit == Exit::ChangeWaits).unwrap_or_else(|| Found {
            exit: outcome::exit(outcome),
            text: text(server, outcome, ground),
            members: outcome::members(plan, server, outcome, false, ground),
            name: server.name.clone(),
        })
    });
    Ok(found.collect())
}

fn text(server: &Server, outcome: &Outcome, ground: &Ground) -> String {
    match outcome {
        Outcome::AsPinned(_) | Outcome::NotPinned(_) | Outcome::Disabled => String::new(),
        Outcome::Changed(change) => {
            let mut lines = vec![outcome::changed(server, change)];
            let denied = decide::turned_down(server, change, ground);
            if denied > 0 {
                let words = format!(
                    "  you turned {} down; nothing of it is approved",
                    count(denied, "item", "items")
                );
                lines.push(paint(DIM, &words));
            }
            let all = review::change(change, false);
            let hidden = all.len().saturating_sub(LINES);
            lines.extend(all.into_iter().take(LINES).map(|line| format!("  {line}")));
            if hidden > 0 {
                let words = format!(
                    "  … {}: mcpwatch diff {}",
                    count(hidden, "more line", "more lines"),
                    show::name(&server.name)
                );
                lines.push(paint(DIM, &words));
            }
            lines.join("\n") + "\n"
        }
        Outcome::Failed(failure) => outcome::failed(server, failure) + "\n",
        Outcome::NotStarted(why) => outcome::not_started(server, why) + "\n",
    }
}

/// Compares launches alone.
fn compare_launches(plan: &Plan, ground: &Ground) -> Vec<Found> {
    plan.servers.iter().filter_map(|server| compare_launch(plan, server, ground)).collect()
}

fn compare_launch(plan: &Plan, server: &Server, ground: &Ground) -> Option<Found> {
    let changes = listing::launch_changes(server, ground)?;
    let exit = if changes.is_empty() { Exit::Done } else { Exit::ChangeWaits };
    let mut members = listing::server_members(plan, server, ground);
    members.insert("state", if changes.is_empty() { "as-pinned" } else { "changed" });
    members.insert("launchChanges", json::texts(changes.iter().map(String::as_str)));
    let mut text = String::new();
    if !changes.is_empty() {
        text = format!("{} changed its launch\n", listing::heading(server));
        changes.iter().for_each(|words| text.push_str(&format!("    ~ {words}\n")));
    }
    Some(Found { exit, text, members, name: server.name.clone() })
}

/// The words on stderr: what it came to, and what to do next.
fn say(app: &App, plan: &Plan, found: &[Found], unpinned: &[Server], exit: Exit) {
    let names = |code: Exit| -> Vec<String> {
        found.iter().filter(|found| found.exit == code).map(|found| found.name.clone()).collect()
    };
    let (changed, failed) = (names(Exit::ChangeWaits), names(Exit::Failed));
    if exit == Exit::Done {
        app.out.say(&format!("{} as pinned.", count(found.len(), "server is", "servers are")));
    }
    if !changed.is_empty() {
        app.out.warn(&format!("Run `mcpwatch approve {}` to review and decide.", show::name(&changed[0])));
    }
    if !failed.is_empty() {
        app.out.warn(&format!("Could not check {}.", human::names(&failed)));
    }
    for (index, lock) in plan.locks.iter().enumerate() {
        let new: Vec<String> =
            unpinned.iter().filter(|server| server.lock == index).map(|server| server.name.clone()).collect();
        if !new.is_empty() {
            let words = format!("Not pinned: {}. Run `mcpwatch init` to review and pin.", human::names(&new));
            if lock.loaded.is_some() { app.out.warn(&words) } else { app.out.say(&words) }
        }
        match lock.standing {
            LockStanding::Changed { .. } => app.out.say(&format!(
                "{} changed since you trusted it: run `mcpwatch trust` to see how.",
                lock.path.display()
            )),
            LockStanding::Never if lock.loaded.is_some() => app.out.detail(&format!(
                "{} is not trusted on this machine, so the gate does not obey it: run `mcpwatch trust`.",
                lock.path.display()
            )),
            LockStanding::Never | LockStanding::Trusted => {}
        }
    }
    for (_, name) in &plan.gone {
        app.out.detail(&format!("{name} is pinned and configured nowhere."));
    }
}
