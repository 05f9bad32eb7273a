//! Reading all servers of a plan and judging each.
//!
//! Promises: at most `jobs` servers at a time; outcomes in the order of the plan; when the run is
//! interrupted, every process that it started has ended before this returns.

use super::judge::{self, Base, Change, Outcome, Rest};
use super::plan::{Plan, Server, Standing};
use super::progress::{Event, Listener, Step};
use super::reading::{self, Failure, Views};
use super::sighted::{self, Sighted};
use super::{Ground, SurveyError, pins, pool, record, upgrade, values};
use crate::engine::lockfile::ServerPin;
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
    /// Whether what a gate saw counts.
    pub sightings: bool,
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
        record::found(&server.name, &outcome, ground);
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
    let read = reading::read(server, &started, how.views, ground, tell).await;
    let platform = pins::platform();
    let Some(pin) = &server.pin else {
        return match read {
            Ok(shown) => {
                let shown = upgrade::as_configured(server, shown);
                Outcome::NotPinned(Box::new(judge::new(shown, &platform)))
            }
            Err(failure) => Outcome::Failed(failure),
        };
    };
    let sighted = match how.sightings.then(|| sighted::find(plan, server, ground)).transpose() {
        Ok(sighted) => sighted.flatten(),
        Err(error) => return Outcome::Failed(Failure::new(error.to_string(), error.hint())),
    };
    let base = match (read, &sighted) {
        (Ok(shown), _) => Base::Read(Box::new(shown)),
        (Err(failure), Some(_)) => Base::Unread(started, failure),
        (Err(failure), None) => return Outcome::Failed(failure),
    };
    match judged(plan, server, pin, Rest { base, passed: Vec::new() }, sighted, ground) {
        Ok(change) => change.outcome(),
        Err(failure) => Outcome::Failed(failure),
    }
}

/// What the next older session of a gate saw, laid over the same reading. The server is as it stands
/// now, with what was decided in between.
pub fn next(
    plan: &Plan,
    server: &Server,
    rest: Rest,
    ground: &Ground,
) -> Result<Option<Change>, SurveyError> {
    let sighted = sighted::next(plan, server, &rest.passed, ground)?;
    let (Some(pin), Some(sighted)) = (&server.pin, sighted) else { return Ok(None) };
    // Whatever cannot be judged was told with the first of them.
    Ok(judged(plan, server, pin, rest, Some(sighted), ground).ok())
}

/// Compares a reading, with what a gate saw laid over it.
fn judged(
    plan: &Plan,
    server: &Server,
    pin: &ServerPin,
    rest: Rest,
    sighted: Option<Sighted>,
    ground: &Ground,
) -> Result<Change, Failure> {
    let Rest { base, mut passed } = rest;
    let has_more = sighted.as_ref().is_some_and(Sighted::has_more);
    let (mut shown, unread, base) = match (base, &sighted) {
        (Base::Read(shown), _) => {
            let base = has_more.then(|| Base::Read(shown.clone()));
            (*shown, None, base)
        }
        (Base::Unread(launch, failure), Some(sighted)) => {
            let shown = sighted.alone(server, &launch, &failure, ground).ok_or_else(|| failure.clone())?;
            let unread = failure.reason.clone();
            (shown, Some(unread), has_more.then_some(Base::Unread(launch, failure)))
        }
        (Base::Unread(_, failure), None) => return Err(failure),
    };
    let mut seen = sighted.as_ref().map(|sighted| sighted.lay_over(&mut shown, pin));
    if let (Some(seen), Some(sighted)) = (&mut seen, &sighted) {
        if unread.is_some() {
            seen.split.clear();
        }
        seen.unread = unread;
        passed.push(seen.offer);
        // The review says it too; a log that cannot be written takes nothing from that.
        let _ = sighted.tell(seen, ground);
    }
    let shown = upgrade::as_configured(server, shown);
    let values = changed_values(plan, server, ground);
    let mut change = judge::change(pin, shown, &pins::platform(), values);
    change.seen = seen.filter(|seen| !seen.items.is_empty());
    change.rest = base.map(|base| Rest { base, passed });
    Ok(change)
}

/// The masked places of a server's launch whose values are others than when they were approved here.
/// Without an approval on this machine there is nothing to compare with.
pub fn changed_values(plan: &Plan, server: &Server, ground: &Ground) -> Vec<String> {
    let (Some(trust), Some(loaded)) = (&ground.trust, &plan.locks[server.lock].loaded) else {
        return Vec::new();
    };
    let approved = trust.values(&loaded.path, &server.name);
    approved.map(|approved| values::changed(server, trust, approved)).unwrap_or_default()
}
