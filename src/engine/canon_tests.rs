//! RFC 8785's vectors, and two other writers of it as oracles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{self, parse};
use crate::engine::surface::Kind;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    let value = parse(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(canonical(&value)).unwrap(), expected, "{text}");
}

/// RFC 8785 appendix B, the rows that strict JSON admits (the others are refused before).
#[test]
fn numbers_are_spelled_as_the_rfc_spells_them() {
    let table: [(u64, &str); 16] = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x4340_0000_0000_0000 - 1, "9007199254740991"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        (0x3fb9_9999_9999_999a, "0.1"),
        (0x3ff8_0000_0000_0000, "1.5"),
    ];
    for (bits, expected) in table {
        let number = Number::new(f64::from_bits(bits)).unwrap();
        let text = String::from_utf8(canonical(&Value::Number(number))).unwrap();
        assert_eq!(text, expected, "{bits:016x}");
        assert_eq!(text.as_bytes(), serde_jcs::to_vec(&f64::from_bits(bits)).unwrap());
    }
}

/// RFC 8785 §3.2.2.2, §3.2.3 and appendix samples.
#[test]
fn follows_the_rfc_examples() {
    check(
        "{\"numbers\":[333333333.33333329,1E3,4.50,2e-3,0.000000000000000000000000001],\
         \"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\
         \"literals\":[null,true,false]}",
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1000,4.5,0.002,1e-27],\
         \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
    );
    check(
        "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\
         \"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\",\
         \"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
         \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
         \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    );
    check("[56.0, {\"d\":true,\"10\":null,\"1\":[]}]", "[56,{\"1\":[],\"10\":null,\"d\":true}]");
    check("\"\u{e9} e\u{301}\"", "\"\u{e9} e\u{301}\"");
}

#[test]
fn a_kind_has_digests_of_its_own() {
    let value = Value::from("x");
    let digests: std::collections::BTreeSet<_> =
        Kind::ALL.iter().map(|kind| Digest::of(Tag::Item(*kind), &value)).collect();
    assert_eq!(digests.len(), Kind::ALL.len());
    assert_eq!(Digest::of(Tag::Lock, &value).to_string().parse(), Ok(Digest::of(Tag::Lock, &value)));
    for wrong in ["", "blake3:", "blake3:zz", &"a".repeat(64), &format!("blake3:{}", "A".repeat(64))] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn agrees_with_both_oracles(value in json::tests::arbitrary_json(5)) {
        let text = serde_json::to_string(&value).unwrap();
        let ours = canonical(&parse(text.as_bytes()).unwrap());
        prop_assert_eq!(&ours, &serde_jcs::to_vec(&value).unwrap());
        prop_assert_eq!(&ours, &serde_json_canonicalizer::to_vec(&value).unwrap());
    }

    #[test]
    fn doubles_agree_with_the_oracle(bits in any::<u64>()) {
        if let Some(number) = Number::new(f64::from_bits(bits)) {
            prop_assert_eq!(canonical(&Value::Number(number)), serde_jcs::to_vec(&number.get()).unwrap());
        }
    }

    #[test]
    fn is_stable_under_re_encoding(value in json::tests::arbitrary_json(4)) {
        let plain = parse(serde_json::to_string(&value).unwrap().as_bytes()).unwrap();
        let pretty = parse(serde_json::to_string_pretty(&value).unwrap().as_bytes()).unwrap();
        let again = parse(&canonical(&plain)).unwrap();
        prop_assert_eq!(canonical(&plain), canonical(&pretty));
        prop_assert_eq!(canonical(&plain), canonical(&again));
        prop_assert_eq!(plain, again);
    }

    #[test]
    fn one_character_more_changes_the_digest(text in any::<String>(), at in any::<prop::sample::Index>(), c in any::<char>()) {
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
        let mut changed = text.clone();
        changed.insert(places[at.index(places.len())], c);
        let tool = |text: &str| Digest::of(Tag::Item(Kind::Tool), &Value::from(text));
        prop_assert_ne!(tool(&text), tool(&changed));
    }
}
