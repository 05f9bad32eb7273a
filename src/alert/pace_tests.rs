//! When a notification may be shown: one a minute, quiet hours, switches, flapping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::digest::Tag;
use crate::engine::surface::Kind;

const START: u64 = 1_700_000_000_000;
const NOON: u16 = 12 * 60;

fn digest(text: &str) -> Digest {
    Digest::of_bytes(Tag::Offer, text.as_bytes())
}

fn item(name: &str, version: &str) -> (ItemKey, Digest) {
    (ItemKey::new(Kind::Tool, name), digest(version))
}

fn ask(set: &str, flapping: bool) -> Ask {
    Ask { set: digest(set), severity: Severity::Alarm, flapping }
}

fn decide(pace: &Pace, now: u64, set: &str) -> Step {
    pace.decide(now, NOON, "github", &ask(set, false), &Rules::default())
}

#[test]
fn one_notification_per_change_set_replaced_and_one_a_minute() {
    let mut pace = Pace::new();
    assert_eq!(decide(&pace, START, "a"), Step::Show { replaces: 0 });
    pace.shown(START, "github", digest("a"), 5);
    assert_eq!(decide(&pace, START + 1, "a"), Step::Silent(Why::Same));
    assert_eq!(decide(&pace, START + 1, "b"), Step::Wait { until: START + GAP });
    assert_eq!(decide(&pace, START + GAP, "b"), Step::Show { replaces: 5 });
    assert_eq!(decide(&pace, START - 1000, "b"), Step::Show { replaces: 5 }, "the clock went back");
    let other = pace.decide(START, NOON, "files", &ask("b", false), &Rules::default());
    assert_eq!(other, Step::Show { replaces: 0 }, "another server has a minute of its own");
    assert_eq!(pace.server_of(5), Some("github"));
    assert_eq!(pace.server_of(0), None);
    assert_eq!(pace.closed(5).as_deref(), Some("github"));
    assert_eq!(pace.closed(5), None);
    assert_eq!(decide(&pace, START + GAP, "b"), Step::Show { replaces: 0 }, "it was closed meanwhile");
    pace.shown(START + GAP, "github", digest("b"), 6);
    assert_eq!(pace.settled("github"), Some(6));
    assert_eq!(decide(&pace, START + GAP + 1, "b"), Step::Show { replaces: 0 }, "settled is forgotten");
}

#[test]
fn three_versions_in_a_day_are_flapping() {
    const HOUR: u64 = 60 * 60 * 1000;
    let mut pace = Pace::new();
    let table = [
        (0, "a", false),
        (1, "b", false),
        (2, "a", false),
        (3, "c", true),
        (4, "a", true),
        (23, "b", true),
        (24, "b", false),
        (26, "d", false),
    ];
    for (hour, version, expected) in table {
        let now = START + hour * HOUR;
        assert_eq!(pace.see(now, "github", &[item("issue", version)]), expected, "{version} at {hour}");
        assert_eq!(pace.is_flapping(now, "github"), expected);
    }
    let mut pace = Pace::new();
    for version in ["a", "b", "c"] {
        pace.see(START, "github", &[item("issue", version)]);
    }
    assert!(!pace.see(START, "github", &[item("issue", "d"), item("other", "a")]), "one that does not flap");
    assert!(pace.is_flapping(START, "github"));
    assert!(!pace.is_flapping(START, "files"));
    assert!(!pace.see(START, "files", &[]));
    let step = pace.decide(START, NOON, "github", &ask("x", true), &Rules::default());
    assert_eq!(step, Step::Silent(Why::Flapping));
    pace.settled("github");
    assert!(!pace.is_flapping(START, "github"), "an approval ends it");
}

#[test]
fn rules_keep_silent() {
    let night = Rules { off: vec![], quiet: Some((22 * 60, 7 * 60)) };
    let lunch = Rules { off: vec![Severity::Info], quiet: Some((NOON, NOON + 30)) };
    let table = [
        (&night, Severity::Alarm, 22 * 60, Some(Why::Quiet)),
        (&night, Severity::Alarm, 0, Some(Why::Quiet)),
        (&night, Severity::Alarm, 7 * 60 - 1, Some(Why::Quiet)),
        (&night, Severity::Alarm, 7 * 60, None),
        (&night, Severity::Alarm, 22 * 60 - 1, None),
        (&lunch, Severity::Review, NOON, Some(Why::Quiet)),
        (&lunch, Severity::Review, NOON + 30, None),
        (&lunch, Severity::Info, 0, Some(Why::Off)),
    ];
    for (rules, severity, minute, expected) in table {
        assert_eq!(rules.silence(severity, minute), expected, "{severity:?} at {minute}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut pace = Pace::new();
    for number in 0..10_000_u64 {
        pace.see(START + number, "github", &[item(&number.to_string(), "a")]);
    }
    assert_eq!(pace.servers["github"].versions.len(), ITEMS);
    for number in 0..100 {
        pace.see(START, "files", &[item("one", &number.to_string())]);
    }
    assert_eq!(pace.servers["files"].versions.values().next().unwrap().0.len(), FLAP_VERSIONS);
}
