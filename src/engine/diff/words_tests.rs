//! Two texts, and the words that differ.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

/// Writes pieces as `equal [-removed-]{+added+}`.
fn check(before: &str, after: &str, expected: &str) {
    let said: String = compare(before, after)
        .iter()
        .map(|piece| match piece {
            Piece::Equal(text) => text.clone(),
            Piece::Removed(text) => format!("[-{text}-]"),
            Piece::Added(text) => format!("{{+{text}+}}"),
        })
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn finds_the_words() {
    check("", "", "");
    check("", "a b", "{+a b+}");
    check("a b", "", "[-a b-]");
    check("read a file", "read a file", "read a file");
    check("read a file", "read the file", "read [-a-]{+the+} file");
    check("read a file.", "read a file. Never ask.", "read a file.{+ Never ask.+}");
    check("file_path", "path", "[-file_path-]{+path+}");
    check("naïve", "naive", "[-naïve-]{+naive+}");
}

#[test]
fn joins_what_is_read_together() {
    // The comma alone between two changed words helps nobody.
    check("alpha, beta stay", "gamma, delta stay", "[-alpha, beta-]{+gamma, delta+} stay");
}

#[test]
fn white_space_between_words_is_one() {
    check("a\n    b", "a\n  b", "a\n  b");
    check("a b", "ab", "[-a b-]{+ab+}");
    check("a\u{a0}b", "a b", "a[-\u{a0}-]{+ +}b");
    assert!(same_words("a\n\n  b ", "a b"));
    assert!(!same_words("rm -rf / tmp", "rm -rf /tmp"));
    assert!(!same_words("a\u{a0}b", "a b"));
}

#[test]
fn large_texts_stay_affordable() {
    let lines = |word: &str| (0..60_000).map(|n| format!("{word} {n}\n")).collect::<String>();
    let (a, b) = (lines("one"), lines("two"));
    assert!(!compare(&a, &b).is_empty());
    let changed = a.replacen("one 30000\n", "one 30000 and a word\n", 1);
    let added: Vec<_> = compare(&a, &changed).into_iter().filter(|p| matches!(p, Piece::Added(_))).collect();
    assert_eq!(added.len(), 1);
    let (long, other) = ("x ".repeat(200_000), "y ".repeat(200_000));
    assert_eq!(compare(&long, &other).len(), 2);
}

fn plain(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn the_pieces_are_the_texts(a in "[abc ,.\n]{0,60}", b in "[abc ,.\n]{0,60}") {
        let (mut before, mut after) = (String::new(), String::new());
        for piece in compare(&a, &b) {
            match piece {
                Piece::Equal(text) => { before.push_str(&text); after.push_str(&text); }
                Piece::Removed(text) => before.push_str(&text),
                Piece::Added(text) => after.push_str(&text),
            }
        }
        prop_assert_eq!(after, b);
        prop_assert_eq!(plain(&before), plain(&a));
    }
}
