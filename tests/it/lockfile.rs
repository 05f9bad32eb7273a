//! The published format from outside: the vectors of `docs/lockfile.md`, and `mcp.lock.example`.

use mcpwatch::engine::canon;
use mcpwatch::engine::digest::{Digest, Tag};
use mcpwatch::engine::json::{self, Value};
use mcpwatch::engine::launchpin::{Artifact, Ecosystem, LaunchPin};
use mcpwatch::engine::lockfile::{
    self, Condition, Definition, Lockfile, Pin, ServerPin, key_of, parse, render, render_value,
};
use mcpwatch::engine::placeholder::{Machine, Name, matches_text};
use mcpwatch::engine::surface::{ItemKey, Kind};
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn vectors(name: &str) -> (Value, Vec<Value>) {
    let text = std::fs::read(file("tests/data/vectors").join(name)).unwrap();
    let whole = json::parse(&text).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let vectors = whole.get("vectors").and_then(Value::as_array).unwrap().to_vec();
    assert!(!vectors.is_empty());
    (whole, vectors)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{value:?} has no {key}"))
}

fn tag(name: &str) -> Tag {
    match name {
        "launch" => Tag::Launch,
        "artifact" => Tag::Artifact,
        "lock" => Tag::Lock,
        "offer" => Tag::Offer,
        "file" => Tag::File,
        _ => Tag::Item(Kind::ALL.into_iter().find(|kind| kind.tag() == name).unwrap()),
    }
}

#[test]
fn digests_are_those_of_another_implementation() {
    for vector in vectors("digest.json").1 {
        let (tag, digest) = (tag(text(&vector, "tag")), text(&vector, "digest"));
        let ours = match vector.get("bytes").and_then(Value::as_str) {
            Some(bytes) => Digest::of_bytes(tag, bytes.as_bytes()),
            None => {
                let value = json::parse(text(&vector, "json").as_bytes()).unwrap();
                let canonical = String::from_utf8(canon::canonical(&value)).unwrap();
                assert_eq!(canonical, text(&vector, "canonical"));
                Digest::of(tag, &value)
            }
        };
        assert_eq!(ours.to_string(), digest, "{vector:?}");
    }
}

#[test]
fn there_is_one_rendering() {
    for vector in vectors("render.json").1 {
        let value = json::parse(text(&vector, "json").as_bytes()).unwrap();
        assert_eq!(render_value(&value), text(&vector, "rendered"));
    }
}

#[test]
fn refused_texts_are_refused_with_their_place() {
    for vector in vectors("refused.json").1 {
        let error = parse(text(&vector, "text")).expect_err(text(&vector, "text")).to_string();
        assert!(error.contains(text(&vector, "says")), "{error}\n  should say: {}", text(&vector, "says"));
    }
}

#[test]
fn placeholders_match_what_they_say() {
    let (whole, vectors) = vectors("placeholders.json");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mut machine = Machine::new(whole.get("now").and_then(Value::as_f64).unwrap() as u64);
    for name in Name::ALL {
        machine = machine.with(name, text(whole.get("machine").unwrap(), name.key()));
    }
    for vector in vectors {
        let (pattern, offered) = (text(&vector, "pattern"), text(&vector, "offered"));
        let expected = vector.get("matches").and_then(Value::as_bool).unwrap();
        assert_eq!(matches_text(pattern, offered, &machine), expected, "{pattern} against {offered}");
    }
}

/// `MCPWATCH_UPDATE=1` writes it anew.
#[test]
fn the_example_is_a_lock_byte_for_byte() {
    let path = file("mcp.lock.example");
    let expected = render(&example());
    if std::env::var_os("MCPWATCH_UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected);
    assert_eq!(render(&parse(&text).unwrap()), text);
}

/// What must never stand in a lock, in the example as a stand-in for all.
#[test]
fn a_lock_names_no_person_machine_or_moment() {
    let text = render(&example());
    for word in ["/home/", "/Users/", "C:\\\\", "/tmp", "ghp_", "sk-", "2026-11", "\"at\"", "T00:"] {
        assert!(!text.contains(word), "{word} stands in the example");
    }
}

fn add(server: &mut ServerPin, kind: Kind, name: &str, definition: &str) {
    let value = json::parse(definition.as_bytes()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let key = key_of(&ItemKey::new(kind, name), &value);
    server.items.insert(key, Pin::of(kind, value));
}

fn digest(seed: &str) -> Digest {
    Digest::of_bytes(Tag::File, seed.as_bytes())
}

fn strings(list: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A lock of three invented servers: a floating npm package, a PyPI tool, a remote server.
fn example() -> Lockfile {
    let mut lockfile = Lockfile::default();
    lockfile.servers.insert("notes".into(), notes());
    lockfile.servers.insert("clock".into(), clock());
    lockfile.servers.insert("tracker".into(), tracker());
    assert_eq!(lockfile::find_secret(&lockfile, &Default::default()), None);
    lockfile
}

fn notes() -> ServerPin {
    let launch = LaunchPin::Command {
        command: "npx".into(),
        args: ["-y", "@acme/notes-mcp", "--dir", "${home}/notes"].map(str::to_owned).into(),
        env: strings(&[("ACME_API_KEY", "${masked}"), ("NODE_OPTIONS", "--max-old-space-size=256")]),
        cwd: None,
    };
    let mut server = ServerPin::new(launch, "2025-11-25");
    server.artifacts.insert(
        "any".into(),
        Artifact::Package {
            ecosystem: Ecosystem::Npm,
            name: "@acme/notes-mcp".into(),
            version: "1.4.0".into(),
            floating: true,
            files: digest("notes files"),
            dependencies: digest("notes dependencies"),
            dependency_list: strings(&[
                ("@modelcontextprotocol/sdk", "1.29.0 sha512-q2Qmpi3Zl1vP"),
                ("zod", "3.25.76 sha512-gzUt/qt81n5z"),
            ]),
        },
    );
    let note = r#"{"type": "object", "properties": {"path": {"type": "string", "description": "Path below ${home}/notes"},
        "text": {"type": "string"}}, "required": ["path", "text"], "additionalProperties": false}"#;
    let tool = format!(
        r#"{{"name": "write_note", "title": "Write a note", "description": "Writes a note. Overwrites one of the same path.",
        "inputSchema": {note}, "annotations": {{"destructiveHint": true}}}}"#
    );
    add(&mut server, Kind::Tool, "write_note", &tool);
    // More is shown to clients that can answer questions.
    let plain =
        r#"{"name": "delete_note", "description": "Deletes a note.", "inputSchema": {"type": "object"}}"#;
    let asking = r#"{"name": "delete_note", "description": "Deletes a note after asking its owner.", "inputSchema": {"type": "object"}}"#;
    let definition =
        |when, text: &str| Definition::new(Kind::Tool, Some(when), json::parse(text.as_bytes()).unwrap());
    let definitions =
        vec![definition(Condition::FullClient, asking), definition(Condition::EmptyClient, plain)];
    server.items.insert(ItemKey::new(Kind::Tool, "delete_note"), Pin { definitions });
    let prompt = r#"{"name": "tidy", "description": "Sorts loose notes.", "arguments": [{"name": "folder", "required": true}]}"#;
    add(&mut server, Kind::Prompt, "tidy", prompt);
    let resource =
        r#"{"uri": "file://${home}/notes/index.md", "name": "index", "mimeType": "text/markdown"}"#;
    add(&mut server, Kind::Resource, "", resource);
    add(&mut server, Kind::Template, "", r#"{"uriTemplate": "note:///{path}", "name": "note"}"#);
    add(&mut server, Kind::Request, "elicitation/create", "true");
    add(&mut server, Kind::Instructions, "", r#""Notes are Markdown files below ${home}/notes.""#);
    add(
        &mut server,
        Kind::Capabilities,
        "",
        r#"{"tools": {"listChanged": true}, "prompts": {}, "resources": {}}"#,
    );
    add(&mut server, Kind::ServerInfo, "", r#"{"name": "notes", "version": "1.4.0"}"#);
    server.open.insert(Kind::Resource);
    server
}

fn clock() -> ServerPin {
    let launch = LaunchPin::Command {
        command: "uvx".into(),
        args: vec!["acme-clock==0.6.2".into()],
        env: Default::default(),
        cwd: None,
    };
    let mut server = ServerPin::new(launch, "2025-06-18");
    for (platform, seed) in [("linux-x86_64", "clock linux"), ("macos-aarch64", "clock macos")] {
        let artifact = Artifact::Package {
            ecosystem: Ecosystem::PyPi,
            name: "acme-clock".into(),
            version: "0.6.2".into(),
            floating: false,
            files: digest(seed),
            dependencies: digest("clock dependencies"),
            dependency_list: strings(&[("tzdata", "2026.2")]),
        };
        server.artifacts.insert(platform.into(), artifact);
    }
    let tool = r#"{"name": "now", "description": "Tells the time. Use '${tz}' if the user names no time zone.",
        "inputSchema": {"type": "object", "properties": {"timezone": {"type": "string"}}}}"#;
    add(&mut server, Kind::Tool, "now", tool);
    add(&mut server, Kind::Capabilities, "", r#"{"tools": {}}"#);
    add(&mut server, Kind::ServerInfo, "", r#"{"name": "clock", "version": "0.6.2"}"#);
    server
}

fn tracker() -> ServerPin {
    let launch = LaunchPin::Url {
        url: "https://mcp.tracker.example/v1".into(),
        sse: false,
        headers: strings(&[("Authorization", "${masked}")]),
    };
    let mut server = ServerPin::new(launch, "2026-07-28");
    server.artifacts.insert("any".into(), Artifact::Remote);
    let tool = r#"{"name": "search_issues", "description": "Searches issues.", "_meta": {"ui": {"resourceUri": "ui://board"}},
        "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}}"#;
    add(&mut server, Kind::Tool, "search_issues", tool);
    let board = r#"{"uri": "ui://board", "mimeType": "text/html;profile=mcp-app", "text": "<main id=\"board\"></main>"}"#;
    add(&mut server, Kind::Ui, "ui://board", board);
    add(&mut server, Kind::Capabilities, "", r#"{"tools": {"listChanged": true}}"#);
    add(&mut server, Kind::ServerInfo, "", r#"{"name": "tracker", "version": "7"}"#);
    server
}

/// What git makes of two people's approvals; `None` without git on this machine.
fn merged(ours: &Lockfile, base: &Lockfile, theirs: &Lockfile) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let names = [("ours", ours), ("base", base), ("theirs", theirs)];
    for (name, lockfile) in names {
        std::fs::write(folder.path().join(name), render(lockfile)).unwrap();
    }
    let mut git = std::process::Command::new("git");
    git.current_dir(&folder).args(["merge-file", "-p", "ours", "base", "theirs"]);
    Some(String::from_utf8(git.output().ok()?.stdout).unwrap())
}

#[test]
fn what_git_merges_is_whole_or_refused() {
    let base = example();
    let with = |change: &dyn Fn(&mut ServerPin)| {
        let mut lockfile = example();
        change(lockfile.servers.get_mut("notes").unwrap());
        lockfile
    };
    let tool = |name: &str, text: &str| {
        let tool =
            format!(r#"{{"name": "{name}", "description": "{text}", "inputSchema": {{"type": "object"}}}}"#);
        with(&|server| add(server, Kind::Tool, name, &tool))
    };
    // Two people approved two tools.
    let Some(text) = merged(&tool("aaa", "A."), &base, &tool("zzz", "Z.")) else { return };
    let lockfile = parse(&text).unwrap();
    assert_eq!(lockfile.servers["notes"].items.len(), base.servers["notes"].items.len() + 2);
    // Two people approved one tool as it was on two days.
    let text = merged(&tool("aaa", "One."), &base, &tool("aaa", "Two.")).unwrap();
    assert!(matches!(parse(&text), Err(lockfile::LockError::Conflict { .. })));
    // Two people approved two upgrades: no half of each.
    let upgrade = |new_version: &str, dependency: &str| {
        with(&|server| {
            let Some(Artifact::Package { version, dependency_list, .. }) = server.artifacts.get_mut("any")
            else {
                panic!("the example has a package")
            };
            *version = new_version.to_owned();
            dependency_list.insert("zod".into(), dependency.to_owned());
        })
    };
    let text =
        merged(&upgrade("1.4.1", "3.25.76 sha512-gzUt/qt81n5z"), &base, &upgrade("1.4.0", "3.26.0")).unwrap();
    assert!(parse(&text).is_err(), "{text}");
}
