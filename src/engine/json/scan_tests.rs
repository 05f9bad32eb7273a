//! The scanner beside the parser: both take and refuse the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{parse, write};
use super::*;
use proptest::prelude::*;

fn check(text: &[u8]) {
    assert_eq!(scan_along(text, &["a", "a"]).is_some(), scan(text).is_ok());
    match (scan(text), parse(text)) {
        (Ok(_), Ok(_)) => {}
        (Err(ours), Err(theirs)) => assert_eq!(ours, theirs),
        (ours, theirs) => {
            panic!("{:?}\n scan {ours:?}\n parse {theirs:?}", String::from_utf8_lossy(text))
        }
    }
}

#[test]
fn accepts_exactly_what_the_parser_accepts() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let many = |last: &str| {
        let keys: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{},\"{last}\":0}}", keys.join(","))
    };
    let owned = [
        nested(MAX_DEPTH),
        nested(MAX_DEPTH + 1),
        objects(MAX_DEPTH),
        objects(MAX_DEPTH + 1),
        many("k7"),
        many("k39"),
        many("k40"),
        format!("\"{}\\ud800\"", "x".repeat(100)),
        format!("\"{}\u{1}\"", "x".repeat(64)),
        format!("\"{}\"", "é".repeat(64)),
    ];
    let cases = [
        "",
        " ",
        "{}",
        "[]",
        "{ }",
        "[ ]",
        "null",
        "nul",
        "true",
        "truex",
        "1 2",
        "{}x",
        "\u{FEFF}{}",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\u0061":1,"a":2}"#,
        r#"[{"x":{"b":1,"b":1}}]"#,
        r#"{"a":{"a":{"a":1}}}"#,
        r#"{"a":1,}"#,
        r#"[1,]"#,
        r#"[,1]"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{a:1}"#,
        "9007199254740991",
        "9007199254740992",
        "-9007199254740991",
        "-9007199254740992",
        "9007199254740993.0",
        "1e400",
        "1e308",
        "123456789012345",
        "1234567890123456",
        "99999999999999999999",
        "0.1",
        "1.",
        ".1",
        "-",
        "-0",
        "01",
        "-01",
        "1e5",
        "1E+5",
        "1e",
        "1e400000",
        "0e0",
        "00",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.5e3x",
        "1e16",
        "90071992547409910e-1",
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud83d\ude00""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
        r#""\u00""#,
        r#""\x""#,
        r#""\"#,
        r#"""#,
        "\"\n\"",
        "\"\u{7f}\"",
        r#""\/\b\f\n\r\t\\\"""#,
        r#""\u00ZZ""#,
        r#"{"a\/b":1,"a/b":2}"#,
    ];
    for case in cases.iter().copied().chain(owned.iter().map(String::as_str)) {
        check(case.as_bytes());
    }
    check(b"\"\xff\"");
    check(b"{\"a\":\"\xc3\"}");
}

#[test]
fn finds_the_outer_members() {
    let text = r#" {"id": 7, "pa\u0072ams": {"name": "a\"b", "_meta": {"t": [1], "m": {"deep": 1}}, "x": {"y": 2}}, "z": [ {"q": 1} ]} "#;
    let outline = scan(text.as_bytes()).unwrap();
    assert_eq!(outline.raw(&["id"]), Some("7"));
    assert_eq!(outline.string(&["params", "name"]).as_deref(), Some("a\"b"));
    assert_eq!(outline.raw(&["params", "_meta", "t"]), Some("[1]"));
    assert_eq!(outline.raw(&["params", "_meta", "m"]), Some("{\"deep\": 1}"));
    assert_eq!(outline.raw(&["params", "_meta", "m", "deep"]), None);
    assert_eq!(outline.raw(&["params", "x", "y"]), None);
    assert_eq!(outline.raw(&["z", "q"]), None);
    assert_eq!(outline.raw(&["t"]), None);
    let keys: Vec<_> = outline.members().map(|member| member.key.as_ref()).collect();
    assert_eq!(keys, ["id", "params", "z"]);
    let keys: Vec<_> = outline.members_at(&["params"]).map(|member| member.key.as_ref()).collect();
    assert_eq!(keys, ["name", "_meta", "x"]);
    let batch = scan(b"[ {\"a\":[1]} , 2]").unwrap();
    let elements: Vec<_> = batch.elements().unwrap().iter().map(|span| &batch.text()[span.clone()]).collect();
    assert_eq!(elements, ["{\"a\":[1]}", "2"]);
}

#[test]
fn finds_the_members_along_a_path() {
    let text = r#"{"v": 1, "s\u0065rvers": {"x": {"a": 1}, "y\"": {"a": [{"b": 1}], "l": {"c": 2}}, "z": 3}, "w": {"x": 1}}"#;
    let outline = scan_along(text.as_bytes(), &["servers", "y\""]).unwrap();
    let keys = |path: &[&str]| -> Vec<String> {
        outline.members_at(path).map(|member| member.key.to_string()).collect()
    };
    assert_eq!(keys(&[]), ["v", "servers", "w"]);
    assert_eq!(keys(&["servers"]), ["x", "y\"", "z"]);
    assert_eq!(keys(&["servers", "y\""]), ["a", "l"]);
    assert_eq!(keys(&["servers", "x"]), Vec::<String>::new());
    assert_eq!(keys(&["w"]), Vec::<String>::new());
    assert_eq!(outline.raw(&["servers", "y\"", "l"]), Some("{\"c\": 2}"));
    assert_eq!(outline.raw(&["servers", "nobody's"]), None);
    assert_eq!(outline.raw(&["v"]), Some("1"));
}

/// Text that is nearly JSON: tokens that hit the rules, in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"a\":",
        "\"a\"",
        "\"b\":",
        "\"\\u0061\":",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "1",
        "-1",
        "0",
        "9007199254740992",
        "123456789012345",
        "1e3",
        "1.5",
        "1e999",
        "true",
        "false",
        "null",
        "\"",
        "\\",
        "\"é\"",
        "\t",
        "\n",
        "\u{1}",
        "{}",
        "[]",
        "\"_meta\":",
        "{\"a\":1}",
        "[1,2]",
        "\\n",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// Values built to be JSON, some with keys that repeat.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        "\\PC{0,40}".prop_map(|s| String::from_utf8(write::to_bytes(&s.into())).unwrap()),
        (0u32..0x1_0000).prop_map(|unit| format!("\"x\\u{unit:04x}\"")),
    ];
    leaf.prop_recursive(5, 64, 16, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-d]{1,3}", inner), 0..18).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn agrees_on_nearly_json(text in nearly_json()) {
        check(text.as_bytes());
    }

    #[test]
    fn agrees_on_json(text in json_text()) {
        check(text.as_bytes());
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(parse(&write::to_bytes(&value)).unwrap(), value);
        }
    }

    #[test]
    fn agrees_on_broken_json(text in json_text(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check(&bytes);
    }
}
