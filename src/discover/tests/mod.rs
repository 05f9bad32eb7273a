//! Every client on every system, from the samples in `tests/data/clients`, through one file system in
//! memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod files;
mod resolving;

use super::*;
use crate::engine::launchpin::Launch;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// A file system in memory.
#[derive(Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Memory {
    /// Puts a sample folder somewhere.
    pub fn mount(mut self, sample: &str, at: &str) -> Self {
        let root = samples().join(sample);
        let mut open = vec![root.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let below = path.strip_prefix(&root).unwrap();
                    let name = key(&Path::new(at).join(below));
                    self.0.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        self
    }

    /// Puts one file somewhere.
    pub fn file(mut self, at: &str, text: &str) -> Self {
        self.0.insert(at.to_owned(), text.as_bytes().to_vec());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(&key(path)).cloned())
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let prefix = format!("{}/", key(folder));
        let below = self.0.keys().filter_map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<_> = below.map(|name| name.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        names
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(&key(path)) || !self.names(path).is_empty()
    }
}

fn key(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The folder of samples.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients")
}

/// Everything that was found, as text for a snapshot. Paths read alike on every system.
pub fn show(found: &Discovered) -> String {
    let mut out = String::new();
    for entry in &found.entries {
        let state = match (entry.disabled, entry.asked) {
            (false, true) => "",
            (true, true) => " disabled",
            (false, false) => " not-asked",
            (true, false) => " disabled not-asked",
        };
        let (file, place) = (key(&entry.file), entry.place);
        writeln!(out, "{} [{}]{state} {}", entry.name, entry.scope, show_launch(&entry.launch)).unwrap();
        writeln!(out, "    {}:{}:{} {}", file, place.line, place.column, entry.key_path).unwrap();
        let mut more =
            |name: &str, text: String| writeln!(out, "    {name} {}", text.replace('\\', "/")).unwrap();
        entry.folder.iter().for_each(|folder| more("folder", key(folder)));
        entry.env_file.iter().for_each(|file| more("env file", file.clone()));
        entry.inputs.iter().for_each(|id| more("input", id.clone()));
        entry.from_env.iter().for_each(|part| more("from env", format!("{part:?}")));
        entry.given.iter().for_each(|(name, value)| more("given", format!("{name}={value}")));
        entry.own_fields.iter().for_each(|field| more("own field", (*field).to_owned()));
        entry.notes.iter().for_each(|note| more("note", note.clone()));
    }
    for (kind, problems) in [("problem", &found.problems), ("remark", &found.remarks)] {
        for problem in problems {
            writeln!(out, "{kind}: {}", problem.to_string().replace('\\', "/")).unwrap();
            writeln!(out, "    {}", problem.hint()).unwrap();
        }
    }
    out
}

/// A launch on one line.
pub fn show_launch(launch: &Launch) -> String {
    match launch {
        Launch::Command(launch) => {
            let env: Vec<_> = launch.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let cwd = launch.cwd.iter().map(|cwd| format!(" in {cwd}")).collect::<String>();
            let env = if env.is_empty() { String::new() } else { format!(" with {}", env.join(" ")) };
            format!("\"{}\" {:?}{cwd}{env}", launch.command, launch.args)
        }
        Launch::Url(launch) => {
            let kind = if launch.sse { "sse" } else { "http" };
            let headers: Vec<_> =
                launch.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{kind} {} {}", launch.url, headers.join(", ")).trim_end().to_owned()
        }
    }
}
