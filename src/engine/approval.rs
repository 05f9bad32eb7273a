//! Approvals: how firmly a person answers for one, how long it lasts, and the code that is asked for.
//!
//! Promises: an enrolled level is never lowered because its means is missing, the answer is then a
//! refusal; a code counts once, for the offer it was shown for, for two minutes, and three wrong
//! attempts end the request. Does not show, read or store anything, and draws no random number:
//! the caller gives the bytes.
//!
//! What a code is worth: it stops accidents and programs that merely type at a terminal. Whoever
//! runs as the same account and reads the notification bus reads the code too (`docs/threats.md`).

use super::digest::Digest;
use std::fmt;
use std::str::FromStr;

/// How long a code may be typed after it was shown, in milliseconds.
pub const CODE_LIFETIME: u64 = 120_000;

/// How many wrong codes end a request.
pub const CODE_ATTEMPTS: u32 = 3;

/// Characters of a code: no two that look alike, no vowels that could spell a word.
const ALPHABET: &[u8; 24] = b"BCDFGHJKLMNPQRSTVWXZ2479";

/// How firmly a person has to answer for a decision; later ones are firmer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Typed at a controlling terminal.
    Terminal,
    /// Also a code that only a desktop notification shows.
    Code,
    /// Also a signature by a hardware key; named here, not offered yet.
    Signed,
}

/// How long an approval lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// For one session of the gate.
    Once,
    /// Until the item changes again.
    #[default]
    UntilChange,
    /// Until the end of that day, `YYYY-MM-DD`.
    Until(String),
}

/// What this machine can do at this moment to let a person answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// There is a controlling terminal.
    pub terminal: bool,
    /// A notification service answers on the desktop.
    pub notification: bool,
    /// A signature can be asked for and checked.
    pub signature: bool,
}

/// Why a decision cannot be taken at the level it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this decision needs the level `{needed}`, and {missing}")]
pub struct Unable {
    /// The level that is enrolled or that the policy demands.
    pub needed: Level,
    /// What is missing, in our words.
    pub missing: &'static str,
}

/// A code and the offer it stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    offer: Digest,
    code: String,
    shown_at: u64,
    wrong: u32,
}

/// What became of a typed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "only `Accepted` is an approval"]
pub enum Answer {
    /// The right code, in time, for this offer. The request is used up.
    Accepted,
    /// A wrong code; so many attempts are left.
    Wrong(u32),
    /// The last wrong code: the request is dropped, and that is announced.
    Dropped,
    /// Too late, or the clock went backwards: the request is dropped.
    Expired,
    /// The code was shown for another offer: the request is dropped.
    OtherOffer,
}

/// A text that names no level, or no lifetime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThat {
    /// No level.
    #[error("not a level: expected `terminal`, `code` or `signed`")]
    Level,
    /// No lifetime.
    #[error("not a lifetime: expected `once`, `until-change` or a date like 2027-01-31")]
    Lifetime,
}

/// The level that holds: the firmer one of what this person enrolled and what the policy demands.
pub fn needed(enrolled: Level, floor: Option<Level>) -> Level {
    floor.map_or(enrolled, |floor| floor.max(enrolled))
}

/// Whether a decision can be taken at that level here and now; never answers with a lower one.
pub fn can_decide(needed: Level, means: Means) -> Result<(), Unable> {
    let unable = |missing| Err(Unable { needed, missing });
    if !means.terminal {
        return unable("there is no controlling terminal");
    }
    match needed {
        Level::Terminal => Ok(()),
        Level::Code if means.notification => Ok(()),
        Level::Code => unable("no desktop notification service answers that could show the code"),
        Level::Signed if means.signature => Ok(()),
        Level::Signed => unable("this version cannot check a signature yet"),
    }
}

/// Draws a code from random bytes; `None` asks for more of them (one draw in several thousand).
pub fn code(random: &[u8; 16]) -> Option<String> {
    // 240 is the largest multiple of 24 in a byte: dropping the rest keeps every character equally likely.
    let letters = random.iter().filter(|byte| **byte < 240).map(|byte| ALPHABET[usize::from(byte % 24)]);
    let code: String = letters.take(6).map(char::from).collect();
    (code.len() == 6).then_some(code)
}

impl Request {
    /// A request for the offer that was displayed, its code shown at `now`.
    pub fn new(offer: Digest, code: String, now: u64) -> Self {
        Self { offer, code, shown_at: now, wrong: 0 }
    }

    /// The code, for the notification and for nothing else.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Judges what was typed for `offer`; hands the request back only if it may be tried again.
    pub fn answer(mut self, now: u64, offer: &Digest, typed: &str) -> (Answer, Option<Self>) {
        if *offer != self.offer {
            return (Answer::OtherOffer, None);
        }
        let age = now.checked_sub(self.shown_at);
        if age.is_none_or(|age| age > CODE_LIFETIME) {
            return (Answer::Expired, None);
        }
        if same_code(&self.code, typed) {
            return (Answer::Accepted, None);
        }
        self.wrong += 1;
        let left = CODE_ATTEMPTS.saturating_sub(self.wrong);
        if left == 0 { (Answer::Dropped, None) } else { (Answer::Wrong(left), Some(self)) }
    }
}

impl fmt::Debug for Request {
    /// Leaves the code out: a debug line may end in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("offer", &self.offer)
            .field("wrong", &self.wrong)
            .finish_non_exhaustive()
    }
}

impl Level {
    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Level::Terminal => "terminal",
            Level::Code => "code",
            Level::Signed => "signed",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = NotThat;

    fn from_str(text: &str) -> Result<Self, NotThat> {
        [Level::Terminal, Level::Code, Level::Signed]
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or(NotThat::Level)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lifetime::Once => "once",
            Lifetime::UntilChange => "until-change",
            Lifetime::Until(date) => date,
        })
    }
}

impl FromStr for Lifetime {
    type Err = NotThat;

    fn from_str(text: &str) -> Result<Self, NotThat> {
        match text {
            "once" => Ok(Lifetime::Once),
            "until-change" => Ok(Lifetime::UntilChange),
            date if is_date(date) => Ok(Lifetime::Until(date.to_owned())),
            _ => Err(NotThat::Lifetime),
        }
    }
}

impl Lifetime {
    /// Whether it ends by itself; such an approval stays out of the lock.
    pub fn ends(&self) -> bool {
        match self {
            Lifetime::Once | Lifetime::Until(_) => true,
            Lifetime::UntilChange => false,
        }
    }

    /// Whether an approval of this lifetime still counts on `today`, `YYYY-MM-DD`. *Once* ends with
    /// its session, which the gate knows and this does not.
    pub fn holds_on(&self, today: &str) -> bool {
        match self {
            Lifetime::Once | Lifetime::UntilChange => true,
            Lifetime::Until(date) => is_date(today) && today <= date.as_str(),
        }
    }
}

/// Compares without stopping at the first difference; case and the spaces around do not matter.
fn same_code(code: &str, typed: &str) -> bool {
    let typed = typed.trim().to_ascii_uppercase();
    if typed.len() != code.len() {
        return false;
    }
    code.bytes().zip(typed.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// Whether a text is a date of the calendar, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(index, byte)| if index == 4 || index == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if !shape {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
