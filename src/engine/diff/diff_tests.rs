//! Pins and offers, and the changes between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json::{self, Object};
use crate::engine::launchpin::LaunchPin;
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(crate) fn context() -> Context<'static> {
    static MACHINE: std::sync::LazyLock<Machine> = std::sync::LazyLock::new(|| Machine::new(0));
    Context {
        machine: &MACHINE,
        view: View::Empty,
        platform: "linux-x86_64".into(),
        cause: Cause::NothingUpgraded,
    }
}

pub(crate) fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// A surface of tools, given as a JSON array, and of further items by kind.
pub(crate) fn surface(tools: &str) -> Surface {
    let mut surface = Surface::new("2025-11-25");
    let page: Object = [("tools", value(tools))].into_iter().collect();
    surface.add_page(Kind::Tool, Value::Object(page));
    assert_eq!(surface.defects(), []);
    surface
}

pub(crate) fn pin(surface: &Surface) -> ServerPin {
    let launch = LaunchPin::Url { url: "https://example.org".into(), sse: false, headers: BTreeMap::new() };
    let mut pin = ServerPin::new(launch, surface.protocol.clone());
    for (key, value) in surface.items() {
        let key = ItemKey::new(key.kind, placeholder::literal_text(&key.name));
        pin.items.insert(key.clone(), Pin::of(key.kind, placeholder::literal(value)));
    }
    pin
}

fn check(before: &str, after: &str, expected: &[&str]) {
    let set = compare(&pin(&surface(before)), &surface(after), &context());
    let said: Vec<String> = set
        .decisions
        .iter()
        .map(|decision| {
            let items: Vec<&str> = decision.items.iter().map(|key| key.name.as_str()).collect();
            let what = match &decision.subject {
                Subject::Added(_) => "added",
                Subject::Renamed(_) => "renamed",
                Subject::Edited(_) => "edited",
                Subject::Removed { .. } => "removed",
                Subject::Noise(_) => "noise",
            };
            format!("{what} {} {:?}", items.join(","), decision.weight)
        })
        .collect();
    assert_eq!(said, expected, "{before} -> {after}: {set:#?}");
}

#[test]
fn decides() {
    let tool = |name: &str, rest: &str| format!(r#"{{"name":"{name}","description":"Reads {name}"{rest}}}"#);
    let list = |tools: &[String]| format!("[{}]", tools.join(","));
    let (a, b) = (tool("a", ""), tool("b", ""));
    check("[]", "[]", &[]);
    check(&list(&[a.clone(), b.clone()]), &list(&[b.clone(), a.clone()]), &[]);
    check("[]", &list(std::slice::from_ref(&a)), &["added a Instructions"]);
    check(&list(&[a.clone(), b.clone()]), "[]", &["removed a,b Removal"]);
    let renamed = a.replace(r#""name":"a""#, r#""name":"z""#);
    check(&list(std::slice::from_ref(&a)), &list(&[renamed]), &["renamed a,z Words"]);
    let schema = r#","inputSchema":{"type":"object"}"#;
    let dialect = r#","inputSchema":{"type":"object","$schema":"http://json-schema.org/draft-07/schema#"}"#;
    check(
        &list(&[tool("a", schema), tool("b", schema)]),
        &list(&[tool("a", dialect), tool("b", dialect)]),
        &["edited a,b Cosmetic"],
    );
    check(
        &list(&[tool("a", dialect)]),
        &list(&[tool("a", &dialect.replace("draft-07", "draft-04"))]),
        &["noise a Noise"],
    );
}

#[test]
fn a_kind_of_request_that_was_not_seen_is_not_gone() {
    let without = surface("[]");
    let mut with = surface("[]");
    with.add(ItemKey::new(Kind::Request, "roots/list"), true.into());
    assert!(compare(&pin(&with), &without, &context()).is_empty());
    assert!(!compare(&pin(&without), &with, &context()).is_empty());
}

pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        "([a-e]{4}[ .\n]{0,2}){0,4}".prop_map(Value::from),
        "[a-c $#/]{0,6}".prop_map(Value::from),
    ];
    let key = "[a-c]|type|title|description|properties|required|enum|\\$ref|\\$defs|items|name|anyOf|default|[a-e]{4}";
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Object>())),
        ]
    })
}

pub(crate) fn tool_surface(schema: &Value) -> Surface {
    let mut surface = Surface::new("2025-11-25");
    let tool: Object = [("name", Value::from("t")), ("inputSchema", schema.clone())].into_iter().collect();
    surface.add(ItemKey::new(Kind::Tool, "t"), Value::Object(tool));
    surface
}

proptest! {
    #[test]
    fn equal_gives_nothing_and_different_something(a in any_value(), b in any_value()) {
        let (first, second) = (tool_surface(&a), tool_surface(&b));
        prop_assert!(compare(&pin(&first), &first, &context()).is_empty());
        let set = compare(&pin(&first), &second, &context());
        prop_assert_eq!(set.is_empty(), a == b);
        prop_assert_eq!(set.decisions.is_empty(), a == b);
        let all: BTreeSet<usize> = (0..set.decisions.len()).collect();
        prop_assert_eq!(set.decided(&all).len(), set.changes.len());
        if a != b {
            prop_assert!(set.decided(&BTreeSet::new()).is_empty());
        }
    }
}
