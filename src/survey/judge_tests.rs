//! Which differences of what runs are questions, and which stop a start.

use super::{Change, asks, change, decides};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::Value;
use crate::engine::launchpin::{Artifact, CommandLaunch, Ecosystem, Launch, pin};
use crate::engine::lockfile::ServerPin;
use crate::engine::placeholder::Machine;
use crate::engine::secret::Known;
use crate::engine::surface::Surface;
use crate::survey::decide::{Part, parts};
use crate::survey::reading::Shown;

const HERE: &str = "linux-x86_64";

fn package(files: &str, dependencies: &[(&str, &str)]) -> Artifact {
    let digest = |text: &str| Digest::of(Tag::Artifact, &Value::from(text));
    let words: Vec<String> = dependencies.iter().map(|(name, entry)| format!("{name} {entry}")).collect();
    Artifact::Package {
        ecosystem: Ecosystem::Npm,
        name: "notes".to_owned(),
        version: "1.0.0".to_owned(),
        floating: false,
        files: digest(files),
        dependencies: digest(&words.join("\n")),
        dependency_list: dependencies.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
    }
}

/// The change from what is pinned, by platform, to what runs here.
fn judged(pinned: &[(&str, Artifact)], runs: Artifact) -> Change {
    let machine = Machine::new(0);
    let launch = CommandLaunch { command: "npx".to_owned(), ..CommandLaunch::default() };
    let launch = pin(&Launch::Command(launch), &machine);
    let mut pin = ServerPin::new(launch.clone(), "2025-11-25".to_owned());
    pin.artifacts =
        pinned.iter().map(|(platform, artifact)| ((*platform).to_owned(), artifact.clone())).collect();
    let shown = Shown {
        launch,
        artifact: runs,
        platform: "any".to_owned(),
        full: Surface::new("2025-11-25"),
        empty: None,
        elsewhere: None,
        machine,
        protocol: "2025-11-25".to_owned(),
        secrets: Known::default(),
        notes: Vec::new(),
    };
    change(&pin, shown, HERE, Vec::new())
}

#[test]
fn other_dependencies_alone_are_a_question_and_stop_nothing() {
    let old = package("a", &[("left-pad", "1.0.0 sha512-x")]);
    let check = |pinned: &[(&str, Artifact)], runs: Artifact, waits: bool, stops: bool| {
        let change = judged(pinned, runs);
        assert_eq!(change.waits(), waits, "{:?}", change.artifact);
        assert_eq!(parts(&change).contains(&Part::Artifact), waits, "{:?}", change.artifact);
        assert_eq!(change.artifact.iter().any(asks), waits);
        assert_eq!(change.artifact.iter().any(decides), stops);
    };
    let any = [("any", old.clone())];
    check(&any, old.clone(), false, false);
    check(&any, package("a", &[("left-pad", "1.0.1 sha512-y")]), true, false);
    check(&any, package("a", &[("left-pad", "1.0.0 sha512-y")]), true, false);
    check(&any, package("a", &[("left-pad", "1.0.0 sha512-x"), ("bcc", "1.0.0")]), true, false);
    check(&any, package("b", &[("left-pad", "1.0.0 sha512-x")]), true, true);
    check(&any, Artifact::Unknown("gone".to_owned()), false, false);
    // Pins of each system: each is compared with its own.
    let other = package("a", &[("left-pad", "1.0.0 sha512-x"), ("fsevents", "2.0.0")]);
    let each = [(HERE, old.clone()), ("macos-aarch64", other.clone())];
    check(&each, old.clone(), false, false);
    check(&each, other.clone(), true, false);
    check(&[("macos-aarch64", other)], old, false, false);
}
