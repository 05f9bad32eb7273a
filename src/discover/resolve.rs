//! From an entry to what its client would start: variables, working folder, relative commands.
//!
//! Promises: an entry that its owner did not ask for is not expanded. Values never appear in errors.

use super::entry::{Entry, FromEnv, Target};
use super::env_file;
use super::files::Files;
use super::places::{Os, join};
use super::text;
use super::variables::{Expander, Missing, Vars};
use crate::engine::launchpin::{CommandLaunch, Launch, UrlLaunch};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Why an entry cannot be started as its client would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// It stands in a project's file and nobody asked for it.
    #[error("{} configures it, and you have not asked for it", file.display())]
    NotAsked {
        /// The project's file.
        file: PathBuf,
    },
    /// Values are missing.
    #[error("needs {}", list(missing))]
    Missing {
        /// What.
        missing: Vec<Missing>,
    },
}

impl Unresolved {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let Self::Missing { missing } = self else {
            return "Look at its command; if you want it, say --yes, or trust the lock that pins it.".into();
        };
        let lines: Vec<_> = missing
            .iter()
            .filter_map(|missing| match missing {
                Missing::Variable(name) | Missing::Input(name) => Some(format!("{name}=…")),
                Missing::Expression(_) | Missing::EnvFile(..) => None,
            })
            .collect();
        if lines.is_empty() {
            "Write the value itself into the configuration, or leave this server out.".into()
        } else {
            format!("Put {} into a file and give it with --env-file FILE.", lines.join(" and "))
        }
    }
}

/// What the entry's client would start: the launch with everything expanded.
///
/// A caller that has its user's word for an entry (a trusted lock that pins it, `--yes`) sets
/// [`Entry::asked`] before.
pub fn resolve(entry: &Entry, vars: &Vars, files: &dyn Files) -> Result<Launch, Unresolved> {
    if !entry.asked {
        return Err(Unresolved::NotAsked { file: entry.file.clone() });
    }
    let workspace = entry.folder.clone().unwrap_or_else(|| vars.workspace.clone());
    let (syntax, given) = (entry.client.0.syntax, &entry.given);
    let mut expander = Expander { syntax, vars, workspace, given, missing: BTreeSet::new() };
    let mut launch = match &entry.launch {
        Launch::Command(raw) => Launch::Command(command(entry, raw, &mut expander, files)),
        Launch::Url(raw) => Launch::Url(url(raw, &mut expander)),
    };
    fill(&entry.from_env, vars, &mut launch, &mut expander.missing);
    if expander.missing.is_empty() {
        Ok(launch)
    } else {
        Err(Unresolved::Missing { missing: expander.missing.into_iter().collect() })
    }
}

fn command(
    entry: &Entry,
    raw: &CommandLaunch,
    expander: &mut Expander<'_>,
    files: &dyn Files,
) -> CommandLaunch {
    let os = expander.vars.os;
    let expand_all = |map: &BTreeMap<String, String>, expander: &mut Expander<'_>| {
        map.iter().map(|(name, value)| (name.clone(), expander.text(value))).collect::<BTreeMap<_, _>>()
    };
    let mut env = expand_all(&raw.env, expander);
    if let Some(file) = &entry.env_file {
        let path = under(os, &expander.workspace.clone(), &expander.text(file));
        match read_env_file(&path, files) {
            Ok(more) => {
                for (name, value) in more {
                    env.entry(name).or_insert(value);
                }
            }
            Err(why) => {
                expander.missing.insert(Missing::EnvFile(path, why));
            }
        }
    }
    let cwd = raw.cwd.as_ref().map(|cwd| under(os, &expander.workspace.clone(), &expander.text(cwd)));
    let cwd = cwd.or_else(|| entry.folder.clone());
    let command = expander.text(&raw.command);
    let command = match &entry.folder {
        Some(folder) if is_relative_path(os, &command) => under(os, folder, &command).display().to_string(),
        _ => command,
    };
    let args = raw.args.iter().map(|arg| expander.text(arg)).collect();
    CommandLaunch { command, args, env, cwd: cwd.map(|cwd| cwd.display().to_string()) }
}

fn url(raw: &UrlLaunch, expander: &mut Expander<'_>) -> UrlLaunch {
    let url = expander.text(&raw.url);
    let headers = raw.headers.iter().map(|(name, value)| (name.clone(), expander.text(value))).collect();
    UrlLaunch { url, sse: raw.sse, headers }
}

/// Fills what the client takes from its own environment. An unset variable for the server's
/// environment is left out, as the client does; one for a header is missing.
pub(super) fn fill(from_env: &[FromEnv], vars: &Vars, launch: &mut Launch, missing: &mut BTreeSet<Missing>) {
    for part in from_env {
        let value = vars.get(&part.variable);
        match (&part.target, &mut *launch) {
            (Target::Env, Launch::Command(launch)) => {
                if let Some(value) = value {
                    launch.env.entry(part.variable.clone()).or_insert_with(|| value.to_owned());
                }
            }
            (Target::Header { name, prefix }, Launch::Url(launch)) => match value {
                Some(value) => {
                    launch.headers.insert(name.clone(), format!("{prefix}{value}"));
                }
                None => {
                    missing.insert(Missing::Variable(part.variable.clone()));
                }
            },
            (Target::Env, Launch::Url(_)) | (Target::Header { .. }, Launch::Command(_)) => {}
        }
    }
}

fn read_env_file(path: &Path, files: &dyn Files) -> Result<BTreeMap<String, String>, String> {
    let bytes = files.read(path).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| "there is no such file".to_owned())?;
    let text = text::decode(&bytes).map_err(|(fault, _)| fault.to_string())?;
    env_file::parse(&text.text).map_err(|error| error.to_string())
}

/// A path as the client takes it: as it is if absolute, else below the folder.
fn under(os: Os, folder: &Path, path: &str) -> PathBuf {
    if is_absolute(os, path) {
        return PathBuf::from(path);
    }
    let path = if os == Os::Windows { path.replace('\\', "/") } else { path.to_owned() };
    let plain = path.strip_prefix("./").unwrap_or(&path);
    join(folder, if plain == "." { "" } else { plain })
}

/// Whether a command names a file instead of a program to look for.
fn is_relative_path(os: Os, command: &str) -> bool {
    let separated = command.contains('/') || (os == Os::Windows && command.contains('\\'));
    separated && !is_absolute(os, command)
}

fn is_absolute(os: Os, path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    path.starts_with('/') || (os == Os::Windows && (path.starts_with('\\') || drive))
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
