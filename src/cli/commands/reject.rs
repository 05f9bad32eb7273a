//! `mcpwatch reject NAME [ITEM…]`: turns down what a server offers now. It stays blocked, whatever a
//! trusted lock says, until the server offers something else or it is approved after all.

use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::reading::{self, Width};
use crate::cli::render::human::count;
use crate::cli::render::{outcome, review};
use crate::engine::approval::Level;
use crate::survey::judge::{Change, Outcome};
use crate::survey::plan::{Plan, Server};
use crate::survey::reading::Views;
use crate::survey::{Ground, decide};

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server
    name: String,
    /// Only these tools, prompts or other items; everything that changed without them
    items: Vec<String>,
    #[command(flatten)]
    width: Width,
}

/// Reads, shows, turns down.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut plan = app.plan(&app.ask(std::slice::from_ref(&args.name)), &ground)?;
    plan.servers.retain(|server| server.pin.is_some());
    let unread = app.tell_problems(&plan);
    let outcomes = reading::read(app, &plan, args.width, Views::All, &ground)?;
    let servers = plan.servers.clone();
    let (mut turned_down, mut exit) = (0, unread.unwrap_or(Exit::Done));
    for (server, found) in servers.iter().zip(&outcomes) {
        match found {
            Outcome::Changed(change) => {
                turned_down += turn_down(args, app, &mut plan, (server, change), &ground)?;
                // What older sessions of the gate saw otherwise goes with it.
                let mut next = reading::further(app, &plan, server, change)?;
                while let Some((server, change)) = next {
                    if change.waits() {
                        turned_down += turn_down(args, app, &mut plan, (&server, &change), &ground)?;
                    }
                    next = reading::further(app, &plan, &server, &change)?;
                }
            }
            Outcome::Failed(failure) => {
                app.out.warn(&outcome::failed(server, failure));
                exit = Exit::Failed;
            }
            Outcome::NotStarted(why) => {
                app.out.warn(&outcome::not_started(server, why));
                exit = Exit::Failed;
            }
            Outcome::AsPinned(_) | Outcome::NotPinned(_) | Outcome::Disabled => {}
        }
    }
    if exit == Exit::Done {
        app.out.say(&match turned_down {
            0 => "Nothing to turn down: nothing of that changed.".to_owned(),
            number => format!(
                "Turned down {}. What was approved before stays approved.",
                count(number, "change", "changes")
            ),
        });
    }
    Ok(exit)
}

/// Shows what differs and turns it down; how many changes that were.
fn turn_down(
    args: &Args,
    app: &App,
    plan: &mut Plan,
    (server, change): (&Server, &Change),
    ground: &Ground,
) -> Result<usize, Error> {
    app.out.data(&(outcome::changed(server, change) + "\n"))?;
    for line in review::change(change, false) {
        app.out.data(&format!("  {line}\n"))?;
    }
    let acts = decide::rejections(server, change, &args.items);
    let number = acts.len();
    if number > 0 {
        let (by, secrets) = (Some(Level::Terminal), &change.shown.secrets);
        decide::carry_out(plan, server.lock, acts, by, secrets, ground)?;
    }
    Ok(number)
}
