//! Tests of the one writer: what a decision changes, what it refuses, and what a crash leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json;
use crate::engine::lockfile::Definition;
use crate::store::trust::Moment;
use crate::sys::paths::Os;
use std::fs;

const PERSON: By = By::Person { level: Level::Terminal, floor: None };
const TODAY: &str = "2026-11-21";

struct Place {
    folder: PathBuf,
    paths: Paths,
    _own: Option<tempfile::TempDir>,
}

fn place_in(folder: &Path) -> Place {
    let folder = fs::canonicalize(folder).unwrap();
    let home = folder.join("home").to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    Place { folder, paths, _own: None }
}

fn place() -> Place {
    let own = tempfile::tempdir().unwrap();
    let mut place = place_in(own.path());
    place._own = Some(own);
    place
}

fn tool(text: &str) -> Pin {
    let tool = format!(r#"{{"name": "t", "description": "{text}", "inputSchema": {{}}}}"#);
    Pin::of(Kind::Tool, json::parse(tool.as_bytes()).unwrap())
}

fn key() -> ItemKey {
    ItemKey::new(Kind::Tool, "t")
}

fn launch() -> LaunchPin {
    LaunchPin::Url { url: "https://a.example/".into(), sse: false, headers: Default::default() }
}

fn add(text: &str) -> Act {
    let mut pin = ServerPin::new(launch(), "2025-11-25");
    pin.items.insert(key(), tool(text));
    Act::Add { server: "s".into(), pin, values: vec![("env.T".into(), "v".into())] }
}

impl Place {
    fn lock(&self) -> PathBuf {
        self.folder.join("mcp.lock")
    }

    fn base(&self) -> Option<Digest> {
        locks::load(&self.lock()).unwrap().map(|loaded| loaded.digest)
    }

    fn decide_at(&self, base: Option<Digest>, by: By, acts: Vec<Act>) -> Result<Decided, DecideError> {
        let secrets = Known::new([("T_TOKEN".to_owned(), "s3cr3t-value".to_owned())]);
        let lock = self.lock();
        let request = Request { lock: &lock, base, acts, by, secrets: &secrets, now: 1000, today: TODAY };
        decide(&self.paths, request)
    }

    fn decide(&self, by: By, acts: Vec<Act>) -> Result<Decided, DecideError> {
        self.decide_at(self.base(), by, acts)
    }

    fn approve(&self, text: &str, lifetime: Lifetime) -> Act {
        let offer = Offers::of(&self.paths).put(Tag::Offer, text.as_bytes()).unwrap();
        Act::Approve { server: "s".into(), key: key(), pin: tool(text), offer, lifetime }
    }

    /// How the lock on disk stands.
    fn is_trusted(&self) -> bool {
        let trust = trust::load(&self.paths).unwrap();
        let (loaded, standing) = locks::load_standing(&self.lock(), trust.as_ref()).unwrap().unwrap();
        assert_eq!(loaded, locks::load(&self.lock()).unwrap().unwrap());
        standing == Standing::Trusted
    }

    /// The words of the tool that count: in the lock, and for this person.
    fn words(&self) -> (Option<String>, Option<String>) {
        let loaded = locks::load(&self.lock()).unwrap().unwrap();
        let of = |lockfile: &Lockfile| {
            let pin = lockfile.servers.get("s")?.items.get(&key())?;
            let words = |definition: &Definition| {
                definition.value.get("description").unwrap().as_str().unwrap().to_owned()
            };
            Some(words(&pin.definitions[0]))
        };
        let trust = trust::load(&self.paths).unwrap().unwrap();
        let moment = Moment { today: TODAY, session: Some("a") };
        (of(&loaded.lockfile), of(&trust.effective(&loaded.path, loaded.lockfile.clone(), &moment)))
    }
}

fn both(text: &str) -> (Option<String>, Option<String>) {
    (Some(text.to_owned()), Some(text.to_owned()))
}

#[test]
fn an_approval_writes_trust_and_lock() {
    let place = place();
    let decided = place.decide(PERSON, vec![add("one")]).unwrap();
    assert!(decided.written && decided.trusted && place.is_trusted());
    assert_eq!(decided.digest, place.base());
    let act = place.approve("two", Lifetime::UntilChange);
    assert!(place.decide(PERSON, vec![act]).unwrap().trusted);
    assert_eq!(place.words(), both("two"));
    let trust = trust::load(&place.paths).unwrap().unwrap();
    let (path, trusted) = trust.locks().next().unwrap();
    assert_eq!(trusted.replaces, None, "the old content counts no longer");
    assert!(trust.values(path, "s").is_some());
    // The trusted lock is kept, to show what changed in one that arrives otherwise.
    let kept = trusted_lock(&place.paths, &trusted.digest).unwrap().unwrap();
    assert_eq!(kept, locks::load(&place.lock()).unwrap().unwrap().lockfile);
    let held = fs::read_dir(place.paths.offers_dir()).unwrap().flatten();
    let held = held.filter(|entry| entry.path().extension().is_some_and(|end| end == "held")).count();
    assert_eq!(held, 1, "the copy of the old one may go");
    let drop = Act::Drop { server: "s".into(), key: key() };
    place.decide(PERSON, vec![drop.clone()]).unwrap();
    assert_eq!(place.words(), (None, None));
    assert!(matches!(place.decide(PERSON, vec![drop]), Err(DecideError::NoItem(..))));
    place.decide(PERSON, vec![Act::Remove { server: "s".into() }]).unwrap();
    assert!(trust::load(&place.paths).unwrap().unwrap().values(&place.lock(), "s").is_none());
}

#[test]
fn a_script_writes_the_lock_and_gives_no_trust() {
    let place = place();
    let decided = place.decide(By::Script, vec![add("one")]).unwrap();
    assert!(decided.written && !decided.trusted);
    assert!(trust::load(&place.paths).unwrap().is_none(), "not even an empty store");
    place.decide(PERSON, vec![Act::Trust { values: Vec::new() }]).unwrap();
    assert!(place.is_trusted());
    let act = place.approve("two", Lifetime::UntilChange);
    assert!(!place.decide(By::Script, vec![act]).unwrap().trusted);
    assert!(!place.is_trusted());
    let once = place.approve("two", Lifetime::Once);
    for act in [once, Act::Trust { values: Vec::new() }, Act::Revoke { server: "s".into(), key: None }] {
        let error = place.decide(By::Script, vec![act]).unwrap_err();
        assert!(matches!(error, DecideError::NeedsPerson(_)), "{error}");
    }
}

#[test]
fn nothing_is_added_to_a_lock_that_is_not_trusted() {
    let place = place();
    place.decide(By::Script, vec![add("one")]).unwrap();
    let act = place.approve("two", Lifetime::UntilChange);
    assert!(matches!(place.decide(PERSON, vec![act.clone()]), Err(DecideError::Untrusted(_))));
    assert!(!place.is_trusted());
    place.decide(PERSON, vec![Act::Trust { values: Vec::new() }, act]).unwrap();
    assert_eq!(place.words(), both("two"));
    // An edit by other means ends the trust.
    let text = fs::read_to_string(place.lock()).unwrap();
    fs::write(place.lock(), text.replace('\n', "\r\n")).unwrap();
    let act = place.approve("three", Lifetime::UntilChange);
    assert!(matches!(place.decide(PERSON, vec![act]), Err(DecideError::Untrusted(_))));
}

#[test]
fn a_review_of_another_lock_decides_nothing() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let base = place.base();
    let act = place.approve("two", Lifetime::UntilChange);
    place.decide(PERSON, vec![act]).unwrap();
    for base in [base, None] {
        let act = place.approve("three", Lifetime::UntilChange);
        assert!(matches!(place.decide_at(base, PERSON, vec![act]), Err(DecideError::Stale(_))));
    }
    assert_eq!(place.words(), both("two"));
}

#[test]
fn an_approval_needs_what_was_displayed() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let mut act = place.approve("two", Lifetime::UntilChange);
    if let Act::Approve { offer, .. } = &mut act {
        *offer = Digest::of_bytes(Tag::Offer, b"never shown");
    }
    assert!(matches!(place.decide(PERSON, vec![act]), Err(DecideError::NoOffer(_))));
}

#[test]
fn the_level_is_never_lowered() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let floor = By::Person { level: Level::Terminal, floor: Some(Level::Code) };
    let act = place.approve("two", Lifetime::UntilChange);
    assert!(matches!(place.decide(floor, vec![act.clone()]), Err(DecideError::Level { .. })));
    trust::update(&place.paths, |trust| trust.level = Level::Code).unwrap();
    assert!(matches!(place.decide(PERSON, vec![act.clone()]), Err(DecideError::Level { .. })));
    // Refusing needs no means.
    place.decide(PERSON, vec![Act::Revoke { server: "s".into(), key: Some(key()) }]).unwrap();
    let code = By::Person { level: Level::Code, floor: Some(Level::Code) };
    place.decide(code, vec![act]).unwrap();
}

#[test]
fn refusals_outrank_until_a_person_approves_again() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let digest = tool("one").definitions[0].digest;
    let reject = Act::Reject { server: "s".into(), subject: Subject::Item(key()), digest };
    let decided = place.decide(PERSON, vec![reject]).unwrap();
    assert!(!decided.written && decided.trusted);
    assert_eq!(place.words(), (Some("one".into()), None));
    // Neither a script nor trust in the lock takes a refusal back.
    place.decide(By::Script, vec![place.approve("one", Lifetime::UntilChange)]).unwrap();
    place.decide(PERSON, vec![Act::Trust { values: Vec::new() }]).unwrap();
    assert_eq!(place.words(), (Some("one".into()), None));
    place.decide(PERSON, vec![place.approve("one", Lifetime::UntilChange)]).unwrap();
    assert_eq!(place.words(), both("one"));
    // Revoked: gone from the lock, and refused if a lock brings it back.
    let old = fs::read(place.lock()).unwrap();
    place.decide(PERSON, vec![Act::Revoke { server: "s".into(), key: Some(key()) }]).unwrap();
    assert_eq!(place.words(), (None, None));
    fs::write(place.lock(), old).unwrap();
    assert!(!place.is_trusted());
    place.decide(PERSON, vec![Act::Trust { values: Vec::new() }]).unwrap();
    assert_eq!(place.words(), (Some("one".into()), None));
}

#[test]
fn approvals_that_end_leave_the_lock_alone() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let before = fs::read(place.lock()).unwrap();
    for lifetime in [Lifetime::Once, Lifetime::Until(TODAY.into())] {
        let decided = place.decide(PERSON, vec![place.approve("two", lifetime)]).unwrap();
        assert!(!decided.written && decided.trusted);
        assert_eq!(fs::read(place.lock()).unwrap(), before);
        assert_eq!(place.words(), (Some("one".into()), Some("two".into())));
    }
    place.decide(PERSON, vec![place.approve("three", Lifetime::UntilChange)]).unwrap();
    assert_eq!(place.words(), both("three"));
}

#[test]
fn a_secret_that_a_server_echoes_stops_the_write() {
    let place = place();
    let error = place.decide(PERSON, vec![add("uses s3cr3t-value")]).unwrap_err();
    assert!(error.to_string().contains("the value of T_TOKEN at $.servers.s.tools.t.definition.description"));
    assert!(!error.to_string().contains("s3cr3t"));
    assert!(!place.lock().exists() && !place.paths.trust_file().exists());
}

#[test]
fn formatting_changes_no_word_and_keeps_trust() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let good = fs::read(place.lock()).unwrap();
    assert!(!format(&place.paths, &place.lock(), 5).unwrap().written);
    // A checkout with other line ends that somebody trusted.
    fs::write(place.lock(), String::from_utf8(good.clone()).unwrap().replace('\n', "\r\n")).unwrap();
    assert!(!format(&place.paths, &place.lock(), 5).unwrap().trusted, "formatting gives no trust");
    fs::write(place.lock(), String::from_utf8(good.clone()).unwrap().replace('\n', "\r\n")).unwrap();
    place.decide(PERSON, vec![Act::Trust { values: Vec::new() }]).unwrap();
    let decided = format(&place.paths, &place.lock(), 5).unwrap();
    assert!(decided.written && decided.trusted && place.is_trusted());
    assert_eq!(fs::read(place.lock()).unwrap(), good);
}

#[test]
fn two_who_decide_at_once_decide_one_after_the_other() {
    let place = place();
    place.decide(PERSON, vec![add("start")]).unwrap();
    let done: usize = std::thread::scope(|scope| {
        let work = |number: usize| {
            let place = &place;
            move || {
                let act = || place.approve(&format!("{number}"), Lifetime::UntilChange);
                // Whoever comes second finds the lock changed and has to look again.
                let decided = |_: &usize| match place.decide(PERSON, vec![act()]) {
                    Ok(decided) => decided.trusted,
                    Err(DecideError::Stale(_)) => false,
                    Err(error) => panic!("{error}"),
                };
                (0..10).filter(decided).count()
            }
        };
        let threads: Vec<_> = (0..4).map(|number| scope.spawn(work(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(done > 0 && place.is_trusted());
    let (lock, effective) = place.words();
    assert_eq!(lock, effective);
}

#[test]
fn trust_can_be_taken_back() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    assert!(!place.decide(PERSON, vec![Act::Distrust]).unwrap().trusted);
    assert!(!place.is_trusted());
}

#[test]
fn a_corrupt_store_decides_nothing() {
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    fs::write(place.paths.trust_file(), "{").unwrap();
    for by in [PERSON, By::Script] {
        let act = place.approve("two", Lifetime::UntilChange);
        assert!(matches!(place.decide(by, vec![act]), Err(DecideError::Store(_))));
    }
    assert_eq!(fs::read(place.paths.trust_file()).unwrap(), b"{");
}

#[cfg(unix)]
#[test]
fn a_lock_that_cannot_be_written_takes_the_trust_back() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    place.decide(PERSON, vec![add("one")]).unwrap();
    let before = fs::read(place.paths.trust_file()).unwrap();
    fs::set_permissions(place.lock(), fs::Permissions::from_mode(0o444)).unwrap();
    let act = place.approve("two", Lifetime::UntilChange);
    assert!(matches!(place.decide(PERSON, vec![act]), Err(DecideError::Locks(_))));
    assert_eq!(fs::read(place.paths.trust_file()).unwrap(), before);
    assert!(place.is_trusted());
    assert_eq!(place.words(), both("one"));
}

/// Decides for ever where the parent says; does nothing in an ordinary run.
#[test]
fn child_that_decides_until_it_is_killed() {
    let Some(folder) = std::env::var_os("MCPWATCH_TEST_KILLED_DECIDER") else { return };
    let place = place_in(Path::new(&folder));
    for number in 0.. {
        let act = place.approve(&number.to_string(), Lifetime::UntilChange);
        place.decide(PERSON, vec![act]).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_killed_decision_leaves_a_trusted_lock() {
    use std::process::{Command, Stdio};
    use std::time::Duration;
    let own = tempfile::tempdir().unwrap();
    let place = place_in(own.path());
    place.decide(PERSON, vec![add("start")]).unwrap();
    for round in 0..40_u64 {
        let before = fs::read(place.lock()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::decide::tests::child_that_decides_until_it_is_killed"])
            .env("MCPWATCH_TEST_KILLED_DECIDER", own.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = std::time::Instant::now();
        while fs::read(place.lock()).unwrap() == before {
            assert!(start.elapsed() < Duration::from_secs(20), "the child decides nothing");
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(round * 211));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(place.is_trusted(), "round {round}");
        let (lock, effective) = place.words();
        assert_eq!(lock, effective, "round {round}");
    }
}
