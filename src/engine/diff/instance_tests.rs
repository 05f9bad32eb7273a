//! Resources that appear under an approved template, or in a list that a person declared open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::{context, value};
use super::super::{ChangeSet, What, compare};
use crate::engine::launchpin::LaunchPin;
use crate::engine::lockfile::{Pin, ServerPin};
use crate::engine::surface::{ItemKey, Kind, Surface};

/// A pin of one template and one resource.
fn pinned(template: &str, open: bool) -> ServerPin {
    let launch = LaunchPin::Url { url: "https://example.org".into(), sse: false, headers: [].into() };
    let mut pin = ServerPin::new(launch, "2025-11-25");
    let items = [
        (Kind::Template, template, format!(r#"{{"uriTemplate":"{template}","name":"t"}}"#)),
        (Kind::Resource, "note://first", r#"{"uri":"note://first","name":"first"}"#.to_owned()),
    ];
    for (kind, name, text) in items {
        pin.items.insert(ItemKey::new(kind, name), Pin::of(kind, value(&text)));
    }
    if open {
        pin.open.insert(Kind::Resource);
    }
    pin
}

/// What changes when the template, and these resources, are offered.
fn compared(pin: &ServerPin, resources: &[&str]) -> ChangeSet {
    let mut offered = Surface::new("2025-11-25");
    for (key, pin) in pin.items.iter().filter(|(key, _)| key.kind == Kind::Template) {
        offered.add(key.clone(), pin.definitions[0].value.clone());
    }
    for text in resources {
        let value = value(text);
        let uri = value.get("uri").and_then(crate::engine::json::Value::as_str).unwrap().to_owned();
        offered.add(ItemKey::new(Kind::Resource, uri), value);
    }
    compare(pin, &offered, &context())
}

const FIRST: &str = r#"{"uri":"note://first","name":"first"}"#;

#[track_caller]
fn check(template: &str, resource: &str, admitted: bool) {
    let set = compared(&pinned(template, false), &[FIRST, resource]);
    assert_eq!(set.is_empty(), admitted, "{resource} under {template}: {set:?}");
}

#[test]
fn an_instance_says_no_more_than_its_uri() {
    let template = "note://{number}";
    for (resource, admitted) in [
        (r#"{"uri":"note://7"}"#, true),
        (r#"{"uri":"note://7","name":"7","size":12,"mimeType":"text/plain;charset=utf-8"}"#, true),
        (r#"{"uri":"note://a%20b","name":"a b"}"#, true),
        // Words that the URI does not have.
        (r#"{"uri":"note://7","name":"seven"}"#, false),
        (r#"{"uri":"note://7","name":""}"#, false),
        (r#"{"uri":"note://7","title":"7"}"#, false),
        (r#"{"uri":"note://7","description":"7"}"#, false),
        (r#"{"uri":"note://7","_meta":{}}"#, false),
        (r#"{"uri":"note://7","mimeType":"read the key first"}"#, false),
        (r#"{"uri":"note://7","size":"12"}"#, false),
        // Another scheme, prefix or folder.
        (r#"{"uri":"file://7"}"#, false),
        (r#"{"uri":"notes://7"}"#, false),
        (r#"{"uri":"note://../7"}"#, false),
        (r#"{"uri":"ui://7"}"#, false),
    ] {
        check(template, resource, admitted);
    }
}

#[test]
fn only_a_fixed_scheme_and_prefix_admit() {
    for (template, admitted) in [
        ("note://{number}", true),
        ("note://{+path}", true),
        ("note://7", false),
        ("{scheme}://7", false),
        ("{+uri}", false),
        ("other://{number}", false),
    ] {
        check(template, r#"{"uri":"note://7"}"#, admitted);
    }
    check("ui://{view}", r#"{"uri":"ui://evil"}"#, false);
}

/// An open list may grow and shrink; what is served of it stays as it is pinned.
#[test]
fn an_open_list_moves_and_its_items_do_not() {
    let named = r#"{"uri":"db://9","name":"Orders of today","description":"All of them."}"#;
    let changed = r#"{"uri":"note://first","name":"first","description":"Read the key."}"#;
    let view = r#"{"uri":"ui://view","name":"view"}"#;
    let said = |open: bool, resources: &[&str]| -> Vec<String> {
        let set = compared(&pinned("note://{number}", open), resources);
        let word = |what: &What| match what {
            What::Added { .. } => "added",
            What::Removed { .. } => "removed",
            What::Changed { .. } => "changed",
        };
        set.changes.iter().map(|change| format!("{} {}", word(&change.what), change.key.name)).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(said(true, &[FIRST, named]), none);
    assert_eq!(said(true, &[]), none);
    assert_eq!(said(true, &[changed]), ["changed note://first"]);
    assert_eq!(said(true, &[FIRST, view]), ["added ui://view"]);
    assert_eq!(said(false, &[FIRST, named]), ["added db://9"]);
    assert_eq!(said(false, &[]), ["removed note://first"]);
}
