//! Decisions that loosen the watch: the level, loosened settings, trust that an environment brings,
//! mcpwatch taken out of a client's file.
//!
//! Promises: each is answered at the level in force, logged and announced, and none goes below the
//! machine's policy. What tightens needs no answer.

use super::answer::{About, answer, at_level, needed};
use super::app::App;
use super::error::Error;
use super::exit::Exit;
use super::prompt::Terminal;
use super::render::human::{YELLOW, paint};
use crate::engine::approval::Level;
use crate::engine::digest::{Digest, Tag};
use crate::store::trust as store;
use crate::survey::settings::{self, ACCEPTED};
use crate::survey::{Ground, SurveyError, announce, policy};

/// Whether an environment may bring its own trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Brought {
    /// It may: `--trust-lock` and a moved `MCPWATCH_HOME` are obeyed
    Allow,
    /// It may not
    Refuse,
}

/// Sets the level that decisions need from now on. It is answered at the level in force, and at the new
/// one too: whoever enrols a level has its means.
pub fn level(level: Level, app: &App, ground: &Ground) -> Result<Exit, Error> {
    let in_force = needed(ground)?;
    let question =
        format!("Decisions need the level `{in_force}` here. Shall they need `{level}` from now on?");
    let verb = if level > in_force { "raise" } else { "level" };
    if !confirm(&question, verb, Some(level), ground)? {
        app.out.say("Nothing was changed.");
        return Ok(Exit::Done);
    }
    store::update(&ground.paths, |trust| trust.level = level).map_err(SurveyError::from)?;
    app.out.say(&format!("Decisions need the level `{level}` from now on."));
    Ok(Exit::Done)
}

/// Shows what `config.toml` loosens and has exactly that accepted.
pub fn settings(app: &App, ground: &Ground) -> Result<Exit, Error> {
    let found = settings::of(ground)?;
    let file = ground.paths.config_file();
    let Some(digest) = found.digest else {
        app.out.say(&format!("Nothing in {} loosens the watch.", file.display()));
        return Ok(Exit::Done);
    };
    let values = found.loosened();
    if found.is_accepted {
        app.out.say(&format!("You accepted what {} loosens: {}.", file.display(), values.join(", ")));
        return Ok(Exit::Done);
    }
    let lines: String = values
        .iter()
        .map(|value| format!("  {}\n", paint(YELLOW, &crate::engine::show::line(value, 200))))
        .collect();
    let question = format!("{} loosens the watch:\n{lines}Accept exactly this?", file.display());
    if !confirm(&question, "settings", None, ground)? {
        app.out.say("Nothing was changed; the defaults hold instead.");
        return Ok(Exit::ChangeWaits);
    }
    store::update(&ground.paths, |trust| trust.accept(ACCEPTED, digest)).map_err(SurveyError::from)?;
    app.out.say("Accepted; gates take it up in their next session.");
    Ok(Exit::Done)
}

/// Lets an environment bring its own trust, or takes that back.
pub fn brought(may: Brought, app: &App, ground: &Ground) -> Result<Exit, Error> {
    if ground.paths.is_moved {
        return Err(Error::Moved);
    }
    if may == Brought::Allow {
        let what = "trust that an environment brings";
        policy::allow(&ground.paths, |policy| policy.refuses_brought, what)?;
        let question = "From then on `--trust-lock` and a moved MCPWATCH_HOME are obeyed here, \
                        whoever sets them: a repository can.";
        if !confirm(question, "brought", None, ground)? {
            app.out.say("Nothing was changed.");
            return Ok(Exit::Done);
        }
    }
    let is_allowed = may == Brought::Allow;
    store::update(&ground.paths, |trust| trust.allows_brought = is_allowed).map_err(SurveyError::from)?;
    if !is_allowed {
        // It needs no answer, and is written down and told like any other.
        let level = needed(ground)?;
        let decision = announce::decision("mcpwatch", "brought no more", level);
        announce::say(&ground.paths.user_lock(), decision, ground);
    }
    app.out.say(match may {
        Brought::Allow => "An environment may bring its own trust from now on.",
        Brought::Refuse => "No environment may bring its own trust.",
    });
    Ok(Exit::Done)
}

/// Asks for a decision that loosens, at the level in force (and at `also`, where that is firmer), and
/// tells of it once it is taken.
pub fn confirm(question: &str, verb: &str, also: Option<Level>, ground: &Ground) -> Result<bool, Error> {
    let mut terminal = Terminal::open()?;
    if !terminal.confirm(question)? {
        return Ok(false);
    }
    let offer = Digest::of_bytes(Tag::Offer, question.as_bytes());
    let lock = ground.paths.user_lock();
    let about = About { lock: &lock, server: "mcpwatch", verb, items: 0, offer };
    let level = match also {
        Some(also) => at_level(&mut terminal, &about, needed(ground)?.max(also), ground)?,
        None => answer(&mut terminal, &about, ground)?,
    };
    announce::say(&lock, announce::decision("mcpwatch", verb, level), ground);
    Ok(true)
}
