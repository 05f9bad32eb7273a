//! Whether a decision counts: levels, codes, lifetimes, refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::digest::Tag;

fn offer(name: &str) -> Digest {
    Digest::of_bytes(Tag::Offer, name.as_bytes())
}

#[test]
fn a_level_is_refused_never_lowered() {
    let all = Means { terminal: true, notification: true, signature: false };
    let none = Means::default();
    let shell = Means { terminal: true, ..none };
    let desktop = Means { notification: true, ..none };
    let table = [
        (Level::Terminal, None, shell, Ok(())),
        (Level::Terminal, None, none, Err("there is no controlling terminal")),
        (Level::Terminal, None, desktop, Err("there is no controlling terminal")),
        (Level::Code, None, all, Ok(())),
        (Level::Code, None, shell, Err("no desktop notification service answers that could show the code")),
        (Level::Code, None, desktop, Err("there is no controlling terminal")),
        (
            Level::Terminal,
            Some(Level::Code),
            shell,
            Err("no desktop notification service answers that could show the code"),
        ),
        (Level::Code, Some(Level::Terminal), all, Ok(())),
        (Level::Signed, None, all, Err("this version cannot check a signature yet")),
    ];
    for (enrolled, floor, means, expected) in table {
        let answer = can_decide(needed(enrolled, floor), means).map_err(|unable| unable.missing);
        assert_eq!(answer, expected, "{enrolled} {floor:?} {means:?}");
    }
}

/// What is typed, when, for which offer; and what each attempt gives.
fn check(attempts: &[(u64, &str, &str, Answer)]) {
    let mut request = Some(Request::new(offer("shown"), "BCDF24".to_owned(), 1_000_000));
    for (now, what, typed, expected) in attempts {
        let open = request.take().expect("a request that is still open");
        let (answer, rest) = open.answer(*now, &offer(what), typed);
        assert_eq!(answer, *expected, "{typed} for {what} at {now}");
        request = rest;
    }
    assert_eq!(request.is_some(), matches!(attempts.last().unwrap().3, Answer::Wrong(_)));
}

#[test]
fn a_code_counts_once_for_its_offer_in_its_time() {
    check(&[(1_000_001, "shown", "BCDF24", Answer::Accepted)]);
    check(&[(1_000_001, "shown", "  bcdf24\n", Answer::Accepted)]);
    check(&[(1_120_000, "shown", "BCDF24", Answer::Accepted)]);
    check(&[(1_120_001, "shown", "BCDF24", Answer::Expired)]);
    check(&[(999_999, "shown", "BCDF24", Answer::Expired)]);
    check(&[(1_000_001, "swapped", "BCDF24", Answer::OtherOffer)]);
    check(&[(1_000_001, "shown", "", Answer::Wrong(2))]);
    check(&[
        (1_000_001, "shown", "BCDF2", Answer::Wrong(2)),
        (1_000_002, "shown", "BCDF24", Answer::Accepted),
    ]);
    check(&[
        (1_000_001, "shown", "BCDF2X", Answer::Wrong(2)),
        (1_000_002, "shown", "BCDF244", Answer::Wrong(1)),
        (1_000_003, "shown", "y", Answer::Dropped),
    ]);
}

#[test]
fn codes_are_drawn_evenly() {
    assert_eq!(code(&[255; 16]), None);
    assert_eq!(code(&[0; 16]).as_deref(), Some("BBBBBB"));
    assert_eq!(code(&[239; 16]).as_deref(), Some("999999"));
    let mut mixed = [250; 16];
    mixed[..6].copy_from_slice(&[0, 1, 2, 24, 25, 26]);
    assert_eq!(code(&mixed).as_deref(), Some("BCDBCD"));
    mixed[5] = 241;
    assert_eq!(code(&mixed), None);
}

#[test]
fn a_request_does_not_print_its_code() {
    let request = Request::new(offer("shown"), "BCDF24".to_owned(), 0);
    assert!(!format!("{request:?}").contains("BCDF24"));
    assert_eq!(request.code(), "BCDF24");
}

#[test]
fn levels_and_lifetimes_read_back() {
    for level in [Level::Terminal, Level::Code, Level::Signed] {
        assert_eq!(level.name().parse(), Ok(level));
    }
    assert!(Level::Terminal < Level::Code && Level::Code < Level::Signed);
    for text in ["once", "until-change", "2027-01-31", "2028-02-29"] {
        assert_eq!(text.parse::<Lifetime>().unwrap().to_string(), text);
    }
    for text in
        ["", "always", "2027-02-29", "2027-13-01", "2027-1-01", "2027-00-10", "20270131", "2027-01-3１"]
    {
        assert_eq!(text.parse::<Lifetime>(), Err(NotThat::Lifetime), "{text}");
    }
}

#[test]
fn a_lifetime_ends_after_its_day() {
    let until = Lifetime::Until("2027-01-31".to_owned());
    let table = [("2027-01-30", true), ("2027-01-31", true), ("2027-02-01", false), ("soon", false)];
    for (today, expected) in table {
        assert_eq!(until.holds_on(today), expected, "{today}");
        assert!(Lifetime::UntilChange.holds_on(today));
    }
}
