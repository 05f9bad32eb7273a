//! `mcpwatch diff [NAME…]`: shows everything that differs from the locks, whole.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::reading::{self, Width};
use crate::cli::render::human::{DIM, paint};
use crate::cli::render::{json, outcome, proposals as words, review};
use crate::engine::show;
use crate::survey::decide;
use crate::survey::judge::{Change, Outcome};
use crate::survey::plan::{Plan, Server};
use crate::survey::reading::Views;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names
    names: Vec<String>,
    /// Unfold noise, long names and removed text
    #[arg(long)]
    full: bool,
    /// Start whatever project configurations name
    #[arg(long)]
    yes: bool,
    /// Start what a project's lock pins, although it is not trusted on this machine: for CI
    #[arg(long)]
    trust_lock: bool,
    #[command(flatten)]
    width: Width,
}

/// Reads in every view and shows.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(&args.names);
    (ask.yes, ask.trust_lock) = (args.yes, args.trust_lock);
    let mut plan = app.pinned_plan(&ask, &ground)?;
    let unread = app.tell_problems(&plan);
    plan.servers.retain(|server| server.pin.is_some());
    let outcomes = reading::read(app, &plan, args.width, Views::All, &ground)?;
    let codes: Vec<Exit> = outcomes.iter().map(outcome::exit).chain(unread).collect();
    let exit = codes.iter().fold(Exit::Done, |exit, code| exit.and(*code));
    if app.common.json() {
        let servers = plan.servers.iter().zip(&outcomes);
        let servers = servers.map(|(server, found)| outcome::members(&plan, server, found, false, &ground));
        app.out.data(&json::of_servers("diff", (exit, &codes), servers, &plan.problems))?;
        return Ok(exit);
    }
    for (server, found) in plan.servers.iter().zip(&outcomes) {
        match found {
            Outcome::Changed(change) => {
                app.out.data(&text(server, change, args.full))?;
                further(app, &plan, server, change, args.full)?;
            }
            Outcome::AsPinned(change) => {
                further(app, &plan, server, change, args.full)?;
                // What needs no decision by itself is told where somebody asks.
                for line in review::change(change, args.full) {
                    app.out.data(&format!("{}: {line}\n", show::name(&server.name)))?;
                }
            }
            Outcome::Failed(failure) => app.out.warn(&outcome::failed(server, failure)),
            Outcome::NotStarted(why) => app.out.warn(&outcome::not_started(server, why)),
            Outcome::NotPinned(_) | Outcome::Disabled => {}
        }
    }
    if exit == Exit::Done {
        app.out.say("Nothing differs from what is pinned.");
    }
    Ok(exit)
}

/// What older sessions of a gate saw otherwise, the newest first.
fn further(app: &App, plan: &Plan, server: &Server, change: &Change, full: bool) -> Result<(), Error> {
    let mut next = reading::further(app, plan, server, change)?;
    while let Some((server, change)) = next {
        if change.waits() {
            app.out.data(&format!("\n{}", text(&server, &change, full)))?;
        }
        next = reading::further(app, plan, &server, &change)?;
    }
    Ok(())
}

/// One changed server, whole, with the digest that `--expect` takes.
pub(super) fn text(server: &Server, change: &Change, full: bool) -> String {
    let mut text = outcome::changed(server, change) + "\n";
    for line in review::change(change, full) {
        text.push_str(&format!("  {line}\n"));
    }
    // A server that echoes a secret is told so where it would be pinned.
    let all = decide::parts(change).into_iter().collect();
    let placing = decide::proposals(server, change, &all).unwrap_or_default();
    for line in words::placing(&placing) {
        text.push_str(&format!("  {line}\n"));
    }
    text + &paint(DIM, &format!("  offer {}\n", change.offer))
}
