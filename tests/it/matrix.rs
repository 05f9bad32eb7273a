//! Every way in which the fixture server can show something else, at every moment: between two runs, in
//! mid-session with and without a signal, called at once, and in the session after. What nobody approved
//! is hidden and its calls never reach the server; the rest works; what only says the same in other
//! words changes nothing.

use super::gate::surface::{EDITS, Part};
use super::gate::{Place, Session, approved, is_refused, list, shown};
use mcpwatch::engine::json::Value;
use mcpwatch::engine::launchpin::{CommandLaunch, Launch};
use mcpwatch::engine::surface::{ItemKey, Kind};
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Changes that say the same in other words.
const BENIGN: [&str; 5] = ["key-order", "list-order", "numbers", "escapes", "spaces"];

/// Changes after which the list of tools cannot be read: every call of a tool is refused.
const UNREADABLE: [&str; 7] = [
    "duplicate-key",
    "duplicate-key-escaped",
    "duplicate-key-deep",
    "lone-surrogate",
    "unsafe-integer",
    "infinite",
    "not-a-number",
];

/// All changes, each once.
fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = EDITS.iter().map(|edit| edit.name).collect();
    names.dedup();
    names
}

fn part(name: &str) -> Part {
    EDITS.iter().find(|edit| edit.name == name).unwrap().part
}

/// A request for what a change touches, if it can be asked for.
fn touching(name: &str) -> Option<(&'static str, String)> {
    let tool =
        |tool: &str| Some(("tools/call", format!(r#"{{"name":"{tool}","arguments":{{"query":"secret"}}}}"#)));
    let read = |uri: &str| Some(("resources/read", format!(r#"{{"uri":"{uri}"}}"#)));
    let prompt = |prompt: &str| Some(("prompts/get", format!(r#"{{"name":"{prompt}"}}"#)));
    match (part(name), name) {
        (_, "nameless") => None,
        (_, "output-schema" | "execution") => tool("add"),
        (_, "page2") => tool("slow"),
        (_, "tool-removed") => tool("blob"),
        (_, "tool-added") => tool("added_CHANGED"),
        (_, "no-schema") => tool("bare_CHANGED"),
        (_, "prompt-added") => prompt("added_CHANGED"),
        (_, "resource-added") => read("note://CHANGED"),
        (Part::Tools, _) => tool("search"),
        (Part::Prompts, _) => prompt("summary"),
        (Part::Resources, _) => read("note://1"),
        (Part::Templates, _) => read("note://2"),
        (Part::Skills, _) => Some(("skills/get", r#"{"uri":"skill://filing"}"#.to_owned())),
        // The approved text is served in their place.
        (Part::Instructions | Part::ServerInfo | Part::Capabilities | Part::Ui, _) => None,
    }
}

/// Whether what a change touches must be refused. An instance of an approved template may be listed.
fn is_stopped(name: &str) -> bool {
    !BENIGN.contains(&name) && name != "resource-added"
}

/// A gate in front of a fixture that makes this change at that time.
struct Case {
    place: Place,
    args: Vec<String>,
    name: &'static str,
}

impl Case {
    fn new(name: &'static str, when: &[&str]) -> Self {
        static WITH_SKILLS: OnceLock<Vec<(ItemKey, Value)>> = OnceLock::new();
        let place = Place::new();
        let mut args = place.server(&["--change", name]);
        args.extend(when.iter().map(|word| (*word).to_owned()));
        let has_skills = part(name) == Part::Skills;
        args.extend(has_skills.then(|| "--skills".to_owned()));
        let items = if has_skills { WITH_SKILLS.get_or_init(|| shown(&["--skills"])) } else { approved() };
        place.pin(&args, items);
        Self { place, args, name }
    }

    fn session(&self) -> Session {
        let mut session = self.place.gate(&self.args);
        session.open();
        session
    }

    /// Asks for what the change touches.
    #[track_caller]
    fn ask(&self, session: &mut Session, when: &str) {
        let name = self.name;
        let Some((method, params)) = touching(name) else { return };
        let answer = session.request(method, &params);
        assert_eq!(is_refused(&answer), is_stopped(name), "{name} {when}: {answer:?}");
    }

    /// Looks at everything a client can look at.
    #[track_caller]
    fn look(&self, session: &mut Session, when: &str) {
        let name = self.name;
        let tools = session.tools();
        for (method, field, key) in [
            ("prompts/list", "prompts", "name"),
            ("resources/list", "resources", "uri"),
            ("resources/templates/list", "resourceTemplates", "uriTemplate"),
            ("skills/list", "skills", "uri"),
        ] {
            list(session, method, field, key);
        }
        session.request("resources/read", r#"{"uri":"ui://fixture/view"}"#);
        // Three times the same list.
        assert!(tools == session.tools() && tools == session.tools(), "{name} {when}");
        if BENIGN.contains(&name) {
            let own = approved().iter().filter(|(key, _)| key.kind == Kind::Tool);
            let own: Vec<(String, Value)> = own.map(|(key, item)| (key.name.clone(), item.clone())).collect();
            assert_eq!(tools, own, "{name} {when}");
        }
        let echo = session.call("echo", r#"{"text":"hello"}"#);
        assert_eq!(is_refused(&echo), UNREADABLE.contains(&name), "{name} {when}: {echo:?}");
        assert!(
            !session.has_seen("CHANGED") || name == "resource-added",
            "{name} {when}: {:#?}",
            session.seen
        );
    }

    /// What nobody approved never reached the server.
    #[track_caller]
    fn is_kept_away(&self) {
        let log = self.place.log();
        let calls = log.lines().filter(|line| line.contains("secret")).count();
        assert!(calls == 0 || !is_stopped(self.name), "{}: {log}", self.name);
    }

    fn change(&self) {
        std::fs::write(self.place.path("state").join("change"), "").unwrap();
    }
}

#[test]
fn changed_between_two_runs() {
    for name in names() {
        let case = Case::new(name, &[]);
        // Twice: a block holds over sessions.
        for when in ["first", "second"] {
            let mut session = case.session();
            case.ask(&mut session, when);
            case.look(&mut session, when);
            case.ask(&mut session, when);
        }
        case.is_kept_away();
    }
}

#[test]
fn changed_in_mid_session_with_a_signal() {
    for name in names() {
        let case = Case::new(name, &["--when", "file", "--notify"]);
        let mut session = case.session();
        assert_eq!(session.tools().len(), 8, "{name}");
        list(&mut session, "prompts/list", "prompts", "name");
        case.change();
        // The signal comes within a hundredth of a second, and nobody lists after it.
        std::thread::sleep(Duration::from_millis(100));
        case.ask(&mut session, "at once");
        case.look(&mut session, "after the signal");
        case.ask(&mut session, "after the signal");
        if BENIGN.contains(&name) {
            assert!(!session.has_seen("list_changed"), "{name}: {:#?}", session.seen);
        }
        drop(session);
        let mut session = case.session();
        case.ask(&mut session, "the session after");
        case.look(&mut session, "the session after");
        case.is_kept_away();
    }
}

#[test]
fn changed_in_mid_session_without_a_signal() {
    for name in names() {
        let case = Case::new(name, &["--when", "file"]);
        let mut session = case.session();
        assert_eq!(session.tools().len(), 8, "{name}");
        case.change();
        case.look(&mut session, "the list after");
        case.ask(&mut session, "the list after");
        drop(session);
        let mut session = case.session();
        case.look(&mut session, "the session after");
        case.ask(&mut session, "the session after");
        case.is_kept_away();
    }
}

#[test]
fn a_token_in_the_launch_line_is_found_nowhere() {
    const TOKEN: &str = "ghp_1f7Qb2mXw9ZkTn4LsVd8RcYa0EuHj3PoGi6W";
    let place = Place::new();
    let args =
        place.server(&["--change", "description", "--secret", TOKEN, "--stderr", "the server says hello"]);
    let launch = CommandLaunch {
        command: super::fixture::path().to_str().unwrap().to_owned(),
        args: args.clone(),
        ..CommandLaunch::default()
    };
    place.pin_launch(&Launch::Command(launch), approved());
    let mut command = place.run(&["--trust-lock"]);
    command.arg("--").arg(super::fixture::path()).args(&args);
    let stderr = place.path("stderr");
    let mut session = Session::start_with(command, Stdio::from(std::fs::File::create(&stderr).unwrap()));
    session.open();
    assert_eq!(session.tools().len(), 8);
    assert!(is_refused(&session.call("search", r#"{"query":"x"}"#)));
    assert!(!is_refused(&session.call("echo", r#"{"text":"hello"}"#)));
    assert!(!session.has_seen(TOKEN), "{:#?}", session.seen);
    assert_eq!(session.leave().code(), Some(0));
    // What the gate wrote down is on the disk now, and what people are shown comes from there.
    let until = Instant::now() + Duration::from_secs(10);
    while count_files(&place.path("home")) == 0 {
        assert!(Instant::now() < until, "the gate wrote nothing down");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut screen = std::fs::read_to_string(stderr).unwrap();
    assert!(screen.contains("the server says hello"));
    for words in [&["log"][..], &["status"], &["diff", "fixture"], &["log", "--format", "json"]] {
        let mut command = std::process::Command::new(super::fixture::command());
        command.env("MCPWATCH_HOME", place.path("home")).current_dir(place.path("home")).args(words);
        let output = command.arg("--lock").arg(place.path("mcp.lock")).output().unwrap();
        screen.push_str(&String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    assert!(!screen.contains(TOKEN), "{screen}");
    search(&place.path("home"), TOKEN);
    search(&place.path("mcp.lock"), TOKEN);
}

fn count_files(path: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(path) else { return usize::from(path.is_file()) };
    entries.flatten().map(|entry| count_files(&entry.path())).sum()
}

/// Looks for a text in every file below a path, and in their names.
#[track_caller]
fn search(path: &Path, text: &str) {
    assert!(!path.to_string_lossy().contains(text), "{}", path.display());
    if let Ok(entries) = std::fs::read_dir(path) {
        return entries.flatten().for_each(|entry| search(&entry.path(), text));
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    let is_there = bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!is_there, "{}", path.display());
}
