//! Server text made harmless for a screen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

fn check(text: &str, expected: &str) {
    assert_eq!(line(text, usize::MAX), expected, "{text:?}");
}

#[test]
fn shows_what_is_there() {
    check("", "");
    check("plain text, `code` and \"quotes\" {a: [1]}", "plain text, `code` and \"quotes\" {a: [1]}");
    check("déjà vu, Größe, 中文, العربية, ไทย", "déjà vu, Größe, 中文, العربية, ไทย");
    check("⚠️ warn 🚀 go", "⚠️ warn 🚀 go");
}

#[test]
fn marks_what_a_terminal_obeys() {
    check("a\x1b[2Jb", "a⟨U+001B⟩[2Jb");
    check("\x1b]0;title\x07x", "⟨U+001B⟩]0;title⟨U+0007⟩x");
    check("\u{9b}31m", "⟨U+009B⟩31m");
    check("a\rb\x08c\x7f", "a⟨U+000D⟩b⟨U+0008⟩c⟨U+007F⟩");
    check("a\nb\tc", "a⏎b⟨U+0009⟩c");
}

#[test]
fn marks_what_cannot_be_seen() {
    check("a\u{202e}b\u{2066}c", "a⟨U+202E⟩b⟨U+2066⟩c");
    check("a\u{200b}b\u{feff}c\u{ad}d", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+00AD⟩d");
    check("\u{e0041}\u{e0062}", "⟨U+E0041⟩⟨U+E0062⟩");
    check("a\u{fe0f}b\u{e0100}c\u{fe00}", "a⟨U+FE0F⟩b⟨U+E0100⟩c⟨U+FE00⟩");
    check("⚠\u{fe0f}\u{fe0f}", "⚠\u{fe0f}⟨U+FE0F⟩");
    check("a\u{a0}b\u{2003}c\u{3000}d\u{2800}e\u{3164}", "a⟨U+00A0⟩b⟨U+2003⟩c⟨U+3000⟩d⟨U+2800⟩e⟨U+3164⟩");
    check("a\u{2028}b\u{85}c", "a⟨U+2028⟩b⟨U+0085⟩c");
    check("e\u{301}", "e\u{301}");
    check("e\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}⟨U+0301⟩⟨U+0301⟩");
    check("(\u{301}", "(⟨U+0301⟩");
    check("\u{e000}\u{fffe}\u{10ffff}", "⟨U+E000⟩⟨U+FFFE⟩⟨U+10FFFF⟩");
}

#[test]
fn marks_lookalikes_among_latin_letters() {
    check("p\u{430}ypal", "p⟨U+0430⟩ypal");
    check("проверка test", "проверка test");
    check("α and β", "α and β");
    check("\u{ff52}m -rf", "⟨U+FF52⟩m -rf");
    check("\u{1d42b}ead_file", "⟨U+1D42B⟩ead_file");
}

#[test]
fn tells_spaces_and_cuts() {
    check(&format!("a{}b", " ".repeat(16)), &format!("a{}b", " ".repeat(16)));
    check(&format!("a{}b", " ".repeat(900)), "a⟨900 spaces⟩b");
    check("⟨U+202E⟩", "⟨U+27E8⟩U+202E⟨U+27E9⟩");
    assert_eq!(line(&"x".repeat(5000), 10), "xxxxxxxxxx … 4,990 more characters");
    assert_eq!(line("four", 2), "four", "a cut that saves nothing is none");
    assert_eq!(
        block("a\r\n\n\n  b\n\n\n\n\n\n\nc\n", usize::MAX),
        ["a", "", "", "  b", "⟨6 empty lines⟩", "c", ""]
    );
    assert_eq!(block(&"ab\n".repeat(100), 4), ["ab", "a", "… 296 more characters"]);
}

#[test]
fn names_things() {
    assert_eq!(name("read_file"), "read_file");
    assert_eq!(name("x y"), "\"x y\"");
    assert_eq!(name("\u{202e}evil"), "\"⟨U+202E⟩evil\"");
    assert_eq!(label(Kind::Tool, "read_file", 3), "read_file");
    assert_eq!(label(Kind::Tool, "ignore all of this", 3), "tool #3");
    assert_eq!(label(Kind::Prompt, "", 1), "prompt #1");
    assert_eq!(label(Kind::Tool, &"a".repeat(65), 2), "tool #2");
}

proptest! {
    #[test]
    fn nothing_harmful_comes_out(text in "\\PC*|[\\x00-\\x7f\u{80}-\u{10ffff}]{0,60}") {
        let shown = block(&text, usize::MAX);
        for line in shown.iter().chain([&line(&text, usize::MAX)]) {
            for c in line.chars() {
                prop_assert!(!c.is_control(), "{line:?}");
                prop_assert!(!matches!(u32::from(c),
                    0x200B..=0x200F | 0x2028..=0x202F | 0x2060..=0x206F | 0xE0000..=0xE0FFF | 0xFEFF));
            }
        }
    }

    #[test]
    fn different_texts_look_different(a in "[a\u{430}\u{200b}\u{a0}⟨ ]{0,8}", b in "[a\u{430}\u{200b}\u{a0}⟨ ]{0,8}") {
        prop_assert_eq!(line(&a, usize::MAX) == line(&b, usize::MAX), a == b);
    }
}
