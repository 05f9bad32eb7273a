//! Secrets by the name they stand under: flags, `key=value`, JSON members, header fields, the
//! user-info and the parameters of a URL.

use super::{join, tokens};
use std::ops::Range;

/// Words that make the name they stand in a secret's.
const SECRET_WORDS: [&str; 24] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "jwt",
    "pat",
    "pin",
    "otp",
];

/// Names that are secret as a whole only.
const SECRET_NAMES: [&str; 6] = ["key", "pass", "sig", "signature", "sessionid", "dsn"];

/// Words that make `… key` a secret in free text; in a launch every `… key` is one.
const KEY_WORDS: [&str; 15] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "signing",
    "encryption",
    "master",
    "service",
    "client",
    "app",
    "admin",
    "account",
    "shared",
    "subscription",
];

/// Last words of a name that say where a secret is, or about it, not what it is.
const ABOUT: [&str; 20] = [
    "file", "path", "dir", "url", "uri", "endpoint", "type", "name", "id", "method", "mode", "env", "limit",
    "count", "budget", "length", "ttl", "expiry", "enabled", "provider",
];

/// Flags whose value is a header field.
const HEADER_FLAGS: [&str; 4] = ["-H", "--header", "--headers", "--http-header"];

/// Flags whose value is `NAME=value` of a variable.
const VARIABLE_FLAGS: [&str; 3] = ["-e", "--env", "--environment"];

/// Values that are not secrets under any name.
const PLAIN_VALUES: [&str; 12] = [
    "true",
    "false",
    "null",
    "none",
    "undefined",
    "yes",
    "no",
    "required",
    "optional",
    "string",
    "missing",
    "invalid",
];

/// Whether a value under this name is a secret: `apiKey`, `X-Api-Key`, `GITHUB_TOKEN`, `--db-password`.
pub(super) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    let whole = words.concat();
    let secret = |word: &String| {
        let single = word.strip_suffix('s').unwrap_or(word);
        SECRET_WORDS.contains(&word.as_str()) || SECRET_WORDS.contains(&single)
    };
    let pair = |pair: &[String]| SECRET_WORDS.contains(&pair.concat().as_str());
    // `max-tokens` counts them.
    let counted = words.iter().any(|word| matches!(word.as_str(), "max" | "min" | "num" | "tokens"))
        && !whole.contains("apitoken");
    let keyed = last == "key" && words.len() > 1;
    SECRET_NAMES.contains(&whole.as_str())
        || keyed
        || (!counted && (words.iter().any(secret) || words.windows(2).any(pair)))
        || ["apikey", "accesskey", "secretkey", "privatekey"].iter().any(|word| whole.ends_with(word))
}

/// Whether a name is `… key` of which prose has many: `project_key`, `tagKey`.
fn is_other_key(name: &str) -> bool {
    let words = words(name);
    match words.as_slice() {
        [.., qualifier, last] => last == "key" && !KEY_WORDS.contains(&qualifier.as_str()),
        _ => false,
    }
}

/// The words of a name in lower case: apart at punctuation and at a capital after a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && lower) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.push(c.to_ascii_lowercase()));
        }
        lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The secrets of one argument, given the one before it.
pub(super) fn arg_spans(before: Option<&str>, arg: &str) -> Vec<Range<usize>> {
    let whole = || vec![Range { start: 0, end: arg.len() }];
    let mut spans = spans(arg);
    spans.extend(tokens::spans(arg));
    if let Some(flag) = before.filter(|flag| flag.starts_with('-') && !flag.contains('=')) {
        if HEADER_FLAGS.contains(&flag) {
            spans.extend(header_value(arg, 0));
        } else if VARIABLE_FLAGS.contains(&flag) {
            spans.extend(variable_value(arg, 0));
        } else if is_secret_name(flag) && !arg.starts_with("--") && !is_reference(arg) {
            return whole();
        }
    }
    if let Some((flag, value)) = arg.split_once('=').filter(|(flag, _)| flag.starts_with('-')) {
        let at = flag.len() + 1;
        if HEADER_FLAGS.contains(&flag) {
            spans.extend(header_value(value, at));
        } else if VARIABLE_FLAGS.contains(&flag) {
            spans.extend(variable_value(value, at));
        } else if is_secret_name(flag) && !value.is_empty() && !is_reference(value) {
            spans.push(at..arg.len());
        }
    } else {
        let upper = |name: &str| {
            name.len() > 1
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let assigned = arg.split_once('=').filter(|(name, _)| upper(name));
        spans.extend(assigned.and_then(|_| variable_value(arg, 0)));
    }
    join(spans)
}

/// The value of `Name: value`, or all of it where there is no name, or where it is an object of fields.
fn header_value(field: &str, at: usize) -> Option<Range<usize>> {
    if field.trim_start().starts_with('{') {
        return Some(at..at + field.len());
    }
    let value = field.find([':', '=']).map_or(0, |colon| colon + 1);
    let start = value + field[value..].len() - field[value..].trim_start().len();
    (!is_reference(&field[start..])).then_some(at + start..at + field.len())
}

/// The value of `NAME=value`, unless the variable is pinned by value.
fn variable_value(assignment: &str, at: usize) -> Option<Range<usize>> {
    let (name, value) = assignment.split_once('=')?;
    let kept = crate::engine::launchpin::is_by_value(name) || is_reference(value);
    (!kept).then_some(at + name.len() + 1..at + assignment.len())
}

/// Whether a value only names where the secret is, as `${input:token}` or `$TOKEN` do.
fn is_reference(value: &str) -> bool {
    let value = value.trim();
    let enclosed =
        |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let name = enclosed("${", "}").or_else(|| value.strip_prefix('$')).or_else(|| enclosed("%", "%"));
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-'))
    };
    value.is_empty() || value == super::MARK || value == super::PINNED_MARK || name.is_some_and(plain)
}

/// The secrets of a text by name; they may overlap.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = user_infos(text);
    for (at, separator) in text.match_indices(['=', ':']) {
        spans.extend(field_at(text, at, separator));
    }
    for scheme in ["Bearer ", "bearer ", "Basic ", "basic "] {
        spans.extend(text.match_indices(scheme).filter_map(|(at, _)| credential(text, at + scheme.len())));
    }
    spans
}

/// The user-info of every URL: a password, or a token in the place of a name.
fn user_infos(text: &str) -> Vec<Range<usize>> {
    let info = |(at, _): (usize, &str)| {
        let start = at + 3;
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'<>`".contains(c)).unwrap_or(rest.len());
        let user_info = &rest[..rest[..end].rfind('@')?];
        (user_info != "git" && !is_reference(user_info)).then_some(start..start + user_info.len())
    };
    text.match_indices("://").filter_map(info).collect()
}

/// The value of `name=value`, `name: value` or `"name": "value"`, if the name is a secret's.
fn field_at(text: &str, at: usize, separator: &str) -> Option<Range<usize>> {
    let before = text[..at].trim_end_matches([' ', '\\']);
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end_matches('\\');
    let name_from = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8));
    let name = &before[name_from..];
    if !is_secret_name(name) || is_other_key(name) {
        return None;
    }
    let after = &text[at + 1..];
    let trimmed = after.trim_start_matches([' ', '\\']);
    let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\''));
    let start = text.len() - trimmed.len() + usize::from(quote.is_some());
    let rest = &text[start..];
    let end = match quote {
        Some(quote) => rest.find([quote, '\\']).unwrap_or(rest.len()),
        None => rest.find(|c: char| c.is_whitespace() || ",;&\"'<>)}]#".contains(c)).unwrap_or(rest.len()),
    };
    let value = &rest[..end];
    if value.starts_with("${") && is_reference(&rest[..rest.find('}').map_or(end, |close| close + 1)]) {
        return None;
    }
    let plain = PLAIN_VALUES.contains(&value.to_ascii_lowercase().as_str());
    if value.is_empty() || plain || is_reference(value) {
        return None;
    }
    if matches!(value.to_ascii_lowercase().as_str(), "bearer" | "basic" | "token") {
        return credential(text, start + end + 1);
    }
    // After a colon without quotes stands prose as often as a value: then it must look like one.
    let looks = value.len() >= 8 && value.bytes().any(|byte| byte.is_ascii_digit());
    (separator == "=" || quote.is_some() || looks).then_some(start..start + end)
}

/// What follows `Bearer`: long, or with a digit in it.
fn credential(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let part = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
    let value = &rest[..end];
    let drawn = value.len() >= 20 || (value.len() >= 6 && value.bytes().any(|byte| byte.is_ascii_digit()));
    drawn.then_some(start..start + end)
}
