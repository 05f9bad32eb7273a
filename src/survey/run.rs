//! Reading all servers of a plan and judging each.
//!
//! Promises: at most `jobs` servers at a time; outcomes in the order of the plan; when the run is
//! interrupted, every process that it started has ended before this returns.

use super::judge::{self, Outcome};
use super::plan::{Plan, Server, Standing};
use super::progress::{Event, Listener, Step};
use super::reading::{self, Views};
use super::{Ground, pins, pool, upgrade};
use crate::engine::launchpin;
use crate::sys::process;
use std::time::Instant;

/// How a run is done.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// How many servers at a time.
    pub jobs: usize,
    /// How each is read.
    pub views: Views,
    /// Which version of a floating package is started.
    pub version: Version,
}

/// Which version of a package is started where the launch leaves that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that the client gets: behind the gate the pinned one, else what its runner takes.
    Clients,
    /// The newest, fetched by its package manager.
    Newest,
}

/// The person at the keyboard, or the system, ended the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Reads and judges every server of a plan.
pub async fn run(
    plan: &Plan,
    how: How,
    ground: &Ground,
    listener: Listener<'_>,
) -> Result<Vec<Outcome>, Interrupted> {
    let work = pool::run(how.jobs, &plan.servers, |index, server| async move {
        let started = Instant::now();
        let tell = |step| listener(Event { server: index, step });
        let outcome = one(plan, server, how, ground, &tell).await;
        match &outcome {
            Outcome::Failed(_) => tell(Step::Failed(started.elapsed())),
            Outcome::AsPinned(_) | Outcome::Changed(_) | Outcome::NotPinned(_) => {
                tell(Step::Done(started.elapsed()))
            }
            Outcome::NotStarted(_) | Outcome::Disabled => {}
        }
        outcome
    });
    tokio::select! {
        outcomes = work => Ok(outcomes),
        () = pool::interrupted() => {
            process::end_all().await;
            Err(Interrupted)
        }
    }
}

async fn one(
    plan: &Plan,
    server: &Server,
    how: How,
    ground: &Ground,
    tell: &(dyn Fn(Step) + Send + Sync),
) -> Outcome {
    let launch = match &server.standing {
        Standing::Ready(launch) => launch,
        Standing::Disabled => return Outcome::Disabled,
        Standing::Unresolved(why) => return Outcome::NotStarted(why.clone()),
    };
    let started = upgrade::launch(server, launch, how.version);
    let shown = match reading::read(server, &started, how.views, ground, tell).await {
        Ok(shown) => upgrade::as_configured(server, shown),
        Err(failure) => return Outcome::Failed(failure),
    };
    let platform = pins::platform();
    match &server.pin {
        None => Outcome::NotPinned(Box::new(judge::new(shown, &platform))),
        Some(pin) => {
            let values = changed_values(plan, server, ground);
            judge::change(pin, shown, &platform, values).outcome()
        }
    }
}

/// The masked places of a server's launch whose values are others than when they were approved here.
/// Without an approval on this machine there is nothing to compare with.
pub fn changed_values(plan: &Plan, server: &Server, ground: &Ground) -> Vec<String> {
    let (Some(trust), Some(entry)) = (&ground.trust, server.entry()) else { return Vec::new() };
    let Some(loaded) = &plan.locks[server.lock].loaded else { return Vec::new() };
    let Some(approved) = trust.values(&loaded.path, &server.name) else { return Vec::new() };
    let now = trust.keyed_values(&launchpin::masked_values(&entry.launch));
    let differs = |place: &&String| now.get(*place).is_some_and(|value| approved.get(*place) != Some(value));
    now.keys().filter(differs).cloned().collect()
}
