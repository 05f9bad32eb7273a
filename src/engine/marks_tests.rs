//! Which marks are found, and which schemas are unfit.
#![allow(clippy::unwrap_used)]

use super::{Unfit, of};
use crate::engine::json::parse;

fn check(schema: &str, expected: Result<&[(&str, &str)], Unfit>) {
    let marks = of(&parse(schema.as_bytes()).unwrap());
    let marks = marks.map(|marks| {
        marks.into_iter().map(|mark| (mark.path.join("/"), mark.name)).collect::<Vec<(String, String)>>()
    });
    let expected = expected.map(|list| {
        list.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
    });
    assert_eq!(marks, expected, "{schema}");
}

fn marked(kind: &str, mark: &str) -> String {
    format!(r#"{{"properties":{{"a":{{"type":{kind},"x-mcp-header":{mark}}}}}}}"#)
}

#[test]
fn marks_on_plain_paths_are_found() {
    check(r#"{"type":"object"}"#, Ok(&[]));
    for kind in ["\"string\"", "\"integer\"", "\"boolean\""] {
        check(&marked(kind, r#""Region""#), Ok(&[("a", "Region")]));
    }
    check(
        r#"{"properties":{"at":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},"b":{"type":"string","x-mcp-header":"B"}}}"#,
        Ok(&[("at/n", "N"), ("b", "B")]),
    );
    // A parameter of that name, and data that look like a mark, are none.
    check(r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#, Ok(&[]));
    check(r#"{"properties":{"a":{"default":{"x-mcp-header":"A"},"enum":[{"x-mcp-header":"A"}]}}}"#, Ok(&[]));
    // Whatever is no schema has no marks.
    for schema in ["null", "true", "[]", "\"x-mcp-header\"", r#"{"properties":[{"x-mcp-header":1}]}"#] {
        check(schema, Ok(&[]));
    }
}

#[test]
fn marks_that_are_not_allowed_make_the_schema_unfit() {
    for mark in [r#""""#, r#""a b""#, r#""a\r\nEvil""#, r#""höhe""#, r#""a:b""#, "1", "null", "true"] {
        check(&marked("\"string\"", mark), Err(Unfit::Name));
    }
    for kind in ["\"number\"", "\"object\"", "\"array\"", "\"null\"", r#"["string","integer"]"#, "1"] {
        check(&marked(kind, r#""A""#), Err(Unfit::Type));
    }
    let one = r#"{"type":"string","x-mcp-header":"X"}"#;
    let other = r#"{"type":"string","x-mcp-header":"x"}"#;
    check(&format!(r#"{{"properties":{{"a":{one},"b":{other}}}}}"#), Err(Unfit::Twice));
    for schema in [
        one.to_owned(),
        format!(r#"{{"properties":{{"a":{{"type":"array","items":{one}}}}}}}"#),
        format!(r#"{{"properties":{{"a":{{"anyOf":[{{"type":"null"}},{one}]}}}}}}"#),
        format!(r#"{{"$defs":{{"a":{one}}}}}"#),
        format!(r#"{{"properties":{{"a":{{"patternProperties":{{"^x":{one}}}}}}}}}"#),
        format!(r#"{{"if":{{"properties":{{"a":{one}}}}}}}"#),
        format!(r#"{{"additionalProperties":{one}}}"#),
        format!(r#"{{"x-own":{{"deep":[{{"at":{one}}}]}}}}"#),
    ] {
        check(&schema, Err(Unfit::Place));
    }
}
