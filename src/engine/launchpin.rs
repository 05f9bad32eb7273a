//! Launch and artifact pins: what a configuration starts, and what that start really runs.
//!
//! Promises: a pin holds no secret; two people with the same configuration get the same pin.
//! Does not resolve anything: `launch/` looks at the machine and fills these types.

use super::digest::Digest;
use std::collections::BTreeMap;

mod compare;
mod mask;

pub use compare::{ArtifactChange, DependencyChange, LaunchChange, Place, compare, compare_artifacts};
pub use mask::{is_by_value, known_secrets, masked_values, pin};

/// A launch as a client's configuration writes it: nothing expanded, nothing masked.
/// Never written to disk or screen; see [`LaunchPin`].
#[derive(Clone, PartialEq, Eq)]
pub enum Launch {
    /// A program that speaks over stdin and stdout.
    Command(CommandLaunch),
    /// A remote server.
    Url(UrlLaunch),
}

/// A program with arguments, environment and working folder, as configured.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CommandLaunch {
    /// The program, as configured: a name for `PATH`, or a path.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables that the entry sets.
    pub env: BTreeMap<String, String>,
    /// The working folder, where the entry sets one.
    pub cwd: Option<String>,
}

/// The address of a remote server, as configured.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UrlLaunch {
    /// The URL.
    pub url: String,
    /// Whether it is the HTTP+SSE transport of 2024-11-05 instead of Streamable HTTP.
    pub sse: bool,
    /// Header fields, by name as written.
    pub headers: BTreeMap<String, String>,
}

/// A launch without secrets, as the lockfile holds it. Masked parts read `${masked}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchPin {
    /// A program.
    Command {
        /// The program.
        command: String,
        /// Arguments, secrets masked, machine-dependent spans as placeholders.
        args: Vec<String>,
        /// Variables: by value where they load code or move traffic, masked otherwise.
        env: BTreeMap<String, String>,
        /// The working folder.
        cwd: Option<String>,
    },
    /// A remote server.
    Url {
        /// The URL without user-info and query secrets.
        url: String,
        /// Whether it is the HTTP+SSE transport.
        sse: bool,
        /// Header fields by name, all values masked.
        headers: BTreeMap<String, String>,
    },
}

/// What a launch really runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// A package of a registry.
    Package {
        /// `npm` or `pypi`.
        ecosystem: Ecosystem,
        /// The package's name.
        name: String,
        /// The exact version that is installed.
        version: String,
        /// Whether the launch asks for a range or the newest instead of this version.
        floating: bool,
        /// Over the package's own installed files, unlisted ones included; equal on two machines.
        files: Digest,
        /// Over name, version and integrity of every dependency.
        dependencies: Digest,
        /// The dependencies, name to version and integrity, for showing what changed.
        dependency_list: BTreeMap<String, String>,
    },
    /// A script that an interpreter is given.
    Script {
        /// Its path with placeholders.
        path: String,
        /// Over its bytes.
        file: Digest,
    },
    /// A plain binary.
    Binary {
        /// Its path with placeholders.
        path: String,
        /// Over its bytes.
        file: Digest,
    },
    /// A remote server: nothing to be seen.
    Remote,
    /// Could not be found out; why, in our words.
    Unknown(String),
}

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecosystem {
    /// The npm registry.
    Npm,
    /// The Python Package Index.
    PyPi,
}

#[cfg(test)]
#[path = "launchpin_tests.rs"]
mod tests;
