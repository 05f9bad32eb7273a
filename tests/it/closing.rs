//! What happens to lock and trust store under a running session: the gate closes, says why in its
//! answers, and opens again when they are whole.

use crate::cli::bench::Bench;
use crate::fixture;
use crate::gate::{Session, is_refused};
use crate::sighted::{CHANGED, accepted, is_change_of_tools, session};
use mcpwatch::engine::approval::{Level, Lifetime};
use mcpwatch::engine::digest::Tag;
use mcpwatch::engine::json::Value;
use mcpwatch::engine::lockfile::Pin;
use mcpwatch::engine::placeholder::literal;
use mcpwatch::engine::secret::Known;
use mcpwatch::engine::surface::{ItemKey, Kind};
use mcpwatch::store::decide::{Act, By, Request, decide};
use mcpwatch::store::locks;
use mcpwatch::store::offers::Offers;
use mcpwatch::sys::paths::{Os, Paths};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Replaces a file as a program does that means well, or as one that does not.
fn replace(path: &Path, bytes: &[u8], in_place: bool) {
    if in_place {
        std::fs::write(path, bytes).unwrap();
    } else {
        let new = path.with_extension("new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, path).unwrap();
    }
}

fn closed(client: &mut Session, why: &str) {
    client.wait(is_change_of_tools);
    let answer = client.call("echo", r#"{"text":"x"}"#);
    assert!(is_refused(&answer) && format!("{answer:?}").contains(why), "{why}: {answer:?}");
    assert_eq!(client.tools()[0].0, "mcpwatch_review", "{why}");
    let told = client.call("mcpwatch_review", "{}");
    assert!(format!("{told:?}").contains(why), "{why}: {told:?}");
}

fn open_again(client: &mut Session) {
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("echo", r#"{"text":"x"}"#)));
    assert_eq!(client.tools().len(), 8);
}

#[test]
fn a_lock_or_trust_store_that_suffers_closes_the_gate_until_it_is_whole() {
    let bench = accepted(&[]);
    let lock = bench.work().join("mcp.lock");
    let trust = bench.home().join("mcpwatch/data/trust/trust.json");
    let other =
        String::from_utf8(std::fs::read(&lock).unwrap()).unwrap().replace("Says it again.", "Says it.");
    let cases: [(&PathBuf, Option<&[u8]>, &str); 6] = [
        (&lock, Some(b"{"), "lockfile cannot be read"),
        (&lock, Some(b""), "lockfile cannot be read"),
        (&lock, None, "lockfile, which the user had accepted, is gone"),
        (&lock, Some(other.as_bytes()), "lockfile"),
        (&trust, Some(b"{}"), "trust store on this machine cannot be read"),
        (&trust, Some(b""), "trust store on this machine cannot be read"),
    ];
    let mut client = session(&bench, &[]);
    client.open();
    assert_eq!(client.tools().len(), 8);
    std::thread::sleep(Duration::from_millis(300));
    for (path, bytes, why) in cases {
        let whole = std::fs::read(path).unwrap();
        for in_place in [true, false] {
            match bytes {
                Some(bytes) => replace(path, bytes, in_place),
                None => std::fs::remove_file(path).unwrap(),
            }
            closed(&mut client, why);
            replace(path, &whole, in_place);
            #[cfg(unix)]
            private(path);
            open_again(&mut client);
        }
    }
}

/// The trust store is private, and one that is not is not obeyed.
#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_older_lock_put_back_is_not_obeyed() {
    let args = ["--change", "description", "--when", "stranger"];
    let bench = accepted(&args);
    let old = std::fs::read(bench.work().join("mcp.lock")).unwrap();
    let mut client = session(&bench, &args);
    client.open();
    client.tools();
    std::thread::sleep(Duration::from_millis(300));
    approve(&bench, &definitions(&bench, &args)[1]);
    client.wait(is_change_of_tools);
    assert!(!is_refused(&client.call("search", r#"{"query":"x"}"#)));
    // It was trusted once; only the newest content of a path counts.
    replace(&bench.work().join("mcp.lock"), &old, false);
    closed(&mut client, "lockfile changed since the user accepted it");
}

#[test]
fn evidence_that_is_deleted_or_forged_opens_nothing() {
    let args = ["--change", "description", "--when", "stranger"];
    let bench = accepted(&args);
    let mut client = session(&bench, &args);
    client.open();
    client.tools();
    crate::sighted::told(&bench, "as the gate saw it");
    let seen = bench.home().join("mcpwatch/data/offers/seen");
    let file = std::fs::read_dir(&seen).unwrap().next().unwrap().unwrap().path();
    // Bytes that are not those of their digest are refused.
    let offers: Vec<PathBuf> = std::fs::read_dir(seen.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "offer"))
        .collect();
    let whole: Vec<Vec<u8>> = offers.iter().map(|offer| std::fs::read(offer).unwrap()).collect();
    offers.iter().for_each(|offer| std::fs::write(offer, "{}").unwrap());
    let diff = bench.with_config(&["diff"]);
    assert_eq!(diff.code, 3, "{}", diff.all());
    assert!(diff.stderr.contains("damaged"), "{}", diff.all());
    offers.iter().zip(&whole).for_each(|(offer, bytes)| std::fs::write(offer, bytes).unwrap());
    assert!(bench.with_config(&["diff"]).stdout.contains("as the gate saw it"));
    // Without the evidence there is nothing to review, and nothing passes either.
    std::fs::remove_file(file).unwrap();
    assert!(!bench.with_config(&["diff"]).stdout.contains("as the gate saw it"));
    assert!(is_refused(&client.call("search", r#"{"query":"x"}"#)));
    assert!(!client.has_seen(CHANGED));
}

/// The tool as it was and as it is.
pub fn definitions(bench: &Bench, args: &[&str]) -> [Value; 2] {
    let mut bare = Session::start({
        let mut command = std::process::Command::new(fixture::path());
        command.args(args);
        command
    });
    bare.open();
    let changed = bare.tools().into_iter().find(|(name, _)| name == "search").unwrap().1;
    let lock = locks::load(&bench.work().join("mcp.lock")).unwrap().unwrap();
    let pinned = &lock.lockfile.servers["notes"].items[&ItemKey::new(Kind::Tool, "search")];
    assert!(format!("{changed:?}").contains(CHANGED));
    [pinned.definitions[0].value.clone(), literal(&changed)]
}

/// Approves as a person at a terminal does, without the terminal.
pub fn approve(bench: &Bench, definition: &Value) {
    let home = bench.home().join("mcpwatch").to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    let offer = Offers::of(&paths).put(Tag::Offer, b"measured").unwrap();
    let lock = bench.work().join("mcp.lock");
    let act = Act::Approve {
        server: "notes".to_owned(),
        key: ItemKey::new(Kind::Tool, "search"),
        pin: Pin::of(Kind::Tool, definition.clone()),
        offer,
        lifetime: Lifetime::UntilChange,
    };
    let request = Request {
        lock: &lock,
        base: locks::load(&lock).unwrap().map(|loaded| loaded.digest),
        acts: vec![act],
        by: By::Person { level: Level::Terminal, floor: None },
        secrets: &Known::default(),
        now: 1,
        today: "2026-11-21",
    };
    assert!(decide(&paths, request).unwrap().written);
}
