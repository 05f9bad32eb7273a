//! `mcpwatch fmt [FILE…]`: writes locks the one way they are written, after a merge for example.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::store::{decide, locks};
use crate::survey::{SurveyError, machine};
use std::path::PathBuf;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The locks; without them, the one that governs this folder
    files: Vec<PathBuf>,
    /// Write nothing; exit with 1 if a lock is written otherwise
    #[arg(long)]
    check: bool,
}

/// Renders each lock anew.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut files = args.files.clone();
    if files.is_empty() {
        files.extend(app.common.lock.clone().or_else(|| locks::governing(&ground.cwd)));
    }
    if files.is_empty() {
        files.push(ground.paths.user_lock());
    }
    let mut exit = Exit::Done;
    for file in files {
        if args.check {
            let loaded = locks::load(&file).map_err(SurveyError::from)?;
            let loaded = loaded.ok_or_else(|| Error::NothingPinned { path: Some(file.clone()) })?;
            let bytes = locks::render(&file, &loaded.lockfile).map_err(SurveyError::from)?;
            if bytes != loaded.bytes {
                app.out.warn(&format!("{} is not written the way `mcpwatch fmt` writes it.", file.display()));
                exit = Exit::ChangeWaits;
            }
            continue;
        }
        let done = decide::format(&ground.paths, &file, machine::now()).map_err(SurveyError::from)?;
        let what = if done.written { "Wrote" } else { "Nothing to change in" };
        app.out.say(&format!("{what} {}.", file.display()));
    }
    Ok(exit)
}
