//! What the systems' service managers are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::cell::RefCell;

thread_local! {
    /// What the managers of this test were told.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn told() -> Vec<String> {
    TOLD.with_borrow_mut(std::mem::take)
}

fn obeys(words: &[&str]) -> Result<(), ServiceError> {
    TOLD.with_borrow_mut(|told| told.push(words.join(" ")));
    Ok(())
}

fn is_missing(words: &[&str]) -> Result<(), ServiceError> {
    obeys(words)?;
    let source = io::ErrorKind::NotFound.into();
    Err(ServiceError::NoManager { command: words.join(" "), source })
}

/// Refuses the first start: users may have no namespaces here.
fn denies_namespaces(words: &[&str]) -> Result<(), ServiceError> {
    let before = TOLD.with_borrow(|told| told.iter().filter(|told| told.contains(" restart ")).count());
    obeys(words)?;
    if words.contains(&"restart") && before == 0 {
        let words = "Failed at step NAMESPACE".to_owned();
        return Err(ServiceError::Refused { command: "systemctl".to_owned(), words });
    }
    Ok(())
}

fn manager(kind: Kind, run: Run) -> Manager {
    let program = Program { path: "/usr/local/bin/mcpwatch".to_owned(), home: None, search: None };
    Manager { kind, program, run }
}

/// Everything that one manager is told, from the installation to the removal.
fn course(kind: Kind, folder: &Path) -> String {
    let manager = manager(kind, obeys);
    let place = manager.install().unwrap().place;
    let mut out = vec![format!("install: {place}")];
    out.extend(told());
    for (name, act) in [
        ("stop", Manager::stop as fn(&Manager) -> _),
        ("start", Manager::start),
        ("uninstall", Manager::uninstall),
    ] {
        act(&manager).unwrap();
        out.push(format!("{name}:"));
        out.extend(told());
    }
    let text = out.join("\n").replace(&folder.to_string_lossy().into_owned(), "[folder]");
    let text = text.replace(&domain(), "[domain]");
    let temporary = std::env::temp_dir().to_string_lossy().into_owned();
    text.replace(&temporary, "[temporary]").replace(&std::process::id().to_string(), "[pid]")
}

#[test]
#[cfg_attr(windows, ignore = "agents of macOS are named by the number of a Unix account")]
fn what_managers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join("deep").join(name);
    let courses = [
        course(Kind::Systemd(place(text::UNIT)), folder.path()),
        course(Kind::Launchd(place("agent.plist")), folder.path()),
        course(Kind::Tasks(r"DESK\ada".to_owned()), folder.path()),
    ];
    insta::assert_snapshot!(courses.join("\n\n"));
    assert!(!place(text::UNIT).exists() && !place("agent.plist").exists(), "what was written is removed");
}

#[test]
fn a_missing_manager_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["unit", "agent"] {
        let file = folder.path().join(name);
        let kind = if name == "unit" { Kind::Systemd(file.clone()) } else { Kind::Launchd(file.clone()) };
        let manager = manager(kind, is_missing);
        let error = manager.install().unwrap_err();
        assert!(error.hint().contains("`mcpwatch daemon`"), "{error}");
        assert!(!manager.is_installed(), "{name}");
        // One that stood there before stays, so that a failed renewal is no removal.
        fs::write(&file, "before").unwrap();
        manager.install().unwrap_err();
        assert!(manager.is_installed(), "{name}");
    }
    let tasks = manager(Kind::Tasks("ada".to_owned()), is_missing);
    tasks.install().unwrap_err();
    assert!(!tasks.is_installed());
}

#[test]
fn without_namespaces_the_unit_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(text::UNIT);
    let installed = manager(Kind::Systemd(file.clone()), denies_namespaces).install().unwrap();
    assert!(installed.unconfined);
    let unit = fs::read_to_string(file).unwrap();
    assert!(unit.contains("NoNewPrivileges=yes") && !unit.contains("PrivateUsers"), "{unit}");
    let told = told();
    assert!(told.contains(&format!("systemctl --user reset-failed {}", text::UNIT)), "{told:?}");
}
