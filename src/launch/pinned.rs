//! How a floating launch is started at a version. Pure.

use super::command::{self, At, Runner};
use super::spec::{self, Request, Spec};
use super::{Os, Platform, wrapper};
use crate::engine::launchpin::{Artifact, CommandLaunch, Ecosystem};

/// The launch with its floating spec replaced by the pinned version: what the gate starts. A launch that
/// does not float, or whose package is not the pinned one, stays as it is.
pub fn pinned_launch(launch: &CommandLaunch, artifact: &Artifact) -> CommandLaunch {
    let Artifact::Package { version, floating: true, .. } = artifact else { return launch.clone() };
    at_version(launch, artifact, version)
}

/// The launch that has its package manager fetch the newest version it asks for: of its range, under its
/// tag, or of all. `run` is a number that no earlier run had. `None` where a launch names no package of
/// this artifact's, an exact version, or no registry.
///
/// Runners keep what they fetched for a spec and take it again while it fits, so each is asked in its
/// own way to look: npm and bun by a spelling of the range that is new each time (a version that nobody
/// has stands beside it), pnpm, uv and pipx by a flag.
pub fn upgrade_launch(launch: &CommandLaunch, artifact: &Artifact, run: u64) -> Option<CommandLaunch> {
    let place = place(launch).filter(|place| place.is_of(launch, artifact))?;
    let Spec { name, extras, request } = &place.spec;
    let text = match (place.runner, request) {
        (_, Request::Exact(_) | Request::Source(_)) => return None,
        (By::Npm | By::Bun | By::Pnpm, Request::Any) => format!("{name}@latest"),
        (By::Npm | By::Bun, Request::Range(range)) => format!("{name}@{range} || 0.0.0-mcpwatch.{run}"),
        (By::Uvx { by_requirement: false }, Request::Any) => format!("{name}{extras}@latest"),
        (By::Pipx, _) => {
            let (requirement, marker) =
                place.at.text.split_at(place.at.text.find(';').unwrap_or(place.at.text.len()));
            let and = if matches!(request, Request::Range(_)) { "," } else { "" };
            format!("{}{and}!=0.0.0.{run}{marker}", requirement.trim_end())
        }
        _ => place.at.text.clone(),
    };
    let flags: &[&str] = match (place.runner, request) {
        (By::Npm | By::Bun, _) => &[],
        (By::Pnpm, _) => &["--config.dlx-cache-max-age=0"],
        // It looks by itself, and takes no installed tool.
        (By::Uvx { by_requirement: false }, Request::Any | Request::Tag(_)) => &[],
        (By::Uvx { .. }, _) => &["--isolated", "--refresh"],
        (By::Pipx, _) => &[],
    };
    let (index, mut launch) = (place.index(), place.with(launch, &text));
    let after_option =
        place.at.start == 0 && index > place.skipped && launch.args[index - 1].starts_with("--");
    let before = if after_option { index - 1 } else { index };
    launch.args.splice(before..before, flags.iter().map(|flag| (*flag).to_owned()));
    Some(launch)
}

fn at_version(launch: &CommandLaunch, artifact: &Artifact, version: &str) -> CommandLaunch {
    let place = place(launch).filter(|place| place.is_of(launch, artifact));
    // A version is data of a server's making: only what can be nothing else goes into a command.
    let plain = !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-!_".contains(&byte));
    let Some(place) = place.filter(|place| plain && !matches!(place.spec.request, Request::Source(_))) else {
        return launch.clone();
    };
    let Spec { name, extras, .. } = &place.spec;
    let text = match place.runner {
        By::Uvx { by_requirement: true } | By::Pipx => format!("{name}{extras}=={version}"),
        By::Npm | By::Bun | By::Pnpm | By::Uvx { .. } => format!("{name}{extras}@{version}"),
    };
    place.with(launch, &text)
}

/// A runner, as far as specs are spelled for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Npm,
    Bun,
    Pnpm,
    /// Whether the package stands in `--from`, as a requirement.
    Uvx {
        by_requirement: bool,
    },
    Pipx,
}

/// The spec of a launch and where it stands.
struct Place {
    spec: Spec,
    at: At,
    /// How many arguments come before the runner's own.
    skipped: usize,
    runner: By,
}

impl Place {
    /// The argument the spec stands in.
    fn index(&self) -> usize {
        self.skipped + self.at.index
    }

    /// Whether the spec stands in this launch as it is read, and names the artifact's package.
    fn is_of(&self, launch: &CommandLaunch, artifact: &Artifact) -> bool {
        let Artifact::Package { ecosystem, name, .. } = artifact else { return false };
        let same = match (ecosystem, self.runner) {
            (Ecosystem::Npm, By::Npm | By::Bun | By::Pnpm) => self.spec.name == *name,
            (Ecosystem::PyPi, By::Uvx { .. } | By::Pipx) => {
                spec::normalised(&self.spec.name) == spec::normalised(name)
            }
            (Ecosystem::Npm | Ecosystem::PyPi, _) => false,
        };
        let written = launch.args.get(self.index()).and_then(|arg| arg.get(self.at.start..));
        same && written == Some(self.at.text.as_str())
    }

    /// The launch with another spec in that place.
    fn with(&self, launch: &CommandLaunch, text: &str) -> CommandLaunch {
        let mut launch = launch.clone();
        let arg = &mut launch.args[self.index()];
        arg.truncate(self.at.start);
        arg.push_str(text);
        launch
    }
}

fn place(launch: &CommandLaunch) -> Option<Place> {
    let os = if cfg!(windows) { Os::Windows } else { Platform::current().os };
    let line = wrapper::unwrap(launch, os).ok()?;
    let (exec, runner) = match command::runner(&line) {
        Runner::Npm(exec) => (exec, By::Npm),
        Runner::Bunx(exec) => (exec, By::Bun),
        Runner::Pnpm(exec) => (exec, By::Pnpm),
        Runner::Uvx(exec) => {
            let by_requirement = exec.command.is_some();
            (exec, By::Uvx { by_requirement })
        }
        Runner::Pipx(exec) => (exec, By::Pipx),
        Runner::UvRun(_) | Runner::Script(_) | Runner::Module(_) | Runner::Program | Runner::Opaque(_) => {
            return None;
        }
    };
    let at = exec.specs.into_iter().next()?;
    let spec = match runner {
        By::Npm | By::Bun | By::Pnpm => spec::npm(&at.text),
        By::Uvx { .. } | By::Pipx => spec::python(&at.text),
    };
    Some(Place { spec, at, skipped: line.skipped, runner })
}
