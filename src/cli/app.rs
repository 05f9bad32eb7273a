//! What every command is given: the common options, the two outputs, and the one async runtime.

use super::args::Common;
use super::error::Error;
use super::exit::Exit;
use super::output::Output;
use super::render::listing;
use crate::discover::env_file;
use crate::survey::Ground;
use crate::survey::plan::{self, Ask, Plan};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// How long writes may still be under way when a command that speaks on stdin and stdout is over.
const LAST_WRITES: Duration = Duration::from_millis(100);

/// The surroundings of one command.
pub struct App {
    /// The options that every command takes.
    pub common: Common,
    /// Where data and words go.
    pub out: Output,
}

impl App {
    /// Sets up the outputs as the options ask.
    pub fn new(common: Common) -> Self {
        let out = Output::new(common.color, common.verbosity());
        Self { common, out }
    }

    /// The ground that a survey stands on.
    pub fn ground(&self) -> Result<Ground, Error> {
        let variables = match &self.common.env_file {
            None => BTreeMap::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| Error::Read { path: path.clone(), source })?;
                env_file::parse(&text).map_err(|source| Error::EnvFile { path: path.clone(), source })?
            }
        };
        Ok(Ground::of_this_process(variables)?)
    }

    /// What the common options ask for, for servers of these names (all if there are none).
    pub fn ask(&self, names: &[String]) -> Ask {
        Ask {
            configs: self.common.config.clone(),
            lock: self.common.lock.clone(),
            names: names.to_vec(),
            ..Ask::default()
        }
    }

    /// What is configured and pinned of what was asked for. A name that nothing has is refused.
    pub fn plan(&self, ask: &Ask, ground: &Ground) -> Result<Plan, Error> {
        let plan = plan::make(ask, ground)?;
        if !plan.unknown_names.is_empty() {
            return Err(Error::UnknownName { names: plan.unknown_names });
        }
        Ok(plan)
    }

    /// The same for a command that needs a lock: where there is none, that is said.
    pub fn pinned_plan(&self, ask: &Ask, ground: &Ground) -> Result<Plan, Error> {
        let plan = self.plan(ask, ground)?;
        if plan.locks.iter().all(|lock| lock.loaded.is_none()) {
            return Err(Error::NothingPinned { path: plan.locks.first().map(|lock| lock.path.clone()) });
        }
        Ok(plan)
    }

    /// Says which configurations and locks could not be read; the exit code that this asks for, if there are any.
    pub fn tell_problems(&self, plan: &Plan) -> Option<Exit> {
        for words in listing::problems(&plan.problems) {
            self.out.warn(&words);
        }
        (!plan.problems.is_empty()).then_some(Exit::Failed)
    }

    /// Runs a future to its end on a runtime of one thread, this one.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let runtime = runtime()?;
        Ok(runtime.block_on(future))
    }

    /// The same for a future that reads stdin. Where that is done on a thread, a read that is under way
    /// cannot be taken back, and the end does not wait for the client to say one more thing.
    pub fn block_on_stdin<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let runtime = runtime()?;
        let output = runtime.block_on(future);
        runtime.shutdown_timeout(LAST_WRITES);
        Ok(output)
    }
}

/// A runtime of one thread, the one that runs it.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)
}
