//! Proposals: where two readings of one server differ, which placeholders explain it.
//!
//! Both texts are walked at once. Where a placeholder stands for what the first machine's reading has
//! *and* for what the second's has, with a boundary on either side, it is proposed; else both must go
//! on with the same character. What cannot be walked to its end is not explained.
//!
//! A span that is the same in both readings is text, with two exceptions, for values that a second
//! reading cannot always vary: a value so specific that no author writes it by chance (a home folder
//! of two parts or more, a longer path, a host name with digits or dashes), and today's date in
//! full. A user name, a shell or a time zone is an ordinary word of documentation and is never
//! proposed for standing there alone.

use super::{Machine, Name, Placeholder, dates, literal, literal_text, pattern, sets};
use crate::engine::json::{Object, Path, Step, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What two readings of one value have in common, as a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The first reading with placeholders; where nothing explains a difference, its literal text.
    pub pattern: Value,
    /// The placeholders that were put in.
    pub found: Vec<Found>,
    /// The places that differ, and that no placeholder explains.
    pub unexplained: Vec<Path>,
}

/// A placeholder that was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The string it stands in.
    pub path: Path,
    /// What it is.
    pub placeholder: Placeholder,
    /// What stood there in the first reading.
    pub first: String,
    /// What stood there in the second reading.
    pub second: String,
    /// The text before it in the first reading, [`AROUND`] characters at most.
    pub before: String,
    /// The text after it, as much.
    pub after: String,
}

/// The most characters of text around a placeholder that a proposal tells.
pub const AROUND: usize = 40;

/// Whether a person refused to let a placeholder stand for a text.
type Refuses<'a> = &'a dyn Fn(&Placeholder, &str) -> bool;

impl Proposal {
    /// Whether the pattern matches both readings.
    pub fn explains_all(&self) -> bool {
        self.unexplained.is_empty()
    }
}

/// Reads one value, as two machines (or one machine twice) were shown it, into a pattern. With the
/// same reading twice, only the values that are specific enough to tell by themselves are found.
pub fn propose(first: &Value, second: &Value, machine_a: &Machine, machine_b: &Machine) -> Proposal {
    propose_but(first, second, machine_a, machine_b, &|_, _| false)
}

/// [`propose`] without what a person refused: there the text of the first reading stays as it is.
pub fn propose_but(
    first: &Value,
    second: &Value,
    machine_a: &Machine,
    machine_b: &Machine,
    refuses: Refuses<'_>,
) -> Proposal {
    let mut walk = Walk { a: machine_a, b: machine_b, refuses, found: Vec::new(), unexplained: Vec::new() };
    let pattern = walk.value(first, second, &Path::default());
    Proposal { pattern, found: walk.found, unexplained: walk.unexplained }
}

/// [`propose`] for one string; `None` if it differs and nothing explains it.
pub fn propose_text(first: &str, second: &str, machine_a: &Machine, machine_b: &Machine) -> Option<String> {
    let (refuses, found, unexplained): (Refuses<'_>, _, _) = (&|_, _| false, Vec::new(), Vec::new());
    let mut walk = Walk { a: machine_a, b: machine_b, refuses, found, unexplained };
    walk.text(first, second, &Path::default())
}

/// A text of a configuration, escaped, with the folders of this machine as placeholders. A path in a
/// command is no prose: one that starts with the home or working folder lies in it, and below a folder
/// that has one for each user, the account's name is that.
pub fn replace_paths(text: &str, machine: &Machine) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut literal_from = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let before = text[..at].chars().next_back();
        let long = |name: Name, length: usize| match name {
            Name::Home => length > 1,
            Name::Cwd => is_folder_of_its_own(&text[at..at + length]),
            Name::User => is_of_users(&text[..at]),
            name => is_specific(name, &text[at..at + length]),
        };
        let best = [Name::Home, Name::Cwd, Name::Tmp, Name::User]
            .into_iter()
            .filter(|name| opens(*name, before, &text[at..]))
            .flat_map(|name| {
                ends(machine, &Placeholder::Value(name), &text[at..])
                    .into_iter()
                    .map(move |length| (name, length))
            })
            .filter(|(name, length)| long(*name, *length))
            // Of two names for one folder, the first.
            .rev()
            .max_by_key(|(_, length)| *length);
        match best {
            Some((name, length)) => {
                pattern.push_str(&literal_text(&text[literal_from..at]));
                pattern.push_str(&Placeholder::Value(name).to_string());
                at += length;
                literal_from = at;
            }
            None => at += c.len_utf8(),
        }
    }
    pattern.push_str(&literal_text(&text[literal_from..]));
    pattern
}

struct Walk<'a> {
    a: &'a Machine,
    b: &'a Machine,
    refuses: Refuses<'a>,
    found: Vec<Found>,
    unexplained: Vec<Path>,
}

/// A placeholder that could stand at one place, with the lengths of both spans.
struct Candidate {
    placeholder: Placeholder,
    first: usize,
    second: usize,
}

impl Walk<'_> {
    fn value(&mut self, first: &Value, second: &Value, path: &Path) -> Value {
        match (first, second) {
            (Value::String(one), Value::String(two)) => match self.text(one, two, path) {
                Some(pattern) => Value::String(pattern),
                None => self.give_up(first, path),
            },
            (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
                let pairs = one.iter().zip(two).enumerate();
                let read = pairs.map(|(at, (one, two))| self.value(one, two, &path.join(Step::Index(at))));
                Value::Array(read.collect())
            }
            (Value::Object(one), Value::Object(two)) => self.object(one, two, path),
            (one, two) if one == two => one.clone(),
            _ => self.give_up(first, path),
        }
    }

    fn object(&mut self, one: &Object, two: &Object, path: &Path) -> Value {
        let mut pattern = Vec::with_capacity(one.len());
        let known: BTreeMap<&str, &Value> = two.iter().collect();
        for (key, first) in one.iter() {
            let path = path.join(Step::Key(key.to_owned()));
            let value = match known.get(key) {
                Some(second) => self.value(first, second, &path),
                None => self.give_up(first, &path),
            };
            pattern.push((key.to_owned(), value));
        }
        let keys: BTreeSet<&str> = one.iter().map(|(key, _)| key).collect();
        let added = two.iter().filter(|(key, _)| !keys.contains(key));
        self.unexplained.extend(added.map(|(key, _)| path.join(Step::Key(key.to_owned()))));
        Value::Object(Object::from_unique(pattern))
    }

    fn give_up(&mut self, first: &Value, path: &Path) -> Value {
        self.unexplained.push(path.clone());
        literal(first)
    }

    fn text(&mut self, first: &str, second: &str, path: &Path) -> Option<String> {
        let (mut i, mut j) = (0, 0);
        let mut pattern = String::new();
        let mut literal_from = 0;
        let same = first == second;
        let mut found = Vec::new();
        while i < first.len() || j < second.len() {
            if let Some(candidate) = self.best((first, i), (second, j), same) {
                if (self.refuses)(&candidate.placeholder, &first[i..i + candidate.first]) {
                    (i, j) = (i + candidate.first, j + candidate.second);
                    continue;
                }
                pattern.push_str(&literal_text(&first[literal_from..i]));
                pattern.push_str(&candidate.placeholder.to_string());
                let span = |text: &str, from: usize, length: usize| text[from..from + length].to_owned();
                let (one, two) = (span(first, i, candidate.first), span(second, j, candidate.second));
                found.push(Found {
                    path: path.clone(),
                    placeholder: candidate.placeholder,
                    first: one,
                    second: two,
                    before: last_of(&first[..i]),
                    after: first[i + candidate.first..].chars().take(AROUND).collect(),
                });
                (i, j) = (i + candidate.first, j + candidate.second);
                literal_from = i;
                continue;
            }
            let (one, two) = (first[i..].chars().next()?, second[j..].chars().next()?);
            if one != two {
                return None;
            }
            (i, j) = (i + one.len_utf8(), j + two.len_utf8());
        }
        pattern.push_str(&literal_text(&first[literal_from..]));
        // What was put together is read once more, so that a proposal never fails to match later.
        pattern::parse(&pattern).ok()?;
        self.found.extend(found);
        Some(pattern)
    }

    /// The longest placeholder that stands at these places of both texts; in texts that are the
    /// `same` throughout, only what tells by itself is looked for.
    fn best(&self, (first, i): (&str, usize), (second, j): (&str, usize), same: bool) -> Option<Candidate> {
        let (before_a, before_b) = (first[..i].chars().next_back(), second[..j].chars().next_back());
        let mut best: Option<Candidate> = None;
        let mut offer = |candidate: Candidate| {
            let longer = |best: &Candidate| candidate.first + candidate.second > best.first + best.second;
            if best.as_ref().is_none_or(longer) {
                best = Some(candidate);
            }
        };
        for name in Name::ALL {
            if !(opens(name, before_a, &first[i..]) && opens(name, before_b, &second[j..])) {
                continue;
            }
            let placeholder = Placeholder::Value(name);
            let one = ends(self.a, &placeholder, &first[i..]);
            let two = if one.is_empty() { Vec::new() } else { ends(self.b, &placeholder, &second[j..]) };
            if let Some((one, two)) = one.into_iter().max().zip(two.into_iter().max()) {
                let (a, b) = (&first[i..i + one], &second[j..j + two]);
                if a != b || is_specific(name, a) {
                    offer(Candidate { placeholder, first: one, second: two });
                }
            }
        }
        let free = |before: Option<char>| !before.is_some_and(is_word);
        if free(before_a) && free(before_b) {
            if !same || first[i..].starts_with("20") {
                self.moment(&first[i..], &second[j..]).into_iter().for_each(&mut offer);
            }
            if !same {
                shuffled(before_a, &first[i..], &second[j..]).into_iter().for_each(&mut offer);
            }
        }
        best
    }

    fn moment(&self, first: &str, second: &str) -> Option<Candidate> {
        if !first.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        [Placeholder::Timestamp, Placeholder::Date].into_iter().find_map(|placeholder| {
            let one = ends(self.a, &placeholder, first).into_iter().max()?;
            let two = ends(self.b, &placeholder, second).into_iter().max()?;
            let today =
                || placeholder == Placeholder::Date && first[..one] == dates::spell_date(self.a.now());
            let moved = first[..one] != second[..two];
            (moved || today()).then_some(Candidate { placeholder, first: one, second: two })
        })
    }
}

/// The end of a text, [`AROUND`] characters at most.
fn last_of(text: &str) -> String {
    let from = text.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    text[from..].to_owned()
}

/// The lengths that a placeholder can have at the start of a text and that end at a boundary.
fn ends(machine: &Machine, placeholder: &Placeholder, text: &str) -> Vec<usize> {
    let mut lengths = Vec::new();
    machine.lengths(placeholder, text, |length| lengths.push(length));
    lengths.retain(|length| text[..*length].ends_with('-') || is_boundary(&text[*length..]));
    lengths
}

/// Whether a value of that name may start here: not within a word, nor within another path.
fn opens(name: Name, before: Option<char>, text: &str) -> bool {
    let within = before.is_some_and(is_word);
    let rooted = name.is_path() && text.starts_with('/');
    if rooted { !within && before != Some('.') && before != Some('~') } else { !within }
}

/// Whether a name ends before this text: no more of a word, no extension.
fn is_boundary(after: &str) -> bool {
    let mut after = after.chars();
    match after.next() {
        Some('.') => !after.next().is_some_and(is_word),
        Some(c) => !is_word(c),
        None => true,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether a value is too particular to stand in a text by chance.
fn is_specific(name: Name, value: &str) -> bool {
    let parts = value.split(['/', '\\']).filter(|part| !part.is_empty() && !part.ends_with(':')).count();
    match name {
        Name::Home => parts >= 2 && value.len() >= 8,
        Name::Cwd | Name::App | Name::Tmp => parts >= 3 && value.len() >= 12,
        Name::Host => {
            let mixed = value.contains('-') || value.bytes().any(|byte| byte.is_ascii_digit());
            value.len() >= 6 && mixed && !value.starts_with("localhost") && value.parse::<f64>().is_err()
        }
        Name::User | Name::Tz | Name::Shell => false,
    }
}

/// Whether a folder is no more than a place of the system, which is the same on other machines.
fn is_folder_of_its_own(path: &str) -> bool {
    path.split(['/', '\\']).filter(|part| !part.is_empty() && !part.ends_with(':')).count() >= 2
        && !path.starts_with("/usr/")
}

/// Whether a path ends in a folder that has one for each user: only there an account's name is one.
fn is_of_users(path: &str) -> bool {
    const FOLDERS: [&str; 8] = ["home", "Users", "users", "media", "mnt", "scratch", "data", "work"];
    let Some(path) = path.strip_suffix(['/', '\\']) else { return false };
    let rooted = |folder: &&str| path.strip_suffix(*folder).is_some_and(|above| above.ends_with(['/', '\\']));
    FOLDERS.iter().any(rooted)
}

/// The same tokens in another order.
fn shuffled(before: Option<char>, first: &str, second: &str) -> Option<Candidate> {
    // Within a list only its start counts: later on the rest may be shuffled by accident.
    if before == Some(',')
        || before.is_some_and(sets::is_token_char) && before != Some('\'') && before != Some('"')
    {
        return None;
    }
    let one = sets::parse(first)?;
    let two = sets::parse(second)?;
    let (sorted, other) = (sets::sorted(&one.tokens), sets::sorted(&two.tokens));
    let same = one.spaced == two.spaced && one.tokens != two.tokens && sorted == other;
    same.then_some(Candidate {
        placeholder: Placeholder::Set(sorted, one.spaced),
        first: one.length,
        second: two.length,
    })
}
