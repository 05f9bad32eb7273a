//! `mcpwatch approve [NAME]`: shows what changed and takes the person's decisions.
//!
//! Promises: a decision is typed on the controlling terminal, after its words were shown there; what
//! is approved is what was shown. `--expect DIGEST` approves, for a script, exactly the offer of that
//! digest, and gives no trust.

use crate::cli::answer::{About, answer};
use crate::cli::app::App;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::prompt::{Choice, Terminal};
use crate::cli::proposing;
use crate::cli::reading::{self, Width};
use crate::cli::render::human::{self, DIM, paint};
use crate::cli::render::{json, outcome, proposals as words, review};
use crate::engine::approval::Lifetime;
use crate::engine::digest::Digest;
use crate::engine::show;
use crate::survey::Ground;
use crate::survey::decide::{self, Part};
use crate::survey::judge::{Change, Outcome};
use crate::survey::plan::{Plan, Server};
use crate::survey::proposals::Refused;
use crate::survey::reading::Views;
use std::collections::BTreeSet;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only servers of these names
    names: Vec<String>,
    /// Approve exactly the offer of this digest, without asking; the lock is written and not trusted
    #[arg(long, value_name = "DIGEST", requires = "names")]
    expect: Option<Digest>,
    /// Approve for one session of the gate: the next one, or the one that runs
    #[arg(long, conflicts_with = "expect")]
    once: bool,
    /// Approve until the end of this day, like 2027-01-31; without this and --once, until it changes
    #[arg(long, value_name = "DATE", value_parser = date, conflicts_with_all = ["expect", "once"])]
    until: Option<Lifetime>,
    /// Unfold noise, long names and removed text
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    width: Width,
}

/// A day that is not over yet.
fn date(text: &str) -> Result<Lifetime, String> {
    let lifetime = text.parse().ok().filter(|lifetime| matches!(lifetime, Lifetime::Until(_)));
    let lifetime = lifetime.ok_or("expected a date like 2027-01-31")?;
    if lifetime.holds_on(&jiff::Zoned::now().date().to_string()) {
        Ok(lifetime)
    } else {
        Err("that day is over".to_owned())
    }
}

/// Reads, shows, asks, approves.
pub fn run(args: &Args, app: &App) -> Result<Exit, Error> {
    let ground = app.ground()?;
    let mut ask = app.ask(&args.names);
    ask.yes = args.expect.is_some();
    let mut plan = app.pinned_plan(&ask, &ground)?;
    let mut terminal = if args.expect.is_some() { None } else { Some(Terminal::open()?) };
    if let Some(terminal) = &mut terminal {
        trust_first(terminal, app, &mut plan, &ground)?;
        // A trusted lock may start what it pins; for the rest the person is asked.
        let ground = app.ground()?;
        plan = app.plan(&ask, &ground)?;
        plan.servers.retain(|server| server.pin.is_some());
        plan = super::init::ask_to_start(terminal, app, plan, &mut ask, &ground)?;
    }
    let ground = app.ground()?;
    plan.servers.retain(|server| server.pin.is_some());
    // What could not be read may have changed as well.
    let unread = app.tell_problems(&plan);
    let outcomes = reading::read(app, &plan, args.width, Views::All, &ground)?;
    let lifetime = match &args.until {
        _ if args.once => Lifetime::Once,
        Some(until) => until.clone(),
        None => Lifetime::UntilChange,
    };
    let how =
        How { command: "approve", expect: args.expect, lifetime, full: args.full, upgrades: false, unread };
    decide_on(app, &mut plan, &outcomes, terminal, how, &ground)
}

/// How decisions are taken.
pub(super) struct How {
    /// The command, as its JSON names it.
    pub command: &'static str,
    /// Approve exactly the offer of this digest, without asking.
    pub expect: Option<Digest>,
    /// For how long items are approved; what has no end (launch, artifact, an item that is gone) is
    /// not asked about with one.
    pub lifetime: Lifetime,
    /// Show everything.
    pub full: bool,
    /// Whether nothing of another version counts before that version does.
    pub upgrades: bool,
    /// The exit code that configurations ask for which could not be read.
    pub unread: Option<Exit>,
}

/// Shows what changed, takes the decisions and tells the store.
pub(super) fn decide_on(
    app: &App,
    plan: &mut Plan,
    outcomes: &[Outcome],
    terminal: Option<Terminal>,
    how: How,
    ground: &Ground,
) -> Result<Exit, Error> {
    let servers = plan.servers.clone();
    let mut session =
        Session { terminal, lifetime: how.lifetime.clone(), full: how.full, all: false, quit: false };
    let (mut codes, mut values, mut approved) = (Vec::from_iter(how.unread), Vec::new(), Vec::new());
    for (index, (server, found)) in servers.iter().zip(outcomes).enumerate() {
        let mut members = outcome::members(plan, server, found, false, ground);
        let mut exit = outcome::exit(found);
        match found {
            Outcome::Changed(change) | Outcome::AsPinned(change)
                if change.waits() || change.rest.is_some() =>
            {
                let later = later(&servers, outcomes, index);
                let made = session.decide(app, plan, (server, change), &later, &how)?;
                if made.items > 0 {
                    approved.push(server.name.clone());
                }
                exit = if made.open { Exit::ChangeWaits } else { Exit::Done };
                members.insert("approved", json::number(made.items));
            }
            Outcome::Failed(failure) => app.out.warn(&outcome::failed(server, failure)),
            Outcome::NotStarted(why) => app.out.warn(&outcome::not_started(server, why)),
            Outcome::Changed(_) | Outcome::AsPinned(_) | Outcome::NotPinned(_) | Outcome::Disabled => {}
        }
        codes.push(exit);
        values.push(members);
        if session.quit {
            codes.push(Exit::ChangeWaits);
            break;
        }
    }
    let exit = codes.iter().fold(Exit::Done, |exit, code| exit.and(*code));
    say(app, &approved, &how.lifetime, exit);
    if app.common.json() {
        app.out.data(&json::of_servers(how.command, (exit, &codes), values, &plan.problems))?;
    }
    Ok(exit)
}

/// The questions of one run.
struct Session {
    terminal: Option<Terminal>,
    lifetime: Lifetime,
    full: bool,
    all: bool,
    quit: bool,
}

/// What was decided on of one server.
#[derive(Default)]
struct Made {
    /// How many questions were answered with yes.
    items: usize,
    /// Whether something was left open.
    open: bool,
    /// Whether the offer that a script names was among them.
    found: bool,
}

impl Session {
    /// Decides on one server: on what was read, with what a gate saw last in it, then on what each older
    /// session of a gate saw otherwise. A script's digest names one of them.
    fn decide(
        &mut self,
        app: &App,
        plan: &mut Plan,
        (server, change): (&Server, &Change),
        later: &[(&Server, &Change)],
        how: &How,
    ) -> Result<Made, Error> {
        let mut made = Made::default();
        let mut goes_on = self.decide_one(app, plan, (server, change), later, how, &mut made)?;
        let mut next = reading::further(app, plan, server, change)?;
        while let Some((server, change)) = next.take() {
            if !goes_on {
                made.open = true;
                break;
            }
            goes_on = self.decide_one(app, plan, (&server, &change), &[], how, &mut made)?;
            next = reading::further(app, plan, &server, &change)?;
        }
        match how.expect {
            Some(_) if !made.found => {
                Err(Error::OtherOffer { name: server.name.clone(), offer: change.offer })
            }
            _ => Ok(made),
        }
    }

    /// Decides on one offer; whether others are still to be looked at.
    fn decide_one(
        &mut self,
        app: &App,
        plan: &mut Plan,
        (server, change): (&Server, &Change),
        later: &[(&Server, &Change)],
        how: &How,
        made: &mut Made,
    ) -> Result<bool, Error> {
        if !change.waits() {
            return Ok(true);
        }
        let ground = app.ground()?;
        let all: BTreeSet<Part> = decide::parts(change).into_iter().collect();
        // Kept before it is shown, so that nothing slides under the review.
        let _read = decide::review(change, &ground)?;
        let parts = match how.expect {
            Some(digest) if digest == change.offer => all.clone(),
            Some(_) => {
                made.open = true;
                return Ok(true);
            }
            None => self.ask(server, change, later)?,
        };
        let moved = !how.upgrades || parts.contains(&Part::Artifact);
        let parts = if moved { parts } else { BTreeSet::new() };
        if !parts.is_empty() {
            let refused = self.ask_placeholders(app, server, change, &parts)?;
            let acts = decide::approvals(server, change, &parts, &refused, &how.lifetime)?;
            let lock = plan.locks[server.lock].path.clone();
            let (name, items, offer) = (&server.name, parts.len(), change.offer);
            let about = About { lock: &lock, server: name, verb: "approve", items, offer };
            let terminal = self.terminal.as_mut();
            let answered = terminal.map(|terminal| answer(terminal, &about, &ground)).transpose()?;
            decide::carry_out(plan, server.lock, acts, answered, &change.shown.secrets, &ground)?;
        }
        made.items += parts.len();
        made.open |= parts != all;
        made.found |= how.expect.is_some();
        // Whoever decides on everything at once was shown what was read, and no older sighting.
        Ok(how.expect.is_none() && !self.quit && !self.all)
    }

    /// Shows what changed of one server and asks; the parts that were approved. `later` is what comes
    /// after it, for whoever wants to decide on everything at once.
    fn ask(
        &mut self,
        server: &Server,
        change: &Change,
        later: &[(&Server, &Change)],
    ) -> Result<BTreeSet<Part>, Error> {
        let parts = decide::parts_for(change, &self.lifetime);
        if self.all {
            return Ok(parts.into_iter().collect());
        }
        let Some(terminal) = &mut self.terminal else { return Ok(BTreeSet::new()) };
        open(terminal, server, change)?;
        if parts.len() < decide::parts(change).len() {
            terminal.show("  Only items can be approved for a time; the rest waits.\n")?;
        }
        let mut made = BTreeSet::new();
        for (index, part) in parts.iter().enumerate() {
            show(terminal, change, *part, self.full)?;
            let question = format!("{} {}/{}: approve?", show::name(&server.name), index + 1, parts.len());
            match choose(terminal, change, *part, &question)? {
                'y' => {
                    made.insert(*part);
                }
                's' => {
                    // Nothing is approved that was not shown: the rest is shown before it counts.
                    show_rest(terminal, change, &parts[index + 1..], self.full)?;
                    if index + 1 == parts.len() || terminal.confirm("Approve all of this?")? {
                        made.extend(parts[index..].iter().copied());
                    }
                    break;
                }
                'a' => {
                    show_rest(terminal, change, &parts[index + 1..], self.full)?;
                    for (server, change) in later {
                        open(terminal, server, change)?;
                        show_rest(terminal, change, &decide::parts_for(change, &self.lifetime), self.full)?;
                    }
                    if terminal.confirm("Approve all of this?")? {
                        self.all = true;
                        made.extend(parts[index..].iter().copied());
                    }
                    break;
                }
                'q' => {
                    self.quit = true;
                    break;
                }
                _ => {}
            }
        }
        Ok(made)
    }
}

impl Session {
    /// Asks which placeholders the approval of these parts may put in; what was refused. Whoever approved
    /// everything at once was shown them with the rest, and a script's are told.
    fn ask_placeholders(
        &mut self,
        app: &App,
        server: &Server,
        change: &Change,
        made: &BTreeSet<Part>,
    ) -> Result<Refused, Error> {
        let placing = decide::proposals(server, change, made)?;
        match self.terminal.as_mut().filter(|_| !self.all) {
            Some(terminal) => proposing::ask(terminal, &server.name, &placing.proposed),
            None => {
                proposing::say(app, &server.name, &placing.proposed, &placing.withheld);
                Ok(Refused::default())
            }
        }
    }
}

/// The changed servers after this one.
fn later<'a>(servers: &'a [Server], outcomes: &'a [Outcome], index: usize) -> Vec<(&'a Server, &'a Change)> {
    let changed = |(server, outcome): (&'a Server, &'a Outcome)| match outcome {
        Outcome::Changed(change) => Some((server, &**change)),
        _ => None,
    };
    servers.iter().zip(outcomes).skip(index + 1).filter_map(changed).collect()
}

fn open(terminal: &mut Terminal, server: &Server, change: &Change) -> Result<(), Error> {
    let cause = paint(DIM, &review::cause(change));
    terminal.show(&format!("\n{}\n  {cause}\n", outcome::changed(server, change)))?;
    let seen = change.seen.iter().flat_map(review::seen);
    seen.into_iter().try_for_each(|line| terminal.show(&format!("  {line}\n")))?;
    let all: BTreeSet<Part> = decide::parts(change).into_iter().collect();
    let placing = decide::proposals(server, change, &all)?;
    words::placing(&placing).iter().try_for_each(|line| terminal.show(&format!("  {line}\n")))
}

fn choose(terminal: &mut Terminal, change: &Change, part: Part, question: &str) -> Result<char, Error> {
    let choices = [
        Choice { key: 'y', label: "yes" },
        Choice { key: 'n', label: "no" },
        Choice { key: 's', label: "all of this server" },
        Choice { key: 'a', label: "all" },
        Choice { key: 'f', label: "show everything" },
        Choice { key: 'q', label: "quit" },
    ];
    loop {
        match terminal.ask(question, &choices)? {
            'f' => show(terminal, change, part, true)?,
            key => return Ok(key),
        }
    }
}

fn show(terminal: &mut Terminal, change: &Change, part: Part, full: bool) -> Result<(), Error> {
    let text: String = review::part(change, part, full).iter().map(|line| format!("  {line}\n")).collect();
    terminal.show(&format!("\n{text}"))
}

fn show_rest(terminal: &mut Terminal, change: &Change, parts: &[Part], full: bool) -> Result<(), Error> {
    parts.iter().try_for_each(|part| show(terminal, change, *part, full))
}

/// Nothing is added to a lock whose present content this person has not accepted.
pub(super) fn trust_first(
    terminal: &mut Terminal,
    app: &App,
    plan: &mut Plan,
    ground: &Ground,
) -> Result<(), Error> {
    for lock in 0..plan.locks.len() {
        let concerned = plan.servers.iter().any(|server| server.lock == lock && server.pin.is_some());
        if concerned && plan.locks[lock].loaded.is_some() && !plan.locks[lock].is_trusted() {
            super::trust::ask(terminal, app, plan, lock, ground)?;
        }
    }
    Ok(())
}

fn say(app: &App, approved: &[String], lifetime: &Lifetime, exit: Exit) {
    if !approved.is_empty() {
        let how_long = match lifetime {
            Lifetime::Once => " for one session of the gate; the lock stays as it is".to_owned(),
            Lifetime::Until(date) => format!(" until {date}; the lock stays as it is"),
            Lifetime::UntilChange => String::new(),
        };
        app.out.say(&format!("Approved changes of {}{how_long}.", human::names(approved)));
    }
    match exit {
        Exit::Done if approved.is_empty() => app.out.say("Nothing waits for a decision."),
        Exit::ChangeWaits => app.out.say("Some changes wait still. `mcpwatch reject NAME` turns them down."),
        Exit::Done | Exit::Usage | Exit::Failed | Exit::Interrupted | Exit::Server(_) => {}
    }
}
