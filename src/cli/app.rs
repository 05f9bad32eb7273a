//! What every command is given: the common options, the two outputs, and the one async runtime.

use super::args::Common;
use super::error::Error;
use super::output::Output;
use std::future::Future;

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

    /// Runs a future to its end on a runtime of one thread, this one.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(Error::Runtime)?;
        Ok(runtime.block_on(future))
    }
}
