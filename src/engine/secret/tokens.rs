//! Secrets by their shape: the prefixes that vendors give their tokens, JWTs, keys in PEM, and long
//! runs of letters and digits that no person wrote.
//!
//! Digests are not secrets: what follows `sha256:`, `@` or `#`, lies in a local path or is a UUID stays.

use std::ops::Range;

/// Prefixes of tokens; the least number of characters after each.
const PREFIXES: [(&str, usize); 45] = [
    ("sk-", 16),
    ("sk_", 16),
    ("rk_live_", 16),
    ("pk_live_", 16),
    ("whsec_", 16),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("glrt-", 16),
    ("gldt-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("npm_", 16),
    ("pypi-", 32),
    ("hf_", 16),
    ("gsk_", 16),
    ("xai-", 16),
    ("r8_", 16),
    ("pplx-", 16),
    ("tvly-", 10),
    ("fc-", 16),
    ("ctx7sk", 12),
    ("sbp_", 16),
    ("ntn_", 16),
    ("secret_", 16),
    ("lin_api_", 16),
    ("figd_", 16),
    ("dop_v1_", 16),
    ("dckr_pat_", 16),
    ("shpat_", 16),
    ("sntrys_", 16),
    ("sntryu_", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("SG.", 16),
    ("ATATT", 16),
    ("AGE-SECRET-KEY-", 16),
];

/// The shortest run of letters and digits that counts without a prefix.
const MIN_RUN: usize = 28;

/// The fewest bits a character of such a run must carry (English text without spaces: about 4.1
/// only when it is long; hexadecimal digits: at most 4).
const MIN_ENTROPY: f64 = 3.0;

/// The secrets of a text by shape; they may overlap.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = pem(text);
    for word in words(text) {
        spans.extend(prefixed(text, &word));
        spans.extend(runs(text, &word));
    }
    spans
}

/// Keys between `-----BEGIN` and `-----END …-----`; one without an end goes on to the end of the text.
fn pem(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(begin) = text[from..].find("-----BEGIN ").map(|at| from + at) {
        let label = &text[begin + 11..];
        let label = &label[..label.find("-----").unwrap_or(label.len())];
        let end = match text[begin..].find("-----END ") {
            Some(end) => {
                let after = begin + end + 9;
                text[after..].find("-----").map_or(text.len(), |close| after + close + 5)
            }
            None => text.len(),
        };
        if label.ends_with("PRIVATE KEY") {
            spans.push(begin..end);
        }
        from = end;
    }
    spans
}

/// The words of a text: runs of characters that tokens are made of, and of what joins them in paths.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        if is_token_char(c) {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            words.push(start..at);
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn prefixed(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let token = text[word.clone()].trim_end_matches('.');
    let span = word.start..word.start + token.len();
    let digits = token.bytes().any(|byte| byte.is_ascii_digit());
    if token.starts_with("eyJ") && token.len() >= 30 && token.matches('.').count() >= 1 {
        return Some(span);
    }
    let key =
        |prefix: &str| token.strip_prefix(prefix).is_some_and(|rest| rest.len() == 16 && is_upper(rest));
    if key("AKIA") || key("ASIA") {
        return Some(span);
    }
    let shaped =
        |(prefix, least): &(&str, usize)| token.strip_prefix(prefix).is_some_and(|rest| rest.len() >= *least);
    (digits && PREFIXES.iter().any(shaped)).then_some(span)
}

fn is_upper(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Long runs of letters and digits within a word.
fn runs(text: &str, word: &Range<usize>) -> Vec<Range<usize>> {
    if word.len() < MIN_RUN || is_local_path(text, word.start) {
        return Vec::new();
    }
    let mut spans = Vec::new();
    let mut start = word.start;
    for run in text[word.clone()].split(|c: char| !c.is_ascii_alphanumeric()) {
        let span = start..start + run.len();
        start = span.end + 1;
        if is_random(run) && !is_digest(&text[..span.start], run) {
            spans.push(span);
        }
    }
    spans
}

/// Whether a run of letters and digits looks drawn, not written.
fn is_random(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let letters = run.len() - digits;
    run.len() >= MIN_RUN && digits >= 3 && letters >= 3 && entropy(run) >= MIN_ENTROPY
}

/// Bits per character.
fn entropy(run: &str) -> f64 {
    let mut counts = [0u32; 128];
    for byte in run.bytes() {
        counts[usize::from(byte & 127)] += 1;
    }
    let total = run.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(share).map(|share| -share * log2(share)).sum()
}

/// The logarithm of a share to base two, good to six digits. The C library's stands in a library of its
/// own, which every gate would load and keep for this alone.
fn log2(share: f64) -> f64 {
    let (mut rest, mut whole) = (share, 0.0);
    while rest > 0.0 && rest < 1.0 {
        rest *= 2.0;
        whole -= 1.0;
    }
    // Of what is left, between one and two, each squaring gives one binary digit more.
    (1..=20).fold(whole, |found, digit| {
        rest *= rest;
        if rest < 2.0 {
            return found;
        }
        rest /= 2.0;
        found + 1.0 / f64::from(1 << digit)
    })
}

/// Whether a run is a digest or a commit, by what stands before it.
fn is_digest(before: &str, run: &str) -> bool {
    let named = ["sha1", "sha256", "sha384", "sha512", "blake3", "md5", "integrity"];
    let label = before.trim_end_matches([':', '-', '=', ' ', '"']);
    let hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
    named.iter().any(|name| label.to_ascii_lowercase().ends_with(name))
        || (hex && matches!(run.len(), 40 | 64) && before.ends_with(['@', '#']))
}

/// Whether a place of a text lies in a path of this machine: its word, spaces apart, starts like one.
fn is_local_path(text: &str, at: usize) -> bool {
    let apart = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | ';' | '(' | '<');
    let start = text[..at].rfind(apart).map_or(0, |apart| apart + 1);
    let head = text.get(start..).unwrap_or_default();
    let drive = head.len() > 2 && head.as_bytes()[1] == b':' && matches!(head.as_bytes()[2], b'\\' | b'/');
    drive || ["/", "~/", "./", "../", "file:///", r"\\"].iter().any(|root| head.starts_with(root))
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn the_logarithm_is_near_enough() {
        for share in
            (1..=400_u32).flat_map(|total| [1, 2, total / 3 + 1, total].map(|n| (n.min(total), total)))
        {
            let share = f64::from(share.0) / f64::from(share.1);
            assert!((log2(share) - share.log2()).abs() < 2e-6, "{share}");
        }
        // Shares of equal letters decide at the limit, so these are exact.
        for power in 1..12 {
            assert_eq!(log2(1.0 / f64::from(1 << power)).to_bits(), (-f64::from(power)).to_bits(), "{power}");
        }
    }
}
