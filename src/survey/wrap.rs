//! Putting mcpwatch into clients' files and taking it out: what `discover` found, `edit` edits, and
//! `store` backs up.
//!
//! Promises: a plan touches nothing; applying one keeps a private backup first, and replaces a file
//! only if it is still the one that was planned for (clients rewrite theirs; the plan is then made
//! anew). A backup is always of the file without mcpwatch. Unwrapping needs no backup, and takes none
//! that says anything else than the file without mcpwatch does.
//!
//! Does not decide whether the person may: unwrapping is a weakening, and who calls asks first.

pub use super::wrap_error::{Left, WrapError};
use super::wrap_same::is_same;

use crate::discover::{self, Client, Entry, Files, Scope};
use crate::edit::{self, EditError, Format, State, Wrapper};
use crate::engine::json::Path;
use crate::engine::launchpin::Launch;
use crate::engine::record::Event;
use crate::store::log::{Log, LogError};
use crate::store::wraps::{Since, Wraps};
use crate::sys::files::{self, Access, FilesError};
use crate::sys::paths::Paths;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What we are called on everybody's `PATH`.
const OWN_NAME: &str = "mcpwatch";

/// How often a plan is made anew because the client rewrote its file meanwhile.
const ATTEMPTS: usize = 3;

/// One entry that is to be wrapped.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The server's name in its lock.
    pub name: &'a str,
    /// The lock, where it is not the user's.
    pub lock: Option<&'a std::path::Path>,
    /// Whether it was asked for by name, or with all of its project.
    pub requested: bool,
    /// Whether we have read it ourselves: it is pinned.
    pub pinned: bool,
}

/// What happens to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is changed.
    Changed,
    /// It is already as it should be.
    Already,
    /// It stays as it is.
    Left(Left),
}

/// What would become of one file.
pub struct Change {
    /// The client whose file it is.
    pub client: Client,
    /// The file.
    pub file: PathBuf,
    /// What happens to its entries.
    pub entries: Vec<(String, Outcome)>,
    edits: Vec<Edit>,
    before: Vec<u8>,
    after: Vec<u8>,
    /// The file without mcpwatch anywhere.
    plain: Vec<u8>,
    /// The entries that are wrapped after the change, other projects' included.
    wrapped: Vec<Path>,
}

/// One edit, to be made again when the file has changed meanwhile.
#[derive(Clone)]
struct Edit {
    name: String,
    path: Path,
    action: Action,
}

#[derive(Clone)]
enum Action {
    Wrap { exe: String, lock: Option<String>, name: String, client: Client, forward: Vec<(String, String)> },
    Unwrap,
    Leave(Left),
}

/// Plans to wrap entries, a change for each file.
pub fn wrap(
    targets: &[Target<'_>],
    exe: &std::path::Path,
    paths: &Paths,
    files: &dyn Files,
) -> Result<Vec<Change>, WrapError> {
    let is_ours = exe.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("mcpwatch"));
    let exe = exe.to_str().filter(|_| is_ours).ok_or_else(|| WrapError::Exe(exe.to_owned()))?;
    let mut by_file: BTreeMap<PathBuf, (Client, Vec<Edit>)> = BTreeMap::new();
    for target in targets {
        let entry = target.entry;
        let action = match reason_to_leave(target) {
            Some(left) => Action::Leave(left),
            None => Action::Wrap {
                exe: if is_shared(entry) { OWN_NAME.to_owned() } else { exe.to_owned() },
                lock: target.lock.map(|lock| lock_of(entry, lock)),
                name: target.name.to_owned(),
                client: entry.client,
                forward: forward(entry),
            },
        };
        let edit = Edit { name: target.name.to_owned(), path: entry.key_path.clone(), action };
        by_file.entry(entry.file.clone()).or_insert_with(|| (entry.client, Vec::new())).1.push(edit);
    }
    by_file
        .into_iter()
        .map(|(file, (client, edits))| Change::plan(client, file, edits, paths, files))
        .collect()
}

/// Whether an entry stands in a file that goes to other machines: there, the program is named as anyone
/// has it, and the lock from the project's folder, where clients start what a project configures.
fn is_shared(entry: &Entry) -> bool {
    entry.scope == Scope::Project
}

/// The lock as an entry names it.
fn lock_of(entry: &Entry, lock: &std::path::Path) -> String {
    let starts_elsewhere = matches!(&entry.launch, Launch::Command(launch) if launch.cwd.is_some());
    let folder = entry.folder.as_ref().filter(|_| is_shared(entry) && !starts_elsewhere);
    let near = folder.and_then(|folder| lock.strip_prefix(folder).ok());
    match near {
        // Spelled as every system reads it.
        Some(near) => {
            let steps: Vec<_> = near.iter().map(|step| step.to_string_lossy()).collect();
            steps.join("/")
        }
        None => lock.display().to_string(),
    }
}

/// Plans to unwrap entries, a change for each file.
pub fn unwrap(entries: &[&Entry], paths: &Paths, files: &dyn Files) -> Result<Vec<Change>, WrapError> {
    let mut by_file: BTreeMap<PathBuf, (Client, Vec<Edit>)> = BTreeMap::new();
    for entry in entries {
        let edit = Edit { name: entry.name.clone(), path: entry.key_path.clone(), action: Action::Unwrap };
        by_file.entry(entry.file.clone()).or_insert_with(|| (entry.client, Vec::new())).1.push(edit);
    }
    by_file
        .into_iter()
        .map(|(file, (client, edits))| Change::plan(client, file, edits, paths, files))
        .collect()
}

/// Plans to unwrap everything that our backups know of, and `entries` besides: also files of projects
/// that nobody is looking at.
pub fn unwrap_all(entries: &[&Entry], paths: &Paths, files: &dyn Files) -> Result<Vec<Change>, WrapError> {
    let mut by_file: BTreeMap<PathBuf, (Client, BTreeSet<Path>)> = BTreeMap::new();
    for entry in entries {
        let file =
            by_file.entry(files::resolve(&entry.file)).or_insert_with(|| (entry.client, BTreeSet::new()));
        file.1.insert(entry.key_path.clone());
    }
    for (file, known) in Wraps::of(paths).all()? {
        let bytes = files.read(&file).ok().flatten().unwrap_or_default();
        let client = discover::client_of(&file, &bytes);
        by_file.entry(file).or_insert_with(|| (client, BTreeSet::new())).1.extend(known.entries);
    }
    let edit = |path: Path| {
        let name = path.0.last().map(|step| match step {
            crate::engine::json::Step::Key(key) => key.clone(),
            crate::engine::json::Step::Index(index) => index.to_string(),
        });
        Edit { name: name.unwrap_or_default(), path, action: Action::Unwrap }
    };
    by_file
        .into_iter()
        .map(|(file, (client, known))| {
            Change::plan(client, file, known.into_iter().map(edit).collect(), paths, files)
        })
        .collect()
}

/// Why an entry must stay as it is.
pub(super) fn reason_to_leave(target: &Target<'_>) -> Option<Left> {
    let entry = target.entry;
    match entry.scope {
        Scope::Managed => return Some(Left::Managed),
        Scope::Plugin(_) => return Some(Left::Plugin),
        Scope::Project if !target.requested => return Some(Left::Project),
        Scope::Project | Scope::User | Scope::Profile(_) | Scope::Local | Scope::Named => {}
    }
    if !target.pinned && !target.requested {
        return Some(Left::Unpinned);
    }
    let Launch::Url(launch) = &entry.launch else { return None };
    if !entry.client.0.reads_remote {
        return Some(Left::Ignored(entry.client.title()));
    }
    if !entry.own_fields.is_empty() {
        return Some(Left::OwnFields(entry.own_fields.clone()));
    }
    if launch.url.starts_with("unix:") || launch.url.starts_with("pipe:") {
        return Some(Left::Transport("a local socket"));
    }
    (launch.headers.is_empty() && !target.pinned).then_some(Left::SignIn)
}

/// The variables that a client would not hand on to a command by itself.
fn forward(entry: &Entry) -> Vec<(String, String)> {
    let names: BTreeSet<_> = entry.from_env.iter().map(|part| part.variable.clone()).collect();
    names.into_iter().map(|name| (name, String::new())).collect()
}

impl Change {
    /// Whether the file stays as it is.
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }

    /// Whether an entry should have been changed and could not be.
    pub fn has_failures(&self) -> bool {
        self.entries.iter().any(|(_, outcome)| matches!(outcome, Outcome::Left(Left::Edit(_))))
    }

    /// The file's text before and after.
    pub fn texts(&self) -> (String, String) {
        let text = |bytes: &[u8]| discover::decode(bytes).map(|text| text.text).unwrap_or_default();
        (text(&self.before), text(&self.after))
    }

    fn plan(
        client: Client,
        file: PathBuf,
        edits: Vec<Edit>,
        paths: &Paths,
        files: &dyn Files,
    ) -> Result<Self, WrapError> {
        let read = files.read(&file).map_err(|source| FilesError::Read { path: file.clone(), source })?;
        let Some(before) = read else {
            let gone = (client, file, edits);
            return Ok(Self::of_missing(gone));
        };
        let text =
            discover::decode(&before).map_err(|(fault, _)| WrapError::Text { file: file.clone(), fault })?;
        let format = format_of(client);
        let mut now = text.text.clone();
        let mut entries = Vec::new();
        for edit in &edits {
            let outcome = edit.make(format, &mut now);
            entries.push((edit.name.clone(), outcome));
        }
        let (after, mut plain) = (text.encode(&now), now.clone());
        let known = Wraps::of(paths).get(&file)?.map(|known| known.entries).unwrap_or_default();
        let seen = client.parse(&file, Scope::User, &now).entries.into_iter().map(|entry| entry.key_path);
        let all: BTreeSet<Path> =
            edits.iter().map(|edit| edit.path.clone()).chain(known).chain(seen).collect();
        let is_wrapped = |path: &Path| matches!(edit::state(format, &now, path), Ok(State::Wrapped(_)));
        let wrapped: Vec<Path> = all.into_iter().filter(is_wrapped).collect();
        for path in &wrapped {
            plain = edit::unwrap(format, &plain, path).unwrap_or(plain);
        }
        let plain = text.encode(&plain);
        Ok(Self { client, file, entries, edits, before, after, plain, wrapped })
    }

    fn of_missing((client, file, edits): (Client, PathBuf, Vec<Edit>)) -> Self {
        let empty = Vec::new;
        let (before, after, plain) = (empty(), empty(), empty());
        Self { client, file, entries: Vec::new(), edits, before, after, plain, wrapped: Vec::new() }
    }

    /// Makes the change, with a backup; returns the change as it was made.
    pub fn apply(self, paths: &Paths, files: &dyn Files, now: u64) -> Result<Self, WrapError> {
        let mut change = self;
        for attempt in 1.. {
            match change.write(paths, now) {
                Err(WrapError::Files(FilesError::Changed { .. })) if attempt < ATTEMPTS => {
                    change = Self::plan(change.client, change.file, change.edits, paths, files)?;
                }
                other => {
                    other?;
                    break;
                }
            }
        }
        change.log(paths, now)?;
        Ok(change)
    }

    fn log(&self, paths: &Paths, now: u64) -> Result<(), LogError> {
        let changed = self.edits.iter().zip(&self.entries).filter(|(_, (_, made))| *made == Outcome::Changed);
        let event = |(edit, _): (&Edit, _)| {
            let what = match edit.action {
                Action::Wrap { .. } => "wrapped",
                Action::Unwrap => "unwrapped",
                Action::Leave(_) => "left as it is",
            };
            let (client, what) = (self.client.id().to_owned(), what.to_owned());
            (now, Event::Configuration { client, server: edit.name.clone(), what })
        };
        let events: Vec<_> = changed.map(event).collect();
        if events.is_empty() { Ok(()) } else { Log::of(paths).append_all(&events) }
    }

    fn write(&self, paths: &Paths, now: u64) -> Result<(), WrapError> {
        let wraps = Wraps::of(paths);
        if self.is_empty() && self.has_failures() {
            // What cannot be read may still be wrapped: its backup stays.
            return Ok(());
        }
        if self.wrapped.is_empty() {
            let kept = wraps.backup(&self.file, &self.before).unwrap_or_default();
            // Untouched since: the very bytes, if they say what our own way back says.
            let says_the_same = |bytes: &[u8]| is_same(format_of(self.client), bytes, &self.after);
            let after = match kept {
                Some((bytes, Since::Untouched)) if !self.is_empty() && says_the_same(&bytes) => bytes,
                _ => self.after.clone(),
            };
            if after != self.before {
                files::replace(&self.file, Some(&self.before), &after, Access::Shared)?;
            }
            return Ok(wraps.forget(&self.file)?);
        }
        if self.is_empty() {
            return Ok(());
        }
        wraps.record(&self.file, &self.plain, &self.after, &self.wrapped, now)?;
        Ok(files::replace(&self.file, Some(&self.before), &self.after, Access::Shared)?)
    }
}

impl Edit {
    fn make(&self, format: Format, text: &mut String) -> Outcome {
        let edited = match &self.action {
            Action::Leave(left) => return Outcome::Left(left.clone()),
            Action::Unwrap => match edit::unwrap(format, text, &self.path) {
                Err(EditError::NotWrapped { .. } | EditError::Missing { .. }) => return Outcome::Already,
                other => other,
            },
            Action::Wrap { exe, lock, name, client, forward } => {
                let wrapper = Wrapper { exe, lock: lock.as_deref(), name, client: client.id(), forward };
                edit::wrap(format, text, &self.path, &wrapper)
            }
        };
        match edited {
            Ok(edited) if edited == *text => Outcome::Already,
            Ok(edited) => {
                *text = edited;
                Outcome::Changed
            }
            Err(error) => Outcome::Left(Left::Edit(error)),
        }
    }
}

fn format_of(client: Client) -> Format {
    match client.0.format {
        discover::Format::Json => Format::Json,
        discover::Format::Toml => Format::Toml,
    }
}

#[cfg(test)]
#[path = "wrap_tests.rs"]
mod tests;
