//! `mcpwatch trust`: shows what a lock holds, or what changed in it since it was trusted, and asks
//! once whether this person accepts exactly that content on this machine. `--level`, `--settings` and
//! `--brought` decide how firmly the watch holds (`loosen`).

use crate::cli::answer::{About, answer};
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::loosen::{self, Brought};
use crate::cli::prompt::{Choice, Terminal};
use crate::cli::render::human::{DIM, RED, YELLOW, count, paint};
use crate::cli::render::{listing, outcome, review};
use crate::engine::approval::Level;
use crate::engine::lockfile::{Lockfile, ServerPin};
use crate::engine::review as lines;
use crate::engine::secret::Known;
use crate::engine::show;
use crate::store::decide::Act;
use crate::store::trust::Standing;
use crate::survey::plan::Plan;
use crate::survey::trust::{self, Difference, What};
use crate::survey::{Ground, decide};
use std::path::{Path, PathBuf};

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The lock; without it, those of this project and of the user
    file: Option<PathBuf>,
    /// Take trust in the lock back
    #[arg(long)]
    revoke: bool,
    /// Set how firmly decisions must be answered for: `terminal`, or `code` for a code that a desktop
    /// notification shows
    #[arg(long, value_name = "LEVEL", conflicts_with_all = ["file", "revoke"])]
    level: Option<Level>,
    /// Show what `config.toml` loosens, and accept exactly that
    #[arg(long, conflicts_with_all = ["file", "revoke", "level"])]
    settings: bool,
    /// Whether an environment may bring its own trust: `--trust-lock`, a moved MCPWATCH_HOME
    #[arg(long, value_name = "WHETHER", conflicts_with_all = ["file", "revoke", "level", "settings"])]
    brought: Option<Brought>,
}

/// Shows and asks for each lock.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    match args {
        Args { level: Some(level), .. } => return loosen::level(*level, app, &ground),
        Args { settings: true, .. } => return loosen::settings(app, &ground),
        Args { brought: Some(may), .. } => return loosen::brought(*may, app, &ground),
        Args { .. } => {}
    }
    let mut request = app.ask(&[]);
    request.lock = args.file.clone().or(request.lock);
    let mut plan = app.pinned_plan(&request, &ground)?;
    let mut terminal = None;
    for lock in 0..plan.locks.len() {
        if plan.locks[lock].loaded.is_none() {
            continue;
        }
        let path = listing::short_path(&plan.locks[lock].path, &ground);
        if args.revoke {
            decide::carry_out(
                &mut plan,
                lock,
                vec![Act::Distrust],
                Some(Level::Terminal),
                &Known::default(),
                &ground,
            )?;
            app.out.say(&format!("{path} is not trusted any more."));
            continue;
        }
        if plan.locks[lock].is_trusted() {
            app.out.say(&format!("{path} is trusted as it is."));
            continue;
        }
        let terminal = match &mut terminal {
            Some(terminal) => terminal,
            none => none.insert(Terminal::open()?),
        };
        ask(terminal, app, &mut plan, lock, &ground)?;
    }
    let open = plan.locks.iter().filter(|lock| lock.loaded.is_some()).any(|lock| !lock.is_trusted());
    Ok(if open && !args.revoke { Exit::ChangeWaits } else { Exit::Done })
}

/// Shows one lock and asks for it; whether it is trusted now.
pub fn ask(
    terminal: &mut Terminal,
    app: &App,
    plan: &mut Plan,
    lock: usize,
    ground: &Ground,
) -> Result<bool, Error> {
    let Some(loaded) = plan.locks[lock].loaded.clone() else { return Ok(false) };
    let folder = loaded.path.parent().unwrap_or(&ground.cwd).to_owned();
    let before = trust::trusted_before(&plan.locks[lock], ground)?;
    let nothing = Lockfile::default();
    let differences = trust::differences(before.as_ref().unwrap_or(&nothing), &loaded.lockfile, &folder);
    let path = listing::short_path(&plan.locks[lock].path, ground);
    let opening = match (plan.locks[lock].standing, &before) {
        (Standing::Changed { .. }, Some(_)) => format!("{path} changed since you trusted it:"),
        (Standing::Changed { .. }, None) => {
            format!("{path} is not the content that you trusted, and that content is kept no more. It pins:")
        }
        (Standing::Never | Standing::Trusted, _) => {
            format!("{path} is not trusted on this machine. It pins:")
        }
    };
    terminal.show(&format!("\n{opening}\n"))?;
    terminal.show(&text(&differences, &folder, false))?;
    let choices = [
        Choice { key: 'y', label: "trust it" },
        Choice { key: 'n', label: "not now" },
        Choice { key: 'f', label: "show everything" },
    ];
    loop {
        match terminal.ask(&format!("Trust {path}, exactly as it is?"), &choices)? {
            'f' => terminal.show(&text(&differences, &folder, true))?,
            'y' => break,
            _ => return Ok(false),
        }
    }
    let values = trust::values(plan, lock);
    let (server, items) =
        (folder.file_name().unwrap_or_default().to_string_lossy(), loaded.lockfile.servers.len());
    let about = About { lock: &loaded.path, server: &server, verb: "trust", items, offer: loaded.digest };
    let answered = Some(answer(terminal, &about, ground)?);
    decide::carry_out(plan, lock, vec![Act::Trust { values }], answered, &Known::default(), ground)?;
    plan.locks[lock].standing = Standing::Trusted;
    app.out.say(&format!("{path} is trusted on this machine."));
    Ok(true)
}

fn text(differences: &[Difference], folder: &Path, full: bool) -> String {
    let mut text = String::new();
    for difference in differences {
        let name = paint(super::super::render::human::BOLD, &show::name(&difference.name));
        match &difference.what {
            What::Removed => text.push_str(&format!("  {} {name} is gone\n", paint(RED, "-"))),
            What::Added(pin) => {
                text.push_str(&format!("  + {name}  {}\n", paint(DIM, &contents(pin, folder))));
                text.push_str(&format!("      {}\n", show::line(&pin.launch.describe(), 160)));
                if full {
                    let set = trust::whole(pin, folder);
                    for line in lines::lines(&set, true).iter().skip(1) {
                        text.push_str(&format!("      {}\n", review::line(line)));
                    }
                }
            }
            What::Changed { launch, artifact, set } => {
                let size = lines::size(set, false);
                text.push_str(&format!("  ~ {name}  {}\n", paint(DIM, &size.to_string())));
                for change in launch {
                    let words = show::line(&change.to_string(), 400);
                    text.push_str(&format!("      {}\n", paint(YELLOW, &format!("~ {words}"))));
                }
                for change in artifact {
                    let words = show::line(&change.to_string(), 400);
                    text.push_str(&format!("      {}\n", paint(YELLOW, &format!("~ {words}"))));
                }
                for line in lines::lines(set, full).iter().skip(1) {
                    text.push_str(&format!("      {}\n", review::line(line)));
                }
            }
        }
    }
    if differences.is_empty() {
        text.push_str(&format!("  {}\n", count(0, "server", "servers")));
    }
    text
}

fn contents(pin: &ServerPin, folder: &Path) -> String {
    outcome::contents(&trust::surface_of(pin, folder))
}
