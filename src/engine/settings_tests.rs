//! `config.toml`: every key, and what is said of a wrong one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn no_file_is_needed() {
    assert_eq!(parse("").unwrap(), Settings::default());
    assert_eq!(Settings::default().weakened_digest(), None);
}

#[test]
fn every_key_takes_its_default() {
    for key in keys::KEYS {
        let default = key.default();
        if default.is_empty() {
            continue;
        }
        let table = if key.table.is_empty() { String::new() } else { format!("[{}]\n", key.table) };
        let text = format!("{table}{} = {default}\n", key.name);
        assert_eq!(parse(&text).as_ref(), Ok(&Settings::default()), "{text}");
    }
}

#[test]
fn reads_overrides() {
    let text = "hold = \"2m\"\n[server.github]\nmode = \"observe\"\nwatch = \"off\"\n[server.\"a b\"]\nverify = \"5m\"\n\
                [limits]\nmessage = \"1MiB\"\npages = 7\n[notify]\nquiet_hours = \"22:00-07:30\"\noff = [\"info\", \"critical\"]\n";
    let settings = parse(text).unwrap();
    assert_eq!(settings.server("other").hold, 120_000);
    assert_eq!(settings.server("github").hold, 120_000);
    assert_eq!(settings.server("github").mode, Mode::Observe);
    assert_eq!(settings.limits.message, 1 << 20);
    assert_eq!(settings.gate_limits("x").pages, 7);
    assert_eq!(settings.notify.quiet_hours, Some((1320, 450)));
    let weakened: Vec<String> =
        settings.weakened().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        weakened,
        [
            "notify.off=critical",
            "server.a b.verify=5m",
            "server.github.mode=observe",
            "server.github.watch=off"
        ]
    );
    assert!(settings.hardened().weakened().is_empty());
}

#[test]
fn quiet_hours_of_most_of_the_day_loosen_the_watch() {
    let table = [
        ("22:00-07:00", None),
        ("09:00-21:00", None),
        ("21:00-09:00", None),
        ("09:00-21:01", Some("09:00-21:01")),
        ("00:00-23:59", Some("00:00-23:59")),
        ("07:00-06:59", Some("07:00-06:59")),
    ];
    for (hours, weakened) in table {
        let settings = parse(&format!("[notify]\nquiet_hours = \"{hours}\"\n")).unwrap();
        let said = settings.weakened().get("notify.quiet_hours").cloned();
        assert_eq!(said.as_deref(), weakened, "{hours}");
        assert_eq!(settings.hardened().notify.quiet_hours.is_none(), weakened.is_some(), "{hours}");
    }
}

#[test]
fn contents_are_logged_for_those_that_ask_for_it() {
    let keys = |text: &str| parse(text).unwrap().logging_contents();
    assert!(keys("").is_empty() && keys("[server.a]\nlog_contents = \"off\"\n").is_empty());
    assert_eq!(keys("log_contents = \"arguments\"\n[server.a]\nhold = \"1s\"\n"), ["log_contents"]);
    assert_eq!(keys("[server.a]\nlog_contents = \"arguments\"\n"), ["server.a.log_contents"]);
    let settings = parse("log_contents = \"arguments\"\n[server.a]\nlog_contents = \"off\"\n").unwrap();
    assert!(settings.server("b").log_contents && !settings.server("a").log_contents);
    assert_eq!(settings.weakened_digest(), None, "it loosens no gate");
}

#[test]
fn refuses_with_a_hint() {
    let cases = [
        "hold = ",
        "hodl = \"1s\"",
        "modus = \"enforce\"",
        "mode = \"off\"",
        "hold = 5",
        "hold = \"5\"",
        "verify = \"0s\"",
        "verify = \"2h\"",
        "message = \"1MiB\"",
        "limit = 1",
        "limits = 1",
        "[limits]\nmessage = \"1B\"",
        "[limits]\nmesage = \"1MiB\"",
        "[server]\nx = 1",
        "[server.x]\nmodes = \"enforce\"",
        "[server.x]\nzzzzzzzzzz = 1",
        "[notify]\nquiet_hours = \"24:00-07:00\"",
        "[notify]\noff = [\"all\"]",
        "[zzzzzzzzzz]",
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|text| {
            let error = parse(text).unwrap_err();
            format!("{}\n    {error}. {}", text.replace('\n', " ⏎ "), error.hint())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_page_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, keys::reference()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(page, keys::reference(), "run the test with UPDATE_DOCS=1");
}
