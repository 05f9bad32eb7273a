//! `mcpwatch daemon`: watches in the foreground until it is told to end. The service runs this.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::daemon;
use crate::survey::pool;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Watches.
pub fn run(_args: &Args, app: &App) -> Result<Exit, Error> {
    let ready = || app.out.say("Watching. `mcpwatch status` tells how things stand; Ctrl-C ends it.");
    app.block_on(daemon::run(pool::interrupted(), ready))??;
    Ok(Exit::Done)
}
