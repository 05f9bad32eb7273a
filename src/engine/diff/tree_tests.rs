//! Two values, and the paths at which they differ.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json;
use proptest::prelude::*;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// Writes edits as `path: before -> after`.
fn check(before: &str, after: &str, expected: &[&str]) {
    let side = |value: &Option<Value>| match value {
        Some(value) => String::from_utf8(canon::canonical(value)).unwrap(),
        None => "nothing".to_owned(),
    };
    let edits = compare(&value(before), &value(after));
    let said: Vec<String> = edits
        .iter()
        .map(|edit| format!("{}: {} -> {}", edit.path, side(&edit.before), side(&edit.after)))
        .collect();
    assert_eq!(said, expected, "{before} / {after}");
}

#[test]
fn finds_the_smallest_edits() {
    check("1", "1.0", &[]);
    check(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &[]);
    check("1", "2", &["$: 1 -> 2"]);
    check(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2,"c":3}}"#, &["$.a.b: 1 -> 2", "$.a.c: nothing -> 3"]);
    check(r#"{"a":1}"#, "{}", &["$.a: 1 -> nothing"]);
    check(r#"{"a":null}"#, "{}", &["$.a: null -> nothing"]);
    check(r#"{"a":{}}"#, r#"{"a":[]}"#, &["$.a: {} -> []"]);
}

#[test]
fn aligns_lists() {
    check("[1,2,3]", "[1,3]", &["$[1]: 2 -> nothing"]);
    check("[1,3]", "[1,2,3]", &["$[1]: nothing -> 2"]);
    check("[1,2]", "[2,1]", &["$[0]: nothing -> 2", "$[1]: 2 -> nothing"]);
    check(r#"[{"a":1},{"a":2}]"#, r#"[{"a":1},{"a":3}]"#, &["$[1].a: 2 -> 3"]);
    let named = r#"[{"name":"x","d":1},{"name":"y"}]"#;
    check(named, r#"[{"name":"y"},{"name":"x","d":2}]"#, &["$.x.d: 1 -> 2"]);
    check(named, r#"[{"name":"x","d":1}]"#, &[r#"$.y: {"name":"y"} -> nothing"#]);
    check("[]", r#"[{"name":"x"}]"#, &[r#"$.x: nothing -> {"name":"x"}"#]);
    check(
        r#"[{"name":"x"},{"name":"y"}]"#,
        r#"[{"name":"y"},{"name":"x"}]"#,
        &[r#"$: [{"name":"x"},{"name":"y"}] -> [{"name":"y"},{"name":"x"}]"#],
    );
}

#[test]
fn sets_have_no_order() {
    check(
        r#"{"enum":["a","b"]}"#,
        r#"{"enum":["b","c"]}"#,
        &[r#"$.enum[0]: "a" -> nothing"#, r#"$.enum[1]: nothing -> "c""#],
    );
    check(r#"{"enum":["a","b"]}"#, r#"{"enum":["b","a"]}"#, &[r#"$.enum: ["a","b"] -> ["b","a"]"#]);
    check(r#"{"enum":["a"]}"#, r#"{"enum":["a","a"]}"#, &[r#"$.enum[1]: nothing -> "a""#]);
    check(
        r#"{"enum":[[1],[2]]}"#,
        r#"{"enum":[[2],[1]]}"#,
        &["$.enum[0]: nothing -> [2]", "$.enum[1]: [2] -> nothing"],
    );
}

proptest! {
    #[test]
    fn one_character_is_an_edit(text in "[a-c \n]{1,20}", at in 0_usize..20, c in "[d\u{200b}\t]") {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at % chars.len();
        chars[at] = c.chars().next().unwrap();
        let other: String = chars.into_iter().collect();
        let within = |text: &str| Value::Object([("a", Value::from(vec![Value::from(text)]))].into_iter().collect());
        prop_assert_eq!(compare(&within(&text), &within(&other)).len(), usize::from(text != other));
    }
}
