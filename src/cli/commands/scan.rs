//! `mcpwatch scan [NAME…]`: shows every configured server and what it shows a model.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::reading::{self, Width};
use crate::cli::render::{json, listing, outcome, surface};
use crate::survey::Ground;
use crate::survey::judge::Outcome;
use crate::survey::plan::Plan;
use crate::survey::reading::Views;
use crate::survey::run::{How, Version};

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names
    names: Vec<String>,
    /// Only list what is configured; nothing is started
    #[arg(long)]
    list: bool,
    /// Show every text whole, parameters included
    #[arg(long, conflicts_with = "list")]
    full: bool,
    /// Start what project configurations name as well
    #[arg(long, conflicts_with = "list")]
    yes: bool,
    #[command(flatten)]
    width: Width,
}

/// Lists, or reads and shows.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(&args.names);
    ask.yes = args.yes;
    let plan = app.plan(&ask, &ground)?;
    let unread = app.tell_problems(&plan).unwrap_or(Exit::Done);
    for remark in &plan.remarks {
        app.out.detail(&crate::engine::show::line(&remark.to_string(), 400));
    }
    if args.list {
        return list(app, &plan, unread, &ground);
    }
    if plan.servers.is_empty() && plan.problems.is_empty() && !app.common.json() {
        app.out.say(&listing::nothing_found(&plan, &ground));
        return Ok(Exit::Done);
    }
    let how = How { jobs: args.width.jobs, views: Views::Once, version: Version::Clients, sightings: false };
    let outcomes = reading::read_at(app, &plan, how, &ground)?;
    let codes: Vec<Exit> = outcomes.iter().map(exit).chain([unread]).collect();
    let exit = codes.iter().fold(Exit::Done, |exit, code| exit.and(*code));
    if app.common.json() {
        let servers = plan.servers.iter().zip(&outcomes);
        let servers = servers.map(|(server, found)| outcome::members(&plan, server, found, true, &ground));
        app.out.data(&json::of_servers("scan", (exit, &codes), servers, &plan.problems))?;
        return Ok(exit);
    }
    for (server, found) in plan.servers.iter().zip(&outcomes) {
        app.out.data(&surface::server(server, found, args.full, &ground))?;
    }
    Ok(exit)
}

fn list(app: &App, plan: &Plan, exit: Exit, ground: &Ground) -> Result<Exit, Error> {
    if app.common.json() {
        app.out.data(&json::document("scan", exit, &[exit], listing::members(plan, ground)))?;
    } else if plan.servers.is_empty() && plan.problems.is_empty() {
        app.out.say(&listing::nothing_found(plan, ground));
    } else {
        app.out.data(&listing::human(plan, ground))?;
    }
    Ok(exit)
}

/// A scan only looks: what differs from a pin is shown and is no failure; what it could not see is.
fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Failed(_) => Exit::Failed,
        Outcome::AsPinned(_)
        | Outcome::Changed(_)
        | Outcome::NotPinned(_)
        | Outcome::NotStarted(_)
        | Outcome::Disabled => Exit::Done,
    }
}
