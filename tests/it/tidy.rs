//! Holds the shape of the source tree: who may import whom, what the engine must not name, how long
//! a file may be, and that each opens by saying what it holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, outermost first; a room may name rooms of lower floors only.
const FLOORS: &[&[&str]] = &[
    &["cli"],
    &["daemon", "proxy", "service"],
    &["survey"],
    &["discover", "edit", "launch", "connect", "store", "alert", "ipc"],
    &["sys"],
    &["engine"],
];

/// Lines of a file, tests aside.
const LONGEST_FILE: usize = 600;

/// What the engine must not touch: everything that differs between two calls or two machines.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "SystemTime",
    "Instant::now",
    "tokio",
    "rmcp",
    "reqwest",
    "async fn",
    ".await",
    "getrandom",
    "jiff::Zoned::now",
    "Timestamp::now",
];

#[test]
fn imports_point_inwards() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        let Some(floor) = floor_of(&room) else {
            wrong.push(format!("{}: room '{room}' stands on no floor", path.display()));
            continue;
        };
        for named in rooms_named(&text) {
            let allowed = named == room || floor_of(&named).is_some_and(|other| other > floor);
            if !allowed {
                wrong.push(format!("{}: '{room}' names '{named}'", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports must point inwards:\n{}", wrong.join("\n"));
}

#[test]
fn the_engine_is_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| room_of(path).as_deref() == Some("engine")) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let named = IMPURE.iter().filter(|word| code.contains(**word));
            wrong.extend(named.map(|word| format!("{}:{}: {word}", path.display(), number + 1)));
        }
    }
    assert!(wrong.is_empty(), "the engine must stay pure:\n{}", wrong.join("\n"));
}

#[test]
fn only_connect_names_rmcp() {
    let named: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| room_of(path).as_deref() != Some("connect"))
        .filter(|(_, text)| code_lines(text).any(|line| line.contains("rmcp::")))
        .map(|(path, _)| path)
        .collect();
    assert!(named.is_empty(), "rmcp belongs to connect/ alone: {named:?}");
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with //!", path.display()));
        }
    }
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    if main.lines().count() > 40 {
        wrong.push("src/main.rs: over 40 lines".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tests_see_what_they_judge() {
    // A rule that finds nothing to judge would pass for ever.
    assert!(sources().len() > 5);
    assert_eq!(
        rooms_named("use crate::{engine::json, store};\ncrate::sys::x()"),
        rooms(&["engine", "store", "sys"])
    );
    assert_eq!(floor_of("cli"), Some(0));
}

fn rooms(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file that is no test, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name == "tests" {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The room a file lies in: the first name below `src/`; `main.rs` and `lib.rs` are above all floors.
fn room_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next()?.as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (!matches!(name.as_str(), "main" | "lib")).then_some(name)
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or(""))
}

/// The rooms that a text names after `crate::`, groups like `crate::{a, b::c}` included.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let code: String = code_lines(text).collect::<Vec<_>>().join("\n");
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let word = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        };
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        start = true;
                        continue;
                    }
                    _ => {}
                }
                if start && !c.is_whitespace() {
                    named.insert(word(&group[at..]));
                    start = false;
                }
            }
        } else {
            named.insert(word(rest));
        }
    }
    let known = |room: &String| floor_of(room).is_some();
    named.into_iter().filter(known).collect()
}

#[test]
fn every_threat_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/threats.md")).unwrap();
    let mut code = String::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                code.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut rows = 0;
    let mut missing = Vec::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |")) {
        let tests = row.rsplit(" | ").next().unwrap().trim_end_matches(" |");
        if tests == "test" {
            continue;
        }
        rows += 1;
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a threat without a test: {row}");
        // A test is a function, or the name given to the macro of the gate's sessions.
        let exists = |name: &str| {
            code.contains(&format!("fn {name}("))
                || code.contains(&format!("\n    {name},"))
                || code.contains(&format!("check!({name},"))
                || root().join(name).exists()
        };
        missing.extend(names.into_iter().filter(|name| !exists(name)));
    }
    assert!(rows > 20, "the tables were not found");
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
