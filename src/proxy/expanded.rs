//! A launch as the client's file has it, against the launch as the client started us.
//!
//! Clients fill in variables (`${workspaceFolder}`, `${env:TOKEN}`, `$HOME`) before they start anything,
//! and a pin holds the text as it is written. Where the pinned text names a variable, any text may
//! stand in its place here; that the file itself still says the same is compared by `check` and the
//! daemon, which read it.

use crate::engine::launchpin::{self, LaunchPin};

/// How a pin spells the two characters `${` of a client's own variable.
const OPEN: &str = "${dollar}{";

/// Whether a started launch is what a pinned one becomes when a client fills in its variables.
pub fn is_expanded(pinned: &LaunchPin, started: &LaunchPin) -> bool {
    launchpin::compare(pinned, started).iter().all(|change| match (&change.pinned, &change.offered) {
        (Some(pinned), Some(started)) => becomes(pinned, started),
        // Something that was not pinned, or that is gone.
        (None, _) | (_, None) => false,
    })
}

/// Whether `started` is `pinned` with text in place of its variables.
fn becomes(pinned: &str, started: &str) -> bool {
    let parts = literals(pinned);
    let [first, rest @ ..] = &parts[..] else { return false };
    let Some((last, middle)) = rest.split_last() else { return pinned == started };
    let Some(mut left) = started.strip_prefix(first).and_then(|left| left.strip_suffix(last)) else {
        return false;
    };
    middle.iter().all(|part| match left.find(part) {
        Some(place) => {
            left = &left[place + part.len()..];
            true
        }
        None => false,
    })
}

/// What stands before, between and after the variables of a text.
fn literals(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find('$') {
        let start = at + found;
        match variable(&text[start..]) {
            Some(length) => {
                parts.push(&text[from..start]);
                from = start + length;
                at = from;
            }
            None => at = start + 1,
        }
    }
    parts.push(&text[from..]);
    parts
}

/// The length of the variable that a text begins with: `${dollar}{…}` as a pin writes it, or `$NAME`.
fn variable(text: &str) -> Option<usize> {
    if let Some(inner) = text.strip_prefix(OPEN) {
        return inner.find('}').map(|end| OPEN.len() + end + 1);
    }
    let name = text.strip_prefix('$')?;
    let length = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_name.then_some(length + 1)
}

#[cfg(test)]
mod tests {
    use super::becomes;

    #[test]
    fn variables_stand_for_any_text_and_nothing_else_does() {
        let same = [
            ("--root=${dollar}{workspaceFolder}/x", "--root=${home}/p/x"),
            ("${dollar}{workspaceFolder}", "${cwd}"),
            ("--token=${dollar}{env:TOKEN}", "--token=${masked}"),
            ("$HOME/bin/${dollar}{env:NAME}.js", "${home}/bin/server.js"),
            ("$A:$B", "x:y"),
        ];
        for (pinned, started) in same {
            assert!(becomes(pinned, started), "{pinned} {started}");
        }
        let other = [
            ("${home}/x", "${home}/y"),
            ("--root=${dollar}{workspaceFolder}/x", "--root=${home}/p/y"),
            ("--root=${dollar}{workspaceFolder}", "--evil=${home}"),
            ("a$1b", "a-b"),
            ("$A:$B", "xy"),
            ("x", "x "),
        ];
        for (pinned, started) in other {
            assert!(!becomes(pinned, started), "{pinned} {started}");
        }
    }
}
