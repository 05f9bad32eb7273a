//! The integrities that npm, bun and pnpm note beside what they install.

use super::node::{Package, read_json};
use crate::engine::json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The largest lock that is read.
const MAX_LOCK: u64 = 64 * 1024 * 1024;

/// Integrities by `name@version`.
#[derive(Clone, Debug, Default)]
pub(super) struct Lock(HashMap<String, String>);

impl Lock {
    /// The lock of the installation that a package's folder belongs to: the outermost `node_modules`
    /// around it that has one.
    pub fn of(folder: &Path) -> Self {
        let modules =
            folder.ancestors().filter(|folder| folder.file_name().is_some_and(|name| name == "node_modules"));
        let mut locks: Vec<Self> = modules.filter_map(Self::beside).collect();
        locks.pop().unwrap_or_default()
    }

    /// The integrity of a package, as its lock writes it.
    pub fn integrity(&self, package: &Package) -> Option<String> {
        self.0.get(&format!("{}@{}", package.name, package.version)).cloned()
    }

    fn beside(modules: &Path) -> Option<Self> {
        let project = modules.parent()?;
        npm(&modules.join(".package-lock.json"))
            .or_else(|| pnpm(&modules.join(".pnpm/lock.yaml")))
            .or_else(|| bun(&project.join("bun.lock")))
            .or_else(|| npm(&project.join("package-lock.json")))
            .map(Self)
    }
}

/// npm's hidden lock, or a project's.
fn npm(file: &Path) -> Option<HashMap<String, String>> {
    let lock = read_large(file)?;
    let packages = lock.get("packages")?.as_object()?;
    let entry = |(path, entry): (&str, &Value)| {
        let at = path.rfind("node_modules/")?;
        let name = entry.get("name").and_then(Value::as_str).unwrap_or(&path[at + 13..]);
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        Some((format!("{name}@{}", text("version")?), text("integrity").or(text("resolved"))?.to_owned()))
    };
    Some(packages.iter().filter_map(entry).collect())
}

/// bun's text lock, which has one package a line: `"name": ["name@version", …, "sha512-…"],`.
fn bun(file: &Path) -> Option<HashMap<String, String>> {
    let text = small_text(file)?;
    let entry = |line: &str| {
        let (_, entry) = line.trim().split_once("\": [\"")?;
        let (package, rest) = entry.split_once('"')?;
        let (_, integrity) = rest.rsplit_once("\"sha")?;
        Some((package.to_owned(), format!("sha{}", integrity.split('"').next()?)))
    };
    Some(text.lines().filter_map(entry).collect())
}

/// pnpm's lock: of its YAML only the lines `  name@version:` and `resolution: {integrity: …}` are read.
fn pnpm(file: &Path) -> Option<HashMap<String, String>> {
    let text = small_text(file)?;
    let mut found = HashMap::new();
    let mut package = None;
    for line in text.lines() {
        let name = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
            .and_then(|rest| rest.strip_suffix(':'));
        if let Some(name) = name {
            package = Some(name.trim_matches('\'').split('(').next().unwrap_or(name).to_owned());
        } else if let (Some(name), Some(at)) = (&package, line.find("integrity: ")) {
            let integrity = line[at + 11..].split(['}', ',']).next().unwrap_or_default().trim();
            found.insert(name.clone(), integrity.to_owned());
        }
    }
    Some(found)
}

fn small_text(file: &Path) -> Option<String> {
    let small = fs::metadata(file).ok()?.len() <= MAX_LOCK;
    small.then(|| fs::read_to_string(file).ok()).flatten()
}

fn read_large(file: &Path) -> Option<Value> {
    crate::engine::json::parse(small_text(file)?.as_bytes()).ok().or_else(|| read_json(file))
}
