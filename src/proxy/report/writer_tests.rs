//! What the log keeps of arguments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn kept(arguments: &str) -> String {
    let secrets = Known::new([("NOTES_PASSWORD".to_owned(), "hunter2hunter2".to_owned())]);
    String::from_utf8(canon::canonical(&contents(arguments.as_bytes(), &secrets))).unwrap()
}

#[test]
fn arguments_are_kept_without_secrets() {
    let table = [
        (r#"{"text":"milk","many":[1,true,null]}"#, r#"{"many":[1,true,null],"text":"milk"}"#),
        (r#"{"a":{"b":["x hunter2hunter2 y"]}}"#, r#"{"a":{"b":["x *** y"]}}"#),
        (r#"{"hunter2hunter2":1}"#, r#"{"***":1}"#),
        (
            r#"{"password":"x","apiKey":5,"secret":{"deep":"y"},"token":null}"#,
            r#"{"apiKey":"***","password":"***","secret":"***","token":null}"#,
        ),
        (r#"{"url":"https://ann:pass@example.org/"}"#, r#"{"url":"https://***@example.org/"}"#),
        ("not json, hunter2hunter2", r#""not json, ***""#),
    ];
    for (arguments, expected) in table {
        assert_eq!(kept(arguments), expected, "{arguments}");
    }
}

#[test]
fn long_arguments_are_cut_after_masking() {
    let long = |filler: &str| {
        format!(r#"{{"text":"{}hunter2hunter2{}"}}"#, filler.repeat(8_185), "z".repeat(CONTENTS))
    };
    for filler in ["xx", "\u{e9}"] {
        let kept = kept(&long(filler));
        assert!(kept.len() < CONTENTS + 100 && kept.contains("… (cut, "), "{}", kept.len());
        assert!(!kept.contains("hunter") && !kept.contains('\u{fffd}'), "{filler}");
    }
    assert!(!kept(&format!(r#"{{"text":"{}"}}"#, "x".repeat(CONTENTS - 11))).contains("cut"));
}
