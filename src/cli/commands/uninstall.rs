//! `mcpwatch uninstall`: unwraps everything, removes the service, and with `--data` all of ours.

use super::unwrap::{REFUSED, wrapped};
use super::wrap::{apply, report, show};
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::loosen::confirm;
use crate::cli::render::human::count;
use crate::cli::render::json;
use crate::cli::render::listing::short_path;
use crate::cli::render::wrapping::{self, Way};
use crate::discover::Disk;
use crate::engine::json::Value;
use crate::service::{Manager, ServiceError};
use crate::survey::Ground;
use crate::survey::policy;
use crate::survey::wrap::{self, Change};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Also remove the user's lock, the trust store, the log and everything else of mcpwatch's
    #[arg(long)]
    data: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Uninstalls.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let plan = app.plan(&app.ask(&[]), &ground)?;
    let mut changes = wrap::unwrap_all(&wrapped(&plan), &ground.paths, &Disk)?;
    let manager = manager()?;
    let folders = if args.data { folders(&ground) } else { BTreeSet::new() };
    if args.dry_run {
        show(app, &changes, &ground)?;
    }
    for line in outline(&manager, &folders, &ground) {
        app.out.say(&line);
    }
    if !args.dry_run {
        let files = changes.iter().filter(|change| !change.is_empty()).count();
        let question = format!("mcpwatch is taken out of {}.", count(files, "client file", "client files"));
        policy::allow(&ground.paths, |policy| policy.refuses_unwrap, REFUSED)?;
        if !confirm(&question, "uninstall", None, &ground)? {
            app.out.say("Nothing was changed.");
            return Ok(Exit::Done);
        }
        changes = apply(changes, &ground)?;
        report(app, &changes, Way::Out, &ground)?;
        if changes.iter().any(Change::has_failures) {
            app.out.warn("The rest stays until that is settled: a wrapped entry needs mcpwatch.");
            return Ok(Exit::Failed);
        }
        if let Some(manager) = manager {
            manager.uninstall()?;
        }
        for folder in &folders {
            std::fs::remove_dir_all(folder)
                .map_err(|source| Error::Write { path: folder.clone(), source })?;
        }
        app.out
            .say("What is left is the program itself: `cargo uninstall mcpwatch`, or as it was installed.");
    }
    if app.common.json() {
        let mut members = wrapping::members(&changes);
        let folders = folders.iter().map(|folder| Value::from(folder.to_string_lossy().into_owned()));
        members.insert("folders", folders.collect::<Vec<Value>>());
        app.out.data(&json::document("uninstall", Exit::Done, &[Exit::Done], members))?;
    }
    Ok(Exit::Done)
}

/// The service's manager, if the service is installed.
fn manager() -> Result<Option<Manager>, ServiceError> {
    match Manager::of_this_system() {
        Ok(manager) => Ok(Some(manager).filter(Manager::is_installed)),
        // root has no service of ours, and a system without a home folder neither.
        Err(ServiceError::Root | ServiceError::Unknown(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Our folders that exist.
fn folders(ground: &Ground) -> BTreeSet<PathBuf> {
    let paths = &ground.paths;
    let all = [&paths.config, &paths.data, &paths.state, &paths.cache, &paths.runtime];
    all.into_iter().filter(|folder| folder.is_dir()).cloned().collect()
}

/// What goes besides the clients' files.
fn outline(manager: &Option<Manager>, folders: &BTreeSet<PathBuf>, ground: &Ground) -> Vec<String> {
    let service = manager.iter().map(|_| "the background service is stopped and removed".to_owned());
    let folders = folders.iter().map(|folder| format!("{} is removed", short_path(folder, ground)));
    service.chain(folders).collect()
}
