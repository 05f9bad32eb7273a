//! How the state of the service is told.

use super::*;
use crate::ipc::message::{Missed, OutOfReach, ServerId, ServerStatus};

#[test]
fn how_it_is_in_words() {
    let daemon = Hello { pid: 4711, since: 1_000_000, ..Hello::own(0) };
    let server = |name: &str, waiting, held, flapping| ServerStatus {
        server: ServerId { scope: String::new(), name: name.to_owned() },
        watch: "resident".to_owned(),
        waiting,
        held,
        flapping,
        ..ServerStatus::default()
    };
    let quiet = Status { servers: vec![server("a", 0, 0, false)], ..Status::default() };
    let busy = Status {
        servers: vec![server("a", 2, 1, false), server("b", 3, 1, true)],
        out_of_reach: vec![OutOfReach { what: "/mnt/c".to_owned(), why: "WSL".to_owned() }],
        no_notifications: Some("there is no session bus".to_owned()),
        no_log: Some("no space left on device".to_owned()),
        missed: vec![Missed { at: 0, server: ServerId::default(), text: "a changed".to_owned() }],
    };
    let minutes = |minutes: u64| 1_000_000 + minutes * 60_000;
    let said = [
        sentence(&daemon, &Status::default(), 0),
        sentence(&daemon, &quiet, minutes(1)),
        sentence(&daemon, &quiet, minutes(200)),
        sentence(&daemon, &busy, minutes(3000)),
    ];
    insta::assert_snapshot!(said.join("\n\n"));
}
