//! What a launch will run, and what it did run: looked up on this machine, without running anything.
//!
//! Promises: files are looked for in the runner's own order (each told at the top of its file), from the
//! client's working folder, with the environment the server gets; no registry is asked, no file
//! written, no program started; what cannot be found out is [`Artifact::Unknown`] with the reason.
//! The same question is asked before a start and after it, because a runner installs in between.
//!
//! Does not: judge. `engine/launchpin` compares artifacts, `survey/` asks when.

mod bin;
mod command;
mod compiled;
mod files;
mod node;
mod node_lock;
mod npm;
mod npm_config;
mod pinned;
mod program;
mod python;
mod python_env;
mod spec;
mod uv;
mod wrapper;

pub use files::Digests;
pub use pinned::{pinned_launch, upgrade_launch};

use crate::engine::launchpin::{Artifact, CommandLaunch, Launch};
use crate::engine::placeholder::{Machine, Name, replace_paths};
use crate::sys::program::spelled;
use command::Runner;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a launch happens.
#[derive(Clone, Debug)]
pub struct Place {
    /// The client's working folder for this server.
    pub cwd: PathBuf,
    /// The environment that the client gives on, without what the entry sets.
    pub env: BTreeMap<String, String>,
    /// The account's home folder.
    pub home: PathBuf,
    /// The system.
    pub platform: Platform,
    /// What was read of files before, in this process.
    pub digests: Digests,
}

/// A system: decides names of folders and files, and the platform key of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The system.
    pub os: Os,
    /// The processor, as Rust calls it: `x86_64`, `aarch64`.
    pub arch: String,
}

/// The three systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux.
    Linux,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

/// The platform key of what is the same everywhere.
pub const ANY_PLATFORM: &str = "any";

/// What was found out about a launch.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What runs.
    pub artifact: Artifact,
    /// The key to pin it under: [`ANY_PLATFORM`], or `<os>-<arch>` where it is native code, or depends
    /// on some.
    pub platform: String,
    /// The folders that `${app}` stands for: the package's own, the runner's cache folder around it.
    pub folders: Vec<PathBuf>,
}

/// Finds out what a launch runs. Variables of the launch must be expanded already.
pub fn resolve(launch: &Launch, place: &Place) -> Resolved {
    match launch {
        Launch::Url(_) => Resolved::everywhere(Artifact::Remote),
        Launch::Command(launch) => resolve_command(launch, place),
    }
}

/// Whether two starts at once may break each other. At each start bunx installs a tag or range anew into
/// the folder that the other one runs from (bun 1.4: `ERR_MODULE_NOT_FOUND` in the second).
pub fn starts_alone(launch: &Launch) -> bool {
    let Launch::Command(launch) = launch else { return false };
    let line = wrapper::unwrap(launch, Platform::current().os);
    line.is_ok_and(|line| matches!(command::runner(&line), Runner::Bunx(_)))
}

/// The machine's values with the folders of a resolved launch added as `${app}`.
#[must_use]
pub fn with_app(machine: &Machine, resolved: &Resolved) -> Machine {
    resolved.folders.iter().fold(machine.clone(), |machine, folder| machine.with(Name::App, spelled(folder)))
}

fn resolve_command(launch: &CommandLaunch, place: &Place) -> Resolved {
    let context = Context::new(launch, place);
    let line = match wrapper::unwrap(launch, place.platform.os) {
        Ok(line) => line,
        Err(reason) => return Resolved::unknown(reason),
    };
    let context = context.with_variables(&line.env);
    let Some(program) = context.find_program(&line.program) else {
        return Resolved::unknown(format!("`{}` is not found", line.program));
    };
    let runner = command::runner(&line);
    let real = program.canonicalize().unwrap_or_else(|_| program.clone());
    // Whoever can put a file into the project must not pass it off as a package manager.
    if runner != Runner::Program && context.is_of_project(&real) {
        return Resolved::unknown(format!("`{}` lies in the project and may be anything", line.program));
    }
    let result = match &runner {
        Runner::Npm(exec) => npm::resolve(exec, &context),
        Runner::Bunx(exec) => npm::resolve_bunx(exec, &context),
        Runner::Pnpm(exec) => npm::resolve_pnpm(exec, &context),
        Runner::Uvx(tool) => uv::resolve_tool(tool, &context),
        Runner::UvRun(run) => uv::resolve_run(run, &context),
        Runner::Pipx(tool) => uv::resolve_pipx(tool, &context),
        Runner::Script(path) => program::resolve_script(path, &context),
        Runner::Module(module) => python::resolve_module(&program, module, &context),
        Runner::Program => program::resolve(&program, &context),
        Runner::Opaque(reason) => Err(reason.clone()),
    };
    result.unwrap_or_else(Resolved::unknown)
}

impl Platform {
    /// The system this program runs on.
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "windows" => Os::Windows,
            "macos" => Os::Mac,
            _ => Os::Linux,
        };
        Self { os, arch: std::env::consts::ARCH.to_owned() }
    }

    /// The key of an artifact that is native to it.
    pub fn key(&self) -> String {
        let os = match self.os {
            Os::Linux => "linux",
            Os::Mac => "macos",
            Os::Windows => "windows",
        };
        format!("{os}-{}", self.arch)
    }
}

impl Resolved {
    fn everywhere(artifact: Artifact) -> Self {
        Self { artifact, platform: ANY_PLATFORM.to_owned(), folders: Vec::new() }
    }

    fn unknown(reason: String) -> Self {
        Self::everywhere(Artifact::Unknown(reason))
    }
}

/// A launch's surroundings, as every runner sees them.
#[derive(Clone, Debug)]
struct Context {
    cwd: PathBuf,
    env: BTreeMap<String, String>,
    home: PathBuf,
    project: PathBuf,
    platform: Platform,
    machine: Machine,
    digests: Digests,
}

impl Context {
    fn new(launch: &CommandLaunch, place: &Place) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let machine = Machine::new(0).with(Name::Home, text(&place.home)).with(Name::Cwd, text(&place.cwd));
        let cwd = launch.cwd.as_ref().map_or_else(|| place.cwd.clone(), |cwd| place.cwd.join(cwd));
        let home = place.home.clone();
        let project = place.cwd.clone();
        let (env, platform, digests) = (place.env.clone(), place.platform.clone(), place.digests.clone());
        let context = Self { cwd, env, home, project, platform, machine, digests };
        context.with_variables(&launch.env)
    }

    /// The same with more variables; on Windows their names have no case.
    fn with_variables(mut self, variables: &BTreeMap<String, String>) -> Self {
        for (name, value) in variables {
            if self.is_windows() {
                self.env.retain(|other, _| !other.eq_ignore_ascii_case(name));
            }
            self.env.insert(name.clone(), value.clone());
        }
        let home = if self.is_windows() { "USERPROFILE" } else { "HOME" };
        if let Some(home) = self.var(home).map(PathBuf::from) {
            self.home = home;
        }
        self
    }

    fn is_windows(&self) -> bool {
        self.platform.os == Os::Windows
    }

    /// A variable that is set and not empty.
    fn var(&self, name: &str) -> Option<&str> {
        let found = if self.is_windows() {
            self.env.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        } else {
            self.env.get(name)
        };
        found.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A folder from a variable, or a default below another.
    fn folder(&self, variable: &str, default: impl FnOnce(&Self) -> PathBuf) -> PathBuf {
        self.var(variable).map_or_else(|| default(self), |folder| self.cwd.join(folder))
    }

    /// A path of this machine as the lock holds it.
    fn pinned_path(&self, path: &Path) -> String {
        replace_paths(&spelled(path), &self.machine)
    }

    /// Whether a file, symlinks followed, lies in the project, where whoever writes the project can put
    /// it. A virtual environment's `python` is a symlink out of it.
    fn is_of_project(&self, file: &Path) -> bool {
        let project = self.project.canonicalize().unwrap_or_else(|_| self.project.clone());
        let rooted = project.parent().is_some() && project != self.home;
        rooted && file.starts_with(&project)
    }

    fn native(&self, native: bool) -> String {
        if native { self.platform.key() } else { ANY_PLATFORM.to_owned() }
    }
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
