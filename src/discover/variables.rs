//! Variables in configurations: how each client writes them, and what they stand for.
//!
//! Promises: pure; one pass, so that a value is never expanded again; what a client leaves as it is
//! stays as it is. Does not read the environment: everything comes from [`Vars`].

use super::places::{Os, Places, lookup};
use crate::engine::launchpin::Launch;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

/// How a client writes variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Not at all.
    None,
    /// `${VAR}` and `${VAR:-default}`; an unset variable is an error.
    Braces,
    /// `${env:VAR}`, `${userHome}`, `${workspaceFolder}`, `${input:id}` and their kin; an unset variable
    /// is empty.
    Editor,
    /// `${env:VAR}` alone; an unset variable stays as written.
    EnvOnly,
    /// `$VAR`, `${VAR}`, `${VAR:-default}` and `%VAR%`; an unset variable stays as written.
    Shell,
}

/// What variables stand for on this machine.
#[derive(Clone, Debug)]
pub struct Vars {
    /// The system.
    pub os: Os,
    /// The user's home folder.
    pub home: PathBuf,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Values of `--env-file`: they win over the environment, and only they answer `${input:…}`.
    pub file: BTreeMap<String, String>,
    /// The folder that an editor would have open, for entries that belong to no project.
    pub workspace: PathBuf,
}

/// Something that a launch needs and that has no value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// An environment variable.
    Variable(String),
    /// A value that the client asks its user for.
    Input(String),
    /// An expression that only the client can work out.
    Expression(String),
    /// The entry's own file of variables, and why it cannot be had.
    EnvFile(PathBuf, String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Input(id) => write!(f, "the input {id:?}, which the client asks for"),
            Self::Expression(text) => write!(f, "{text:?}, which only the client knows"),
            Self::EnvFile(file, why) => write!(f, "its envFile {} ({why})", file.display()),
        }
    }
}

impl Vars {
    /// The variables of these places, with `workspace` as the folder that an editor has open.
    pub fn new(places: &Places, workspace: impl Into<PathBuf>) -> Self {
        let (home, env) = (places.home.clone(), places.vars.clone());
        Self { os: places.os, home, env, file: BTreeMap::new(), workspace: workspace.into() }
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.file.get(name).map(String::as_str).or_else(|| lookup(&self.env, self.os, name))
    }
}

/// Expands texts for one entry, and collects what is missing.
pub(super) struct Expander<'a> {
    pub syntax: Syntax,
    pub vars: &'a Vars,
    /// The project folder, where the entry belongs to one.
    pub workspace: PathBuf,
    /// What the client itself provides.
    pub given: &'a BTreeMap<String, String>,
    pub missing: BTreeSet<Missing>,
}

impl Expander<'_> {
    /// Expands one text.
    pub fn text(&mut self, text: &str) -> String {
        if self.syntax == Syntax::None {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, spelled, token, after)) = next_token(rest, self.syntax) {
            out.push_str(before);
            match self.value(token) {
                Some(value) => out.push_str(&value),
                None => out.push_str(spelled),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// A token's value; `None` leaves it as written.
    fn value(&mut self, token: &str) -> Option<String> {
        if let Some(value) = self.given.get(token) {
            return Some(value.clone());
        }
        match self.syntax {
            Syntax::None => None,
            Syntax::EnvOnly => self.vars.get(token.strip_prefix("env:")?).map(str::to_owned),
            Syntax::Braces | Syntax::Shell => {
                let (name, default) = match token.split_once(":-") {
                    Some((name, default)) => (name, Some(default)),
                    None => (token, None),
                };
                let value = self.vars.get(name).or(default).map(str::to_owned);
                if value.is_none() && self.syntax == Syntax::Braces {
                    self.missing.insert(Missing::Variable(name.to_owned()));
                }
                value
            }
            Syntax::Editor => self.editor(token),
        }
    }

    fn editor(&mut self, token: &str) -> Option<String> {
        let folder = || self.workspace.display().to_string();
        match token.split_once(':').unwrap_or((token, "")) {
            ("env", name) => Some(self.vars.get(name).unwrap_or_default().to_owned()),
            ("userHome", "") => Some(self.vars.home.display().to_string()),
            ("workspaceFolder" | "workspaceRoot", _) => Some(folder()),
            ("workspaceFolderBasename", _) => {
                Some(self.workspace.file_name().map_or_else(String::new, |name| name.display().to_string()))
            }
            ("pathSeparator" | "/", "") => Some(if self.vars.os == Os::Windows { "\\" } else { "/" }.into()),
            ("input", id) => {
                let value = self.vars.file.get(id).cloned();
                if value.is_none() {
                    self.missing.insert(Missing::Input(id.to_owned()));
                }
                value
            }
            _ => {
                self.missing.insert(Missing::Expression(format!("${{{token}}}")));
                None
            }
        }
    }
}

/// The ids of `${input:…}` in a launch.
pub(super) fn inputs(syntax: Syntax, launch: &Launch) -> Vec<String> {
    if syntax != Syntax::Editor {
        return Vec::new();
    }
    let mut ids = BTreeSet::new();
    for text in texts(launch) {
        let mut rest = text;
        while let Some((_, _, token, after)) = next_token(rest, syntax) {
            ids.extend(token.strip_prefix("input:").map(str::to_owned));
            rest = after;
        }
    }
    ids.into_iter().collect()
}

/// Every text of a launch that a client expands.
fn texts(launch: &Launch) -> Vec<&str> {
    match launch {
        Launch::Command(launch) => {
            let ends = launch.env.values().chain(&launch.cwd).map(String::as_str);
            std::iter::once(launch.command.as_str())
                .chain(launch.args.iter().map(String::as_str))
                .chain(ends)
                .collect()
        }
        Launch::Url(launch) => {
            std::iter::once(launch.url.as_str()).chain(launch.headers.values().map(String::as_str)).collect()
        }
    }
}

/// Splits at the first variable: what stands before it, the variable as written, its inside, the rest.
fn next_token(text: &str, syntax: Syntax) -> Option<(&str, &str, &str, &str)> {
    let shell = syntax == Syntax::Shell;
    let mut from = 0;
    while let Some(at) = text[from..].find(['$', '%']).map(|at| from + at) {
        let (sign, tail) = (text.as_bytes()[at], &text[at + 1..]);
        let inside = match (sign, tail.strip_prefix('{')) {
            (b'$', Some(open)) => open.find('}').map(|end| (1, end, 1)),
            (b'$', None) if shell => Some((0, name_length(tail), 0)),
            (b'%', _) if shell => Some((0, name_length(tail), 1)).filter(|t| tail[t.1..].starts_with('%')),
            _ => None,
        };
        if let Some((open, length, close)) = inside.filter(|(_, length, _)| *length > 0) {
            let (start, end) = (at + 1 + open, at + 1 + open + length);
            let after = end + close;
            return Some((&text[..at], &text[at..after], &text[start..end], &text[after..]));
        }
        from = at + 1;
    }
    None
}

/// How much of a text is a variable's name.
fn name_length(text: &str) -> usize {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !word(c)).unwrap_or(text.len())
}
