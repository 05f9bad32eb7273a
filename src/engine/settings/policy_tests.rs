//! Floors: read, drawn together, and held against settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::settings;

#[test]
fn what_a_policy_says() {
    let all = "level = \"code\"\nmode = \"enforce\"\nverify = \"30s\"\nbrought = \"refuse\"\nunwrap = \"refuse\"\nopen_lists = \"refuse\"\n";
    let policy = parse(all).unwrap();
    assert_eq!(policy.floors().join("\n") + "\n", all, "every key is read and told");
    assert_eq!(parse("").unwrap(), Policy::default());
    assert!(Policy::default().floors().is_empty());
    let refused = [
        ("level = \"none\"", "`level` must be \"terminal\", \"code\" or \"signed\""),
        ("level = 1", "`level` must be"),
        ("lvl = \"code\"", "there is no key `lvl`"),
        ("mode = \"observe\"", "`mode` must be \"enforce\""),
        ("verify = \"0s\"", "`verify` must be a duration"),
        ("brought = \"allow\"", "`brought` must be \"refuse\""),
        ("unwrap = true", "`unwrap` must be \"refuse\""),
        ("level = ", "line 1"),
    ];
    for (text, why) in refused {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
    }
}

#[test]
fn of_two_the_stricter_counts() {
    let check = |one: &str, other: &str, both: &str| {
        let (one, other, both) = (parse(one).unwrap(), parse(other).unwrap(), parse(both).unwrap());
        assert_eq!(one.and(other), both);
        assert_eq!(other.and(one), both);
    };
    check("level = \"code\"", "level = \"terminal\"", "level = \"code\"");
    check("level = \"code\"", "", "level = \"code\"");
    check("verify = \"10s\"", "verify = \"1m\"", "verify = \"10s\"");
    check("mode = \"enforce\"", "unwrap = \"refuse\"", "mode = \"enforce\"\nunwrap = \"refuse\"");
}

#[test]
fn settings_stay_within_it() {
    let settings =
        settings::parse("mode = \"observe\"\nverify = \"10m\"\nhold = \"5s\"\n[server.x]\nverify = \"2s\"\n")
            .unwrap();
    let bound = parse("mode = \"enforce\"\nverify = \"1m\"").unwrap().bound(settings.clone());
    assert_eq!((bound.all.mode, bound.all.verify, bound.all.hold), (Mode::Enforce, 60_000, 5_000));
    assert_eq!((bound.server("x").mode, bound.server("x").verify), (Mode::Enforce, 2_000));
    assert_eq!(Policy::default().bound(settings.clone()), settings);
}
