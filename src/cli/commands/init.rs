//! `mcpwatch init [NAME…]`: reads what is configured, shows it, and pins what the person takes.
//!
//! With `--yes` everything that can be read is pinned, and nothing is trusted: that needs a person.

use super::{service, wrap};
use crate::cli::answer::{About, answer};
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::prompt::{Choice, Terminal};
use crate::cli::proposing;
use crate::cli::reading::{self, Width};
use crate::cli::render::human::{self, DIM, count, paint};
use crate::cli::render::{json, listing, outcome, review, surface};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::Object;
use crate::engine::secret::Known;
use crate::engine::show;
use crate::store::decide::Act;
use crate::survey::judge::{New, Outcome};
use crate::survey::plan::{Ask, Plan, Server, Standing};
use crate::survey::proposals::{self, Refused};
use crate::survey::reading::Views;
use crate::survey::{Ground, decide};
use std::collections::BTreeMap;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names
    names: Vec<String>,
    /// Pin everything without asking; the lock is written and not trusted
    #[arg(long)]
    yes: bool,
    /// Only what this project configures, into the project's mcp.lock
    #[arg(long)]
    project: bool,
    #[command(flatten)]
    width: Width,
}

/// Reads, shows, asks, pins.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(&args.names);
    (ask.yes, ask.project) = (args.yes, args.project);
    let mut plan = app.plan(&ask, &ground)?;
    let unread = app.tell_problems(&plan);
    if plan.servers.is_empty() && plan.problems.is_empty() {
        app.out.say(&listing::nothing_found(&plan, &ground));
        return done(app, &plan, &[], Vec::new());
    }
    let mut terminal = if args.yes { None } else { Some(Terminal::open()?) };
    if let Some(terminal) = &mut terminal {
        plan = ask_to_start(terminal, app, plan, &mut ask, &ground)?;
    }
    let pinned = leave_pinned(app, &mut plan, args.names.is_empty());
    let outcomes = reading::read(app, &plan, args.width, Views::All, &ground)?;
    let servers = plan.servers.clone();
    let mut done_codes = vec![unread.unwrap_or(Exit::Done)];
    let (mut taken, mut left, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut all = args.yes;
    let mut batch = Batch::default();
    for (index, (server, found)) in servers.iter().zip(&outcomes).enumerate() {
        let mut members = outcome::members(&plan, server, found, false, &ground);
        done_codes.push(scan_exit(found));
        let mut pinned = false;
        if let Outcome::NotPinned(new) = found {
            let later = later(&servers, &outcomes, index);
            let how = (&mut all, &mut batch);
            match take(app, &mut terminal, how, &mut plan, (server, new), &later, &ground)? {
                Taken::Yes => {
                    pinned = true;
                    taken.push(server);
                }
                Taken::No => left.push(server.name.clone()),
                Taken::Failed => done_codes.push(Exit::Failed),
                Taken::Quit => break,
            }
        }
        members.insert("pinned", pinned);
        values.push(members);
    }
    batch.carry_out(&mut terminal, &mut plan, &ground)?;
    report(app, &plan, &taken, &left, if args.names.is_empty() { pinned } else { 0 }, &ground);
    let mut failures = Vec::new();
    for (server, found) in servers.iter().zip(&outcomes) {
        match found {
            Outcome::Failed(failure) => app.out.warn(&outcome::failed(server, failure)),
            Outcome::NotStarted(why) => app.out.warn(&outcome::not_started(server, why)),
            _ => continue,
        }
        failures.push(show::name(&server.name));
    }
    if !failures.is_empty() {
        app.out.warn(&format!(
            "{} not pinned. Run `mcpwatch init {}` when that is settled.",
            count(failures.len(), "server is", "servers are"),
            failures.join(" ")
        ));
    }
    let names: Vec<String> = taken.iter().map(|server| server.name.clone()).collect();
    if let Some(terminal) = &mut terminal {
        wrap::offer(app, terminal, &names, &ground)?;
        // Files that were named for this run alone are not watched.
        if !names.is_empty() && ask.configs.is_empty() && ask.lock.is_none() {
            service::offer(app, terminal)?;
        }
    }
    done(app, &plan, &done_codes, values)
}

/// The servers to ask about after this one.
fn later<'a>(servers: &'a [Server], outcomes: &'a [Outcome], index: usize) -> Vec<(&'a Server, &'a New)> {
    let new = |(server, outcome): (&'a Server, &'a Outcome)| match outcome {
        Outcome::NotPinned(new) if new.draft.is_ok() => Some((server, &**new)),
        _ => None,
    };
    servers.iter().zip(outcomes).skip(index + 1).filter_map(new).collect()
}

/// What became of one server.
enum Taken {
    Yes,
    No,
    Failed,
    Quit,
}

/// What was decided at once ("all", or by a script), carried out at once: one write of each lock and of
/// the trust store, not one for each server. What was answered one by one is written one by one, so that
/// no answer is lost.
#[derive(Default)]
struct Batch<'a>(BTreeMap<usize, Vec<(&'a Server, &'a New, Act)>>);

impl Batch<'_> {
    fn carry_out(
        self,
        terminal: &mut Option<Terminal>,
        plan: &mut Plan,
        ground: &Ground,
    ) -> Result<(), Error> {
        for (lock, decided) in self.0 {
            let path = plan.locks[lock].path.clone();
            let offers: String = decided.iter().map(|(_, new, _)| new.offer.to_string()).collect();
            let items = decided.iter().map(|(_, new, _)| new.full.changes.len()).sum();
            let (server, offer) = match decided.as_slice() {
                [(server, new, _)] => (server.name.as_str(), new.offer),
                _ => ("all", Digest::of_bytes(Tag::Offer, offers.as_bytes())),
            };
            let about = About { lock: &path, server, verb: "approve", items, offer };
            let answered = terminal.as_mut().map(|terminal| answer(terminal, &about, ground)).transpose()?;
            let secrets = decided.iter().map(|(_, new, _)| new.shown.secrets.clone());
            let secrets = secrets.reduce(Known::and).unwrap_or_default();
            let acts = decided.iter().map(|(_, _, act)| act.clone()).collect();
            if let Err(error) = decide::carry_out(plan, lock, acts, answered, &secrets, ground) {
                if decided.len() == 1 {
                    return Err(error.into());
                }
                // One of them cannot be pinned; those before it can.
                for (_, new, act) in decided {
                    decide::carry_out(plan, lock, vec![act], answered, &new.shown.secrets, ground)?;
                }
            }
        }
        Ok(())
    }
}

/// Asks about one server and pins it, or puts it into the batch where that was decided for all.
fn take<'a>(
    app: &App,
    terminal: &mut Option<Terminal>,
    (all, batch): (&mut bool, &mut Batch<'a>),
    plan: &mut Plan,
    (server, new): (&'a Server, &'a New),
    later: &[(&Server, &New)],
    ground: &Ground,
) -> Result<Taken, Error> {
    if let Err(echo) = &new.draft {
        app.out.warn(&format!("{} is not pinned: {echo}\n    {}", show::name(&server.name), echo.hint()));
        return Ok(Taken::Failed);
    }
    let proposed = new.draft.iter().flat_map(|draft| proposals::grouped(draft, |_| true));
    let (proposed, mut refused) = (proposed.collect::<Vec<_>>(), Refused::default());
    if let Some(terminal) = terminal.as_mut().filter(|_| !*all) {
        match ask_to_pin(terminal, server, new, later, ground)? {
            'y' => refused = proposing::ask(terminal, &server.name, &proposed)?,
            'a' => *all = true,
            'q' => return Ok(Taken::Quit),
            _ => return Ok(Taken::No),
        }
    } else {
        let withheld = new.draft.as_ref().map(|draft| draft.withheld.as_slice()).unwrap_or_default();
        proposing::say(app, &server.name, &proposed, withheld);
    }
    let act = decide::addition(server, new, &refused)?;
    if *all {
        batch.0.entry(server.lock).or_default().push((server, new, act));
        return Ok(Taken::Yes);
    }
    let lock = plan.locks[server.lock].path.clone();
    let items = new.full.changes.len();
    let about = About { lock: &lock, server: &server.name, verb: "approve", items, offer: new.offer };
    let answered = terminal.as_mut().map(|terminal| answer(terminal, &about, ground)).transpose()?;
    decide::carry_out(plan, server.lock, vec![act], answered, &new.shown.secrets, ground)?;
    Ok(Taken::Yes)
}

/// Shows a server whole and asks; `later` is what comes after it, for whoever wants to pin all at once.
fn ask_to_pin(
    terminal: &mut Terminal,
    server: &Server,
    new: &New,
    later: &[(&Server, &New)],
    ground: &Ground,
) -> Result<char, Error> {
    terminal.show(&whole(server, new, false, ground))?;
    let choices = [
        Choice { key: 'y', label: "pin it" },
        Choice { key: 'n', label: "not now" },
        Choice { key: 'f', label: "show everything" },
        Choice { key: 'a', label: "all" },
        Choice { key: 'q', label: "quit" },
    ];
    loop {
        match terminal.ask(&format!("Pin {}?", listing::heading(server)), &choices)? {
            'f' => terminal.show(&whole(server, new, true, ground))?,
            'a' => {
                // Nothing is pinned that was not shown.
                for (server, new) in later {
                    terminal.show(&whole(server, new, false, ground))?;
                }
                if terminal.confirm("Pin all of this?")? {
                    return Ok('a');
                }
            }
            key => return Ok(key),
        }
    }
}

/// A server, what it runs, and everything that it shows.
fn whole(server: &Server, new: &New, full: bool, ground: &Ground) -> String {
    let lines = review::new(new, full);
    let size = count(lines.len(), "line", "lines");
    let mut text = format!("\n{}\n", outcome::read(server, &new.shown.full, &size));
    text.push_str(&format!("    {}\n", listing::launch(server, ground)));
    if let Some(words) = surface::artifact(&new.shown.artifact) {
        text.push_str(&format!("    {}\n", paint(DIM, &words)));
    }
    lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    text
}

/// Asks whether to start what a project's files name, which whoever cloned them did not write.
pub(super) fn ask_to_start(
    terminal: &mut Terminal,
    app: &App,
    plan: Plan,
    ask: &mut Ask,
    ground: &Ground,
) -> Result<Plan, Error> {
    let waits = |server: &&Server| {
        matches!(&server.standing, Standing::Unresolved(crate::discover::Unresolved::NotAsked { .. }))
    };
    let names: Vec<&Server> = plan.servers.iter().filter(waits).collect();
    if names.is_empty() {
        return Ok(plan);
    }
    let mut text = "\nThis project's files name servers that you have not asked for:\n".to_owned();
    for server in names {
        text.push_str(&format!("  {}  {}\n", listing::heading(server), listing::launch(server, ground)));
    }
    terminal.show(&text)?;
    if !terminal.confirm("Start them, to see what they show?")? {
        return Ok(plan);
    }
    ask.yes = true;
    app.plan(ask, ground)
}

/// Leaves out what is pinned already, and tells of it.
fn leave_pinned(app: &App, plan: &mut Plan, all: bool) -> usize {
    let (pinned, new): (Vec<Server>, Vec<Server>) =
        std::mem::take(&mut plan.servers).into_iter().partition(|server| server.pin.is_some());
    plan.servers = new;
    if !pinned.is_empty() && !all {
        let names: Vec<String> = pinned.iter().map(|server| server.name.clone()).collect();
        app.out.say(&format!("{} pinned already; `mcpwatch approve` reviews changes.", human::names(&names)));
    }
    pinned.len()
}

fn scan_exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Failed(_) | Outcome::NotStarted(_) => Exit::Failed,
        Outcome::AsPinned(_) | Outcome::Changed(_) | Outcome::NotPinned(_) | Outcome::Disabled => Exit::Done,
    }
}

/// The words on stderr: what was pinned, where, and what comes next.
fn report(app: &App, plan: &Plan, taken: &[&Server], left: &[String], pinned: usize, ground: &Ground) {
    for (index, lock) in plan.locks.iter().enumerate() {
        let names: Vec<String> =
            taken.iter().filter(|server| server.lock == index).map(|server| server.name.clone()).collect();
        if names.is_empty() {
            continue;
        }
        let path = listing::short_path(&lock.path, ground);
        app.out.say(&format!(
            "Pinned {} in {path}: {}.",
            count(names.len(), "server", "servers"),
            human::names(&names)
        ));
        if lock.project {
            app.out.say("Commit it, and let CI run `mcpwatch check --trust-lock`.");
        }
    }
    if !left.is_empty() {
        app.out.say(&format!("Left out: {}.", human::names(left)));
    }
    if taken.is_empty() && left.is_empty() && pinned > 0 {
        app.out.say(&format!("{} pinned already.", count(pinned, "server is", "servers are")));
    }
    if !taken.is_empty() {
        app.out.say("`mcpwatch check` tells whether anything changed.");
    }
}

fn done(app: &App, plan: &Plan, codes: &[Exit], servers: Vec<Object>) -> Result<Exit, Error> {
    let exit = codes.iter().fold(Exit::Done, |exit, code| exit.and(*code));
    if app.common.json() {
        app.out.data(&json::of_servers("init", (exit, codes), servers, &plan.problems))?;
    }
    Ok(exit)
}
