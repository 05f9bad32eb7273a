//! Which place of an item a path names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn path(text: &str) -> Path {
    Path(
        text.split('/')
            .map(|step| match step.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Key(step.to_owned()),
            })
            .collect(),
    )
}

/// Says the steps after the innermost schema and the key it stands under.
fn check(place: &str, keyword: Option<&str>, key: Option<&str>) {
    let place = path(place);
    let found = schema_place(Kind::Tool, &place);
    assert_eq!(found.as_ref().map(|place| place.keyword), keyword.map(path).as_ref().map(|p| p.0.as_slice()));
    assert_eq!(found.and_then(|place| place.key), key);
}

#[test]
fn finds_schemas() {
    check("description", None, None);
    check("annotations/title", None, None);
    check("inputSchema", Some("inputSchema"), None);
    check("inputSchema/type", Some("type"), None);
    check("inputSchema/properties", Some("properties"), None);
    check("inputSchema/properties/x", Some("properties/x"), None);
    check("inputSchema/properties/x/type", Some("type"), Some("x"));
    check("inputSchema/properties/title/title", Some("title"), Some("title"));
    check("inputSchema/properties/x/items/title", Some("title"), None);
    check("inputSchema/properties/x/anyOf/1/enum/0", Some("enum/0"), None);
    check("inputSchema/properties/x/default/properties/y", Some("default/properties/y"), Some("x"));
    check("inputSchema/properties/x/enum/0/title", Some("enum/0/title"), Some("x"));
    check("outputSchema/$defs/D/properties/y/description", Some("description"), Some("y"));
    check("inputSchema/properties/x/items/properties/y", Some("properties/y"), None);
}

#[test]
fn names_parts() {
    let check = |kind: Kind, place: &str, element: Option<&str>, expected: Part| {
        assert_eq!(part(kind, &path(place), element), expected, "{place}");
    };
    let field = |name: &str| Part::Field(name.to_owned());
    check(Kind::Tool, "description", None, field("description"));
    check(Kind::Tool, "annotations/readOnlyHint", None, field("annotations"));
    check(Kind::Tool, "_meta/ui/resourceUri", None, field("_meta.ui"));
    check(Kind::Tool, "inputSchema/properties/x/type", None, Part::Parameter("x".into()));
    check(Kind::Tool, "inputSchema/required/3", Some("x"), Part::Parameter("x".into()));
    check(Kind::Tool, "outputSchema/properties/x", None, Part::Output("x".into()));
    check(Kind::Tool, "inputSchema/type", None, Part::Schema("inputSchema".into(), "type".into()));
    check(Kind::Prompt, "arguments/x/description", None, Part::Parameter("x".into()));
    check(Kind::Resource, "mimeType", None, field("mimeType"));
    assert_eq!(part(Kind::Instructions, &Path::default(), None), Part::Whole);
}
