//! A gate's view laid over a reading: which view it goes into, and what is a split view.

use super::*;
use crate::engine::digest::{Digest, Tag};
use crate::engine::launchpin::{Artifact, UrlLaunch};
use crate::engine::lockfile::{Definition, Pin};
use crate::engine::secret::Known;
use std::path::PathBuf;

fn tool(text: &str) -> Value {
    let tool = format!(r#"{{"name":"t","description":"{text}"}}"#);
    json::parse(tool.as_bytes()).unwrap_or_default()
}

fn key() -> ItemKey {
    ItemKey::new(Kind::Tool, "t")
}

fn surface(text: Option<&str>) -> Surface {
    let mut surface = Surface::new("2025-11-25");
    surface.set(key(), text.map(tool));
    surface
}

/// What is read of a server, by view.
fn shown(full: Option<&str>, empty: Option<Option<&str>>) -> Shown {
    let machine = Machine::new(0);
    let launch = Launch::Url(UrlLaunch { url: "https://example.com/mcp".to_owned(), ..UrlLaunch::default() });
    Shown {
        launch: launchpin::pin(&launch, &machine),
        artifact: Artifact::Remote,
        platform: "any".to_owned(),
        full: surface(full),
        empty: empty.map(surface),
        elsewhere: Some((surface(Some("elsewhere")), machine.clone())),
        machine,
        protocol: "2025-11-25".to_owned(),
        secrets: Known::default(),
        notes: Vec::new(),
    }
}

fn pin(definitions: &[(Option<Condition>, &str)]) -> ServerPin {
    let shown = shown(None, None);
    let mut pin = ServerPin::new(shown.launch, shown.protocol);
    let definition = |(when, text): &(Option<Condition>, &str)| {
        Definition::new(Kind::Tool, when.clone(), placeholder::literal(&tool(text)))
    };
    pin.items.insert(key(), Pin { definitions: definitions.iter().map(definition).collect() });
    pin
}

fn sighted(kind: ClientKind, text: Option<&str>) -> Sighted {
    let what = if text.is_some() { What::Changed } else { What::Removed };
    let sighting = Sighting {
        lock: PathBuf::from("mcp.lock"),
        server: "s".to_owned(),
        session: "one".to_owned(),
        client: None,
        kind,
        at: 1,
        offer: Digest::of_bytes(Tag::Offer, b""),
        items: vec![(key(), what)],
        ended: false,
        split: Vec::new(),
    };
    Sighted { sighting, surface: surface(text), more: 0 }
}

#[test]
fn what_the_gate_saw_stands_in_its_clients_view() {
    use ClientKind::{Empty, Full, Partial};
    let one = pin(&[(None, "old")]);
    let two = pin(&[(Some(Condition::FullClient), "old"), (Some(Condition::EmptyClient), "bare")]);
    let check = |pin: &ServerPin,
                 read: (&str, Option<&str>),
                 gate: (ClientKind, Option<&str>),
                 expected: (Option<&str>, Option<Option<&str>>),
                 split: bool| {
        let mut shown = shown(Some(read.0), read.1.map(Some));
        let seen = sighted(gate.0, gate.1).lay_over(&mut shown, pin);
        let name = format!("{read:?} {gate:?}");
        assert_eq!(shown.full.get(&key()).cloned(), expected.0.map(tool), "{name}");
        let empty = shown.empty.as_ref().map(|empty| empty.get(&key()).cloned());
        assert_eq!(empty, expected.1.map(|text| text.map(tool)), "{name}");
        assert_eq!(!seen.split.is_empty(), split, "{name}");
        let is_laid = !seen.items.is_empty();
        let elsewhere = shown.elsewhere.and_then(|(surface, _)| surface.get(&key()).cloned());
        assert_eq!(elsewhere.is_none(), is_laid, "{name}");
    };
    // Where both views are one, the gate's bytes go into both, whatever the client declares.
    for kind in [Full, Partial, Empty] {
        check(&one, ("old", None), (kind, Some("new")), (Some("new"), None), true);
        check(&one, ("old", Some("old")), (kind, Some("new")), (Some("new"), Some(Some("new"))), true);
        // The server shows us the same: a change like any other.
        check(&one, ("new", Some("new")), (kind, Some("new")), (Some("new"), Some(Some("new"))), false);
    }
    // Where they differ, into the client's own, and the other view's words are no reason to alarm.
    check(&two, ("old", Some("bare")), (Full, Some("new")), (Some("new"), Some(Some("bare"))), true);
    check(&two, ("old", Some("bare")), (Empty, Some("new")), (Some("old"), Some(Some("new"))), true);
    check(&two, ("old", Some("bare")), (Empty, Some("bare")), (Some("old"), Some(Some("bare"))), false);
    check(&two, ("old", Some("bare")), (Partial, Some("bare")), (Some("bare"), Some(Some("bare"))), false);
    // Read once: what a client without capabilities would see is taken from the pins.
    check(&two, ("old", None), (Empty, Some("new")), (Some("old"), Some(Some("new"))), false);
    // Gone: to clients that declare everything or nothing; others are not shown everything.
    check(&one, ("old", None), (Full, None), (None, None), true);
    check(&one, ("old", None), (Partial, None), (Some("old"), None), false);
}

#[test]
fn one_that_adds_nothing_to_a_newer_one_is_none_of_its_own() {
    let check = |texts: &[Option<&str>], expected: &[Option<&str>]| {
        let all = texts.iter().map(|text| sighted(ClientKind::Full, *text)).collect();
        let kept = distinct(all);
        let kept: Vec<_> = kept.iter().map(|kept| kept.surface.get(&key()).cloned()).collect();
        assert_eq!(kept, expected.iter().map(|text| text.map(tool)).collect::<Vec<_>>(), "{texts:?}");
    };
    check(&[Some("a"), Some("a"), Some("b"), Some("a"), Some("b")], &[Some("a"), Some("b")]);
    check(&[None, Some("a"), None], &[None, Some("a")]);
    // Half of a newer one is in it; what goes beyond it is not.
    let two = |first: &str, second: Option<&str>| {
        let mut sighted = sighted(ClientKind::Full, Some(first));
        if let Some(text) = second {
            let other = ItemKey::new(Kind::Tool, "u");
            sighted.surface.set(other.clone(), Some(tool(text)));
            sighted.sighting.items.push((other, What::New));
        }
        sighted
    };
    assert_eq!(distinct(vec![two("a", Some("x")), two("a", None)]).len(), 1);
    assert_eq!(distinct(vec![two("a", None), two("a", Some("x"))]).len(), 2);
    assert_eq!(distinct(vec![two("a", Some("x")), two("a", Some("y"))]).len(), 2);
}

#[test]
fn what_is_approved_for_any_client_waits_no_more() {
    let two = pin(&[(Some(Condition::FullClient), "old"), (Some(Condition::EmptyClient), "bare")]);
    let machine = Machine::new(0);
    for (offered, approved) in
        [(Some("old"), true), (Some("bare"), true), (Some("new"), false), (None, false)]
    {
        let offered = offered.map(tool);
        assert_eq!(is_approved(&two, &key(), offered.as_ref(), &machine), approved, "{offered:?}");
    }
    let other = ItemKey::new(Kind::Tool, "other");
    assert!(is_approved(&two, &other, None, &machine));
    assert!(!is_approved(&two, &other, Some(&tool("x")), &machine));
}
