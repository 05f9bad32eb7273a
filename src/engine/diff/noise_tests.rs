//! The closed list of noise, and what is like it and is none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::diff::{Edit, tree};
use crate::engine::json;
use proptest::prelude::*;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// Compares two input schemas; says which noise each edit is.
fn check(before: &str, after: &str, expected: &[Option<Noise>]) {
    let tool = |schema: &str| value(&format!(r#"{{"name":"t","inputSchema":{schema}}}"#));
    let edits = tree::compare(&tool(before), &tool(after));
    let said: Vec<Option<Noise>> = edits
        .iter()
        .map(|edit| noise(Kind::Tool, &edit.path, edit.before.as_ref(), edit.after.as_ref()))
        .collect();
    assert_eq!(said, expected, "{before} -> {after}");
}

#[test]
fn is_a_closed_list() {
    use Noise::{Dialect, Empty, Ends, Order, RepeatedTitle};
    let seven = r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#;
    let newest = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema"}"#;
    check(seven, newest, &[Some(Dialect)]);
    check("{}", newest, &[None]);
    check(seven, r#"{"$schema":"https://example.org/mine"}"#, &[None]);
    check("{}", r#"{"properties":{}}"#, &[Some(Empty)]);
    check(r#"{"required":[]}"#, "{}", &[Some(Empty)]);
    check("{}", r#"{"required":["a"]}"#, &[None]);
    check(r#"{"required":["a","b"]}"#, r#"{"required":["b","a"]}"#, &[Some(Order)]);
    check(r#"{"required":["a","b"]}"#, r#"{"required":["b","c"]}"#, &[None, None]);
    let property = |text: &str| format!(r#"{{"properties":{{"user_id":{text}}}}}"#);
    check(&property(r#"{"enum":[1,2]}"#), &property(r#"{"enum":[2,1]}"#), &[Some(Order)]);
    check(&property(r#"{"enum":[1,1,2]}"#), &property(r#"{"enum":[2,2,1]}"#), &[None, None]);
    check(&property("{}"), &property(r#"{"title":"User Id"}"#), &[Some(RepeatedTitle)]);
    check(&property(r#"{"title":"userId"}"#), &property("{}"), &[Some(RepeatedTitle)]);
    check(&property("{}"), &property(r#"{"title":"User Id!"}"#), &[None]);
    check("{}", r#"{"title":"tArguments"}"#, &[None]);
    let description = |text: &str| property(&format!(r#"{{"description":"{text}"}}"#));
    check(&description("An id."), &description("An id. \\n"), &[Some(Ends)]);
    check(&description("An id."), &description("An id.\\u00a0"), &[None]);
    check(&description("An id."), &description("An  id."), &[None]);
    check(&description("An id."), &description(""), &[None]);
}

#[test]
fn values_are_no_schemas() {
    let within = |text: &str| format!(r#"{{"properties":{{"a":{{"default":{text}}}}}}}"#);
    check(&within(r#"{"properties":{}}"#), &within("{}"), &[None]);
    check(&within(r#"{"required":[1,2]}"#), &within(r#"{"required":[2,1]}"#), &[None]);
    // A property that is called like a keyword is a property.
    let named = |text: &str| format!(r#"{{"properties":{{"title":{text}}}}}"#);
    check(&named(r#"{"type":"string"}"#), &named(r#"{"type":"number"}"#), &[None]);
}

#[test]
fn opening_is_widening() {
    let check = |before: &str, after: &str, expected: bool| {
        let tool = |schema: &str| value(&format!(r#"{{"name":"t","inputSchema":{schema}}}"#));
        let edits = tree::compare(&tool(before), &tool(after));
        let [edit] = edits.as_slice() else { panic!("{edits:?}") };
        let edit = Edit::new(Kind::Tool, edit.clone());
        assert_eq!(edit.class == super::super::Class::Widening, expected, "{before} -> {after}");
    };
    check(r#"{"additionalProperties":false}"#, "{}", true);
    check(r#"{"additionalProperties":false}"#, r#"{"additionalProperties":true}"#, true);
    check(r#"{"additionalProperties":{"type":"string"}}"#, r#"{"additionalProperties":{}}"#, false);
    check("{}", r#"{"additionalProperties":false}"#, false);
    check(r#"{"additionalProperties":false}"#, r#"{"additionalProperties":{"type":"string"}}"#, false);
}

proptest! {
    #[test]
    fn no_visible_change_of_a_description_is_noise(a in "[a-c .\n]{0,12}", b in "[a-c .\n]{0,12}") {
        let path = |keys: &[&str]| Path(keys.iter().map(|key| Step::Key((*key).to_owned())).collect());
        let (before, after) = (Value::from(a.as_str()), Value::from(b.as_str()));
        for keys in [&["description"][..], &["inputSchema", "properties", "p", "description"]] {
            let found = noise(Kind::Tool, &path(keys), Some(&before), Some(&after));
            prop_assert!(found.is_none() || a.trim_ascii() == b.trim_ascii());
        }
    }
}
