//! How the daemon's state is told by `status`.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::ipc::message::{Missed, OutOfReach, ServerId};

#[test]
fn what_it_could_not_tell_is_told() {
    let daemon = Hello { pid: 4711, since: 1_000_000, ..Hello::own(0) };
    let server = |name: &str, state: &str, waiting, flapping| ServerStatus {
        server: ServerId { scope: String::new(), name: name.to_owned() },
        watch: "resident".to_owned(),
        state: state.to_owned(),
        is_well: state != "not approved; never started",
        waiting,
        flapping,
        ..ServerStatus::default()
    };
    let status = Status {
        servers: vec![
            server("quiet", "connected", 0, false),
            server("notes", "connected", 2, false),
            server("many", "read now and then", 1, true),
            server("od\u{202e}d", "not approved; never started", 0, false),
        ],
        out_of_reach: vec![OutOfReach {
            what: "/mnt/c/x.json".to_owned(),
            why: "it belongs to Windows".to_owned(),
        }],
        no_notifications: Some("there is no session bus".to_owned()),
        no_log: Some("no space left on device".to_owned()),
        missed: vec![Missed {
            at: 1,
            server: ServerId::default(),
            text: "notes changed a tool\u{1b}[2J".to_owned(),
        }],
    };
    let answer = Answer::Runs(daemon, status);
    let text: Vec<String> = lines(&answer, 1_000_000 + 180_000)
        .into_iter()
        .map(|line| anstream::adapter::strip_str(&line).to_string())
        // The moment is told by the clock of the place.
        .map(|line| line.replace(&at(1), "[then]"))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
    assert!(lines(&Answer::None, 0).is_empty());
    let said = lines(&Answer::Unclear("the process belongs to another account".to_owned()), 0);
    assert!(said.len() == 1 && said[0].contains("another account"));
}

#[test]
fn programs_are_told_the_same() {
    assert_eq!(value(&Answer::None), Value::Null);
    let status = Status { no_log: Some("full".to_owned()), ..Status::default() };
    let value = value(&Answer::Runs(Hello { pid: 7, since: 5, ..Hello::own(0) }, status));
    assert_eq!(value.get("noLog").and_then(Value::as_str), Some("full"));
    assert_eq!(value.get("process").and_then(Value::as_f64), Some(7.0));
    assert_eq!(value.get("noNotifications"), Some(&Value::Null));
}
