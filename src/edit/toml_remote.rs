//! TOML: remote entries. The lines of the entry give way to a command, and travel whole in a variable.

use super::splice::Splice;
use super::toml::{Entry, on_entry, quote};
use super::{EditError, Wrapper};
use crate::engine::json::{Path, Step};
use crate::engine::wrapping::{self, ENTRY_VARIABLE};
use std::ops::Range;

/// The keys that only a remote entry has.
const REMOTE: [&str; 4] = ["url", "bearer_token_env_var", "http_headers", "env_http_headers"];

/// The keys of a wrapped remote entry that are ours.
const OURS: [&str; 4] = ["command", "args", "env", "env_vars"];

pub(super) fn wrap(entry: &Entry<'_>, wrapper: &Wrapper<'_>) -> Result<String, EditError> {
    let url = entry.member("url").ok_or_else(|| entry.shape("has neither a command nor an address"))?;
    if REMOTE.iter().chain(&OURS).any(|key| entry.has_own_header(key)) {
        return Err(entry.shape("has headers in a table of their own"));
    }
    if OURS.iter().any(|key| entry.member(key).is_some()) {
        return Err(entry.shape("has an address beside keys of a command"));
    }
    let block = block(entry).ok_or_else(|| entry.shape("is empty"))?;
    let gap = entry.gap(&url);
    if !entry.inline && !gap.trim().is_empty() {
        return Err(entry.shape("is written with dotted keys"));
    }
    let words = |words: &[String]| words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(", ");
    let carried = quote(&entry.text[block]);
    let mut members = vec![
        format!("command = {}", quote(wrapper.exe)),
        format!("args = [{}]", words(&wrapping::for_remote(wrapper.lock, wrapper.client, wrapper.name))),
        format!("env = {{ {ENTRY_VARIABLE} = {carried} }}"),
    ];
    if !wrapper.forward.is_empty() {
        let names: Vec<_> = wrapper.forward.iter().map(|(name, _)| name.clone()).collect();
        members.push(format!("env_vars = [{}]", words(&names)));
    }
    let mut splice = Splice::default();
    splice.replace(url.key.start..url.span.end, members.join(&gap));
    let all = entry.members();
    for (index, (key, member)) in all.iter().enumerate() {
        if *key == "url" || !REMOTE.contains(key) {
            continue;
        }
        // What stands between two members goes with the one that is cut, on the far side of the url.
        if member.key.start < url.key.start {
            splice.replace(member.key.start..all[index + 1].1.key.start, "");
        } else {
            splice.replace(all[index - 1].1.span.end..member.span.end, "");
        }
    }
    Ok(splice.apply(entry.text))
}

pub(super) fn unwrap(entry: &Entry<'_>) -> Result<String, EditError> {
    let lost = || entry.shape("has lost the text of its original");
    let env = entry.member("env").ok_or_else(lost)?;
    let carried = env.value.get(ENTRY_VARIABLE).and_then(|text| text.get_ref().as_str()).ok_or_else(lost)?;
    let restored = with_later_edits(entry, carried)?;
    let mut splice = Splice::default();
    splice.replace(block(entry).ok_or_else(lost)?, restored);
    Ok(splice.apply(entry.text))
}

/// The original's text with what was edited since: the values of keys that are not ours.
fn with_later_edits(entry: &Entry<'_>, carried: &str) -> Result<String, EditError> {
    let prefix = if entry.inline { "e = { " } else { "" };
    let text = if entry.inline { format!("{prefix}{carried} }}") } else { carried.to_owned() };
    let path = if entry.inline { vec!["e"] } else { Vec::new() };
    let path = Path(path.into_iter().map(|key| Step::Key(key.to_owned())).collect());
    on_entry(&text, &path, |original| {
        let mut splice = Splice::default();
        let theirs = |key: &str| !REMOTE.contains(&key) && !OURS.contains(&key);
        for (key, member) in original.members().into_iter().filter(|(key, _)| theirs(key)) {
            if let Some(now) = entry.member(key) {
                splice.replace(member.span, &entry.text[now.span]);
            }
        }
        let added =
            entry.members().into_iter().filter(|(key, _)| theirs(key) && original.member(key).is_none());
        if let Some((_, last)) = original.members().last() {
            for (_, member) in added {
                let line = &entry.text[member.key.start..member.span.end];
                splice.insert(last.span.end, format!("{}{line}", original.gap(last)));
            }
        }
        let out = splice.apply(&text);
        let end = if entry.inline { out.len() - 2 } else { out.len() };
        Ok(out[prefix.len()..end].to_owned())
    })
}

/// From the first key to the last value of the entry's own lines.
fn block(entry: &Entry<'_>) -> Option<Range<usize>> {
    let members = entry.members();
    let start = members.first()?.1.key.start;
    let end = members.iter().map(|(_, member)| member.span.end).max()?;
    Some(start..end)
}
