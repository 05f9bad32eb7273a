//! Views and placeholders drawn together into pins.

use super::draft;
use crate::engine::json;
use crate::engine::launchpin::{Artifact, Launch, UrlLaunch, known_secrets, pin};
use crate::engine::lockfile::Condition;
use crate::engine::placeholder::{Machine, Name};
use crate::engine::surface::{ItemKey, Kind, Surface};
use crate::survey::reading::Shown;

fn surface(tools: &str) -> Surface {
    let mut surface = Surface::new("2025-11-25");
    let page = format!(r#"{{"tools":{tools}}}"#);
    surface.add_page(Kind::Tool, json::parse(page.as_bytes()).unwrap());
    surface
}

fn shown(full: &str, empty: &str, elsewhere: Option<&str>) -> Shown {
    let here = Machine::new(0).with(Name::Home, "/home/ann").with(Name::Cwd, "/home/ann/work");
    let there = Machine::new(0).with(Name::Home, "/tmp/x/home").with(Name::Cwd, "/tmp/x/work");
    let headers = [("Authorization".to_owned(), "Bearer s3cr3t-t0ken-value".to_owned())].into();
    let launch = Launch::Url(UrlLaunch { url: "https://example.com/mcp".to_owned(), sse: false, headers });
    Shown {
        launch: pin(&launch, &here),
        artifact: Artifact::Remote,
        platform: "any".to_owned(),
        full: surface(full),
        empty: Some(surface(empty)),
        elsewhere: elsewhere.map(|tools| (surface(tools), there)),
        machine: here,
        protocol: "2025-11-25".to_owned(),
        secrets: known_secrets(&launch),
        notes: Vec::new(),
    }
}

#[test]
fn what_differs_between_views_gets_a_condition() {
    let full = r#"[{"name":"a"},{"name":"b","description":"y"},{"name":"sample"}]"#;
    let empty = r#"[{"name":"a"},{"name":"b","description":"x"},{"name":"old"}]"#;
    let draft = draft(&shown(full, empty, None)).unwrap();
    let conditions = |name: &str| -> Vec<Option<Condition>> {
        let pin = &draft.pin.items[&ItemKey::new(Kind::Tool, name)];
        pin.definitions.iter().map(|definition| definition.when.clone()).collect()
    };
    assert_eq!(conditions("a"), [None]);
    assert_eq!(conditions("b"), [Some(Condition::FullClient), Some(Condition::EmptyClient)]);
    assert_eq!(conditions("old"), [Some(Condition::EmptyClient)]);
    assert_eq!(conditions("sample"), [Some(Condition::FullClient)]);
}

#[test]
fn what_differs_elsewhere_gets_a_placeholder_or_is_told() {
    let here =
        r#"[{"name":"a","description":"Files below /home/ann/work"},{"name":"b","description":"seed 17"}]"#;
    let there =
        r#"[{"name":"a","description":"Files below /tmp/x/work"},{"name":"b","description":"seed 99"}]"#;
    let draft = draft(&shown(here, here, Some(there))).unwrap();
    let value = &draft.pin.items[&ItemKey::new(Kind::Tool, "a")].definitions[0].value;
    assert_eq!(value.get("description").and_then(json::Value::as_str), Some("Files below ${cwd}"));
    assert_eq!(draft.placeholders.len(), 1);
    assert_eq!(draft.unexplained.len(), 1);
    assert_eq!(draft.unexplained[0].0, ItemKey::new(Kind::Tool, "b"));
}

#[test]
fn an_echoed_secret_stops_the_write() {
    let tools = r#"[{"name":"a","description":"Signed in with s3cr3t-t0ken-value"}]"#;
    let echo = draft(&shown(tools, "[]", None)).unwrap_err();
    insta::assert_snapshot!(echo, @"the server repeats the value of Authorization secret in its tool a at $.description");
}
