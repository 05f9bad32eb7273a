//! Programs and scripts, and the package that one belongs to, if any.

use super::{Context, Resolved, bin, node, python, python_env};
use crate::engine::launchpin::Artifact;
use std::path::Path;

/// Endings of scripts that are run though they do not say by what.
const SCRIPTS: [&str; 9] = ["js", "mjs", "cjs", "ts", "mts", "py", "sh", "cmd", "bat"];

/// What an interpreter's script is.
pub(super) fn resolve_script(path: &str, context: &Context) -> Result<Resolved, String> {
    let file = context.cwd.join(path);
    let found = [file.clone(), file.with_extension("js"), file.join("index.js"), file.join("__main__.py")];
    // `node x` means `x`, `x.js` or `x/index.js`; `python x` a folder with `__main__.py`.
    let Some(file) = found.into_iter().find(|file| file.is_file()) else {
        return Err(format!("the script {} is not there", context.pinned_path(&file)));
    };
    let real = file.canonicalize().map_err(|error| error.to_string())?;
    match installed(&real, context) {
        Some(resolved) => resolved,
        None => script(&real, context),
    }
}

/// What a program is: a package's, a script, or a binary.
pub(super) fn resolve(program: &Path, context: &Context) -> Result<Resolved, String> {
    let file = bin::target(program);
    if let Some(resolved) = installed(&file, context) {
        return resolved;
    }
    let head = bin::head(&file);
    if let Some(head) = head.as_deref().filter(|head| head.starts_with("#!")) {
        if let Some(resolved) = python::resolve_installed_script(program, &file, head, context) {
            return resolved;
        }
        return script(&file, context);
    }
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if head.is_some() && ending.is_some_and(|ending| SCRIPTS.contains(&ending.as_str())) {
        return script(&file, context);
    }
    if let Some(resolved) = python::resolve_windows_launcher(program, context) {
        return resolved;
    }
    let digest =
        context.digests.of(&file).map_err(|error| format!("{}: {error}", context.pinned_path(&file)))?;
    let artifact = Artifact::Binary { path: context.pinned_path(&file), file: digest };
    Ok(Resolved { artifact, platform: context.native(true), folders: folder_of(&file) })
}

/// The package that a file was installed with, where it lies among packages.
fn installed(file: &Path, context: &Context) -> Option<Result<Resolved, String>> {
    if let Some(package) = node::package_of(file) {
        return Some(node::resolve(&package, false, &[], context));
    }
    let site = file.ancestors().find(|folder| python_env::is_site_folder(folder))?;
    python::resolve_file(file, site, context)
}

fn script(file: &Path, context: &Context) -> Result<Resolved, String> {
    let digest =
        context.digests.of(file).map_err(|error| format!("{}: {error}", context.pinned_path(file)))?;
    let artifact = Artifact::Script { path: context.pinned_path(file), file: digest };
    Ok(Resolved { artifact, platform: context.native(false), folders: folder_of(file) })
}

fn folder_of(file: &Path) -> Vec<std::path::PathBuf> {
    file.parent().map(Path::to_owned).into_iter().collect()
}
