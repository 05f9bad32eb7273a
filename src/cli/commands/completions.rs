//! `mcpwatch completions SHELL`: prints a completion script.

use crate::cli::app::App;
use crate::cli::args::Cli;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use clap::CommandFactory;

/// What the command takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "For example, in ~/.bashrc: source <(mcpwatch completions bash)")]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mcpwatch", &mut script);
    app.out.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
