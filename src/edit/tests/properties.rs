//! Whatever the entry and however it is laid out, it comes back byte for byte.

use super::*;
use proptest::prelude::*;

/// White space and comments between tokens.
fn gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", " ", "\n  ", "\r\n\t", " // c\n", "/* c */", "\n\n    "])
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![".{0,8}", "[a-z@/.:-]{1,12}"].prop_map(|text: String| {
        serde_json::Value::from(text.replace(['\u{2028}', '\u{feff}'], "")).to_string()
    })
}

prop_compose! {
    /// A JSON entry in its file, with gaps everywhere, other keys around, maybe trailing commas.
    fn json_file()(
        command in word(),
        args in prop::option::of(prop::collection::vec(word(), 0..4)),
        remote in any::<bool>(),
        first in any::<bool>(),
        trailing in any::<bool>(),
        gaps in prop::collection::vec(gap(), 24),
    ) -> String {
        let mut gaps = gaps.into_iter().cycle();
        let mut g = move || gaps.next().unwrap_or_default();
        let comma = if trailing { "," } else { "" };
        let mut members = Vec::new();
        if remote {
            members.push(format!("\"url\"{}:{}{command}", g(), g()));
            if let Some(args) = &args {
                let inner: Vec<_> = args.iter().enumerate().map(|(n, a)| format!("\"h{n}\":{}{a}", g())).collect();
                members.push(format!("\"headers\":{}{{{}{}}}", g(), g(), inner.join(",")));
            }
        } else {
            members.push(format!("\"command\"{}:{}{command}", g(), g()));
            if let Some(args) = &args {
                let inner: Vec<_> = args.iter().map(|a| format!("{}{a}{}", g(), g())).collect();
                let tail = if inner.is_empty() { "" } else { comma };
                members.push(format!("\"args\":{}[{}{}{tail}{}]", g(), g(), inner.join(","), g()));
            }
        }
        members.push(format!("\"disabled\":{}true", g()));
        if first {
            members.reverse();
        }
        let members: Vec<_> = members.into_iter().map(|m| format!("{}{m}{}", g(), g())).collect();
        format!("{}{{\"m\":{}{{\"s\":{}{{{}{comma}{}}}{}}}}}{}", g(), g(), g(), members.join(","), g(), g(), g())
    }
}

prop_compose! {
    fn toml_file()(
        command in word(),
        args in prop::option::of(prop::collection::vec(word(), 0..4)),
        shape in 0u8..3,
        first in any::<bool>(),
        end in prop::sample::select(vec!["\n", "\r\n", " # c\n"]),
        inside in prop::sample::select(vec!["", " ", "\n  ", "\r\n\t"]),
    ) -> String {
        let clean = |word: &str| word.replace('\u{7f}', "\\u007f");
        let mut members = vec![format!("command = {}", clean(&command))];
        if let Some(args) = &args {
            let inside = if shape == 1 { " " } else { inside };
            let inner: Vec<_> = args.iter().map(|a| format!("{inside}{}", clean(a))).collect();
            members.push(format!("args = [{}{inside}]", inner.join(",")));
        }
        members.push("enabled = true".to_owned());
        if first {
            members.reverse();
        }
        match shape {
            0 => format!("# top{end}[m.s]{end}{}{end}[m.s.tools.x]{end}y = 1{end}", members.join(end)),
            1 => format!("[m]{end}s = {{ {} }}{end}", members.join(", ")),
            _ => members.iter().map(|member| format!("m.s.{member}{end}")).collect(),
        }
    }
}

proptest! {
    #[test]
    fn json_comes_back(text in json_file()) {
        let at = path(&["m", "s"]);
        let wrapped = wrap(Format::Json, &text, &at, &wrapper("n")).unwrap();
        prop_assert!(matches!(state(Format::Json, &wrapped, &at), Ok(State::Wrapped(_))), "{wrapped}");
        prop_assert_eq!(unwrap(Format::Json, &wrapped, &at).unwrap(), text);
    }

    #[test]
    fn toml_comes_back(text in toml_file()) {
        let at = path(&["m", "s"]);
        let wrapped = wrap(Format::Toml, &text, &at, &wrapper("n")).unwrap();
        prop_assert!(matches!(state(Format::Toml, &wrapped, &at), Ok(State::Wrapped(_))), "{wrapped}");
        prop_assert_eq!(unwrap(Format::Toml, &wrapped, &at).unwrap(), text);
    }

    #[test]
    fn nothing_panics(text in json_file(), cut in 0usize..400, put in ".{0,3}") {
        let mut bytes = text.into_bytes();
        let cut = cut.min(bytes.len());
        bytes.splice(cut..(cut + 1).min(bytes.len()), put.bytes());
        let text = String::from_utf8_lossy(&bytes);
        for format in [Format::Json, Format::Toml] {
            let _ = wrap(format, &text, &path(&["m", "s"]), &wrapper("n"));
            let _ = unwrap(format, &text, &path(&["m", "s"]));
        }
    }
}
