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

/// The launch at another version of the same package: what `upgrade` starts to read it before anyone
/// approves it. With `None`, the newest, asked of the registry even where an older one is installed.
pub fn upgrade_launch(launch: &CommandLaunch, artifact: &Artifact, version: Option<&str>) -> CommandLaunch {
    at_version(launch, artifact, version.unwrap_or("latest"))
}

fn at_version(launch: &CommandLaunch, artifact: &Artifact, version: &str) -> CommandLaunch {
    let Artifact::Package { ecosystem, name, .. } = artifact else { return launch.clone() };
    let Some((spec, at, skipped, python, afresh)) = place(launch) else { return launch.clone() };
    let same = match ecosystem {
        Ecosystem::Npm => python.is_none() && spec.name == *name,
        Ecosystem::PyPi => python.is_some() && spec::normalised(&spec.name) == spec::normalised(name),
    };
    let from_registry = !matches!(spec.request, Request::Source(_));
    // A version is data of a server's making: only what can be nothing else goes into a command.
    let plain = !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-!_".contains(&byte));
    let index = skipped + at.index;
    if !same || !from_registry || !plain || index >= launch.args.len() {
        return launch.clone();
    }
    let Spec { name, extras, .. } = spec;
    let text = match python {
        // A requirement, for `--from` and `--spec`, has no `@latest`.
        Some(true) if version == "latest" => format!("{name}{extras}"),
        Some(true) => format!("{name}{extras}=={version}"),
        Some(false) | None => format!("{name}{extras}@{version}"),
    };
    let mut launch = launch.clone();
    launch.args[index].truncate(at.start);
    launch.args[index].push_str(&text);
    if let Some(flag) = afresh.filter(|_| version == "latest") {
        let after_option = at.start == 0 && index > skipped && launch.args[index - 1].starts_with("--");
        launch.args.insert(if after_option { index - 1 } else { index }, flag.to_owned());
    }
    launch
}

/// The spec of a launch and its place; for Python, whether it must be spelled as a requirement; the flag
/// with which a runner of such a requirement looks for a newer version than it keeps.
type Place = (Spec, At, usize, Option<bool>, Option<&'static str>);

fn place(launch: &CommandLaunch) -> Option<Place> {
    let os = if cfg!(windows) { Os::Windows } else { Platform::current().os };
    let line = wrapper::unwrap(launch, os).ok()?;
    let by_string = launch.args.is_empty() && !line.args.is_empty();
    if by_string {
        return None;
    }
    let (exec, python, afresh) = match command::runner(&line) {
        Runner::Npm(exec) | Runner::Bunx(exec) | Runner::Pnpm(exec) => (exec, None, None),
        Runner::Uvx(exec) => {
            let named_apart = exec.command.is_some();
            (exec, Some(named_apart), named_apart.then_some("--refresh"))
        }
        Runner::Pipx(exec) => (exec, Some(true), Some("--no-cache")),
        Runner::UvRun(_) | Runner::Script(_) | Runner::Module(_) | Runner::Program | Runner::Opaque(_) => {
            return None;
        }
    };
    let at = exec.specs.into_iter().next()?;
    let spec = if python.is_some() { spec::python(&at.text) } else { spec::npm(&at.text) };
    Some((spec, at, line.skipped, python, afresh))
}
