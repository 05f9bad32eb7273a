//! Wrapping on disk: backups, rewritten files, links, permissions, every sample of every client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::discover::{Client, Discovered, Disk, from_file};
use crate::survey::wrap_diff;
use crate::survey::wrap_status::{Standing, Wrappings};
use crate::sys::paths::Os;
use std::fs;

struct Place {
    folder: tempfile::TempDir,
    paths: Paths,
    exe: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home").to_str().unwrap().to_owned();
        let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
        let exe = folder.path().join("mcpwatch");
        fs::write(&exe, "").unwrap();
        Self { folder, paths, exe }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    fn found(&self, file: &std::path::Path) -> Discovered {
        from_file(file, &fs::read(file).unwrap())
    }

    fn wrap(&self, found: &Discovered, only: Option<&str>) -> Vec<Change> {
        let wanted = found.entries.iter().filter(|entry| only.is_none_or(|name| entry.name == name));
        let target = |entry| Target { entry, name: &entry.name, lock: None, requested: true, pinned: true };
        let targets: Vec<_> = wanted.map(target).collect();
        wrap(&targets, &self.exe, &self.paths, &Disk).unwrap()
    }

    fn apply(&self, changes: Vec<Change>) -> Vec<Change> {
        changes.into_iter().map(|change| change.apply(&self.paths, &Disk, 1).unwrap()).collect()
    }

    fn unwrap(&self, found: &Discovered, only: Option<&str>) {
        let wanted = found.entries.iter().filter(|entry| only.is_none_or(|name| entry.name == name));
        let changes = unwrap(&wanted.collect::<Vec<_>>(), &self.paths, &Disk).unwrap();
        self.apply(changes);
    }

    fn standings(&self, found: &Discovered) -> Vec<Standing> {
        let none = BTreeMap::new();
        let wrappings = Wrappings::load(&self.paths, &Disk, &none).unwrap();
        found.entries.iter().map(|entry| wrappings.standing(entry).unwrap()).collect()
    }
}

const TWO: &str = "{\r\n  // c\r\n  \"mcpServers\": {\r\n    \"a\": {\"command\": \"npx\", \"args\": [\"-y\", \"a\"]},\r\n    \"b\": {\"command\": \"b\"},\r\n  },\r\n}";

#[test]
fn every_sample_is_wrapped_seen_through_and_given_back() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients");
    let (mut open, mut count) = (vec![samples.clone()], 0);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let (place, bytes) = (Place::new(), fs::read(&path).unwrap());
            let below = path.strip_prefix(&samples).unwrap();
            let file = place.file(below.to_str().unwrap(), &bytes);
            let before = place.found(&file);
            let changes = place.apply(place.wrap(&before, None));
            let after = place.found(&file);
            for (old, new) in before.entries.iter().zip(&after.entries) {
                let left = changes[0]
                    .entries
                    .iter()
                    .any(|(name, outcome)| *name == old.name && matches!(outcome, Outcome::Left(_)));
                assert_eq!(new.wrapped.is_some(), !left, "{below:?} {}", old.name);
                assert!(old.launch == new.launch && old.from_env == new.from_env, "{below:?} {}", old.name);
                assert_eq!((old.disabled, &old.env_file), (new.disabled, &new.env_file), "{below:?}");
                count += usize::from(!left);
            }
            assert_eq!(before.entries.len(), after.entries.len(), "{below:?}");
            place.unwrap(&after, None);
            assert_eq!(fs::read(&file).unwrap(), bytes, "{below:?}");
            assert!(Wraps::of(&place.paths).all().unwrap().is_empty(), "{below:?}");
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn a_rewritten_file_is_unwrapped_entry_by_entry() {
    let place = Place::new();
    let file = place.file("mcp.json", TWO);
    place.apply(place.wrap(&place.found(&file), Some("a")));
    // The client rewrites its file, and the second entry is wrapped after that.
    let text = fs::read_to_string(&file).unwrap().replace("// c", "// d");
    fs::write(&file, text).unwrap();
    place.apply(place.wrap(&place.found(&file), Some("b")));
    assert_eq!(place.standings(&place.found(&file)), [Standing::Wrapped, Standing::Wrapped]);
    place.unwrap(&place.found(&file), Some("a"));
    let found = place.found(&file);
    assert_eq!(place.standings(&found), [Standing::Plain, Standing::Wrapped]);
    place.unwrap(&found, None);
    assert_eq!(fs::read_to_string(&file).unwrap(), TWO.replace("// c", "// d"));
}

#[test]
fn unwrapping_needs_no_store() {
    let place = Place::new();
    let file = place.file("mcp.json", TWO);
    place.apply(place.wrap(&place.found(&file), None));
    fs::remove_dir_all(place.folder.path().join("home")).unwrap();
    place.unwrap(&place.found(&file), None);
    assert_eq!(fs::read_to_string(&file).unwrap(), TWO);
}

#[test]
fn a_forged_backup_puts_no_other_launch_back() {
    let json =
        "{\n  // mine\n  \"mcpServers\": { \"a\": {\"command\": \"npx\", \"args\": [\"-y\", \"a\"]} },\n}\n";
    let toml = "# mine\n[mcp_servers.a]\ncommand = 'npx'\n";
    // What was asked for, what somebody put into the backup, and whether it is taken.
    let table = [
        ("client.json", json, json.replace("npx", "evil"), false),
        ("client.json", json, json.replace("\"a\"]", "\"a\", \"--evil\"]"), false),
        ("client.json", json, json.replace("{ \"a\"", "{ \"b\": {\"command\": \"evil\"}, \"a\""), false),
        ("client.json", json, json.replace("},\n}", "},\n \"hooks\": {\"x\": \"evil\"}\n}"), false),
        ("client.json", json, "not a configuration".to_owned(), false),
        ("client.json", json, json.replace("// mine", "// somebody's"), true),
        (".codex/config.toml", toml, toml.replace("npx", "evil"), false),
        (".codex/config.toml", toml, format!("{toml}[mcp_servers.b]\ncommand = 'evil'\n"), false),
    ];
    for (name, text, forged, is_taken) in table {
        let place = Place::new();
        let file = place.file(name, text);
        place.apply(place.wrap(&place.found(&file), None));
        // Backup and index agree with each other, as somebody with this account's shell would have it.
        let wraps = place.paths.wraps_dir();
        let is_backup = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "backup");
        let backup =
            fs::read_dir(&wraps).unwrap().map(|entry| entry.unwrap().path()).find(is_backup).unwrap();
        assert_eq!(fs::read_to_string(&backup).unwrap(), text);
        fs::write(&backup, &forged).unwrap();
        let digest = |text: &str| {
            crate::engine::digest::Digest::of_bytes(crate::engine::digest::Tag::File, text.as_bytes())
        };
        let index = fs::read_to_string(wraps.join("wraps.json")).unwrap();
        let edited = index.replace(&digest(text).to_string(), &digest(&forged).to_string());
        assert_ne!(edited, index);
        fs::write(wraps.join("wraps.json"), edited).unwrap();
        place.unwrap(&place.found(&file), None);
        assert_eq!(fs::read_to_string(&file).unwrap(), if is_taken { &forged } else { text }, "{forged}");
    }
}

#[test]
fn twice_changes_nothing_and_a_stale_plan_is_made_anew() {
    let place = Place::new();
    let file = place.file("mcp.json", TWO);
    let plan = place.wrap(&place.found(&file), None);
    fs::write(&file, TWO.replace("// c", "// rewritten")).unwrap();
    place.apply(plan);
    let wrapped = fs::read(&file).unwrap();
    assert!(String::from_utf8_lossy(&wrapped).contains("// rewritten"));
    let again = place.wrap(&place.found(&file), None);
    assert!(again.iter().all(|change| change.is_empty()));
    assert!(again[0].entries.iter().all(|(_, outcome)| *outcome == Outcome::Already));
    place.apply(again);
    assert_eq!(fs::read(&file).unwrap(), wrapped);
}

#[test]
fn how_entries_stand() {
    let place = Place::new();
    let file = place.file("mcp.json", TWO);
    let stand = || place.standings(&place.found(&file));
    assert_eq!(stand(), [Standing::Plain, Standing::Plain]);
    place.apply(place.wrap(&place.found(&file), None));
    assert_eq!(stand(), [Standing::Wrapped, Standing::Wrapped]);
    let wrapped = fs::read_to_string(&file).unwrap();
    fs::write(&file, wrapped.replace("\"-y\", \"a\"", "\"-y\", \"evil\"")).unwrap();
    assert_eq!(stand(), [Standing::Edited, Standing::Wrapped]);
    fs::write(&file, TWO).unwrap();
    assert_eq!(stand(), [Standing::Undone, Standing::Undone]);
    fs::write(&file, wrapped).unwrap();
    fs::remove_file(&place.exe).unwrap();
    assert_eq!(stand(), [Standing::Broken, Standing::Broken]);
}

#[test]
fn everything_is_unwrapped_even_what_nobody_looks_at() {
    let place = Place::new();
    let text = r#"{"mcpServers": {}, "projects": {"/p": {"mcpServers": {"a": {"command": "a"}}}}}"#;
    let file = place.file(".claude.json", text);
    let entry = {
        let found = discover::client("claude-code").unwrap().parse(
            &file,
            Scope::User,
            r#"{"mcpServers": {"a": {"command": "a"}}}"#,
        );
        let mut entry = found.entries[0].clone();
        let keys = ["projects", "/p", "mcpServers", "a"];
        entry.key_path = Path(keys.map(|key| crate::engine::json::Step::Key(key.to_owned())).to_vec());
        entry
    };
    let target = Target { entry: &entry, name: "a", lock: None, requested: false, pinned: true };
    place.apply(wrap(&[target], &place.exe, &place.paths, &Disk).unwrap());
    assert!(fs::read_to_string(&file).unwrap().contains("--server"));
    // A run elsewhere that touches the same file leaves the other project's entry wrapped.
    place.apply(place.wrap(&place.found(&file), None));
    assert!(fs::read_to_string(&file).unwrap().contains("--server"));
    let gone = place.file("gone.json", TWO);
    place.apply(place.wrap(&place.found(&gone), None));
    fs::remove_file(&gone).unwrap();
    place.apply(unwrap_all(&[], &place.paths, &Disk).unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(Wraps::of(&place.paths).all().unwrap().is_empty());
}

#[test]
fn a_broken_file_keeps_its_backup() {
    let place = Place::new();
    let file = place.file("mcp.json", TWO);
    place.apply(place.wrap(&place.found(&file), None));
    let wrapped = fs::read_to_string(&file).unwrap();
    fs::write(&file, &wrapped[..wrapped.len() - 3]).unwrap();
    let changes = place.apply(unwrap_all(&[], &place.paths, &Disk).unwrap());
    assert!(changes[0].has_failures() && changes[0].is_empty());
    assert_eq!(Wraps::of(&place.paths).all().unwrap().len(), 1);
    fs::write(&file, wrapped).unwrap();
    place.apply(unwrap_all(&[], &place.paths, &Disk).unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), TWO);
}

#[test]
fn what_is_left_and_why() {
    let left = |client: &str, scope: Scope, entry: &str, requested: bool, pinned: bool| {
        let client: Client = discover::client(client).unwrap();
        let text = format!(r#"{{"mcpServers": {{"s": {entry}}}}}"#);
        let found = client.parse(std::path::Path::new("f"), scope, &text);
        let target = Target { entry: &found.entries[0], name: "s", lock: None, requested, pinned };
        reason_to_leave(&target).map_or("wrapped".to_owned(), |left| format!("{left}\n    {}", left.hint()))
    };
    let command = r#"{"command": "c"}"#;
    let out = [
        left("cursor", Scope::User, command, false, false),
        left("cursor", Scope::Project, command, false, false),
        left("cursor", Scope::Project, command, true, false),
        left("claude-code", Scope::Managed, command, true, true),
        left("claude-code", Scope::Plugin("p".into()), command, true, true),
        left("claude-code", Scope::User, r#"{"type": "sse", "url": "https://u"}"#, false, true),
        left("claude-code", Scope::User, r#"{"url": "https://u", "headersHelper": "h"}"#, false, true),
        left("cursor", Scope::User, r#"{"url": "https://u"}"#, true, false),
        left("cursor", Scope::User, r#"{"url": "https://u"}"#, false, true),
        left("cursor", Scope::User, r#"{"url": "https://u", "headers": {"A": "b"}}"#, true, false),
        left("claude-desktop", Scope::User, r#"{"url": "https://u"}"#, true, true),
        left("cursor", Scope::User, r#"{"url": "unix:///s"}"#, false, true),
    ];
    insta::assert_snapshot!(out.join("\n"));
}

#[test]
fn a_diff_for_a_screen() {
    let show = |place: &Place, text: &str| {
        let file = place.file("mcp.json", text);
        let changes = place.wrap(&place.found(&file), None);
        let lines = wrap_diff::lines(&changes[0]);
        let lines: Vec<_> = lines.iter().map(|line| format!("{} {}", line.side.sign(), line.text)).collect();
        // What stands between folders on Windows is escaped within JSON.
        let folder = place.folder.path().to_str().unwrap().replace('\\', r"\\");
        lines.join("\n").replace(&format!(r"{folder}\\"), "/T/").replace(&folder, "/T")
    };
    let place = Place::new();
    let secret = r#"{"mcpServers": {
  "remote": {
    "url": "https://u",
    "headers": {"Authorization": "Bearer sk-abcdefghijklmnop0123456789"}
  },
  "last": {"command": "x"}
}}"#;
    let long =
        format!(r#"{{"before": "{}", "mcpServers": {{"a": {{"command": "npx"}}}}}}"#, "x".repeat(5000));
    let out = [show(&place, TWO), show(&place, secret), show(&place, &long)].join("\n\n");
    assert!(!out.contains("abcdefghijklmnop"), "{out}");
    insta::assert_snapshot!(out);
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    let file = place.file("dotfiles/mcp.json", TWO);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = place.folder.path().join("mcp.json");
    symlink(&file, &link).unwrap();
    place.apply(place.wrap(&place.found(&link), None));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&file).unwrap().contains("--server"));
    place.unwrap(&place.found(&link), None);
    assert_eq!(fs::read_to_string(&file).unwrap(), TWO);
}

#[test]
fn a_carried_entry_is_what_run_starts() {
    let place = Place::new();
    let check = |name: &str, text: &str, expected: &str| {
        let file = place.file(name, text);
        place.apply(place.wrap(&place.found(&file), None));
        let format = if name.ends_with("toml") { Format::Toml } else { Format::Json };
        let now = fs::read_to_string(&file).unwrap();
        let entry = &place.found(&file).entries[0];
        assert!(matches!(edit::state(format, &now, &entry.key_path), Ok(State::Wrapped(_))), "{now}");
        let carried = match format {
            Format::Json => {
                let value: serde_json::Value = serde_json::from_str(&now).unwrap();
                value["mcpServers"]["s"]["env"]["MCPWATCH_ENTRY"].as_str().unwrap().to_owned()
            }
            Format::Toml => {
                let value: toml::Table = now.parse().unwrap();
                value["mcp_servers"]["s"]["env"]["MCPWATCH_ENTRY"].as_str().unwrap().to_owned()
            }
        };
        let mut vars = discover::Vars::new(&discover::Places::new(discover::Os::Linux, "/h"), "/w");
        vars.env.insert("TOK".into(), "t".into());
        let id = format!("{}:s", entry.client.id());
        let Launch::Url(launch) = discover::carried(&id, &carried, &vars).unwrap() else { panic!("{now}") };
        let headers: Vec<_> = launch.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(format!("{} {}", launch.url, headers.join(", ")), expected);
    };
    check(
        ".cursor/mcp.json",
        r#"{"mcpServers": {"s": {"url": "https://u", "headers": {"A": "b"}}}}"#,
        "https://u A: b",
    );
    check(
        "x/.gemini/settings.json",
        r#"{"mcpServers": {"s": {"httpUrl": "https://u", "headers": {"A": "$b"}}}}"#,
        "https://u A: $b",
    );
    check(
        "x/.codex/config.toml",
        "[mcp_servers.s]\nurl = 'https://u'\nbearer_token_env_var = 'TOK'\n",
        "https://u Authorization: Bearer t",
    );
    check(
        "y/.codex/config.toml",
        "mcp_servers.s = { url = 'https://u', http_headers = { A = 'b' } }\n",
        "https://u A: b",
    );
}

proptest::proptest! {
    /// Whatever is found in a damaged file can be wrapped and given back, or is refused.
    #[test]
    fn what_is_found_comes_back(which in 0usize..6, cuts in proptest::collection::vec((0usize..2500, 0usize..6, ".{0,4}"), 1..4)) {
        let names = ["claude-code/linux/.claude.json", "claude-code/project/.mcp.json", "vscode/linux/.config/Code/User/mcp.json", "zed/linux/.config/zed/settings.json", "gemini-cli/linux/.gemini/settings.json", "codex/linux/.codex/config.toml"];
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients").join(names[which]);
        let mut bytes = fs::read(&file).unwrap();
        for (at, length, put) in cuts {
            let at = at.min(bytes.len());
            bytes.splice(at..(at + length).min(bytes.len()), put.bytes());
        }
        let found = from_file(&file, &bytes);
        if let Ok(text) = discover::decode(&bytes) {
            for entry in found.entries.iter().filter(|entry| entry.wrapped.is_none()) {
                let format = format_of(entry.client);
                let wrapper = Wrapper { exe: "/bin/mcpwatch", lock: None, name: "n", client: entry.client.id(), forward: &[] };
                if let Ok(wrapped) = edit::wrap(format, &text.text, &entry.key_path, &wrapper) {
                    proptest::prop_assert_eq!(edit::unwrap(format, &wrapped, &entry.key_path).unwrap(), text.text.as_str(), "{}", wrapped);
                }
            }
        }
    }
}
