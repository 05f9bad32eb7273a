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
        assert_eq!(
            pace.see(now, "github", digest(version), &[item("issue", version)]),
            expected,
            "{version} at {hour}"
        );
        assert_eq!(pace.is_flapping(now, "github"), expected);
    }
    let mut pace = Pace::new();
    for version in ["a", "b", "c"] {
        pace.see(START, "github", digest(version), &[item("issue", version)]);
    }
    let both = [item("issue", "d"), item("other", "a")];
    assert!(!pace.see(START, "github", digest("both"), &both), "one that does not flap");
    assert!(pace.is_flapping(START, "github"));
    assert!(!pace.is_flapping(START, "files"));
    assert!(!pace.see(START, "files", digest("program"), &[]));
    let step = pace.decide(START, NOON, "github", &ask("x", true), &Rules::default());
    assert_eq!(step, Step::Later { why: Why::Flapping, until: START + FLAP_TIME }, "no silence without end");
    assert!(!pace.is_flapping(START + FLAP_TIME, "github"));
    assert!(!pace.is_flapping(START - HOUR, "github"), "a clock that was set back");
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
        pace.see(START + number, "github", digest("a"), &[item(&number.to_string(), "a")]);
    }
    assert_eq!(pace.servers["github"].versions.len(), ITEMS);
    for number in 0..100 {
        pace.see(START, "files", digest("a"), &[item("one", &number.to_string())]);
        pace.shown(START, "files", digest(&number.to_string()), 1);
    }
    assert_eq!(pace.servers["files"].versions.values().next().unwrap().seen.len(), FLAP_VERSIONS);
    assert_eq!(pace.servers["files"].sets.len(), SETS);
}

#[test]
fn a_server_that_goes_back_and_forth_is_told_at_the_same_pace_and_then_no_more() {
    let mut pace = Pace::new();
    let show = |pace: &mut Pace, now: u64, set: &str| {
        let flapping = pace.see(now, "github", digest(set), &[item("issue", set)]);
        pace.decide(now, NOON, "github", &ask(set, flapping), &Rules::default())
    };
    assert_eq!(show(&mut pace, START, "a"), Step::Show { replaces: 0 });
    pace.shown(START, "github", digest("a"), 5);
    assert_eq!(pace.went_back("github"), Some(5), "what is over is taken away");
    assert_eq!(pace.went_back("github"), None);
    // The minute goes on counting, and so do the times that it changed.
    assert_eq!(show(&mut pace, START + 1, "a"), Step::Wait { until: START + GAP });
    assert_eq!(show(&mut pace, START + GAP, "a"), Step::Show { replaces: 0 });
    pace.shown(START + GAP, "github", digest("a"), 6);
    pace.went_back("github");
    let until = START + FLAP_TIME;
    assert_eq!(show(&mut pace, START + 3 * GAP, "a"), Step::Later { why: Why::Flapping, until });
    pace.settled("github");
    assert_eq!(show(&mut pace, START + 3 * GAP, "a"), Step::Show { replaces: 0 }, "a decision ends it");
}

#[test]
fn two_versions_that_alternate_are_told_once_each() {
    let mut pace = Pace::new();
    for (minute, set) in (0..40).zip(["a", "b"].into_iter().cycle()) {
        let now = START + minute * GAP;
        let flapping = pace.see(now, "github", digest(set), &[item("issue", set)]);
        let step = pace.decide(now, NOON, "github", &ask(set, flapping), &Rules::default());
        assert_eq!(step == Step::Silent(Why::Same), minute > 1, "{minute}: {step:?}");
        pace.shown(if minute > 1 { START } else { now }, "github", digest(set), 1);
    }
}

#[test]
fn what_is_about_no_item_flaps_too() {
    let mut pace = Pace::new();
    let seen = ["a", "b", "c", "d"].map(|program| pace.see(START, "github", digest(program), &[]));
    assert_eq!(seen, [false, false, true, true]);
    assert!(pace.is_flapping(START, "github"));
}

#[test]
fn quiet_hours_have_an_end() {
    let pace = Pace::new();
    let night = Rules { off: vec![], quiet: Some((22 * 60, 7 * 60)) };
    // At that minute of the day it is looked at again after so many minutes.
    let table =
        [(22 * 60, 30), (23 * 60 + 59, 30), (0, 30), (6 * 60 + 30, 30), (6 * 60 + 45, 15), (6 * 60 + 59, 1)];
    for (minute, left) in table {
        let step = pace.decide(START, minute, "github", &ask("a", false), &night);
        assert_eq!(step, Step::Later { why: Why::Quiet, until: START + left * 60_000 }, "{minute}");
    }
    let step = pace.decide(START, 7 * 60, "github", &ask("a", false), &night);
    assert_eq!(step, Step::Show { replaces: 0 });
}
