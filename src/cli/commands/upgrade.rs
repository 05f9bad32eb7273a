//! `mcpwatch upgrade NAME`: fetches the newest version of a floating package through its package
//! manager, reads it, shows the review, and moves the pin.
//!
//! Promises: the pin moves only with a decision on the version itself, typed on the controlling
//! terminal, or for a script with `--expect DIGEST`, which gives no trust.

use super::approve;
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::prompt::Terminal;
use crate::cli::reading::{self, Width};
use crate::cli::render::outcome;
use crate::engine::approval::Lifetime;
use crate::engine::digest::Digest;
use crate::engine::show;
use crate::survey::judge::Outcome;
use crate::survey::plan::Server;
use crate::survey::reading::Views;
use crate::survey::run::{How, Version};
use crate::survey::upgrade;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server
    name: String,
    /// Approve exactly the offer of this digest, without asking; the lock is written and not trusted
    #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
    expect: Option<Digest>,
    /// Fetch and show the newest version and decide nothing; needs no terminal
    #[arg(long)]
    dry_run: bool,
    /// Unfold noise, long names and removed text
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    width: Width,
}

/// Fetches, reads, shows, asks, moves the pin.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(std::slice::from_ref(&args.name));
    ask.yes = args.expect.is_some();
    let mut plan = app.plan(&ask, &ground)?;
    if plan.servers.is_empty() {
        return Err(Error::UnknownName { names: vec![args.name.clone()] });
    }
    plan.servers.iter().try_for_each(upgrade::can)?;
    let mut terminal = match args.expect.is_some() || args.dry_run {
        true => None,
        false => Some(Terminal::open()?),
    };
    if let Some(terminal) = &mut terminal {
        approve::trust_first(terminal, app, &mut plan, &ground)?;
        // A trusted lock may start what it pins.
        plan = app.plan(&ask, &app.ground()?)?;
        plan.servers.iter().try_for_each(upgrade::can)?;
    }
    let ground = app.ground()?;
    let unread = app.tell_problems(&plan);
    let how = How { jobs: args.width.jobs, views: Views::All, version: Version::Newest, sightings: false };
    let outcomes = reading::read_at(app, &plan, how, &ground)?;
    let (servers, outcomes): (Vec<Server>, Vec<Outcome>) = std::mem::take(&mut plan.servers)
        .into_iter()
        .zip(outcomes)
        .filter(|(server, outcome)| is_newer(app, server, outcome))
        .unzip();
    plan.servers = servers;
    if outcomes.is_empty() {
        return Ok(unread.unwrap_or(Exit::Done));
    }
    if args.dry_run {
        return show_only(app, &plan.servers, &outcomes, args.full);
    }
    let how = approve::How {
        command: "upgrade",
        expect: args.expect,
        lifetime: Lifetime::UntilChange,
        full: args.full,
        upgrades: true,
        unread,
    };
    approve::decide_on(app, &mut plan, &outcomes, terminal, how, &ground)
}

/// Whether there is something to review or to complain about; says so where there is not.
fn is_newer(app: &App, server: &Server, outcome: &Outcome) -> bool {
    let (Outcome::AsPinned(change) | Outcome::Changed(change)) = outcome else { return true };
    let name = show::name(&server.name);
    match upgrade::versions(server, &change.shown) {
        Some((pinned, seen)) if pinned == seen => {
            let seen = show::line(seen, 80);
            app.out.say(&format!("{name} is pinned at the newest version that its launch asks for, {seen}."));
            if change.waits() {
                app.out.say(&format!("It changed all the same: `mcpwatch diff {name}`."));
            }
            false
        }
        _ => true,
    }
}

fn show_only(app: &App, servers: &[Server], outcomes: &[Outcome], full: bool) -> Result<Exit, Error> {
    for (server, found) in servers.iter().zip(outcomes) {
        match found {
            Outcome::Changed(change) => app.out.data(&super::diff::text(server, change, full))?,
            Outcome::Failed(failure) => app.out.warn(&outcome::failed(server, failure)),
            Outcome::NotStarted(why) => app.out.warn(&outcome::not_started(server, why)),
            Outcome::AsPinned(_) | Outcome::NotPinned(_) | Outcome::Disabled => {}
        }
    }
    Ok(outcomes.iter().map(outcome::exit).fold(Exit::Done, Exit::and))
}
