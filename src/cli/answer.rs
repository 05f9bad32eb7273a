//! The answer to a decision, at the level that is in force.
//!
//! Promises: a level whose means is missing is a refusal, never a lower level; the code is asked for
//! after the words were shown, and stands for exactly those; three wrong ones end the command.

use super::error::Error;
use super::prompt::Terminal;
use crate::alert::code::CodeRequest;
use crate::alert::text::Name;
use crate::engine::approval::{self, Answer, Level, Means};
use crate::engine::digest::Digest;
use crate::engine::record::event::Decision;
use crate::survey::{Ground, announce, machine, policy};
use std::path::Path;

/// What is decided about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The lock.
    pub lock: &'a Path,
    /// The server.
    pub server: &'a str,
    /// The command.
    pub verb: &'a str,
    /// How many items.
    pub items: usize,
    /// What was displayed.
    pub offer: Digest,
}

/// The level that decisions need here: what is enrolled, or the policy's floor.
pub fn needed(ground: &Ground) -> Result<Level, Error> {
    let enrolled = ground.trust.as_ref().map_or(Level::Terminal, |trust| trust.level);
    Ok(approval::needed(enrolled, policy::floor(&ground.paths)?))
}

/// Takes what else the level in force asks for, beside the decision that was typed.
pub fn answer(terminal: &mut Terminal, about: &About<'_>, ground: &Ground) -> Result<Level, Error> {
    at_level(terminal, about, needed(ground)?, ground)
}

/// The same at a given level.
pub fn at_level(
    terminal: &mut Terminal,
    about: &About<'_>,
    level: Level,
    ground: &Ground,
) -> Result<Level, Error> {
    let refused = |why: &str| {
        let items = u64::try_from(about.items).unwrap_or(u64::MAX);
        let decision = Decision {
            items,
            offer: Some(about.offer),
            refused: Some(why.to_owned()),
            ..announce::decision(about.server, about.verb, level)
        };
        announce::say(about.lock, decision, ground);
    };
    let unable = |notification| {
        let means = Means { terminal: true, notification, signature: false };
        approval::can_decide(level, means).inspect_err(|unable| refused(unable.missing))
    };
    if level != Level::Code {
        unable(false)?;
        return Ok(level);
    }
    let items = u32::try_from(about.items).unwrap_or(u32::MAX);
    let here = Name::new(announce::terminal(), 0);
    let shown = CodeRequest::show(Name::new(about.server, 0), items, about.offer, here, machine::now());
    let mut request = match shown {
        Ok(request) => request,
        Err(why) => {
            unable(false)?;
            return Err(Error::Code(why.to_string()));
        }
    };
    loop {
        let typed = terminal.ask_line("A notification shows a code. Type it here: ")?;
        let why = match request.answer(machine::now(), &about.offer, &typed) {
            Answer::Accepted => return Ok(level),
            Answer::Wrong(left) => {
                terminal.show(&format!("That is not the code; {left} more to try.\n"))?;
                continue;
            }
            Answer::Dropped => "three wrong codes",
            Answer::Expired => "the code came too late",
            Answer::OtherOffer => "the code was for another offer",
        };
        refused(why);
        return Err(Error::Code(why.to_owned()));
    }
}
