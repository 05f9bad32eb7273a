//! Sessions in which nobody looks at a desktop.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn where_nobody_looks_at_a_desktop() {
    let bus = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/1000/bus");
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let table: [Case<'_>; 6] = [
        (&[bus], None),
        (&[("XDG_RUNTIME_DIR", "/run/user/1000")], None),
        (&[bus, ("CI", "true")], Some("this is a CI run")),
        (&[bus, ("CI", "false")], None),
        (
            &[bus, ("SSH_CONNECTION", "::1 1 ::1 22")],
            Some("this is an SSH session, whose user does not see the desktop"),
        ),
        (&[], cfg!(target_os = "linux").then_some("there is no session bus")),
    ];
    for (variables, expected) in table {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(why_silent(&variables), expected, "{variables:?}");
    }
}
