//! What differs between two pins, in terms that a person can weigh.
//!
//! Promises: equal pins give no change; each change names its place; nothing here holds a secret,
//! because pins hold none.

use super::{Artifact, LaunchPin};
use crate::engine::digest::Digest;
use crate::engine::secret;
use std::collections::BTreeMap;
use std::fmt;

/// How a pin writes the folder a server is started in.
const CWD: &str = "${cwd}";

/// A place of a launch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Whether it is a program or an address.
    Transport,
    /// The program.
    Command,
    /// An argument, from 0.
    Argument(usize),
    /// A variable, by name.
    Variable(String),
    /// The working folder.
    Folder,
    /// The address.
    Url,
    /// A header field, by name.
    Header(String),
}

/// One difference between the launch that was approved and the one that is configured now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchChange {
    /// Where; of an argument, its place now, or before if it is gone.
    pub place: Place,
    /// What was approved; `None`: nothing stood there.
    pub pinned: Option<String>,
    /// What stands there now; `None`: nothing.
    pub offered: Option<String>,
}

/// One difference between what was approved to run and what would run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactChange {
    /// Another version of the same package.
    Version {
        /// The package.
        name: String,
        /// The approved version.
        from: String,
        /// The version now.
        to: String,
    },
    /// The package's own files differ though the version is the same.
    Files {
        /// The package.
        name: String,
        /// The version.
        version: String,
    },
    /// Other dependencies.
    Dependencies(Vec<DependencyChange>),
    /// The bytes of the script or program differ.
    Content {
        /// Its path, with placeholders.
        path: String,
        /// The approved digest.
        from: Digest,
        /// The digest now.
        to: Digest,
    },
    /// The script or program lies elsewhere.
    Path {
        /// The approved path, with placeholders.
        from: String,
        /// The path now.
        to: String,
    },
    /// Something else altogether runs: another package, a script instead of a package.
    Other {
        /// What was approved, in a few words.
        from: String,
        /// What runs now.
        to: String,
    },
    /// What would run cannot be found out now; why.
    Unseen(String),
    /// The launch asked for an exact version and now asks for any, or the other way round.
    Floating(bool),
}

/// One dependency that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyChange {
    /// The dependency.
    pub name: String,
    /// Its approved version and integrity; `None`: it is new.
    pub from: Option<String>,
    /// Its version and integrity now; `None`: it is gone.
    pub to: Option<String>,
}

/// What differs between two launch pins.
pub fn compare(pinned: &LaunchPin, offered: &LaunchPin) -> Vec<LaunchChange> {
    let mut changes = Vec::new();
    match (pinned, offered) {
        (
            LaunchPin::Command { command, args, env, cwd },
            LaunchPin::Command { command: new_command, args: new_args, env: new_env, cwd: new_cwd },
        ) => {
            changes.extend(change(Place::Command, Some(command), Some(new_command)));
            changes.extend(arguments(args, new_args));
            changes.extend(members(env, new_env, Place::Variable));
            changes.extend(change(Place::Folder, cwd.as_ref(), new_cwd.as_ref()));
        }
        (
            LaunchPin::Url { url, sse, headers },
            LaunchPin::Url { url: new_url, sse: new_sse, headers: new_headers },
        ) => {
            changes.extend(change(Place::Url, Some(url), Some(new_url)));
            let (kind, new_kind) = (transport(*sse), transport(*new_sse));
            changes.extend(change(Place::Transport, Some(&kind), Some(&new_kind)));
            changes.extend(members(headers, new_headers, Place::Header));
        }
        (LaunchPin::Command { .. }, LaunchPin::Url { .. })
        | (LaunchPin::Url { .. }, LaunchPin::Command { .. }) => {
            changes.extend(change(Place::Transport, Some(&pinned.describe()), Some(&offered.describe())));
        }
    }
    changes
}

/// What differs between two artifacts. What could not be seen at the time of approval and is seen now
/// is a difference like any other.
pub fn compare_artifacts(pinned: &Artifact, offered: &Artifact) -> Vec<ArtifactChange> {
    match (pinned, offered) {
        (Artifact::Unknown(_), Artifact::Unknown(_)) | (Artifact::Remote, Artifact::Remote) => Vec::new(),
        (_, Artifact::Unknown(reason)) => vec![ArtifactChange::Unseen(reason.clone())],
        (
            Artifact::Package { ecosystem, name, version, floating, files, dependencies, dependency_list },
            Artifact::Package {
                ecosystem: new_ecosystem,
                name: new_name,
                version: new_version,
                floating: new_floating,
                files: new_files,
                dependencies: new_dependencies,
                dependency_list: new_list,
            },
        ) if ecosystem == new_ecosystem && name == new_name => {
            let mut changes = Vec::new();
            if version != new_version {
                let (from, to) = (version.clone(), new_version.clone());
                changes.push(ArtifactChange::Version { name: name.clone(), from, to });
            } else if files != new_files {
                changes.push(ArtifactChange::Files { name: name.clone(), version: version.clone() });
            }
            if dependencies != new_dependencies {
                changes.push(ArtifactChange::Dependencies(dependency_changes(dependency_list, new_list)));
            }
            if floating != new_floating {
                changes.push(ArtifactChange::Floating(*new_floating));
            }
            changes
        }
        (Artifact::Script { path, file }, Artifact::Script { path: new_path, file: new_file })
        | (Artifact::Binary { path, file }, Artifact::Binary { path: new_path, file: new_file }) => {
            let mut changes = Vec::new();
            if file != new_file {
                changes.push(ArtifactChange::Content { path: new_path.clone(), from: *file, to: *new_file });
            }
            if path != new_path && !is_same_place(path, new_path) {
                changes.push(ArtifactChange::Path { from: path.clone(), to: new_path.clone() });
            }
            changes
        }
        (pinned, offered) => vec![ArtifactChange::Other { from: pinned.describe(), to: offered.describe() }],
    }
}

/// Whether two paths can be one: below the working folder of one reading, and written out in another
/// whose working folder was not above it. What lies there is compared by its content.
fn is_same_place(one: &str, other: &str) -> bool {
    let ends = |whole: &str, short: &str| short.strip_prefix(CWD).is_some_and(|tail| whole.ends_with(tail));
    ends(one, other) || ends(other, one)
}

fn transport(sse: bool) -> String {
    if sse { "HTTP+SSE" } else { "Streamable HTTP" }.to_owned()
}

fn change(place: Place, pinned: Option<&String>, offered: Option<&String>) -> Option<LaunchChange> {
    let differs = pinned != offered;
    differs.then(|| LaunchChange { place, pinned: pinned.cloned(), offered: offered.cloned() })
}

fn members(
    pinned: &BTreeMap<String, String>,
    offered: &BTreeMap<String, String>,
    place: impl Fn(String) -> Place,
) -> Vec<LaunchChange> {
    let new = offered.keys().filter(|name| !pinned.contains_key(*name));
    let names = pinned.keys().chain(new);
    names.filter_map(|name| change(place(name.clone()), pinned.get(name), offered.get(name))).collect()
}

/// Arguments between the equal ones at both ends, pairwise: what stands in one's place is one change.
fn arguments(pinned: &[String], offered: &[String]) -> Vec<LaunchChange> {
    let head = pinned.iter().zip(offered).take_while(|(old, new)| old == new).count();
    let (old, new) = (&pinned[head..], &offered[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let at = |index: usize| change(Place::Argument(head + index), old.get(index), new.get(index));
    (0..old.len().max(new.len())).filter_map(at).collect()
}

fn dependency_changes(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<DependencyChange> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let names = old.keys().chain(added);
    let change = |name: &String| DependencyChange {
        name: name.clone(),
        from: old.get(name).cloned(),
        to: new.get(name).cloned(),
    };
    names.map(change).filter(|change| change.from != change.to).collect()
}

impl LaunchPin {
    /// One line for people, secrets as `***`; not yet neutralised for a screen.
    pub fn describe(&self) -> String {
        let mut line = match self {
            LaunchPin::Command { command, args, .. } => {
                let words: Vec<String> =
                    std::iter::once(command).chain(args).map(|word| quote(&shown(word))).collect();
                words.join(" ")
            }
            LaunchPin::Url { url, sse, .. } => {
                format!("{}{}", shown(url), if *sse { " (HTTP+SSE)" } else { "" })
            }
        };
        if let LaunchPin::Command { env, cwd, .. } = self {
            let by_value = env.iter().filter(|(_, value)| *value != secret::PINNED_MARK);
            let variables: Vec<String> =
                by_value.map(|(name, value)| format!("{name}={} ", quote(&shown(value)))).collect();
            line.insert_str(0, &variables.concat());
            if let Some(cwd) = cwd {
                line.push_str(&format!(" (in {})", shown(cwd)));
            }
        }
        line
    }
}

impl Artifact {
    /// A few words for people: `npm left-pad@1.3.0`.
    pub fn describe(&self) -> String {
        match self {
            Artifact::Package { ecosystem, name, version, .. } => format!("{ecosystem} {name}@{version}"),
            Artifact::Script { path, file } => format!("the script {} ({})", shown(path), file.short()),
            Artifact::Binary { path, file } => format!("the program {} ({})", shown(path), file.short()),
            Artifact::Remote => "a remote server".to_owned(),
            Artifact::Unknown(reason) => format!("unknown ({reason})"),
        }
    }
}

/// A part of a pin as a person reads it.
fn shown(pinned: &str) -> String {
    pinned.replace(secret::PINNED_MARK, secret::MARK).replace("${dollar}{", "${")
}

/// A word in quotes where a shell would need them.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,~*${}\\".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

impl fmt::Display for super::Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            super::Ecosystem::Npm => "npm",
            super::Ecosystem::PyPi => "pypi",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Transport => f.write_str("transport"),
            Place::Command => f.write_str("command"),
            Place::Argument(index) => write!(f, "args[{index}]"),
            Place::Variable(name) => write!(f, "env.{name}"),
            Place::Folder => f.write_str("cwd"),
            Place::Url => f.write_str("url"),
            Place::Header(name) => write!(f, "headers.{name}"),
        }
    }
}

impl fmt::Display for LaunchChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &String| quote(&shown(text));
        match (&self.pinned, &self.offered) {
            (Some(old), Some(new)) => write!(f, "{}: {} → {}", self.place, shown(old), shown(new)),
            (Some(old), None) => write!(f, "{}: {} removed", self.place, shown(old)),
            (None, Some(new)) => write!(f, "{}: {} added", self.place, shown(new)),
            (None, None) => write!(f, "{}", self.place),
        }
    }
}

impl fmt::Display for DependencyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(old), Some(new)) if version(old) == version(new) => {
                write!(f, "{} {}, other bytes", self.name, version(old))
            }
            (Some(old), Some(new)) => write!(f, "{} {} → {}", self.name, version(old), version(new)),
            (Some(old), None) => write!(f, "{} {} removed", self.name, version(old)),
            (None, Some(new)) => write!(f, "{} {} added", self.name, version(new)),
            (None, None) => f.write_str(&self.name),
        }
    }
}

/// The version of `version integrity`.
fn version(entry: &str) -> &str {
    entry.split_once(' ').map_or(entry, |(version, _)| version)
}

impl fmt::Display for ArtifactChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactChange::Version { name, from, to } => write!(f, "{name} {from} → {to}"),
            ArtifactChange::Files { name, version } => {
                write!(f, "the files of {name} {version} changed under the same version")
            }
            ArtifactChange::Dependencies(changes) => {
                let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
                write!(f, "dependencies: {}", changes.join(", "))
            }
            ArtifactChange::Content { path, from, to } => {
                write!(f, "{} changed ({} → {})", shown(path), from.short(), to.short())
            }
            ArtifactChange::Path { from, to } => write!(f, "{} → {}", shown(from), shown(to)),
            ArtifactChange::Other { from, to } => write!(f, "{from} → {to}"),
            ArtifactChange::Unseen(reason) => write!(f, "what runs cannot be found out: {reason}"),
            ArtifactChange::Floating(true) => f.write_str("the launch now asks for any version"),
            ArtifactChange::Floating(false) => f.write_str("the launch now asks for this version"),
        }
    }
}
