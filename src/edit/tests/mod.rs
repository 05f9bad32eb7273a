//! Wrapping and unwrapping: every sample of every client, tables of spellings, and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod properties;
mod tables;

use super::*;
use crate::engine::json::Step;
use jsonc_parser::ast::Value;

const EXE: &str = "/opt/mcpwatch/bin/mcpwatch";

/// A wrapper with that name.
pub fn wrapper(name: &str) -> Wrapper<'_> {
    Wrapper { exe: EXE, lock: None, name, client: "cursor", forward: &[] }
}

/// A path of keys.
pub fn path(keys: &[&str]) -> Path {
    Path(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
}

/// Every object of a text that has a command or an address.
fn entries(format: Format, text: &str) -> Vec<Path> {
    fn json(value: &Value<'_>, at: &Path, out: &mut Vec<Path>) {
        let Some(object) = value.as_object() else { return };
        let has = |key: &str| object.get(key).is_some();
        if ["command", "url", "httpUrl", "serverUrl"].iter().any(|key| has(key)) && !has("settings") {
            out.push(at.clone());
        } else {
            object
                .properties
                .iter()
                .for_each(|p| json(&p.value, &at.join(Step::Key(p.name.as_str().to_owned())), out));
        }
    }
    let mut out = Vec::new();
    match format {
        Format::Json => json(&super::json::parse(text).unwrap().unwrap(), &Path::default(), &mut out),
        Format::Toml => {
            let table: ::toml::Table = text.parse().unwrap();
            let servers = table["mcp_servers"].as_table().unwrap();
            out.extend(servers.keys().map(|name| path(&["mcp_servers", name])));
        }
    }
    out
}

/// Wraps every entry of a text, checks what must hold, unwraps every entry, expects the same bytes.
fn round_trip(file: &str, format: Format, text: &str) -> (usize, String) {
    let paths = entries(format, text);
    let mut now = text.to_owned();
    for path in &paths {
        let name = "a b\"c";
        let wrapped =
            wrap(format, &now, path, &wrapper(name)).unwrap_or_else(|e| panic!("{file} {path}: {e}"));
        assert_ne!(wrapped, now, "{file} {path}");
        let State::Wrapped(state) = state(format, &wrapped, path).unwrap() else { panic!("{file} {path}") };
        assert_eq!((state.exe.as_str(), state.name.as_str()), (EXE, name), "{file} {path}");
        assert_eq!(wrap(format, &wrapped, path, &wrapper(name)).unwrap(), wrapped, "{file} {path}: twice");
        assert_eq!(unwrap(format, &wrapped, path).unwrap(), now, "{file} {path}: one there and back");
        now = wrapped;
    }
    let all = now.clone();
    for path in &paths {
        now = unwrap(format, &now, path).unwrap();
    }
    assert_eq!(now, text, "{file}: all there and back");
    (paths.len(), all)
}

#[test]
fn every_sample_comes_back_byte_for_byte() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients");
    let (mut open, mut files, mut count) = (vec![root.clone()], 0, 0);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                open.push(path);
            } else if !name.starts_with("awkward/")
                && !name.contains("settings.local")
                && !name.contains("managed-settings")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.trim_start_matches('\u{feff}');
                let format = if name.ends_with(".toml") { Format::Toml } else { Format::Json };
                count += round_trip(&name, format, text).0;
                files += 1;
            }
        }
    }
    assert!(files > 25 && count > 50, "{files} files, {count} entries");
}

#[test]
fn what_a_wrapped_file_looks_like() {
    let samples = [
        ("vscode/linux/.config/Code/User/mcp.json", Format::Json),
        ("claude-code/macos/.claude.json", Format::Json),
        ("cursor/linux/.cursor/mcp.json", Format::Json),
        ("cursor/project/.cursor/mcp.json", Format::Json),
        ("codex/linux/.codex/config.toml", Format::Toml),
        ("codex/project/.codex/config.toml", Format::Toml),
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients");
    let shown = samples.map(|(file, format)| {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        format!("# {file}\n{}", round_trip(file, format, &text).1)
    });
    insta::assert_snapshot!(shown.join("\n"));
}
