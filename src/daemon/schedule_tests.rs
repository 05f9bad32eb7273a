//! When a server is read again, by a clock that the test moves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const MINUTE: u64 = 60_000;

/// Times without jitter worth mentioning: seed 0 takes off a tenth.
fn times() -> Times {
    Times::default()
}

fn stdio() -> Facts {
    Facts { mode: Watch::Resident, remote: false, gated: false, allowed: true }
}

fn remote() -> Facts {
    Facts { remote: true, ..stdio() }
}

fn read_at(at: u64) -> Course {
    let mut course = Course::default();
    course.reading();
    course.read(at, true, false, None);
    course
}

fn check(facts: Facts, course: &Course, now: u64, expected: Todo) {
    assert_eq!(next(course, facts, &times(), now), expected, "{facts:?} {course:?} at {now}");
}

#[test]
fn only_what_is_agreed_to_and_ours_is_read() {
    let fresh = Course::default();
    let connected = read_at(0);
    let table = [
        (stdio(), Todo::Read),
        (remote(), Todo::Read),
        (Facts { mode: Watch::Probe, ..stdio() }, Todo::Read),
        (Facts { allowed: false, ..stdio() }, Todo::Wait(None)),
        (Facts { allowed: false, ..remote() }, Todo::Wait(None)),
        (Facts { gated: true, ..stdio() }, Todo::Wait(None)),
        (Facts { gated: true, ..remote() }, Todo::Read),
        (Facts { mode: Watch::GateOnly, ..remote() }, Todo::Wait(None)),
        (Facts { mode: Watch::Off, ..stdio() }, Todo::Wait(None)),
    ];
    for (facts, expected) in table {
        check(facts, &fresh, 0, expected);
        if expected == Todo::Wait(None) {
            check(facts, &connected, 1, Todo::Close);
        }
    }
    let mut urgent = Course { urgent: true, ..Course::default() };
    check(Facts { allowed: false, ..stdio() }, &urgent, 0, Todo::Wait(None));
    urgent.reading();
    check(stdio(), &urgent, 0, Todo::Wait(None));
}

#[test]
fn a_stdio_server_lingers_and_is_probed_then() {
    let course = read_at(0);
    check(stdio(), &course, 1, Todo::Wait(Some(15 * MINUTE)));
    check(stdio(), &course, 15 * MINUTE, Todo::Close);
    let gone = Course { connected: false, ..course };
    check(stdio(), &gone, 15 * MINUTE, Todo::Wait(Some(27 * MINUTE)));
    check(stdio(), &gone, 27 * MINUTE, Todo::Read);
    // A reading that brings nothing new does not keep it for another quarter of an hour.
    let mut again = gone;
    again.reading();
    again.read(27 * MINUTE, true, false, None);
    check(stdio(), &again, 27 * MINUTE, Todo::Close);
    again.read(27 * MINUTE, true, true, None);
    check(stdio(), &again, 27 * MINUTE, Todo::Wait(Some(42 * MINUTE)));
}

#[test]
fn a_probed_server_is_let_go_at_once_and_a_remote_one_stays() {
    let course = read_at(0);
    check(Facts { mode: Watch::Probe, ..stdio() }, &course, 0, Todo::Close);
    check(Facts { mode: Watch::Probe, ..remote() }, &course, 0, Todo::Close);
    check(remote(), &course, 26 * MINUTE, Todo::Wait(Some(27 * MINUTE)));
}

#[test]
fn signals_are_gathered() {
    let mut course = read_at(0);
    course.signalled(1000);
    check(stdio(), &course, 1001, Todo::Wait(Some(1500)));
    for at in 1100..1400 {
        course.signalled(at);
    }
    check(stdio(), &course, 1499, Todo::Wait(Some(1500)));
    check(stdio(), &course, 1500, Todo::Read);
    course.reading();
    // One that comes while it is read wants another reading.
    course.signalled(1600);
    course.read(1700, true, true, None);
    check(stdio(), &course, 1701, Todo::Wait(Some(2100)));
}

#[test]
fn lists_live_as_long_as_they_say() {
    let mut course = read_at(0);
    course.life = Some(5 * MINUTE);
    check(remote(), &course, 1, Todo::Wait(Some(5 * MINUTE)));
    course.life = Some(0);
    check(remote(), &course, 1, Todo::Wait(Some(MINUTE)));
    let gone = Course { connected: false, ..course };
    check(remote(), &gone, 1, Todo::Wait(Some(27 * MINUTE)));
}

#[test]
fn failures_wait_longer_and_longer() {
    let longest = |facts: Facts| {
        let mut course = read_at(0);
        let mut waits = Vec::new();
        for _ in 0..40 {
            course.reading();
            course.failed(0);
            let Todo::Wait(Some(until)) = next(&course, facts, &times(), 0) else { panic!("reads at once") };
            waits.push(until);
        }
        assert!(waits.is_sorted(), "{waits:?}");
        assert!(waits[0] >= 900 && waits[0] <= 1100 && waits[1] >= 1800, "{waits:?}");
        *waits.last().unwrap()
    };
    assert!((4 * MINUTE..=6 * MINUTE).contains(&longest(remote())));
    assert!((27 * MINUTE..=33 * MINUTE).contains(&longest(stdio())));
    let mut course = read_at(0);
    course.failed(0);
    course.urgent = true;
    check(stdio(), &course, 0, Todo::Read);
    course.urgent = false;
    course.woke();
    check(stdio(), &course, 0, Todo::Read);
}

#[test]
fn jitter_spreads_over_a_fifth() {
    let all: Vec<u64> = (0..200).map(|seed| jittered(30 * MINUTE, seed)).collect();
    assert!(all.iter().all(|time| (27 * MINUTE..33 * MINUTE).contains(time)));
    let early = all.iter().filter(|time| **time < 30 * MINUTE).count();
    assert!((60..140).contains(&early), "{early} of 200 in the first half");
    assert_eq!(jittered(3, 7), 3);
}

#[test]
fn modes_have_names() {
    for mode in [Watch::Resident, Watch::Probe, Watch::GateOnly, Watch::Off] {
        assert_eq!(Watch::of_name(mode.name()), Some(mode));
    }
    assert_eq!(Watch::of_name("on"), None);
}

#[test]
fn a_session_that_never_lasts_is_opened_later_and_later() {
    let mut course = Course::default();
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..4 {
        course.reading();
        course.read(now, true, false, None);
        course.failed(now + 100);
        let Todo::Wait(Some(until)) = next(&course, remote(), &times(), now + 100) else {
            panic!("{course:?}")
        };
        waits.push((until - now).div_ceil(1000));
        now = until;
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    // One that stood for a while has its first failure again, and so has one that is only probed.
    for stays in [true, false] {
        course.reading();
        course.read(now, stays, false, None);
        now += MINUTE;
        course.failed(now);
        check(remote(), &course, now + 1000, Todo::Read);
    }
}
