//! Reading a server from outside: both eras, both transports, every hostile answer, the limits.

use crate::fixture;
use mcpwatch::connect::{Capabilities, ConnectError, Options, Reading, Remote, Target, read};
use mcpwatch::engine::surface::{Era, ItemKey, Kind, Surface};
use mcpwatch::sys::process::Command;
use std::time::{Duration, Instant};

fn command(args: &[&str]) -> Target {
    let args = args.iter().map(Into::into).collect();
    Target::Command(Command { program: fixture::path().into(), args, ..Command::default() })
}

fn remote(url: &str) -> Target {
    Target::Url(Remote { url: url.into(), ..Remote::default() })
}

/// The usual limits, but for the probe.
fn usual() -> Options {
    let mut options = Options::default();
    options.limits.probe = Duration::from_millis(300);
    options
}

/// Limits that a test can wait for.
fn quick() -> Options {
    let mut options = usual();
    options.limits.request = Duration::from_millis(900);
    options.limits.start = Duration::from_millis(3000);
    options
}

async fn reading(args: &[&str]) -> Result<Reading, ConnectError> {
    read(&command(args), &quick(), &|_| ()).await
}

fn names(surface: &Surface, kind: Kind) -> Vec<&str> {
    surface.of_kind(kind).map(|(name, _)| name).collect()
}

fn assert_whole(reading: &Reading) {
    let surface = &reading.surface;
    let tools = ["add", "ask", "blob", "change", "echo", "search", "slow", "view"];
    assert_eq!(names(surface, Kind::Tool), tools);
    assert_eq!(names(surface, Kind::Prompt), ["hello", "summary"]);
    assert_eq!(names(surface, Kind::Resource), ["note://1", "ui://fixture/view"]);
    assert_eq!(names(surface, Kind::Template), ["note://{number}"]);
    assert_eq!(names(surface, Kind::Ui), ["ui://fixture/view"]);
    for kind in [Kind::Instructions, Kind::ServerInfo, Kind::Capabilities] {
        assert!(surface.get(&ItemKey::single(kind)).is_some(), "no {kind}");
    }
    let search = surface.get(&ItemKey::new(Kind::Tool, "search")).unwrap();
    assert_eq!(search.get("x-hint").and_then(|hint| hint.as_str()), Some("plain"), "unknown fields stay");
    assert_eq!(surface.defects(), []);
}

#[tokio::test]
async fn reads_both_eras_over_stdio() {
    let cases = [
        ("session", Era::Session, "2025-11-25"),
        ("stateless", Era::Stateless, "2026-07-28"),
        ("both", Era::Stateless, "2026-07-28"),
    ];
    for (era, expected, protocol) in cases {
        let reading = reading(&["--era", era]).await.unwrap();
        assert_whole(&reading);
        assert_eq!((reading.era, reading.protocol.as_str()), (expected, protocol), "{era}");
        assert_eq!(reading.notes, [""; 0]);
    }
}

#[tokio::test]
async fn the_same_server_is_the_same_in_both_eras_but_for_its_era() {
    let session = reading(&["--era", "session"]).await.unwrap().surface;
    let stateless = reading(&["--era", "stateless"]).await.unwrap().surface;
    assert_eq!(session.digest(), stateless.digest());
}

#[tokio::test]
async fn a_remembered_era_costs_no_probe() {
    let state = tempfile::tempdir().unwrap();
    let log = state.path().join("log");
    let log = log.to_str().unwrap();
    let check = async |hint, era, expected: &str| {
        let options = Options { protocol_hint: Some(hint), ..quick() };
        let target = command(&["--era", era, "--log", log]);
        let reading = read(&target, &options, &|_| ()).await.unwrap();
        assert_whole(&reading);
        let text = std::fs::read_to_string(log).unwrap();
        assert!(text.lines().next().unwrap().contains(expected), "{text}");
        std::fs::remove_file(log).unwrap();
    };
    check(Era::Session, "both", r#""method":"initialize""#).await;
    check(Era::Stateless, "both", r#""method":"server/discover""#).await;
    // A server that moved on, or back, is still read.
    check(Era::Session, "stateless", r#""method":"initialize""#).await;
    check(Era::Stateless, "session", r#""method":"server/discover""#).await;
}

#[tokio::test]
async fn a_server_that_is_silent_at_the_probe_is_read_after_it() {
    let start = Instant::now();
    let reading = reading(&["--change", "silence-discover"]).await.unwrap();
    assert_whole(&reading);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn capabilities_show_other_tools() {
    let target = command(&["--change", "capability-tools"]);
    for era in ["session", "stateless"] {
        let target = match &target {
            Target::Command(command) => {
                let mut command = command.clone();
                command.args.extend(["--era".into(), era.into()]);
                Target::Command(command)
            }
            Target::Url(_) => unreachable!(),
        };
        let full = Options { capabilities: Capabilities::Full, ..quick() };
        let empty = read(&target, &quick(), &|_| ()).await.unwrap();
        let full = read(&target, &full, &|_| ()).await.unwrap();
        assert!(empty.surface.get(&ItemKey::new(Kind::Tool, "capable")).is_none(), "{era}");
        assert!(full.surface.get(&ItemKey::new(Kind::Tool, "capable")).is_some(), "{era}");
    }
}

#[tokio::test]
async fn older_versions_are_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.json");
    for version in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        let opening = format!(
            r#"{{"protocolVersion":"{version}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"old","version":"1"}}}}"#
        );
        std::fs::write(&script, format!(r#"{{"initialize":[{opening}]}}"#)).unwrap();
        let reading = reading(&["--script", script.to_str().unwrap()]).await.unwrap();
        assert_eq!((reading.protocol.as_str(), reading.era), (version, Era::Session));
        assert_eq!(names(&reading.surface, Kind::Tool).len(), 8);
        // Undeclared lists are read all the same: clients ask for them.
        assert_eq!(names(&reading.surface, Kind::Prompt).len(), 2);
    }
}

#[tokio::test]
async fn a_server_that_discovers_only_older_versions_gets_its_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.json");
    let result =
        r#"{"supportedVersions":["2025-06-18","2025-11-25"],"capabilities":{},"resultType":"complete"}"#;
    std::fs::write(&script, format!(r#"{{"server/discover":[{result}]}}"#)).unwrap();
    let reading = reading(&["--script", script.to_str().unwrap()]).await.unwrap();
    assert_whole(&reading);
    assert_eq!(reading.era, Era::Session);
}

#[tokio::test]
async fn openings_of_the_wrong_shape_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.json");
    let check = async |text: &str, args: &[&str], expected: &str| {
        std::fs::write(&script, text).unwrap();
        let args = [&["--script", script.to_str().unwrap()], args].concat();
        let error = reading(&args).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    };
    let modern: &[&str] = &["--era", "stateless"];
    check(r#"{"initialize":[{}]}"#, &[], "the answer to initialize has no protocolVersion").await;
    check(
        r#"{"initialize":[{"protocolVersion":5}]}"#,
        &[],
        "the answer to initialize has no protocolVersion",
    )
    .await;
    check(r#"{"server/discover":[{}]}"#, modern, "the answer to server/discover has no supportedVersions")
        .await;
    check(
        r#"{"server/discover":[{"supportedVersions":["2031-01-01"]}]}"#,
        modern,
        "the server speaks no protocol version that mcpwatch speaks",
    )
    .await;
    check(
        r#"{"initialize":[{"protocolVersion":"2025-11-25","capabilities":{},"capabilities":{"tools":{}}}]}"#,
        &[],
        "the answer to initialize cannot be read safely: not strict JSON: a duplicate key at $.result.capabilities (byte 83)",
    )
    .await;
}

#[tokio::test]
async fn an_undeclared_list_owes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script.json");
    let opening =
        r#"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"old","version":"1"}}"#;
    std::fs::write(&script, format!(r#"{{"initialize":[{opening}],"resources/list":[{{}}]}}"#)).unwrap();
    let script = script.to_str().unwrap();
    let reading = reading(&["--script", script, "--change", "silence,prompts-error"]).await.unwrap();
    assert_eq!(names(&reading.surface, Kind::Template).len(), 1);
    assert_eq!(reading.surface.items().len(), 3, "{:?}", reading.surface.to_value());
    assert_eq!(reading.surface.defects(), []);
}

#[tokio::test]
async fn skills_are_read_where_they_are_declared() {
    let reading = reading(&["--skills"]).await.unwrap();
    assert_eq!(names(&reading.surface, Kind::Skill), ["skill://filing"]);
}

#[tokio::test]
async fn kinds_of_request_are_items() {
    let reading = reading(&["--change", "asks,pings"]).await.unwrap();
    assert_eq!(names(&reading.surface, Kind::Request), ["sampling/createMessage"]);
}

#[tokio::test]
async fn benign_spellings_are_the_same() {
    let plain = reading(&[]).await.unwrap().surface.digest();
    for change in ["key-order", "list-order", "numbers", "escapes", "spaces", "crlf", "null-cursor"] {
        let reading = reading(&["--change", change]).await.unwrap();
        assert_eq!(reading.surface.digest(), plain, "{change}");
    }
    assert_eq!(reading(&["--page", "0"]).await.unwrap().surface.digest(), plain);
}

#[tokio::test]
async fn each_changed_field_is_another_surface() {
    let plain = reading(&["--skills"]).await.unwrap().surface.digest();
    let changes = [
        "name",
        "description",
        "nested-description",
        "enum",
        "default",
        "annotations",
        "title",
        "output-schema",
        "icons",
        "meta",
        "unknown-field",
        "execution",
        "instructions",
        "server-info",
        "capabilities",
        "prompt",
        "prompt-argument",
        "resource",
        "template",
        "page2",
        "skill",
        "ui",
    ];
    for change in changes {
        let reading = reading(&["--skills", "--change", change]).await.unwrap();
        assert_ne!(reading.surface.digest(), plain, "{change}");
    }
}

/// The reason of a failure that no time limit brought about.
async fn refused(args: &[&str]) -> String {
    let start = Instant::now();
    let error = read(&command(args), &usual(), &|_| ()).await.expect_err("a failure");
    assert!(start.elapsed() < Duration::from_secs(8), "{error} took {:?}", start.elapsed());
    assert!(!error.hint().is_empty());
    error.to_string()
}

#[tokio::test]
async fn what_readers_differ_on_is_refused_with_its_place() {
    let tools = "the answer to tools/list cannot be read safely: not strict JSON:";
    let cases = [
        ("duplicate-key", "a duplicate key at $.result.tools[2].description"),
        ("duplicate-key-escaped", "a duplicate key at $.result.tools[2].description"),
        (
            "duplicate-key-deep",
            "a duplicate key at $.result.tools[2].inputSchema.properties.filter.properties.tag.type",
        ),
        ("lone-surrogate", "a lone surrogate at $.result.tools[2].description"),
        (
            "unsafe-integer",
            "an integer beyond 2^53-1 at $.result.tools[2].inputSchema.properties.limit.maximum",
        ),
        ("infinite", "a number that is not finite at $.result.tools[2].inputSchema.properties.limit.maximum"),
        (
            "not-a-number",
            "a number that is not finite at $.result.tools[2].inputSchema.properties.limit.maximum",
        ),
        ("not-utf8", "bytes that are not UTF-8 at $"),
        ("bom", "a byte order mark at $"),
        ("deep", "nesting deeper than 128 levels at"),
    ];
    for era in ["session", "stateless"] {
        for (change, place) in cases {
            let error = refused(&["--era", era, "--change", change]).await;
            assert!(error.starts_with(&format!("{tools} {place}")), "{change}: {error}");
        }
    }
}

/// What the system calls it.
const EXIT: &str = if cfg!(windows) { "exit code" } else { "exit status" };

#[tokio::test]
async fn broken_answers_are_failures_never_surfaces() {
    let cases = [
        ("string-id", "the answer to tools/list spells the id of its request differently"),
        ("raw-cr", "the server wrote a carriage return in the middle of a message"),
        ("list-error", "the server answered tools/list with error -32603"),
        ("prompts-error", "the server answered prompts/list with error -32603"),
        ("endless-cursor", "tools/list has more than 1000 pages"),
        ("empty-pages", "tools/list has more than 1000 pages"),
        ("repeated-cursor", "tools/list gave the same cursor twice, after 2 pages"),
        ("many-items", "the server lists more than 20000 items"),
        ("huge-line", "the server sent a message longer than 16 MiB"),
    ];
    for (change, expected) in cases {
        assert_eq!(refused(&["--page", "0", "--change", change]).await, expected, "{change}");
    }
    for change in ["exit", "exit-mid-line"] {
        let error = refused(&["--change", change]).await;
        assert!(error.starts_with(&format!("the server ended ({EXIT}: 1) while ")), "{error}");
    }
}

#[tokio::test]
async fn silence_ends_at_its_limit() {
    let cases = [
        ("silence", "the server did not answer tools/list within 900 ms"),
        ("silence-start", "the server did not answer initialize within 3 s of its start"),
        ("wrong-id", "the server did not answer tools/list within 900 ms"),
        ("two-values", "the server did not answer tools/list within 900 ms"),
        ("trailing", "the server did not answer tools/list within 900 ms"),
    ];
    for (change, expected) in cases {
        let error = reading(&["--page", "0", "--change", change]).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{change}");
    }
}

#[tokio::test]
async fn limits_are_settings() {
    let check = async |args: &[&str], set: fn(&mut Options), expected: &str| {
        let mut options = usual();
        set(&mut options);
        let error = read(&command(args), &options, &|_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(&[], |o| o.limits.pages = 2, "tools/list has more than 2 pages").await;
    check(&[], |o| o.limits.items = 11, "the server lists more than 11 items").await;
    check(&["--tools", "20000"], |o| o.limits.message = 1 << 20, "tools/list has more than 1000 pages").await;
    let large: &[&str] = &["--page", "0", "--tools", "15000"];
    check(large, |o| o.limits.message = 1 << 20, "the server sent a message longer than 1 MiB").await;
    check(large, |o| o.limits.bytes = 1 << 20, "the server's messages are longer than 1 MiB together").await;
    check(
        &["--answer-ms", "100", "--change", "endless-cursor"],
        |o| o.limits.walk = Duration::from_millis(900),
        "the server did not answer everything that was asked within 900 ms",
    )
    .await;
    check(
        &["--start-ms", "600"],
        |o| o.limits.start = Duration::from_millis(200),
        "the server did not answer server/discover within 200 ms of its start",
    )
    .await;
}

#[tokio::test]
async fn defects_are_reported() {
    for (change, expected) in [
        ("duplicate-tool", "two tools are called the same"),
        ("nameless", "element 7 of the list of tools has no name"),
        ("wrong-shape", "the answer to tools/list has no tools"),
        ("no-tools", "the answer to tools/list has no tools"),
    ] {
        let reading = reading(&["--page", "0", "--change", change]).await.unwrap();
        let defects: Vec<String> = reading.surface.defects().iter().map(ToString::to_string).collect();
        assert_eq!(defects, [expected], "{change}");
    }
}

#[tokio::test]
async fn noise_hides_nothing() {
    for change in ["noise", "noise-start", "stray", "double-answer", "extra-prompts"] {
        let reading = reading(&["--page", "0", "--change", change]).await.unwrap();
        assert_whole(&reading);
        assert_eq!(reading.notes.is_empty(), change == "extra-prompts", "{change}: {:?}", reading.notes);
    }
}

#[tokio::test]
async fn the_end_of_stderr_comes_with_the_failure() {
    let error = reading(&["--stderr", "no such token", "--exit", "3"]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the server ended ({EXIT}: 3) while initialize was awaited"));
    assert_eq!(error.stderr_tail, "no such token\n");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let target = Target::Command(Command { program: "no-such-server".into(), ..Command::default() });
    let error = read(&target, &quick(), &|_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), r#"the program "no-such-server" was not found"#);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nobody_is_left_behind() {
    let lives = |mark: &str| {
        let output = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with(mark))
    };
    let fixture = fixture::path();
    let shell = |mark: &str, args: &str| {
        let script = format!("{mark} & {} {args}", fixture.display());
        Target::Command(Command {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            ..Command::default()
        })
    };
    assert_whole(&read(&shell("sleep 711", ""), &quick(), &|_| ()).await.unwrap());
    assert!(!lives("sleep 711"));
    read(&shell("sleep 712", "--change silence"), &quick(), &|_| ()).await.unwrap_err();
    assert!(!lives("sleep 712"));
    assert_whole(&read(&shell("sleep 713", "--change stays"), &quick(), &|_| ()).await.unwrap());
    assert!(!lives("sleep 713"));
    // Ctrl-C drops the reading where it stands.
    let target = shell("sleep 714", "--change silence-start");
    let dropped =
        tokio::time::timeout(Duration::from_millis(400), async { read(&target, &quick(), &|_| ()).await });
    assert!(dropped.await.is_err());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!lives("sleep 714"));
}

#[tokio::test]
async fn reads_both_eras_over_http() {
    for era in ["session", "stateless", "both"] {
        for sse in [false, true] {
            let args = ["--era", era, "--sse"];
            let server = fixture::Http::start(if sse { &args } else { &args[..2] });
            let reading = read(&remote(&server.url), &quick(), &|_| ()).await.unwrap();
            assert_whole(&reading);
            assert_eq!(reading.era == Era::Session, era == "session", "{era}");
            let hinted = Options { protocol_hint: Some(reading.era), ..quick() };
            assert_whole(&read(&remote(&server.url), &hinted, &|_| ()).await.unwrap());
        }
    }
}

#[tokio::test]
async fn reads_the_older_http_transport() {
    let server = fixture::Http::start(&["--legacy-sse"]);
    // By its fallback, and by the client's word.
    assert_whole(&read(&remote(&server.url), &quick(), &|_| ()).await.unwrap());
    let target = Target::Url(Remote { url: server.url.clone(), sse: true, ..Remote::default() });
    assert_whole(&read(&target, &quick(), &|_| ()).await.unwrap());
    let server = fixture::Http::start(&["--legacy-sse", "--change", "stray"]);
    let error = read(&remote(&server.url), &quick(), &|_| ()).await.unwrap_err().to_string();
    assert!(error.ends_with("wants messages sent to another origin, http://127.0.0.1:9"), "{error}");
}

#[tokio::test]
async fn hostile_answers_over_http_are_refused_too() {
    let cases = [
        ("duplicate-key", "a duplicate key at $.result.tools[2].description"),
        ("lone-surrogate", "a lone surrogate at $.result.tools[2].description"),
        ("huge-line", "longer than 16 MiB"),
        ("list-error", "the server answered tools/list with error -32603"),
        ("silence", "the server did not answer tools/list within 900 ms"),
        ("endless-cursor", "more than 1000 pages"),
    ];
    for (change, expected) in cases {
        for sse in [false, true] {
            let args = ["--page", "0", "--change", change, "--sse"];
            let server = fixture::Http::start(if sse { &args } else { &args[..4] });
            let options = if change == "silence" { quick() } else { usual() };
            let error = read(&remote(&server.url), &options, &|_| ()).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{change}, sse {sse}: {error}");
        }
    }
}

#[tokio::test]
async fn addresses_keep_our_rules() {
    let server = fixture::Http::start(&["--token", "s3cret"]);
    let at = |path: &str| server.url.replace("/mcp", path);
    let read = async |url: &str, token: Option<&str>| {
        let field = token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
        let remote = Remote { url: url.into(), sse: false, headers: field.into_iter().collect() };
        read(&Target::Url(remote), &quick(), &|_| ()).await
    };
    assert_whole(&read(&server.url, Some("s3cret")).await.unwrap());
    let check = async |url: &str, token, expected: &str| {
        let error = read(url, token).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    };
    check(&server.url, None, "asks for a login").await;
    check(&at("/redirect"), Some("s3cret"), "redirects are not followed").await;
    check(&at("/huge"), Some("s3cret"), "longer than 16 MiB").await;
    check(&at("/html"), Some("s3cret"), "answered with text/html, which is no MCP message").await;
    check(&at("/broken"), Some("s3cret"), "answered with status 500").await;
    check(
        &server.url,
        Some("s3cret\r\nX: y"),
        "the header field \"Authorization\" holds what a header cannot",
    )
    .await;
    check("http://example.com/mcp", None, "example.com would be spoken to without encryption").await;
    check("ftp://example.com/mcp", None, "is no http or https URL").await;
    check("http://127.0.0.1:9/mcp", None, "could not be reached").await;
}

/// What a reading adds to the server's own time; printed, never asserted.
#[tokio::test]
#[allow(clippy::print_stderr)]
#[ignore = "a measurement: cargo test --test it connect::measure -- --ignored --nocapture"]
async fn measure() {
    let target = command(&[]);
    let options = Options { protocol_hint: Some(Era::Session), ..quick() };
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let reading = read(&target, &options, &|_| ()).await.unwrap();
        times.push((reading.time_to_start, reading.time_total, start.elapsed()));
    }
    times.sort();
    let (start, total, end) = times[10];
    eprintln!("median: opened {start:?}, read {total:?}, ended {end:?}");
}
