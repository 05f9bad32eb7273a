//! Approvals that end: for one session, until a day; they hold again afterwards, within the session.

use crate::cli::bench::Bench;
use crate::gate::is_refused;
use crate::sighted::{FILES, is_change_of_tools, session, trusted};

const ARGS: [&str; 4] = ["--change", "description", "--when", "stranger"];

fn approve(bench: &Bench, how: &[&str]) -> String {
    let args = [&["approve", "notes"], how, &FILES[..]].concat();
    let run = bench.at_terminal(&args, &["y"]).unwrap();
    assert_eq!(run.code, 0, "{}", run.all());
    run.stdout
}

#[test]
fn once_is_one_session() {
    let Some(bench) = trusted(&ARGS) else { return };
    let lock = bench.read("mcp.lock");
    let mut client = session(&bench, &ARGS);
    client.open();
    client.tools();
    crate::sighted::told(&bench, "as the gate saw it");
    let screen = approve(&bench, &["--once"]);
    assert!(screen.contains("for one session of the gate; the lock stays as it is"), "{screen}");
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert_eq!(bench.read("mcp.lock"), lock);
    // Another session, while the first goes on, and one after it: blocked.
    for _ in 0..2 {
        let mut second = session(&bench, &ARGS);
        second.open();
        second.tools();
        assert!(is_refused(&second.call("search", r#"{"query":"x"}"#)));
    }
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
}

#[test]
fn until_a_day_ends_with_it_in_mid_session() {
    // A time zone in which the day is over in a few seconds.
    const LEFT: i64 = 40;
    let now = jiff::Timestamp::now().as_second();
    let to_midnight = 86_400 - LEFT - now.rem_euclid(86_400);
    // POSIX counts westwards.
    let (sign, offset) = if to_midnight > 43_200 { ("", 86_400 - to_midnight) } else { ("-", to_midnight) };
    let zone = format!("XXX{sign}{}:{:02}:{:02}", offset / 3600, offset % 3600 / 60, offset % 60);
    let Some(bench) = trusted(&ARGS) else { return };
    let bench = bench.with_env("TZ", &zone);
    let today = jiff::tz::TimeZone::posix(&zone).unwrap().to_datetime(jiff::Timestamp::now()).date();
    let mut client = session(&bench, &ARGS);
    client.open();
    client.tools();
    crate::sighted::told(&bench, "as the gate saw it");
    approve(&bench, &["--until", &today.to_string()]);
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)), "{zone} {today}");
    assert_eq!(bench.with_config(&["status"]).code, 0);
    // Nobody does anything; the day ends.
    let left = now + LEFT - 5 - jiff::Timestamp::now().as_second();
    std::thread::sleep(std::time::Duration::from_secs(left.try_into().unwrap_or(0)));
    client.wait(is_change_of_tools);
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    let over = bench.at_terminal(&["approve", "notes", "--until", &today.to_string()], &[]).unwrap();
    assert_eq!(over.code, 2, "{}", over.all());
    assert!(over.stdout.contains("that day is over"), "{}", over.all());
}
