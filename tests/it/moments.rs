//! How soon: a change that the server signals is blocked before the client's next call, and a call passes
//! soon after the approval. Counted for every repetition; times are printed, never asserted.

use crate::closing::{approve, definitions};
use crate::gate::is_refused;
use crate::sighted::{CHANGED, accepted, is_change_of_tools, session};
use std::time::{Duration, Instant};

const ARGS: [&str; 7] = ["--change", "description", "--when", "call", "--notify", "--log", "log"];

/// What the repetitions took.
#[derive(Default)]
struct Times {
    /// From the request that makes the server change and signal, to the refusal of the call after it.
    refused: Vec<Duration>,
    /// From the same request to the client that is told.
    told: Vec<Duration>,
    /// From the decision on disk to the client that is told.
    released: Vec<Duration>,
    /// From the decision on disk to the answer of a call.
    passed: Vec<Duration>,
    /// What writing the decision took.
    decision: Vec<Duration>,
}

/// Lets one tool change back and forth under a session; each time it is called at once, approved, and
/// called again.
fn repeat(rounds: usize) -> Times {
    let bench = accepted(&ARGS);
    let texts = definitions(&bench, &["--change", "description"]);
    let mut client = session(&bench, &ARGS);
    client.open();
    client.tools();
    // The file watch begins once the opening is over.
    std::thread::sleep(Duration::from_millis(300));
    let mut times = Times::default();
    for round in 0..rounds {
        let change = if round % 2 == 0 { "{}" } else { r#"{"back":true}"# };
        let asked = Instant::now();
        // The signal goes out before the answer.
        client.call("change", change);
        let before = client.seen.len();
        let answer = client.call("search", r#"{"query":"too early"}"#);
        times.refused.push(asked.elapsed());
        assert!(is_refused(&answer), "round {round}: {answer:?}");
        let signal = |line: &String| line.contains("notifications/tools/list_changed");
        if !client.seen[before - 1..].iter().any(signal) {
            client.wait(is_change_of_tools);
        }
        times.told.push(asked.elapsed());

        let start = Instant::now();
        approve(&bench, &texts[(round + 1) % 2]);
        let decided = Instant::now();
        times.decision.push(decided - start);
        client.wait(is_change_of_tools);
        times.released.push(decided.elapsed());
        let answer = client.call("search", r#"{"query":"in time"}"#);
        times.passed.push(decided.elapsed());
        assert!(!is_refused(&answer), "round {round}: {answer:?}");
        let is_new = format!("{:?}", client.tools()).contains(CHANGED);
        assert_eq!(is_new, round % 2 == 0, "round {round}: the client gets what was approved");
    }
    let log = bench.read("log");
    assert_eq!(log.matches("too early").count(), 0, "a call reached the server");
    assert_eq!(log.matches("in time").count(), rounds);
    times
}

#[test]
fn a_signalled_change_is_blocked_before_the_next_call() {
    let times = repeat(6);
    assert_eq!(times.passed.len(), 6);
}

#[test]
#[allow(clippy::print_stderr)]
#[ignore = "a measurement: cargo test --release --test it moments::measure -- --ignored --nocapture"]
fn measure() {
    const ROUNDS: usize = 200;
    let mut times = repeat(ROUNDS);
    for (what, times) in [
        ("change asked for to refusal", &mut times.refused),
        ("change asked for to list_changed", &mut times.told),
        ("decision on disk to list_changed", &mut times.released),
        ("decision on disk to a call's answer", &mut times.passed),
        ("writing the decision", &mut times.decision),
    ] {
        times.sort();
        let in_time = times.iter().filter(|time| time.as_millis() < 100).count();
        let (p50, p99, most) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100 - 1], times[ROUNDS - 1]);
        eprintln!(
            "{what}: p50 {p50:.1?}, p99 {p99:.1?}, most {most:.1?}; {in_time} of {ROUNDS} within 100 ms"
        );
    }
}
