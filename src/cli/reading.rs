//! Reading servers from a command: progress while it lasts, Ctrl-C as an error.

use super::app::App;
use super::error::Error;
use super::render::progress::Progress;
use crate::survey::Ground;
use crate::survey::judge::{Change, Outcome};
use crate::survey::plan::{Plan, Server};
use crate::survey::reading::Views;
use crate::survey::run::{self, How, Version};
use crate::survey::{locks, pool};

/// How many servers are read at a time.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Width {
    /// Read so many servers at a time
    #[arg(long, value_name = "N", default_value_t = pool::JOBS, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=256))]
    pub jobs: usize,
}

/// Reads every server of the plan that may be started.
pub fn read(
    app: &App,
    plan: &Plan,
    width: Width,
    views: Views,
    ground: &Ground,
) -> Result<Vec<Outcome>, Error> {
    read_at(app, plan, How { jobs: width.jobs, views, version: Version::Clients, sightings: true }, ground)
}

/// The same, told which version of a floating package is meant.
pub fn read_at(app: &App, plan: &Plan, how: How, ground: &Ground) -> Result<Vec<Outcome>, Error> {
    let names: Vec<String> = plan.servers.iter().map(|server| server.name.clone()).collect();
    let progress = Progress::new(app.out, &names);
    let outcomes = app.block_on(async {
        let listener = |event| progress.on(event);
        let run = run::run(plan, how, ground, &listener);
        tokio::select! {
            outcomes = run => outcomes.map_err(|run::Interrupted| Error::Interrupted),
            never = progress.tick() => match never {},
        }
    });
    progress.clear();
    outcomes?
}

/// What the next older session of a gate saw of a server, which waits too, with the server as it is
/// pinned now: the change before may have been decided on meanwhile.
pub fn further(
    app: &App,
    plan: &Plan,
    server: &Server,
    change: &Change,
) -> Result<Option<(Server, Change)>, Error> {
    let Some(rest) = &change.rest else { return Ok(None) };
    let ground = app.ground()?;
    let lock = &plan.locks[server.lock];
    let lock = locks::load(&lock.path, lock.project, &ground)?;
    let pin = lock.lockfile().and_then(|lock| lock.servers.get(&server.name)).cloned();
    let server = Server { pin, ..server.clone() };
    let next = run::next(plan, &server, rest.clone(), &ground)?;
    Ok(next.map(|change| (server, change)))
}
