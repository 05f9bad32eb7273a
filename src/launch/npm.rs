//! What `npx`, `npm exec`, `bunx` and `pnpm dlx` run.
//!
//! npm (libnpmexec): without `--package`, an executable of the name in the project's own `package.json`,
//! then `node_modules/.bin` of the project or any folder above, then the global one. A spec is then
//! looked for in the project's `node_modules`, in the global one, and in `_npx/` under the first 16
//! hexadecimal digits of SHA-512 over the specs; an exact version in `node_modules` is enough to run
//! what its `.bin` has. A tag is always asked of the registry, and lands in the cache.
//!
//! bun: a bare name from `node_modules/.bin`, then from `PATH`; everything else from its own folder.
//! pnpm: never from the project.

use super::command::Exec;
use super::node::{self, Package};
use super::npm_config::{self, Folders};
use super::spec::{self, Request, Spec};
use super::{Context, Resolved, program};
use crate::engine::json::Value;
use crate::engine::launchpin::Artifact;
use sha2::{Digest as _, Sha512};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What `npx` and `npm exec` run.
pub(super) fn resolve(exec: &Exec, context: &Context) -> Result<Resolved, String> {
    let folders = npm_config::folders(exec, context);
    let first = exec.specs.first().ok_or("it names no package")?;
    let spec = spec::npm(&first.text);
    let asked_by_name = exec.command.is_none();
    if asked_by_name && let Some(file) = by_bin_name(&first.text, &folders, context)? {
        return Ok(marked(program::resolve(&file, context)?, spec.is_floating()));
    }
    if let Some(package) = in_tree(&spec, &folders.local) {
        let name = exec.command.clone().or_else(|| package.main_bin());
        let name = name.ok_or_else(|| format!("{} has no executable to run", package.name))?;
        let file = context.node_bin_above(&context.cwd, &name).or_else(|| context.find_program(&name));
        let file = file.ok_or_else(|| format!("`{name}` is not found"))?;
        return Ok(marked(program::resolve(&file, context)?, spec.is_floating()));
    }
    if let Some(resolved) = in_global(&spec, exec, &folders, context) {
        return Ok(marked(resolved?, spec.is_floating()));
    }
    let folder = folders.cache.join("_npx").join(npx_folder(exec, context));
    let package = in_cache(&spec, &folder)
        .ok_or_else(|| format!("npx has not installed {} yet", shown(&first.text)))?;
    node::resolve(&package, spec.is_floating(), &[folder], context)
}

/// The executable that a name alone means: of the project itself, of a `.bin` above, or a global one.
fn by_bin_name(name: &str, folders: &Folders, context: &Context) -> Result<Option<PathBuf>, String> {
    if let Some(own) = node::package_at(&folders.local).filter(|own| own.bins().contains_key(name)) {
        let file = own.folder.join(&own.bins()[name]);
        return if file.is_file() { Ok(Some(file)) } else { Err(format!("{} has not been built", own.name)) };
    }
    // npm joins the name to each `.bin` as it is: a whole path is that file.
    let local = context.node_bin_above(&folders.local, name);
    let global = folders.global_bin(context).filter(|_| folders.global_modules(context).is_some());
    Ok(local.or_else(|| global.and_then(|folder| context.executable(&folder.join(name)))))
}

/// The package in a folder's `node_modules` that satisfies a spec without asking the registry.
fn in_tree(spec: &Spec, folder: &Path) -> Option<Package> {
    let package =
        node::package_at(&folder.join("node_modules").join(&spec.name)).filter(|_| !spec.name.is_empty())?;
    let fits = match &spec.request {
        Request::Any => true,
        Request::Exact(version) => package.version == *version,
        Request::Range(range) => in_range(&package.version, range),
        Request::Tag(_) | Request::Source(_) => false,
    };
    fits.then_some(package)
}

/// The global package that satisfies a spec, if its executable lies there too.
fn in_global(
    spec: &Spec,
    exec: &Exec,
    folders: &Folders,
    context: &Context,
) -> Option<Result<Resolved, String>> {
    if exec.command.is_some() {
        return None;
    }
    let package = in_tree(spec, &folders.global_modules(context)?)?;
    let file = context.executable(&folders.global_bin(context)?.join(package.main_bin()?))?;
    Some(program::resolve(&file, context))
}

/// The package that a runner's own folder holds for a spec.
fn in_cache(spec: &Spec, folder: &Path) -> Option<Package> {
    let name = match spec.name.as_str() {
        "" => installed_name(folder)?,
        name => name.to_owned(),
    };
    let package = node::package_at(&folder.join("node_modules").join(name))?;
    let fits = match &spec.request {
        Request::Exact(exact) => package.version == *exact,
        _ => true,
    };
    fits.then_some(package)
}

/// The one package that a folder of npx, bun or pnpm was made for.
fn installed_name(folder: &Path) -> Option<String> {
    let manifest = node::read_json(&folder.join("package.json"))?;
    let dependencies = manifest.get("dependencies").and_then(Value::as_object)?;
    let mut names = dependencies.iter().map(|(name, _)| name.to_owned());
    names.next().filter(|_| dependencies.len() == 1)
}

/// The name of the folder below `_npx`: as libnpmexec computes it.
pub(super) fn npx_folder(exec: &Exec, context: &Context) -> String {
    let mut specs: Vec<String> = exec.specs.iter().map(|at| absolute(&at.text, context)).collect();
    // npm sorts as people do (`localeCompare`); one spec, the common case, needs no order.
    specs.sort_by_key(|spec| (spec.to_lowercase(), spec.clone()));
    let digest = Sha512::digest(specs.join("\n").as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A folder by its whole path, any other spec as written.
fn absolute(spec: &str, context: &Context) -> String {
    let folder = spec.starts_with(['.', '/', '~']) && !spec.ends_with(".tgz");
    if !folder {
        return spec.to_owned();
    }
    let path = match spec.strip_prefix("~/") {
        Some(rest) => context.home.join(rest),
        None => context.cwd.join(spec),
    };
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

/// What `bunx` runs.
pub(super) fn resolve_bunx(exec: &Exec, context: &Context) -> Result<Resolved, String> {
    let first = exec.specs.first().ok_or("it names no package")?;
    let spec = spec::npm(&first.text);
    let short = spec.name.rsplit('/').next().unwrap_or(&spec.name);
    if spec.request == Request::Any {
        let name = exec.command.as_deref().unwrap_or(short);
        let file = context.node_bin_above(&context.cwd, name).or_else(|| context.find_program(name));
        if let Some(file) = file.filter(|_| !name.is_empty()) {
            return Ok(marked(program::resolve(&file, context)?, true));
        }
    }
    let asked =
        if spec.request == Request::Any { format!("{}@latest", spec.name) } else { first.text.clone() };
    let found = bun_folders(&asked, context).into_iter().find_map(|folder| {
        let package = in_cache(&spec, &folder)?;
        Some((package, folder))
    });
    let (package, folder) =
        found.ok_or_else(|| format!("bunx has not installed {} yet", shown(&first.text)))?;
    node::resolve(&package, spec.is_floating(), &[folder], context)
}

/// The folders that bun may have installed a spec into: `.bunx-UID/SPEC` in its cache, as of bun 1.4, and
/// `bunx-UID-SPEC` in the folder for temporary files, as before.
fn bun_folders(asked: &str, context: &Context) -> Vec<PathBuf> {
    let install = context.folder("BUN_INSTALL", |context| context.home.join(".bun")).join("install/cache");
    let cache = context.folder("BUN_INSTALL_CACHE_DIR", |_| install);
    let temporary = ["BUN_TMPDIR", "TMPDIR", "TEMP", "TMP"].into_iter().find_map(|name| context.var(name));
    let temporary = PathBuf::from(temporary.unwrap_or("/tmp"));
    let ours = |parent: &Path, prefix: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .filter(|entry| is_ours(&entry.path()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found
    };
    let mut folders: Vec<PathBuf> = ours(&cache, ".bunx-").iter().map(|parent| parent.join(asked)).collect();
    // A scoped name makes a folder within one: `bunx-0-@scope/name@1.0.0`.
    let (scope, rest) = asked.split_once('/').map_or((asked, None), |(scope, rest)| (scope, Some(rest)));
    let old = ours(&temporary, "bunx-").into_iter().filter(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.strip_prefix("bunx-")
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(|(_, spec)| spec == scope)
    });
    folders.extend(old.map(|folder| rest.map_or(folder.clone(), |rest| folder.join(rest))));
    folders
}

/// Whether a folder is this account's: anyone may make one in the folder for temporary files.
#[cfg(unix)]
fn is_ours(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().is_ok_and(|metadata| metadata.uid() == nix::unistd::getuid().as_raw())
}

#[cfg(not(unix))]
fn is_ours(_folder: &Path) -> bool {
    true
}

/// What `pnpm dlx` runs: its folders are named by a digest over settings, so each is looked into.
pub(super) fn resolve_pnpm(exec: &Exec, context: &Context) -> Result<Resolved, String> {
    let first = exec.specs.first().ok_or("it names no package")?;
    let spec = spec::npm(&first.text);
    let default = |context: &Context| match context.platform.os {
        super::Os::Windows => {
            context.folder("LOCALAPPDATA", |context| context.home.join("AppData/Local")).join("pnpm-cache")
        }
        super::Os::Mac => context.home.join("Library/Caches/pnpm"),
        super::Os::Linux => context.home.join(".cache/pnpm"),
    };
    let cache = match context.var("XDG_CACHE_HOME") {
        Some(folder) => Path::new(folder).join("pnpm"),
        None => default(context),
    };
    let cache = context.folder("npm_config_cache_dir", |_| cache);
    let mut found: Vec<(SystemTime, Package, PathBuf)> = Vec::new();
    for entry in fs::read_dir(cache.join("dlx")).into_iter().flatten().flatten() {
        let link = entry.path().join("pkg");
        let made = fs::symlink_metadata(&link).and_then(|metadata| metadata.modified());
        if let (Ok(made), Some(package)) = (made, in_cache(&spec, &link)) {
            found.push((made, package, link.canonicalize().unwrap_or(link)));
        }
    }
    // Several specs can name one package; the folder made last is the one that is used last.
    let newest = found.into_iter().max_by_key(|(made, _, _)| *made);
    let (_, package, folder) =
        newest.ok_or_else(|| format!("pnpm has not installed {} yet", shown(&first.text)))?;
    node::resolve(&package, spec.is_floating(), &[folder], context)
}

/// The same with the artifact marked as asked for by a floating spec.
fn marked(mut resolved: Resolved, asked: bool) -> Resolved {
    if let Artifact::Package { floating, .. } = &mut resolved.artifact {
        *floating = asked;
    }
    resolved
}

/// A spec as a message names it: a URL may hold a password.
fn shown(spec: &str) -> String {
    crate::engine::secret::mask_url(spec).into_owned()
}

/// Whether a version lies in a range of npm's: `^1.2`, `~1.2.3`, `>=1 <2`, `1.x`, `1 || 2`.
pub(super) fn in_range(version: &str, range: &str) -> bool {
    let Some(version) = Numbers::read(version) else { return false };
    range.split("||").any(|alternative| {
        let words: Vec<&str> = alternative.split_whitespace().collect();
        !words.is_empty() && words.iter().all(|word| version.is_in(word))
    })
}

/// The three numbers of a version; versions before a release are outside of what is decided here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Numbers([u64; 3]);

impl Numbers {
    fn read(text: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        let parts: Vec<&str> = text.split('+').next()?.split('.').collect();
        for (number, part) in numbers.iter_mut().zip(&parts) {
            *number = part.parse().ok()?;
        }
        (parts.len() <= 3).then_some(Self(numbers))
    }

    fn is_in(self, word: &str) -> bool {
        let split = word.find(|c: char| c.is_ascii_digit() || "vxX*".contains(c)).unwrap_or(word.len());
        let (operator, bound) = word.split_at(split);
        let parts: Vec<&str> = bound.trim_start_matches('v').split('.').collect();
        let given = parts.iter().take_while(|part| !matches!(**part, "x" | "X" | "*" | "")).count();
        let Some(low) = Self::read(&parts[..given].join(".")).or((given == 0).then_some(Self([0; 3]))) else {
            return false;
        };
        // Where the range ends that a bound with `given` numbers, or a caret or tilde before it, spans.
        let end = |kept: usize| match kept {
            0 => Self([u64::MAX; 3]),
            1 => Self([low.0[0].saturating_add(1), 0, 0]),
            2 => Self([low.0[0], low.0[1].saturating_add(1), 0]),
            _ => Self([low.0[0], low.0[1], low.0[2].saturating_add(1)]),
        };
        match operator {
            "" | "=" => self >= low && self < end(given),
            "~" | "~>" => self >= low && self < end(given.min(2)),
            "^" => {
                let leading = low.0.iter().take(given).take_while(|number| **number == 0).count();
                self >= low && self < end((leading + 1).min(given))
            }
            ">=" => self >= low,
            ">" => self >= end(given) || (given == 3 && self > low),
            "<" => self < low,
            "<=" => self < end(given),
            _ => false,
        }
    }
}
