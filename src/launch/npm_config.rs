//! The few settings of npm that move folders, in npm's order: command line, environment, the project's
//! `.npmrc`, the user's, the global one.

use super::command::Exec;
use super::{Context, node};
use crate::engine::json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders as npm's settings place them.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    /// Where the local `node_modules` lies.
    pub local: PathBuf,
    /// `npm config get cache`.
    pub cache: PathBuf,
    /// `npm config get prefix`, where known.
    pub global: Option<PathBuf>,
}

/// The folders that `npx` uses for this launch.
pub(super) fn folders(exec: &Exec, context: &Context) -> Folders {
    let local = match exec.options.get("prefix") {
        Some(prefix) => context.cwd.join(prefix),
        None => local_prefix(&context.cwd),
    };
    let node = context.find_program("node").and_then(|node| node.canonicalize().ok());
    let beside_node = node.as_deref().and_then(|node| {
        let folder = node.parent()?;
        if context.is_windows() { Some(folder.to_owned()) } else { folder.parent().map(Path::to_owned) }
    });
    let settings = Settings { exec, context, local: &local, beside_node: beside_node.as_deref() };
    let cache = settings.folder("cache").unwrap_or_else(|| {
        let data = context.is_windows().then(|| context.var("LOCALAPPDATA")).flatten();
        data.map_or_else(|| context.home.join(".npm"), |data| Path::new(data).join("npm-cache"))
    });
    let windows = context
        .is_windows()
        .then(|| context.var("APPDATA"))
        .flatten()
        .map(|data| Path::new(data).join("npm"));
    let global = settings.folder("prefix").or(windows).or(beside_node.clone());
    Folders { local, cache, global }
}

impl Folders {
    /// Where global executables lie.
    pub fn global_bin(&self, context: &Context) -> Option<PathBuf> {
        let global = self.global.as_ref()?;
        Some(if context.is_windows() { global.clone() } else { global.join("bin") })
    }

    /// The folder whose `node_modules` holds global packages; none if that is the local one.
    pub fn global_modules(&self, context: &Context) -> Option<PathBuf> {
        let global = self.global.as_ref().filter(|global| **global != self.local)?;
        Some(if context.is_windows() { global.clone() } else { global.join("lib") })
    }
}

/// The nearest folder with a `package.json` or a `node_modules`, or the root of the workspace it is in.
fn local_prefix(cwd: &Path) -> PathBuf {
    let has = |folder: &&Path| folder.join("package.json").is_file() || folder.join("node_modules").is_dir();
    let Some(nearest) = cwd.ancestors().find(has) else { return cwd.to_owned() };
    let root = nearest.ancestors().skip(1).find(|folder| is_workspace(folder, nearest));
    root.unwrap_or(nearest).to_owned()
}

/// Whether a folder's manifest names another as its workspace. Of glob patterns, `*` and `**` are read.
fn is_workspace(root: &Path, member: &Path) -> bool {
    let Some(manifest) = node::read_json(&root.join("package.json")) else { return false };
    let list = manifest.get("workspaces").map(|field| field.get("packages").unwrap_or(field));
    let Ok(relative) = member.strip_prefix(root) else { return false };
    let parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let patterns = list.and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str);
    patterns.map(|pattern| pattern.trim_start_matches("./").trim_end_matches('/')).any(|pattern| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let deep = pattern.last() == Some(&"**") && parts.len() >= pattern.len();
        let all = if deep { pattern.len() - 1 } else { pattern.len() };
        (deep || all == parts.len())
            && pattern[..all].iter().zip(&parts).all(|(glob, part)| is_like(glob, part))
    })
}

/// Whether a name is like a pattern with at most one `*`.
fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => {
            name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
        }
        None => pattern == name,
    }
}

struct Settings<'a> {
    exec: &'a Exec,
    context: &'a Context,
    local: &'a Path,
    beside_node: Option<&'a Path>,
}

impl Settings<'_> {
    fn folder(&self, key: &str) -> Option<PathBuf> {
        // `--prefix` moves the local folder, not the global one.
        let option = self.exec.options.get(key).filter(|_| key != "prefix").cloned();
        let value = option.or_else(|| self.variable(key)).or_else(|| self.in_files(key))?;
        let value = self.expand(&value);
        let home = value.strip_prefix("~/").map(|rest| self.context.home.join(rest));
        Some(home.unwrap_or_else(|| self.context.cwd.join(value)))
    }

    /// `npm_config_KEY`, in any case.
    fn variable(&self, key: &str) -> Option<String> {
        let name = format!("npm_config_{key}");
        let found = self
            .context
            .env
            .iter()
            .find(|(other, value)| other.eq_ignore_ascii_case(&name) && !value.is_empty());
        found.map(|(_, value)| value.clone())
    }

    fn in_files(&self, key: &str) -> Option<String> {
        let user = self.variable("userconfig").map(PathBuf::from);
        let option = self.exec.options.get("userconfig").map(PathBuf::from);
        let user = option.or(user).unwrap_or_else(|| self.context.home.join(".npmrc"));
        let global = self.variable("globalconfig").map(PathBuf::from);
        let global = global.or_else(|| self.beside_node.map(|folder| folder.join("etc/npmrc")));
        let project = Some(self.local.join(".npmrc")).filter(|project| *project != user);
        [project, Some(user), global].into_iter().flatten().find_map(|file| setting(&file, key))
    }

    /// `${NAME}` as `.npmrc` files write it.
    fn expand(&self, value: &str) -> String {
        let mut expanded = String::new();
        let mut rest = value;
        while let Some((before, name, after)) = rest.split_once("${").and_then(|(before, rest)| {
            let (name, after) = rest.split_once('}')?;
            Some((before, name, after))
        }) {
            expanded.push_str(before);
            expanded.push_str(self.context.var(name).unwrap_or_default());
            rest = after;
        }
        expanded + rest
    }
}

/// A setting of an `.npmrc` file.
fn setting(file: &Path, key: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim() == key && !value.is_empty()).then(|| value.to_owned())
    };
    text.lines().filter(|line| !line.trim_start().starts_with([';', '#'])).filter_map(value).next_back()
}
