//! Tests of the sightings: one a session, bounded, evidence held for as long as it waits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sys::paths::Os;

fn store(folder: &tempfile::TempDir) -> (Sightings, Offers) {
    let home = folder.path().to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    (Sightings::of(&paths), Offers::of(&paths).with_bounds(1 << 20, 2))
}

fn lock() -> PathBuf {
    std::env::temp_dir().join("mcp.lock")
}

fn seen(session: &str, at: u64, offer: Digest) -> Sighting {
    Sighting {
        lock: lock(),
        server: "notes".to_owned(),
        session: session.to_owned(),
        client: Some("client".to_owned()),
        kind: ClientKind::Partial,
        at,
        offer,
        items: vec![(ItemKey::new(Kind::Tool, "a\u{202e}b"), What::Changed)],
        ended: false,
        split: vec![ItemKey::single(Kind::Instructions)],
    }
}

fn sessions(store: &Sightings, now: u64) -> Vec<String> {
    store.open(&lock(), "notes", now).unwrap().into_iter().map(|seen| seen.session).collect()
}

#[test]
fn what_was_noted_is_read_back_and_held() {
    let folder = tempfile::tempdir().unwrap();
    let (store, offers) = store(&folder);
    let first = offers.put(Tag::Offer, b"first").unwrap();
    store.note(&seen("one", 1, first)).unwrap();
    assert_eq!(store.open(&lock(), "notes", 2).unwrap(), [seen("one", 1, first)]);
    assert!(store.open(&lock(), "other", 2).unwrap().is_empty());
    assert!(store.is_any(&lock(), "notes") && !store.is_any(&lock(), "other"));
    // Two offers are kept at most, and what waits is never the one that goes.
    for other in [b"second", b"third!", b"fourth"] {
        offers.put(Tag::Offer, other).unwrap();
    }
    assert_eq!(store.bytes(&seen("one", 1, first)).unwrap().unwrap(), b"first");
    // What the session sees next takes its place, and the old bytes may go.
    let second = offers.put(Tag::Offer, b"second").unwrap();
    store.note(&seen("one", 2, second)).unwrap();
    for other in [b"fifth!", b"sixth!"] {
        offers.put(Tag::Offer, other).unwrap();
    }
    assert!(store.bytes(&seen("one", 1, first)).unwrap().is_none());
    assert_eq!(store.open(&lock(), "notes", 3).unwrap(), [seen("one", 2, second)]);
}

#[test]
fn an_offer_of_two_sessions_is_held_until_both_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, offers) = store(&folder);
    let offer = offers.put(Tag::Offer, b"same").unwrap();
    store.note(&seen("one", 1, offer)).unwrap();
    store.note(&seen("two", 2, offer)).unwrap();
    store.forget(&seen("one", 1, offer)).unwrap();
    for other in [b"second", b"third!", b"fourth"] {
        offers.put(Tag::Offer, other).unwrap();
    }
    assert!(store.bytes(&seen("two", 2, offer)).unwrap().is_some());
}

#[test]
fn sessions_end_are_cleared_and_are_few() {
    let folder = tempfile::tempdir().unwrap();
    let (store, offers) = store(&folder);
    let offer = offers.put(Tag::Offer, b"x").unwrap();
    for (at, session) in (0..).zip(["a", "b", "c"]) {
        store.note(&seen(session, at, offer)).unwrap();
    }
    assert_eq!(sessions(&store, 3), ["c", "b", "a"]);
    store.end(&lock(), "notes", "b").unwrap();
    // A session of another client takes nothing away but its own.
    store.clear(&lock(), "notes", "c", Some("other")).unwrap();
    assert_eq!(sessions(&store, 3), ["b", "a"]);
    // One of the same client takes those that are over, and not what another session goes on seeing.
    store.clear(&lock(), "notes", "d", Some("client")).unwrap();
    assert_eq!(sessions(&store, 3), ["a"]);
    store.end(&lock(), "notes", "a").unwrap();
    assert_eq!(sessions(&store, LASTS), ["a"]);
    assert!(sessions(&store, LASTS + 1).is_empty());
    for at in 0..20 {
        store.note(&seen(&format!("s{at}"), at, offer)).unwrap();
    }
    assert_eq!(sessions(&store, 20).len(), MOST);
    assert_eq!(sessions(&store, 20)[0], "s19");
}

#[test]
fn one_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (store, offers) = store(&folder);
    let offer = offers.put(Tag::Offer, b"x").unwrap();
    store.note(&seen("one", 1, offer)).unwrap();
    let file = store.files("").remove(0);
    let text = fs::read_to_string(&file).unwrap();
    for damaged in ["", "{}", &text.replace("\"changed\"", "\"fine\""), &text.replace("some", "much")] {
        fs::write(&file, damaged).unwrap();
        let error = store.open(&lock(), "notes", 2).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(!error.hint().is_empty());
    }
}
