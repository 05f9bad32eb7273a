//! What `uvx`, `uv run` and `pipx run` run.
//!
//! uv keeps one environment for each set of requirements and interpreter in its cache
//! (`environments-v2/…` points into `archive-v0/…`), under a name that only its resolver can compute. A
//! tool that `uv tool install` put aside is used where it satisfies a spec without `@`. So the
//! environments are looked into, and of several that fit the one made last is taken, since uv makes a
//! new one whenever its resolution moves on; one that holds more than was asked for comes after those.

use super::command::{Exec, UvRun};
use super::python_env::Environment;
use super::spec::{self, Request, Spec};
use super::{Context, Os, Resolved, program, python};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What `uvx` and `uv tool run` run.
pub(super) fn resolve_tool(exec: &Exec, context: &Context) -> Result<Resolved, String> {
    let (spec, shown) = spec_of(exec)?;
    let from_scratch = exec.options.contains_key("isolated") || !exec.with.is_empty();
    if !from_scratch && !matches!(spec.request, Request::Tag(_) | Request::Source(_)) {
        let tools = context.folder("UV_TOOL_DIR", |context| data_folder(context).join("uv/tools"));
        if let Some(environment) = Environment::of_folder(&tools.join(spec::normalised(&spec.name)), true)
            && let Some(resolved) = in_environment(&spec, exec, &environment, context)
        {
            return resolved;
        }
    }
    let cache = exec.options.get("cache-dir").map(|folder| context.cwd.join(folder));
    let cache = cache.unwrap_or_else(|| {
        context.folder("UV_CACHE_DIR", |context| cache_folder(context).join(cache_name(context)))
    });
    newest(environments(&cache), &spec, exec, context)
        .unwrap_or_else(|| Err(format!("uv has not installed {shown} yet")))
}

/// What `pipx run` runs: with uv behind it, uv's; else an environment of its own.
pub(super) fn resolve_pipx(exec: &Exec, context: &Context) -> Result<Resolved, String> {
    let (spec, shown) = spec_of(exec)?;
    let home = context.var("PIPX_HOME").map(|folder| context.cwd.join(folder));
    let mut folders = vec![
        context.home.join(".local/pipx/.cache"),
        data_folder(context).join("pipx/.cache"),
        cache_folder(context).join("pipx"),
    ];
    folders.extend(home.map(|home| home.join(".cache")));
    let uv = context.folder("UV_CACHE_DIR", |context| cache_folder(context).join(cache_name(context)));
    let mut found = environments(&uv);
    for folder in folders {
        found.extend(
            fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| made(&entry.path())),
        );
    }
    newest(found, &spec, exec, context).unwrap_or_else(|| Err(format!("pipx has not installed {shown} yet")))
}

/// What `uv run` runs: a script, or a launcher or module of the project's environment.
pub(super) fn resolve_run(run: &UvRun, context: &Context) -> Result<Resolved, String> {
    let mut context = context.clone();
    if let Some(folder) = &run.directory {
        context.cwd = context.cwd.join(folder);
    }
    let start = run.project.as_ref().map_or_else(|| context.cwd.clone(), |folder| context.cwd.join(folder));
    let command = run.command.first().map(String::as_str).unwrap_or_default();
    if run.module.is_none() && command.ends_with(".py") {
        return program::resolve_script(command, &context);
    }
    let project = start.ancestors().find(|folder| folder.join("pyproject.toml").is_file()).unwrap_or(&start);
    let folder = context.folder("UV_PROJECT_ENVIRONMENT", |_| project.join(".venv"));
    let scripts = if context.is_windows() { "Scripts" } else { "bin" };
    let file = |name: &str| context.executable(&folder.join(scripts).join(name));
    match &run.module {
        Some(module) => {
            let python = file("python").ok_or("uv has not made the project's environment yet")?;
            python::resolve_module(&python, module, &context)
        }
        None if command.is_empty() => Err("it names no command".to_owned()),
        None => {
            let program = file(command).or_else(|| context.find_program(command));
            program::resolve(&program.ok_or_else(|| format!("`{command}` is not found"))?, &context)
        }
    }
}

fn spec_of(exec: &Exec) -> Result<(Spec, String), String> {
    let first = exec.specs.first().ok_or("it names no package")?;
    Ok((spec::python(&first.text), crate::engine::secret::mask_url(&first.text).into_owned()))
}

/// An environment and when it was made.
type Made = (SystemTime, Environment);

/// The environments in uv's cache: one level below `environments-vN`, or two.
fn environments(cache: &Path) -> Vec<Made> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let versions = entries(cache).into_iter();
    let versions = versions.filter(|folder| {
        folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("environments-v"))
    });
    let links = versions.flat_map(|folder| entries(&folder));
    links
        .flat_map(|link| match made(&link) {
            Some(found) => vec![found],
            None => entries(&link).iter().filter_map(|link| made(link)).collect(),
        })
        .collect()
}

fn made(link: &Path) -> Option<Made> {
    let time = fs::symlink_metadata(link).and_then(|metadata| metadata.modified()).ok()?;
    let folder = link.canonicalize().ok()?;
    Some((time, Environment::of_folder(&folder, true)?))
}

/// What the newest environment that fits holds.
fn newest(
    mut found: Vec<Made>,
    spec: &Spec,
    exec: &Exec,
    context: &Context,
) -> Option<Result<Resolved, String>> {
    let mut asked = vec![spec.name.clone()];
    asked.extend(exec.with.iter().flat_map(|with| with.split(',')).map(|with| spec::python(with).name));
    found.retain(|(_, environment)| spec.name.is_empty() || environment.find(&spec.name).is_some());
    found.sort_by_cached_key(|(time, environment)| {
        (python::has_strays(environment, &asked), std::cmp::Reverse(*time))
    });
    found.iter().find_map(|(_, environment)| in_environment(spec, exec, environment, context))
}

/// What an environment holds for a spec, if it fits.
fn in_environment(
    spec: &Spec,
    exec: &Exec,
    environment: &Environment,
    context: &Context,
) -> Option<Result<Resolved, String>> {
    let distribution = if spec.name.is_empty() {
        // Only the source is named: the distribution that says it came from there.
        environment
            .all()
            .into_iter()
            .find(|distribution| came_from(&distribution.site.join(&distribution.info), spec))?
    } else {
        environment.find(&spec.name)?
    };
    let fits = match &spec.request {
        Request::Exact(version) => distribution.version == *version,
        Request::Range(range) => satisfies(&distribution.version, range),
        Request::Any | Request::Tag(_) | Request::Source(_) => true,
    };
    let with = exec.with.iter().flat_map(|with| with.split(','));
    let has_all = with
        .map(|with| spec::python(with).name)
        .all(|name| name.is_empty() || environment.find(&name).is_some());
    let python = exec.options.get("python").or_else(|| exec.options.get("p"));
    let is_python = python.is_none_or(|version| is_version_of(environment, version));
    let command = exec.command.as_deref().unwrap_or(&distribution.name);
    // Of two environments with the package, the one made to run it has its launcher.
    let runs = exec.command.is_none() || python::has_launcher(environment, command);
    (fits && has_all && is_python && runs).then(|| {
        python::resolve(
            &distribution,
            environment,
            spec.is_floating(),
            std::slice::from_ref(&environment.folder),
            context,
        )
    })
}

fn came_from(info: &Path, spec: &Spec) -> bool {
    let Request::Source(source) = &spec.request else { return false };
    let direct = fs::read_to_string(info.join("direct_url.json")).unwrap_or_default();
    let plain = source.trim_start_matches("git+").split(['#']).next().unwrap_or(source);
    // `git+https://host/a/b@ref`: the part before the reference is noted as the address.
    let plain = match plain.rsplit_once('@') {
        Some((address, reference)) if !reference.contains('/') => address,
        _ => plain,
    };
    direct.contains(&format!("\"{plain}\""))
        || direct.contains(&format!("{}\"", plain.trim_start_matches("./")))
}

/// Whether an environment's Python is of a version such as `3.11`; a path or a name is not judged.
fn is_version_of(environment: &Environment, version: &str) -> bool {
    let version = version.trim_start_matches("python").trim_start_matches("cpython-");
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let config = fs::read_to_string(environment.folder.join("pyvenv.cfg")).unwrap_or_default();
    let found = config
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim().starts_with("version"));
    found.is_none_or(|(_, found)| format!("{}.", found.trim()).starts_with(&format!("{version}.")))
}

/// Whether a version satisfies every clause of `>=1.2,<2`, compared by its numbers.
pub(super) fn satisfies(version: &str, range: &str) -> bool {
    range.split(',').map(str::trim).filter(|clause| !clause.is_empty()).all(|clause| {
        let split = clause.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(clause.len());
        let (operator, bound) = clause.split_at(split);
        let (found, asked) = (numbers(version), numbers(bound.trim_end_matches(".*")));
        match operator.trim() {
            "==" | "===" => found.starts_with(&asked) && (bound.ends_with(".*") || version == bound),
            "!=" => found != asked,
            ">=" => found >= asked,
            "<=" => found <= asked,
            ">" => found > asked,
            "<" => found < asked,
            "~=" => found >= asked && found.starts_with(&asked[..asked.len().saturating_sub(1)]),
            _ => false,
        }
    })
}

fn numbers(version: &str) -> Vec<u64> {
    let number = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    version.split(['.', '+', '-']).map_while(number).collect()
}

/// The folder of caches.
fn cache_folder(context: &Context) -> PathBuf {
    match context.platform.os {
        Os::Windows => context.folder("LOCALAPPDATA", |context| context.home.join("AppData/Local")),
        Os::Linux | Os::Mac => context.folder("XDG_CACHE_HOME", |context| context.home.join(".cache")),
    }
}

/// uv's part of it.
fn cache_name(context: &Context) -> &'static str {
    if context.is_windows() { "uv/cache" } else { "uv" }
}

/// The folder of applications' data.
fn data_folder(context: &Context) -> PathBuf {
    match context.platform.os {
        Os::Windows => context.folder("APPDATA", |context| context.home.join("AppData/Roaming")),
        Os::Linux | Os::Mac => context.folder("XDG_DATA_HOME", |context| context.home.join(".local/share")),
    }
}
