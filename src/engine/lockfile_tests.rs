//! Tests of the lockfile: a table of refusals, and properties over generated locks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::digest::Tag;
use crate::engine::json;
use crate::engine::launchpin::Ecosystem;
use proptest::prelude::*;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).expect("test value")
}

fn launch() -> LaunchPin {
    LaunchPin::Command {
        command: "npx".into(),
        args: vec!["-y".into(), "@acme/notes".into()],
        env: [("ACME_TOKEN".to_owned(), "${masked}".to_owned())].into(),
        cwd: None,
    }
}

fn sample() -> Lockfile {
    let mut server = ServerPin::new(launch(), "2025-11-25");
    let file = Digest::of_bytes(Tag::File, b"x");
    server.artifacts.insert(
        "any".into(),
        Artifact::Package {
            ecosystem: Ecosystem::Npm,
            name: "@acme/notes".into(),
            version: "1.4.0".into(),
            floating: true,
            files: file,
            dependencies: file,
            dependency_list: [("zod".to_owned(), "3.25.1 sha512-AAAA".to_owned())].into(),
        },
    );
    let tool = value(r#"{"name":"add","description":"Adds a note.","inputSchema":{"type":"object"}}"#);
    server.items.insert(ItemKey::new(Kind::Tool, "add"), Pin::of(Kind::Tool, tool));
    let full = value(r#"{"name":"ask","description":"Asks.","inputSchema":{}}"#);
    let empty = value(r#"{"name":"ask","description":"Says.","inputSchema":{}}"#);
    let definitions = vec![
        Definition::new(Kind::Tool, Some(Condition::FullClient), full),
        Definition::new(Kind::Tool, Some(Condition::EmptyClient), empty),
    ];
    server.items.insert(ItemKey::new(Kind::Tool, "ask"), Pin { definitions });
    let instructions = Value::from("Notes live in ${home}/notes.");
    let key = ItemKey::single(Kind::Instructions);
    server.items.insert(key, Pin::of(Kind::Instructions, instructions));
    server.open.insert(Kind::Resource);
    Lockfile { servers: [("notes".to_owned(), server)].into(), ..Lockfile::default() }
}

#[test]
fn renders_like_this() {
    insta::assert_snapshot!(render(&sample()));
}

#[test]
fn reads_what_it_wrote() {
    let lockfile = sample();
    let text = render(&lockfile);
    assert_eq!(parse(&text).unwrap(), lockfile);
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
}

#[test]
fn an_empty_lock_reads() {
    let text = "{\n  \"servers\": {},\n  \"version\": 1\n}\n";
    assert_eq!(render(&parse(text).unwrap()), text);
}

/// Replaces one text in the sample's rendering and gives the refusal with its hint.
fn refusal(from: &str, to: &str) -> String {
    let text = render(&sample());
    assert!(text.contains(from), "the sample has no {from}");
    let error = parse(&text.replacen(from, to, 1)).expect_err("it should be refused");
    format!("{error}\n  {}", error.hint())
}

#[test]
fn refusals() {
    let table = [
        ("  \"servers\": {", "<<<<<<< ours\n  \"servers\": {"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"version\": 1", "\"version\": \"1\""),
        ("\"version\": 1", "\"version\": 0"),
        ("\"version\": 1", "\"version\": 1,\n\"servers\": {}"),
        ("\"version\": 1", "\"version\": 1,"),
        ("Adds a note.", "Adds a notf."),
        ("\"npx\"", "\"npy\""),
        ("1.4.0", "1.4.1"),
        ("sha512-AAAA", "sha512-AAAB"),
        ("\"add\": {", "\"added\": {"),
        ("\"digest\": \"blake3:", "\"digest\": \"blake2:"),
        ("\"definition\": {", "\"definitions\": {"),
        ("\"client\": \"empty\"", "\"client\": \"full\""),
        ("\"client\": \"empty\"", "\"client\": \"half\""),
        ("\"client\": \"empty\"", "\"phase\": \"new\""),
        ("\"resources\"", "\"tools\""),
        ("\"protocol\": \"2025-11-25\"", "\"protocol\": 2025"),
        ("\"protocol\": \"2025-11-25\"", "\"protocols\": \"2025-11-25\""),
        ("{\n  \"servers\"", "\u{feff}{\n  \"servers\""),
    ];
    let all: Vec<String> = table
        .into_iter()
        .map(|(from, to)| format!("{} -> {}\n  {}", from.trim(), to.trim(), refusal(from, to)))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn unknown_fields_stay_where_they_stood() {
    let text = render(&sample())
        .replacen("\"version\": 1", "\"note\": {\"by\": [1, 2]},\n  \"version\": 1", 1)
        .replacen("\"protocol\":", "\"owner\": \"me\",\n\"protocol\":", 1)
        .replacen("\"add\": {", "\"add\": {\n\"seen\": true,", 1)
        .replacen("{\n              \"definition\"", "{\n \"why\": \"x\",\n\"definition\"", 1);
    let lockfile = parse(&text).unwrap();
    let again = render(&lockfile);
    for field in ["note", "owner", "seen", "why"] {
        assert!(again.contains(&format!("\"{field}\":")), "{field} is lost:\n{again}");
    }
    assert_eq!(parse(&again).unwrap(), lockfile);
    // Those of an item leave with it.
    let mut lockfile = lockfile;
    let server = lockfile.servers.get_mut("notes").unwrap();
    server.items.clear();
    let again = render(&lockfile);
    assert!(!again.contains("seen") && !again.contains("why") && again.contains("owner"));
    parse(&again).unwrap();
}

#[test]
fn unknown_fields_of_a_launch_are_under_its_digest() {
    let mut lockfile = sample();
    let server = lockfile.servers.get_mut("notes").unwrap();
    server.unknown.insert("launch", value(r#"{"issuer": "https://a.example"}"#));
    let text = render(&lockfile);
    assert_eq!(parse(&text).unwrap(), lockfile);
    assert!(parse(&text.replace("a.example", "b.example")).is_err());
}

#[test]
fn hidden_characters_are_written_as_escapes() {
    let mut lockfile = sample();
    let server = lockfile.servers.get_mut("notes").unwrap();
    let text = Value::from("a\u{202e}b\u{200b}c\u{e0041}d\u{1b}e\u{feff}é✓");
    let key = ItemKey::single(Kind::Instructions);
    server.items.insert(key, Pin::of(Kind::Instructions, text));
    let rendered = render(&lockfile);
    assert!(rendered.contains(r#""a\u202eb\u200bc\udb40\udc41d\u001be\ufeffé✓""#), "{rendered}");
    assert_eq!(parse(&rendered).unwrap(), lockfile);
}

#[test]
fn carriage_returns_of_a_checkout_do_no_harm() {
    let text = render(&sample()).replace('\n', "\r\n");
    assert_eq!(parse(&text).unwrap(), sample());
}

#[test]
fn a_secret_that_a_server_echoes_is_found_with_its_place() {
    use crate::engine::secret::Known;
    let known = Known::new([("ACME_TOKEN".to_owned(), "s3cr3t-value".to_owned())]);
    assert_eq!(find_secret(&sample(), &known), None);
    let check = |change: &dyn Fn(&mut ServerPin), place: &str| {
        let mut lockfile = sample();
        change(lockfile.servers.get_mut("notes").unwrap());
        let echo = find_secret(&lockfile, &known).expect(place);
        assert_eq!(echo.to_string(), format!("the value of ACME_TOKEN at {place}"));
    };
    let text = "Uses s3cr3t-value.";
    check(
        &|server| {
            let key = ItemKey::single(Kind::Instructions);
            server.items.insert(key, Pin::of(Kind::Instructions, text.into()));
        },
        "$.servers.notes.instructions.definition",
    );
    check(
        &|server| {
            let pin = server.items.get_mut(&ItemKey::new(Kind::Tool, "ask")).unwrap();
            let tool = value(r#"{"name": "ask", "inputSchema": {"enum": ["s3cr3t-value"]}}"#);
            pin.set(Definition::new(Kind::Tool, Some(Condition::EmptyClient), tool));
        },
        "$.servers.notes.tools.ask.variants[0].definition.inputSchema.enum[0]",
    );
    check(
        &|server| {
            let key = ItemKey::new(Kind::Prompt, text);
            server.items.insert(key, Pin::of(Kind::Prompt, Value::Null));
        },
        "$.servers.notes.prompts",
    );
    check(
        &|server| {
            server.artifacts.insert("any".into(), Artifact::Unknown(text.into()));
        },
        "$.servers.notes.artifacts.any.reason",
    );
}

#[test]
fn keys_are_spelled_like_the_names_in_their_definitions() {
    use crate::engine::placeholder::{Machine, Name};
    let machine = Machine::new(0).with(Name::Home, "/home/ann");
    let mut server = ServerPin::new(launch(), "2025-11-25");
    let check = |server: &mut ServerPin, kind, offered: &str, pattern: Value, expected: &str| {
        let offered = ItemKey::new(kind, offered);
        let key = key_of(&offered, &pattern);
        assert_eq!(key.name, expected);
        server.items.insert(key.clone(), Pin::of(kind, pattern));
        assert_eq!(server.key_for(&offered, &machine), Some(&key));
    };
    let resource = value(r#"{"uri": "file://${home}/x", "name": "x"}"#);
    check(&mut server, Kind::Resource, "file:///home/ann/x", resource, "file://${home}/x");
    let tool = value(r#"{"name": "a${dollar}{b", "inputSchema": {}}"#);
    check(&mut server, Kind::Tool, "a${b", tool, "a${dollar}{b");
    check(&mut server, Kind::Request, "x/${y", true.into(), "x/${dollar}{y");
    check(&mut server, Kind::Instructions, "", "Hello.".into(), "");
    let lockfile = Lockfile { servers: [("s".to_owned(), server)].into(), ..Lockfile::default() };
    assert_eq!(parse(&render(&lockfile)).unwrap(), lockfile);
}

/// Locks of earlier programs load for ever, byte for byte the same when rendered.
#[test]
fn old_locks_load() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/locks");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        let lockfile = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(parse(&render(&lockfile)).unwrap(), lockfile, "{}", path.display());
        if !path.to_string_lossy().contains("foreign") {
            assert_eq!(render(&lockfile), text, "{}", path.display());
        }
    }
}

/// Strings of all sorts, short.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ./${}-]{0,12}",
        any::<String>().prop_map(|text| text.chars().take(12).collect()),
        "[\u{200b}\u{202e}\u{e0041}\u{7f}\"\\\\\n\u{0}é😀]{1,4}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u32>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_launch() -> impl Strategy<Value = LaunchPin> {
    let map = || prop::collection::btree_map(any_text(), any_text(), 0..3);
    let args = prop::collection::vec(any_text(), 0..3);
    prop_oneof![
        (any_text(), args, map(), prop::option::of(any_text()))
            .prop_map(|(command, args, env, cwd)| LaunchPin::Command { command, args, env, cwd }),
        (any_text(), any::<bool>(), map()).prop_map(|(url, sse, headers)| LaunchPin::Url {
            url,
            sse,
            headers
        }),
    ]
}

fn any_artifact() -> impl Strategy<Value = Artifact> {
    let digest = || any::<u8>().prop_map(|seed| Digest::of_bytes(Tag::File, &[seed]));
    let list = prop::collection::btree_map(any_text(), any_text(), 0..3);
    prop_oneof![
        Just(Artifact::Remote),
        any_text().prop_map(Artifact::Unknown),
        (any_text(), digest()).prop_map(|(path, file)| Artifact::Script { path, file }),
        (any_text(), digest()).prop_map(|(path, file)| Artifact::Binary { path, file }),
        (any::<bool>(), any_text(), any_text(), any::<bool>(), digest(), digest(), list).prop_map(
            |(npm, name, version, floating, files, dependencies, dependency_list)| {
                Artifact::Package {
                    ecosystem: if npm { Ecosystem::Npm } else { Ecosystem::PyPi },
                    name,
                    version,
                    floating,
                    files,
                    dependencies,
                    dependency_list,
                }
            }
        ),
    ]
}

fn any_item() -> impl Strategy<Value = (ItemKey, Pin)> {
    let when = prop::option::of(prop_oneof![
        Just(Condition::FullClient),
        Just(Condition::EmptyClient),
        any_text().prop_map(Condition::Platform),
    ]);
    let definitions = prop::collection::btree_map(when, any_value(), 1..3);
    (prop::sample::select(&Kind::ALL[..]), any_text(), definitions).prop_map(|(kind, name, definitions)| {
        let key = if kind.is_single() { ItemKey::single(kind) } else { ItemKey::new(kind, name.clone()) };
        let named = |value: Value| match kind.name_field() {
            None => value,
            Some(field) => {
                let mut object: Object = [("value", value)].into_iter().collect();
                object.insert(field, name.as_str());
                object.into()
            }
        };
        let definition = |(when, value)| Definition::new(kind, when, named(value));
        (key, Pin { definitions: definitions.into_iter().map(definition).collect() })
    })
}

fn any_server() -> impl Strategy<Value = ServerPin> {
    (
        any_launch(),
        prop::collection::btree_map(any_text(), any_artifact(), 0..3),
        any_text(),
        prop::collection::vec(any_item(), 0..5),
        any::<bool>(),
    )
        .prop_map(|(launch, artifacts, protocol, items, open)| ServerPin {
            artifacts,
            items: items.into_iter().collect(),
            open: open.then_some(Kind::Resource).into_iter().collect(),
            ..ServerPin::new(launch, protocol)
        })
}

fn any_lockfile() -> impl Strategy<Value = Lockfile> {
    (prop::collection::btree_map(any_text(), any_server(), 0..3), any_value()).prop_map(|(servers, note)| {
        let unknown: Object = [("zNote", note)].into_iter().collect();
        Lockfile { servers, unknown }
    })
}

/// Changes the `n`th string of what digests cover, counted depth first; tells whether there was one.
fn change(value: &mut Value, covered: bool, n: &mut usize) -> bool {
    match value {
        Value::String(text) if covered => {
            if *n == 0 {
                text.push('x');
                return true;
            }
            *n -= 1;
            false
        }
        Value::Array(items) => items.iter_mut().any(|item| change(item, covered, n)),
        Value::Object(object) => {
            let mut done = false;
            let members = std::mem::take(object).into_members();
            *object = members
                .into_iter()
                .map(|(key, mut value)| {
                    let whole = matches!(key.as_str(), "definition" | "digest" | "launch" | "artifacts");
                    done = done || change(&mut value, covered || whole, n);
                    (key, value)
                })
                .collect();
            done
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn parse_undoes_render(lockfile in any_lockfile()) {
        let text = render(&lockfile);
        let again = parse(&text).expect("its own rendering");
        prop_assert_eq!(&again, &lockfile);
        prop_assert_eq!(&parse_trusted(text.as_bytes()).expect("its own rendering"), &lockfile);
        for name in lockfile.servers.keys().map(String::as_str).chain(["nobody's"]) {
            let read = |part| parse_trusted_server(text.as_bytes(), name, part).expect("its own rendering");
            let (start, whole) = (read(Part::Start), read(Part::Whole));
            prop_assert_eq!(whole.as_ref(), lockfile.servers.get(name));
            prop_assert_eq!(start.is_some(), lockfile.servers.contains_key(name));
            if let Some((start, whole)) = start.as_ref().zip(lockfile.servers.get(name)) {
                prop_assert_eq!((&start.launch, &start.artifacts), (&whole.launch, &whole.artifacts));
                prop_assert_eq!((&start.protocol, &start.open), (&whole.protocol, &whole.open));
                prop_assert!(start.items.is_empty());
            }
        }
        prop_assert_eq!(render(&again), text);
    }

    #[test]
    fn any_changed_string_is_refused(lockfile in any_lockfile(), n in 0_usize..64) {
        let mut whole = value(&render(&lockfile));
        let mut n = n;
        let Value::Object(file) = &mut whole else { unreachable!() };
        let mut servers = file.remove("servers").expect("servers");
        if change(&mut servers, false, &mut n) {
            file.insert("servers", servers);
            prop_assert!(parse(&render_value(&whole)).is_err());
        }
    }

    #[test]
    fn never_panics(lockfile in any_lockfile(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = render(&lockfile).into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Err(error) = parse_bytes(&bytes) {
            prop_assert!(error.line() >= 1);
            prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty());
        }
    }
}
