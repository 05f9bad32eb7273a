//! From a launch to what is started: here, and elsewhere for a second reading.

use super::machine::{self, Elsewhere};
use crate::connect::{Remote, Target};
use crate::engine::launchpin::{CommandLaunch, Launch};
use crate::launch::{self, Digests, Place, Platform, Resolved};
use crate::sys::process::Command;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder a launch is started in: its own, or the one given.
pub fn folder(launch: &Launch, given: &Path) -> PathBuf {
    match launch {
        Launch::Command(CommandLaunch { cwd: Some(cwd), .. }) => given.join(cwd),
        Launch::Command(_) | Launch::Url(_) => given.to_owned(),
    }
}

/// Finds out what a launch runs when it is started in `folder`.
pub fn artifact(launch: &Launch, folder: &Path) -> Resolved {
    artifact_after(launch, folder, &Digests::default())
}

/// The same, moments after a first look that left these digests.
pub fn artifact_after(launch: &Launch, folder: &Path, digests: &Digests) -> Resolved {
    let mut launch = launch.clone();
    if let Launch::Command(launch) = &mut launch {
        // `folder` has it in already.
        launch.cwd = None;
    }
    let home = machine::home().unwrap_or_else(|| folder.to_owned());
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let (cwd, env, digests) = (folder.to_owned(), env.collect(), digests.clone());
    launch::resolve(&launch, &Place { cwd, env, home, platform: Platform::current(), digests })
}

/// What to start or to reach.
pub fn target(launch: &Launch, folder: &Path) -> Target {
    match launch {
        Launch::Command(launch) => Target::Command(command(launch, folder, BTreeMap::new())),
        Launch::Url(launch) => {
            Target::Url(Remote { url: launch.url.clone(), sse: launch.sse, headers: launch.headers.clone() })
        }
    }
}

/// The same from elsewhere; `None` for what has no home there: a remote server.
pub fn elsewhere(launch: &Launch, folder: &Path, place: &Elsewhere) -> Option<Target> {
    let Launch::Command(launch) = launch else { return None };
    let env = place.env(&|name| std::env::var_os(name));
    let folder = if may_move(launch, folder) { place.cwd() } else { folder };
    Some(Target::Command(command(launch, folder, env)))
}

fn command(launch: &CommandLaunch, folder: &Path, mut env: BTreeMap<OsString, Option<OsString>>) -> Command {
    // What the entry sets has the last word, as it has in the client.
    env.extend(launch.env.iter().map(|(name, value)| (name.into(), Some(value.into()))));
    Command {
        program: launch.command.clone().into(),
        args: launch.args.iter().map(OsString::from).collect(),
        env,
        cwd: Some(folder.to_owned()),
    }
}

/// Whether a launch means the same in another folder: nothing in it is relative to this one, and no
/// `node_modules` here gives `npx` its package.
fn may_move(launch: &CommandLaunch, folder: &Path) -> bool {
    let relative = |text: &String| !Path::new(text).is_absolute() && folder.join(text).exists();
    let separated = launch.command.contains(['/', '\\']) && !Path::new(&launch.command).is_absolute();
    let modules = folder.ancestors().any(|folder| folder.join("node_modules").is_dir());
    launch.cwd.is_none() && !separated && !modules && !launch.args.iter().any(relative)
}
