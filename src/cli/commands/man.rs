//! `mcpwatch man [DIR]`: prints the manual page, or writes one page a command into a folder.

use crate::cli::app::App;
use crate::cli::args::Cli;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::render::reference;
use clap::CommandFactory;
use std::path::PathBuf;

/// What the command takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "For example: mcpwatch man | man -l -")]
pub struct Args {
    /// Write mcpwatch.1 and a page for each command into this folder instead
    dir: Option<PathBuf>,
    /// Print the command reference as Markdown instead
    #[arg(long, conflicts_with = "dir")]
    markdown: bool,
}

/// Prints or writes the pages.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    if args.markdown {
        app.out.data(&reference::markdown(Cli::command()))?;
        return Ok(Exit::Done);
    }
    if let Some(dir) = &args.dir {
        let failed = |source| Error::Write { path: dir.clone(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
        app.out.say(&format!("Wrote the manual pages to {}.", dir.display()));
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Error::Output)?;
    app.out.data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
