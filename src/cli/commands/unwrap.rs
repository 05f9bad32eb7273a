//! `mcpwatch unwrap [NAME…]`: takes mcpwatch out of the clients' files again.
//!
//! That loosens what protects the model, so a person has to confirm it at the level that decisions need,
//! and a policy can refuse it.

use super::wrap::{apply, report, show};
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::loosen::confirm;
use crate::cli::render::human::count;
use crate::cli::render::json;
use crate::cli::render::wrapping::{self, Way};
use crate::discover::{Disk, Entry};
use crate::survey::plan::Plan;
use crate::survey::policy;
use crate::survey::wrap::{self, Change};

/// What a policy can refuse.
pub(super) const REFUSED: &str = "taking mcpwatch out of the clients' files";

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names; without names, everything that mcpwatch ever wrapped
    names: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Unwraps.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let plan = app.plan(&app.ask(&args.names), &ground)?;
    let entries = wrapped(&plan);
    let some = !args.names.is_empty() || !app.common.config.is_empty();
    let mut changes = match some {
        true => wrap::unwrap(&entries, &ground.paths, &Disk)?,
        false => wrap::unwrap_all(&entries, &ground.paths, &Disk)?,
    };
    app.tell_problems(&plan);
    if args.dry_run {
        show(app, &changes, &ground)?;
    } else if changes.iter().all(Change::is_empty) {
        changes = apply(changes, &ground)?;
        match changes.iter().any(Change::has_failures) {
            true => report(app, &changes, Way::Out, &ground)?,
            false => app.out.say("Nothing is wrapped."),
        }
    } else {
        let files = changes.iter().filter(|change| !change.is_empty()).count();
        let question = format!(
            "From then on nothing stands between the clients and their servers in {}.",
            count(files, "file", "files")
        );
        policy::allow(&ground.paths, |policy| policy.refuses_unwrap, REFUSED)?;
        if !confirm(&question, "unwrap", None, &ground)? {
            app.out.say("Nothing was changed.");
            return Ok(Exit::Done);
        }
        changes = apply(changes, &ground)?;
        report(app, &changes, Way::Out, &ground)?;
        app.out.say("Restart the clients to make it so.");
    }
    let exit = if changes.iter().any(Change::has_failures) { Exit::Failed } else { Exit::Done };
    if app.common.json() {
        app.out.data(&json::document("unwrap", exit, &[exit], wrapping::members(&changes)))?;
    }
    Ok(exit)
}

/// The wrapped entries of a plan.
pub(super) fn wrapped(plan: &Plan) -> Vec<&Entry> {
    let entries = plan.servers.iter().flat_map(|server| &server.entries);
    entries.filter(|entry| entry.wrapped.is_some()).collect()
}
