//! `mcpwatch run` in front of remote servers: every transport, sessions that end and streams that break.

use super::fixture;
use super::gate::{Place, Session, approved, is_refused};
use super::servers;
use mcpwatch::connect::{self, Options};
use mcpwatch::engine::json::{Value, parse, write};
use mcpwatch::engine::launchpin::{Launch, UrlLaunch};
use mcpwatch::engine::surface::{ItemKey, Kind};
use std::time::{Duration, Instant};

/// A fixture server with a log, and the gate in front of it.
fn gated(args: &[&str], items: &[(ItemKey, Value)]) -> (Place, fixture::Http, Session) {
    let place = Place::new();
    let log = place.path("log").to_str().unwrap().to_owned();
    let args: Vec<&str> = ["--log", log.as_str()].into_iter().chain(args.iter().copied()).collect();
    let server = fixture::Http::start(&args);
    let url = server.url.clone();
    place.pin_launch(&Launch::Url(UrlLaunch { url: url.clone(), ..UrlLaunch::default() }), items);
    let session = place.gate_url(&url);
    (place, server, session)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// Waits until the server's log holds something so often.
fn wait_for(place: &Place, part: &str, times: usize) {
    let until = Instant::now() + Duration::from_secs(20);
    while count(&place.log(), part) < times {
        assert!(Instant::now() < until, "not {times} times {part}: {}", place.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

const INITIALIZE: &str = r#""method":"initialize""#;

#[test]
fn a_forgotten_session_begins_anew_and_the_client_does_not_notice() {
    for way in ["forgets", "forgets-400"] {
        let (place, _server, mut session) = gated(&["--change", way, "--when", "call"], approved());
        session.open();
        assert_eq!(session.tools().len(), 8, "{way}");
        session.call("change", "{}");
        let answer = session.call("echo", r#"{"text":"hello"}"#);
        assert!(!is_refused(&answer) && format!("{answer:?}").contains("hello"), "{way}: {answer:?}");
        assert_eq!(session.tools().len(), 8, "{way}");
        let log = place.log();
        assert_eq!(count(&log, INITIALIZE), 2, "{way}: {log}");
        assert_eq!(count(&log, "notifications/initialized"), 2, "{way}: {log}");
        // The list of the new session was read before the call went there.
        let (_, after) = log.rsplit_once(INITIALIZE).unwrap();
        let (list, call) = (after.find("tools/list").unwrap(), after.find(r#""name":"echo""#).unwrap());
        assert!(list < call, "{way}: {log}");
        assert_eq!(count(after, r#""name":"echo""#), 1, "{way}: {log}");
        assert_eq!(session.leave().code(), Some(0), "{way}");
    }
}

#[test]
fn what_a_new_session_shows_is_judged_before_anything_passes() {
    let (place, _server, mut session) =
        gated(&["--change", "forgets,description,instructions", "--when", "call"], approved());
    session.open();
    session.tools();
    session.call("change", "{}");
    let answer = session.call("search", r#"{"query":"secret"}"#);
    assert!(is_refused(&answer), "{answer:?}");
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    assert!(!place.log().contains("secret"), "{}", place.log());
    assert!(!session.has_seen("CHANGED"), "{:#?}", session.seen);
}

#[test]
fn a_session_that_is_forgotten_again_and_again_ends_in_errors() {
    let (place, _server, mut session) = gated(&["--change", "forgets", "--when", "call"], approved());
    session.open();
    for round in 0..6 {
        session.call("change", "{}");
        let answer = session.call("echo", r#"{"text":"hello"}"#);
        let text = format!("{answer:?}");
        assert!(text.contains("hello") || text.contains("mcpwatch:"), "{round}: {text}");
    }
    assert!(count(&place.log(), INITIALIZE) <= 4, "{}", place.log());
}

#[test]
fn a_stream_that_breaks_is_taken_up_where_the_server_left_off() {
    let (place, _server, mut session) = gated(&["--change", "breaks"], approved());
    session.open();
    let answer = session.call("echo", r#"{"text":"hello"}"#);
    assert!(format!("{answer:?}").contains("hello"), "{answer:?}");
    assert!(place.log().contains("HEADER last-event-id: kept"), "{}", place.log());
    assert_eq!(count(&place.log(), r#""name":"echo""#), 1, "{}", place.log());
}

#[test]
fn lists_are_read_again_when_the_stream_of_signals_had_been_broken() {
    let (place, _server, mut session) =
        gated(&["--change", "drops,tool-removed", "--when", "call"], approved());
    session.open();
    assert_eq!(session.tools().len(), 8);
    // The stream stands before it is broken.
    std::thread::sleep(Duration::from_millis(300));
    let lists = count(&place.log(), "tools/list");
    session.call("change", "{}");
    // Nobody signals and nobody lists: the gate reads by itself, and tells the client.
    session
        .wait(|line| line.get("method").and_then(Value::as_str) == Some("notifications/tools/list_changed"));
    assert!(count(&place.log(), "tools/list") > lists);
    assert_eq!(session.tools().len(), 7);
}

/// What is approved, with a mark on the parameter of `echo`.
fn marked(mark: &str) -> Vec<(ItemKey, Value)> {
    let mut items = approved().clone();
    for (key, value) in &mut items {
        if *key == ItemKey::new(Kind::Tool, "echo") {
            let text = String::from_utf8(write::to_bytes(value)).unwrap();
            let marked = format!(r#""text":{{"type":"string","x-mcp-header":"{mark}"}}"#);
            *value = parse(text.replace(r#""text":{"type":"string"}"#, &marked).as_bytes()).unwrap();
        }
    }
    items
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

#[test]
fn a_tool_that_marks_its_parameters_badly_is_left_away_over_http() {
    let place = Place::new();
    let log = place.path("log");
    let args = ["--change", "marks-badly", "--era", "both", "--log", log.to_str().unwrap()];
    let server = fixture::Http::start(&args);
    let remote = Launch::Url(UrlLaunch { url: server.url.clone(), ..UrlLaunch::default() });
    let stdio = place.server(&args);
    // The protocol that was spoken when it was pinned tells which rules hold.
    let newest = |place: &Place| {
        let lock = std::fs::read_to_string(place.path("mcp.lock")).unwrap();
        std::fs::write(place.path("mcp.lock"), lock.replace("2025-11-25", "2026-07-28")).unwrap();
    };
    let names = |session: &mut Session| {
        session.request("server/discover", &format!("{{{META}}}"));
        let answer = session.request("tools/list", &format!("{{{META}}}"));
        let tools = answer.at(&["result", "tools"]).and_then(Value::as_array).unwrap().to_vec();
        tools.iter().filter_map(|tool| tool.get("name")?.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    place.pin_launch(&remote, &marked("Te xt"));
    newest(&place);
    let mut session = place.gate_url(&server.url);
    let listed = names(&mut session);
    assert!(!listed.contains(&"echo".to_owned()) && listed.contains(&"add".to_owned()), "{listed:?}");
    let call = format!(r#"{{{META},"name":"echo","arguments":{{"text":"hello"}}}}"#);
    let answer = session.request("tools/call", &call);
    assert!(is_refused(&answer) && format!("{answer:?}").contains("x-mcp-header"), "{answer:?}");
    assert!(!place.log().contains(r#""name":"echo""#), "{}", place.log());
    session.leave();
    // On stdio marks mean nothing.
    place.pin(&stdio, &marked("Te xt"));
    newest(&place);
    let mut session = place.gate(&stdio);
    assert!(names(&mut session).contains(&"echo".to_owned()));
    assert!(!is_refused(&session.request("tools/call", &call)));
}

#[test]
fn readings_tell_which_tools_are_left_away() {
    let server = fixture::Http::start(&["--change", "marks-badly", "--era", "both"]);
    let bench = crate::cli::bench::Bench::new();
    let config = format!(r#"{{"mcpServers": {{"notes": {{"type": "http", "url": "{}"}}}}}}"#, server.url);
    bench.write("client.json", &config);
    let words =
        "tool echo is left away over HTTP, as clients must: x-mcp-header is no name of a header field";
    let scan = bench.run(&["scan", "--config", "client.json", "--yes"]);
    assert!(scan.stdout.contains(words), "{}", scan.all());
    assert_eq!(bench.with_config(&["init", "--yes"]).code, 0);
    let check = bench.with_config(&["check"]);
    assert!(check.code == 0 && check.stderr.contains(words), "{}", check.all());
}

#[test]
fn parameters_that_the_approved_schema_marks_become_header_fields() {
    let items = marked("Text");
    let (place, _server, mut session) = gated(&["--change", "marks", "--era", "stateless"], &items);
    session.request("server/discover", &format!("{{{META}}}"));
    for text in ["hello", r"a\r\nEvil: 1", "höhe"] {
        let answer = session
            .request("tools/call", &format!(r#"{{{META},"name":"echo","arguments":{{"text":"{text}"}}}}"#));
        assert!(answer.get("result").is_some() && !is_refused(&answer), "{answer:?}");
    }
    let log = place.log();
    for field in [
        "mcp-method: tools/call",
        "mcp-name: echo",
        "mcp-protocol-version: 2026-07-28",
        "mcp-param-text: hello",
        "mcp-param-text: =?base64?YQ0KRXZpbDogMQ==?=",
        "mcp-param-text: =?base64?aMO2aGU=?=",
        "mcp-method: server/discover",
        "mcp-method: tools/list",
    ] {
        assert!(log.contains(&format!("HEADER {field}\n")), "{field}: {log}");
    }
    assert!(!log.contains("mcp-session-id"), "{log}");
}

#[test]
fn the_transport_of_2024_is_gated_like_any_other() {
    // The launch does not say so: whoever pinned it did not have to know.
    let (place, _server, mut session) = gated(&["--legacy-sse", "--change", "description"], approved());
    let opening = session.open();
    assert!(opening.get("result").is_some(), "{opening:?}");
    assert_eq!(session.tools().len(), 8);
    assert!(is_refused(&session.call("search", r#"{"query":"secret"}"#)));
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    let answer = session.call("blob", r#"{"bytes":1000000}"#);
    assert!(write::to_bytes(&answer).len() > 1_000_000);
    assert!(!session.has_seen("CHANGED"), "{:#?}", session.seen);
    assert!(!place.log().contains("secret"));
    assert_eq!(session.leave().code(), Some(0));
}

#[test]
fn an_address_of_2024_is_found_out_by_whatever_it_answers_to_a_post() {
    for status in ["400 Bad Request", "403 Forbidden", "406 Not Acceptable", "422 Unprocessable"] {
        let (place, _server, mut session) = gated(&["--legacy-sse", "--refusal", status], approved());
        let opening = session.open();
        assert!(opening.get("result").is_some(), "{status}: {opening:?}");
        assert_eq!(session.tools().len(), 8, "{status}");
        assert!(place.log().contains("REFUSED POST"), "{status}: {}", place.log());
    }
    // A login that is wanted is said, and no stream is asked for.
    let (_place, _server, mut session) = gated(&["--legacy-sse", "--token", "T"], approved());
    assert!(format!("{:?}", session.open()).contains("wants a login"));
}

#[test]
fn who_runs_the_gate_says_which_transport_is_pinned() {
    let place = Place::new();
    let log = place.path("log");
    let server = fixture::Http::start(&["--legacy-sse", "--log", log.to_str().unwrap()]);
    let launch = UrlLaunch { url: server.url.clone(), sse: true, ..UrlLaunch::default() };
    place.pin_launch(&Launch::Url(launch), approved());
    let gate = |options: &[&str]| {
        let mut command = place.run(&["--trust-lock", "--url", &server.url]);
        command.args(options);
        Session::start(command)
    };
    let mut session = gate(&["--sse"]);
    assert!(session.open().get("result").is_some());
    assert_eq!(session.tools().len(), 8);
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    session.leave();
    // A client's own entry says so with its type.
    let mut command = place.run(&["--trust-lock", "--id", "claude-code:fixture"]);
    command.env("MCPWATCH_ENTRY", format!(r#"{{"type": "sse", "url": "{}"}}"#, server.url));
    let mut session = Session::start(command);
    assert!(session.open().get("result").is_some());
    assert_eq!(session.tools().len(), 8);
    session.leave();
    // Both were told what is spoken, so nothing else was tried.
    assert!(!place.log().contains("REFUSED POST"), "{}", place.log());
    // The transport belongs to the pin: without the word it is another launch.
    let mut session = gate(&[]);
    session.open();
    assert!(format!("{:?}", session.call("mcpwatch_review", "{}")).contains("starts something else"));
}

#[test]
fn a_broken_stream_of_2024_begins_a_session_that_is_judged() {
    let (place, _server, mut session) =
        gated(&["--legacy-sse", "--change", "drops,description", "--when", "call"], approved());
    session.open();
    assert_eq!(session.tools().len(), 8);
    session.ask("tools/call", r#"{"name":"change","arguments":{}}"#);
    wait_for(&place, INITIALIZE, 2);
    assert!(is_refused(&session.call("search", r#"{"query":"secret"}"#)));
    let answer = session.call("echo", r#"{"text":"hello"}"#);
    assert!(format!("{answer:?}").contains("hello"), "{answer:?}");
    assert!(!session.has_seen("CHANGED"), "{:#?}", session.seen);
    assert!(!place.log().contains("secret"));
}

#[test]
fn nothing_is_sent_to_another_origin() {
    let place = Place::new();
    let server = fixture::Http::start(&["--legacy-sse", "--change", "stray"]);
    let redirecting = fixture::Http::start(&[]);
    let to = redirecting.url.replace("/mcp", "/redirect");
    for (url, why) in [(&server.url, "another origin"), (&to, "redirects are not followed")] {
        place.pin_launch(&Launch::Url(UrlLaunch { url: url.clone(), ..UrlLaunch::default() }), approved());
        let mut session = place.gate_url(url);
        let answer = session.open();
        let text = format!("{answer:?}");
        assert!(answer.get("error").is_some() && text.contains(why), "{url}: {text}");
    }
}

/// Pins what a real server shows, and gates it.
async fn gate_real(url: &str) -> (Place, Session) {
    let place = Place::new();
    let launch = Launch::Url(UrlLaunch { url: url.to_owned(), ..UrlLaunch::default() });
    let target = connect::Target::Url(connect::Remote { url: url.to_owned(), ..connect::Remote::default() });
    let reading = connect::read(&target, &Options::default(), &|_| {}).await.unwrap();
    let items: Vec<(ItemKey, Value)> =
        reading.surface.items().map(|(key, value)| (key.clone(), value.clone())).collect();
    place.pin_launch(&launch, &items);
    let session = place.gate_url(url);
    (place, session)
}

#[tokio::test]
async fn server_everything_is_gated_over_both_transports() {
    for (how, path) in [("streamableHttp", "/mcp"), ("sse", "/sse")] {
        let script = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let Some(server) = servers::node("server-everything", "npm", script, &[how]) else { return };
        let running = server.serve();
        let url = format!("http://127.0.0.1:{}{path}", running.port());
        let (_place, mut session) = gate_real(&url).await;
        let opening = session.open();
        assert!(opening.get("result").is_some(), "{how}: {opening:?}");
        let tools = session.tools();
        assert!(tools.iter().any(|(name, _)| name == "echo") && tools.len() > 5, "{how}: {}", tools.len());
        let answer = session.call("echo", r#"{"message":"hello"}"#);
        assert!(!is_refused(&answer) && format!("{answer:?}").contains("hello"), "{how}: {answer:?}");
        // The server is started anew and knows no session: the client goes on as before.
        let port = running.port();
        drop(running);
        let running = server.serve_at(port);
        std::thread::sleep(Duration::from_millis(200));
        let answer = session.call("echo", r#"{"message":"again"}"#);
        assert!(format!("{answer:?}").contains("again"), "{how}: {answer:?}");
        drop(running);
    }
}
