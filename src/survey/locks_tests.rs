//! Tests of what counts of a lock for this person.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::approval::Level;
use crate::engine::launchpin::LaunchPin;
use crate::engine::lockfile::{Pin, ServerPin};
use crate::engine::secret::Known;
use crate::engine::surface::{ItemKey, Kind};
use crate::store::decide::{self, Act, By, Request};
use crate::store::trust::{self, Subject};
use crate::sys::paths::{Os, Paths};

#[test]
fn what_was_rejected_is_pinned_no_more_for_this_person() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home").to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    let path = folder.path().join("mcp.lock");
    let decide = |acts| {
        let base = locks::load(&path).unwrap().map(|loaded| loaded.digest);
        let by = By::Person { level: Level::Terminal, floor: None };
        let secrets = Known::default();
        let request = Request { lock: &path, base, acts, by, secrets: &secrets, now: 1, today: "2026-11-21" };
        decide::decide(&paths, request).unwrap();
    };
    let items = |trust: Option<&Trust>| {
        let lock = load_for(trust, &path, true).unwrap();
        lock.lockfile().unwrap().servers["s"].items.len()
    };

    let launch = LaunchPin::Url { url: "https://a.example/".into(), sse: false, headers: Default::default() };
    let mut pin = ServerPin::new(launch, "2025-11-25");
    let (key, item) = (ItemKey::single(Kind::Instructions), Pin::of(Kind::Instructions, "Be kind.".into()));
    pin.items.insert(key.clone(), item.clone());
    decide(vec![Act::Add { server: "s".into(), pin, values: Vec::new() }]);
    let trust = trust::load(&paths).unwrap();
    assert_eq!(items(trust.as_ref()), 1);

    let digest = item.definitions[0].digest;
    decide(vec![Act::Reject { server: "s".into(), subject: Subject::Item(key), digest }]);
    let trust = trust::load(&paths).unwrap();
    assert_eq!(items(trust.as_ref()), 0);
    // Whoever does not trust the lock compares with all of it.
    assert_eq!(items(None), 1);
}
