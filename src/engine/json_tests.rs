//! What strict JSON takes, and what it refuses with which path.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

/// Reads `text`; `expected` is `"ok"` or the refusal as people see it, without the byte.
#[track_caller]
fn check(text: &str, expected: &str) {
    let got = match parse(text.as_bytes()) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => format!("{} at {}", refusal.reason, refusal.path),
    };
    assert_eq!(got, expected, "{text}");
}

#[test]
fn reads_what_every_reader_reads_alike() {
    for text in [
        "null",
        " true ",
        "[]",
        "{}",
        "[ 1 , -2.5e-3 , \"x\" ]",
        "{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}}",
        "\"\\u0061\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
        "9007199254740991",
        "-9007199254740991",
        "9007199254740991.0",
        "-0",
        "1e-400",
        "\"\u{7f}\u{2028}\"",
    ] {
        check(text, "ok");
    }
}

#[test]
fn refuses_what_two_readers_could_read_differently() {
    let table = [
        ("{\"a\":1,\"a\":1}", "a duplicate key at $.a"),
        ("{\"a\":1,\"\\u0061\":2}", "a duplicate key at $.a"),
        ("[0,{\"b\":[{\"x y\":1,\"x y\":2}]}]", "a duplicate key at $[1].b[0][\"x y\"]"),
        ("9007199254740992", "an integer beyond 2^53-1 at $"),
        ("[-9007199254740993]", "an integer beyond 2^53-1 at $[0]"),
        ("9007199254740992.0", "an integer beyond 2^53-1 at $"),
        ("9007199254740992e0", "an integer beyond 2^53-1 at $"),
        ("1e16", "an integer beyond 2^53-1 at $"),
        ("18446744073709551616", "an integer beyond 2^53-1 at $"),
        ("9007199254740991.9", "an integer beyond 2^53-1 at $"),
        ("1e400", "a number that is not finite at $"),
        ("{\"n\":NaN}", "a number that is not finite at $.n"),
        ("-Infinity", "a number that is not finite at $"),
        ("\"\\ud800\"", "a lone surrogate at $"),
        ("\"\\udc00\\ud800\"", "a lone surrogate at $"),
        ("\"\\ud800\\u0061\"", "a lone surrogate at $"),
        ("\u{feff}{}", "a byte order mark at $"),
        ("{} {}", "text after the value at $"),
        ("", "not JSON: expected a value at $"),
        ("[1,]", "not JSON: expected a value at $[1]"),
        ("{\"a\":1,}", "not JSON: expected a key in quotes at $"),
        ("[1 2]", "not JSON: expected ',' or ']' at $"),
        ("{\"a\" 1}", "not JSON: expected ':' at $"),
        ("01", "not JSON: expected no leading zero at $"),
        ("1.", "not JSON: expected a digit at $"),
        (".5", "not JSON: expected a value at $"),
        ("+1", "not JSON: expected a value at $"),
        ("1e", "not JSON: expected a digit at $"),
        ("tru", "not JSON: expected true at $"),
        ("\"\n\"", "not JSON: expected a closing quote at $"),
        ("\"\\x\"", "not JSON: expected an escape at $"),
        ("\"\\u12g4\"", "not JSON: expected four hexadecimal digits at $"),
        ("'a'", "not JSON: expected a value at $"),
        ("[1] // x", "text after the value at $"),
    ];
    for (text, expected) in table {
        check(text, expected);
    }
    let bytes = parse(b"\"\xff\"").unwrap_err();
    assert_eq!((bytes.reason, bytes.offset), (Reason::NotUtf8, 1));
}

#[test]
fn nests_128_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(&nested(MAX_DEPTH), "ok");
    assert_eq!(parse(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().reason, Reason::TooDeep);
    assert_eq!(parse("[".repeat(1_000_000).as_bytes()).unwrap_err().reason, Reason::TooDeep);
}

#[test]
fn finds_duplicates_in_wide_objects_too() {
    let members: Vec<String> = (0..5000).map(|n| format!("\"k{n}\":{n}")).collect();
    check(&format!("{{{}}}", members.join(",")), "ok");
    check(&format!("{{{},\"k7\":0}}", members.join(",")), "a duplicate key at $.k7");
    check(&format!("{{{},\"k4999\":0}}", members.join(",")), "a duplicate key at $.k4999");
}

#[test]
fn objects_are_equal_in_any_order() {
    let read = |text: &str| parse(text.as_bytes()).unwrap();
    assert_eq!(read("{\"a\":1,\"b\":[1,2]}"), read("{\"b\":[1,2],\"a\":1.0}"));
    assert_ne!(read("{\"a\":1,\"b\":[1,2]}"), read("{\"b\":[2,1],\"a\":1}"));
    assert_ne!(read("{\"a\":1}"), read("{\"a\":1,\"b\":1}"));
}

#[test]
fn objects_keep_their_order_when_edited() {
    let mut object: Object = [("b", 1_u32), ("a", 2)].into_iter().collect();
    assert_eq!(object.insert("b", 3_u32), Some(Value::from(1_u32)));
    assert_eq!(object.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(object.remove("b"), Some(Value::from(3_u32)));
    assert_eq!(object.remove("b"), None);
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn accepts_only_what_serde_json_accepts(text in "[\\[\\]{}:,\"\\\\ua0-9eE.+\\- tfn]{0,40}") {
        if parse(text.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn reads_what_serde_json_writes(value in arbitrary_json(4)) {
        let text = serde_json::to_string(&value).unwrap();
        let ours = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(to_serde(&ours), value);
    }
}

/// Any strict value, as `serde_json` holds it.
pub(crate) fn arbitrary_json(depth: u32) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(serde_json::Value::from),
        (-1000.0..1000.0_f64)
            .prop_filter("not whole", |n| n.fract() != 0.0)
            .prop_map(serde_json::Value::from),
        "\\PC{0,12}".prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(depth, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        #[allow(clippy::cast_possible_truncation)]
        Value::Number(number) if number.get().fract() == 0.0 => (number.get() as i64).into(),
        Value::Number(number) => number.get().into(),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(to_serde).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.to_owned(), to_serde(value))).collect()
        }
    }
}
