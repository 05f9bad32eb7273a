//! What `python -m`, an installed launcher and a script among distributions run.
//!
//! A distribution's own files are those of its `RECORD` by their bytes on disk, what lies unlisted in the
//! folders it owns, every unlisted file that Python loads by itself (`.pth`, `sitecustomize`) and what
//! lies beside it under the name of one of its modules, which Python may load in its place; in an environment made for one tool, every file that no distribution lists. Its dependencies are the
//! rest of such an environment, or what its metadata requires; their integrity is a digest over the
//! rows of their `RECORD`. What Python compiles into `__pycache__` differs from machine to machine and is
//! left out, but for files that say their source is not to be looked at (`compiled.rs`).

use super::files::{Digests, Listing, digest_pairs};
use super::node::digest_dependencies;
use super::python_env::{Distribution, Environment};
use super::spec::normalised;
use super::{Context, Resolved, compiled, program};
use crate::engine::digest::Tag;
use crate::engine::launchpin::{Artifact, Ecosystem};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What virtual environments of uv and virtualenv bring themselves.
const OF_THE_ENVIRONMENT: [&str; 2] = ["_virtualenv.py", "_virtualenv.pth"];

/// What `python -m MODULE` runs: the working folder comes first, then `PYTHONPATH`, then what is installed.
pub(super) fn resolve_module(python: &Path, module: &str, context: &Context) -> Result<Resolved, String> {
    let path = module.replace('.', "/");
    let listed = context.var("PYTHONPATH").unwrap_or_default();
    let separator = if context.is_windows() { ';' } else { ':' };
    let listed =
        listed.split(separator).filter(|folder| !folder.is_empty()).map(|folder| context.cwd.join(folder));
    for folder in std::iter::once(context.cwd.clone()).chain(listed) {
        for file in [format!("{path}/__main__.py"), format!("{path}.py")] {
            if folder.join(&file).is_file() {
                return program::resolve_script(&folder.join(file).to_string_lossy(), context);
            }
        }
    }
    let environment = Environment::of_python(python, context)?;
    let top = module.split('.').next().unwrap_or(module);
    let found = environment.all().into_iter().find(|distribution| distribution.brings(top));
    match found {
        Some(distribution) => resolve(&distribution, &environment, false, &[], context),
        None => Err(format!("the module `{module}` is not installed, or is Python's own")),
    }
}

/// What a launcher in an environment's `bin` runs, if it is one.
pub(super) fn resolve_installed_script(
    program: &Path,
    file: &Path,
    head: &str,
    context: &Context,
) -> Option<Result<Resolved, String>> {
    if !head.lines().take(4).any(|line| line.contains("python") || line.contains("pypy")) {
        return None;
    }
    let name = file.file_name()?.to_string_lossy().into_owned();
    let environment =
        environment_of(file, head, context).or_else(|| environment_of(program, head, context))?;
    let found = environment.all().into_iter().find(|distribution| distribution.has_script(&name))?;
    Some(resolve(&found, &environment, false, std::slice::from_ref(&environment.folder), context))
}

/// What an `.exe` in an environment's `Scripts` runs.
pub(super) fn resolve_windows_launcher(
    program: &Path,
    context: &Context,
) -> Option<Result<Resolved, String>> {
    let name = context.is_windows().then(|| program.file_stem()).flatten()?.to_string_lossy().into_owned();
    let scripts = program.parent()?;
    let folder = scripts.parent().filter(|_| scripts.file_name().is_some_and(|name| name == "Scripts"))?;
    let environment = Environment::of_folder(folder, false)?;
    let found = environment.all().into_iter().find(|distribution| distribution.has_script(&name))?;
    Some(resolve(&found, &environment, false, std::slice::from_ref(&environment.folder), context))
}

/// The distribution that a file among others belongs to.
pub(super) fn resolve_file(file: &Path, site: &Path, context: &Context) -> Option<Result<Resolved, String>> {
    let relative = file.strip_prefix(site).ok()?.to_string_lossy().replace('\\', "/");
    let environment = Environment { sites: vec![site.to_owned()], isolated: false, folder: site.to_owned() };
    let owns = |distribution: &Distribution| distribution.record.iter().any(|(path, _)| *path == relative);
    let found = environment.all().into_iter().find(owns)?;
    Some(resolve(&found, &environment, false, &[], context))
}

/// The environment that a launcher belongs to: the one it lies in, or its interpreter's.
fn environment_of(file: &Path, head: &str, context: &Context) -> Option<Environment> {
    let beside =
        file.parent().and_then(Path::parent).and_then(|folder| Environment::of_folder(folder, false));
    beside.or_else(|| {
        let line = head.lines().next()?.strip_prefix("#!")?.trim();
        let mut words = line.split_whitespace();
        let python = match words.next()? {
            env if env.ends_with("/env") => {
                context.find_program(words.find(|word| !word.starts_with('-'))?)?
            }
            python => PathBuf::from(python),
        };
        Environment::of_python(&python, context).ok()
    })
}

/// The artifact of a distribution; `around` are folders of the runner around it.
pub(super) fn resolve(
    distribution: &Distribution,
    environment: &Environment,
    floating: bool,
    around: &[PathBuf],
    context: &Context,
) -> Result<Resolved, String> {
    let name = &distribution.name;
    if distribution.is_editable() {
        return Err(format!("{name} is installed as a link to a working folder"));
    }
    let others: Vec<Distribution> =
        environment.all().into_iter().filter(|other| other.info != distribution.info).collect();
    let unreadable = |error: std::io::Error| format!("the files of {name} cannot be read: {error}");
    let files = own_files(distribution, &others, environment, &context.digests).map_err(unreadable)?;
    let dependencies = if environment.isolated { others } else { required(distribution, others) };
    let native =
        files.is_native() || distribution.is_native() || dependencies.iter().any(Distribution::is_native);
    let mut all: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for dependency in dependencies {
        let rows: BTreeMap<String, &str> = dependency
            .stable_rows()
            .map(|(path, digest)| (Distribution::stable_name(path), digest))
            .collect();
        let rows = rows.iter().map(|(path, digest)| (path.as_str(), *digest));
        let integrity = digest_pairs(Tag::Dependencies, rows).to_string();
        all.entry(normalised(&dependency.name)).or_default().insert((dependency.version, integrity));
    }
    let (dependencies, dependency_list) = digest_dependencies(&all);
    let artifact = Artifact::Package {
        ecosystem: Ecosystem::PyPi,
        name: normalised(name),
        version: distribution.version.clone(),
        floating,
        files: files.digest(),
        dependencies,
        dependency_list,
    };
    let own = top_folders(distribution).into_iter().map(|folder| distribution.site.join(folder));
    let folders =
        around.iter().cloned().chain(own).chain(std::iter::once(distribution.site.clone())).collect();
    Ok(Resolved { artifact, platform: context.native(native), folders })
}

/// What a distribution requires, directly and not, of those installed.
fn required(distribution: &Distribution, others: Vec<Distribution>) -> Vec<Distribution> {
    let others: BTreeMap<String, Distribution> =
        others.into_iter().map(|other| (normalised(&other.name), other)).collect();
    let mut queue = distribution.requires(Some(&[]));
    let mut seen: HashSet<(String, Vec<String>)> = HashSet::new();
    while let Some((name, extras)) = queue.pop() {
        let name = normalised(&name);
        if let Some(other) = others.get(&name).filter(|_| seen.insert((name.clone(), extras.clone()))) {
            queue.extend(other.requires(Some(&extras)));
        }
    }
    let names: BTreeSet<String> = seen.into_iter().map(|(name, _)| name).collect();
    others.into_iter().filter(|(name, _)| names.contains(name)).map(|(_, other)| other).collect()
}

/// Whether an environment has a distribution that none of those named asks for, extras included: then
/// it was made with more than them.
pub(super) fn has_strays(environment: &Environment, names: &[String]) -> bool {
    let mut left: BTreeMap<String, Distribution> =
        environment.all().into_iter().map(|other| (normalised(&other.name), other)).collect();
    let mut queue = names.to_vec();
    while let Some(name) = queue.pop() {
        if let Some(other) = left.remove(&normalised(&name)) {
            queue.extend(other.requires(None).into_iter().map(|(name, _)| name));
        }
    }
    !left.is_empty()
}

/// The folders beside a distribution's `.dist-info` that it put files into.
fn top_folders(distribution: &Distribution) -> BTreeSet<String> {
    let folder = |(path, _): (&str, &str)| path.split_once('/').map(|(folder, _)| folder.to_owned());
    let folders = distribution.stable_rows().filter_map(folder);
    folders.filter(|folder| folder != ".." && *folder != distribution.info).collect()
}

/// The modules that a distribution has beside its `.dist-info`, as folders or as files.
fn top_modules(distribution: &Distribution) -> BTreeSet<String> {
    let module = |(path, _): (&str, &str)| {
        let is_file = !path.contains('/');
        is_file.then(|| path.split('.').next().unwrap_or_default().to_owned())
    };
    distribution.stable_rows().filter_map(module).chain(top_folders(distribution)).collect()
}

fn own_files(
    distribution: &Distribution,
    others: &[Distribution],
    environment: &Environment,
    digests: &Digests,
) -> std::io::Result<Listing> {
    let mut listing = Listing::default();
    let site = &distribution.site;
    for (path, _) in distribution.stable_rows() {
        let (file, name) = (site.join(path), Distribution::stable_name(path));
        if file.symlink_metadata().is_ok() {
            listing.add(&name, &file, digests)?
        } else {
            listing.add_missing(&name)
        }
    }
    let listed: HashSet<&str> =
        others.iter().flat_map(|other| other.record.iter().map(|(path, _)| path.as_str())).collect();
    let notes = format!("{}/", distribution.info);
    let mut unlisted: Vec<(String, PathBuf)> = Vec::new();
    if environment.isolated {
        collect("", site, &mut unlisted)?;
    } else {
        for folder in top_folders(distribution) {
            collect(&folder, &site.join(&folder), &mut unlisted)?;
        }
        let modules = top_modules(distribution);
        for entry in fs::read_dir(site)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let module = name.split('.').next().unwrap_or_default();
            let loads = matches!(module, "sitecustomize" | "usercustomize") || modules.contains(module);
            if name == module && loads && path.is_dir() {
                collect(&name, &path, &mut unlisted)?;
            } else if name.ends_with(".pth") || loads && name != module {
                unlisted.push((name, path));
            }
        }
        // The top-level modules' own compiled files lie with those of all others.
        collect_unchecked("__pycache__", &site.join("__pycache__"), &modules, &mut unlisted)?;
    }
    for (name, file) in unlisted {
        let known = listed.contains(name.as_str()) || OF_THE_ENVIRONMENT.contains(&name.as_str());
        if !known && !name.starts_with(&notes) && !listing.contains(&name) {
            listing.add(&name, &file, digests)?;
        }
    }
    Ok(listing)
}

/// The files below a folder, by their path from the site folder.
fn collect(prefix: &str, folder: &Path, found: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if name == "__pycache__" {
            collect_unchecked(&path, &entry, &BTreeSet::new(), found)?;
            continue;
        }
        if entry.symlink_metadata()?.is_dir() {
            collect(&path, &entry, found)?
        } else {
            found.push((path, entry))
        }
    }
    Ok(())
}

/// The compiled files in a `__pycache__` that run without a look at their source; of these modules, or of
/// all where none are named.
fn collect_unchecked(
    prefix: &str,
    folder: &Path,
    modules: &BTreeSet<String>,
    found: &mut Vec<(String, PathBuf)>,
) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let of = |module: &str| modules.is_empty() || modules.contains(module);
        if of(name.split('.').next().unwrap_or_default()) && compiled::is_unchecked(&entry.path()) {
            found.push((format!("{prefix}/{name}"), entry.path()));
        }
    }
    Ok(())
}

/// Whether an environment has a launcher of that name.
pub(super) fn has_launcher(environment: &Environment, name: &str) -> bool {
    let scripts = environment.folder.join("Scripts");
    [environment.folder.join("bin").join(name), scripts.join(name), scripts.join(format!("{name}.exe"))]
        .iter()
        .any(|file| file.is_file())
}
