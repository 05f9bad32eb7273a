//! The strict reader behind [`super::parse()`]: one pass, recursive, at most [`MAX_DEPTH`] levels deep.
//!
//! Promises: errors carry the path and the byte where reading stopped. Does not guess or repair.

use super::text::plain_run;
use super::{MAX_DEPTH, Number, Object, Reason, Refusal, Step, Value};
use std::collections::HashSet;

/// Objects with more members than this find duplicate keys through a hash set.
pub(super) const LINEAR_KEYS: usize = 12;

/// Reads exactly one value that fills `bytes` but for white space.
pub fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(Refusal::new(Reason::ByteOrderMark, 0));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| Refusal::new(Reason::NotUtf8, error.valid_up_to()))?;
    let mut parser = Parser::new(text, 0);
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at == bytes.len() { Ok(value) } else { Err(parser.refuse(Reason::Trailing)) }
}

/// The parser; `scan` reads escapes and unusual numbers with it, so that the rules stand once.
///
/// What an open array or object holds so far stands on a stack that all of them share, so that each gets
/// its own room once and in the right size: it is often kept for as long as a gate stands.
pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) at: usize,
    items: Vec<Value>,
    members: Vec<(String, Value)>,
}

impl<'a> Parser<'a> {
    /// A parser that stands at a byte of a text.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, items: Vec::new(), members: Vec::new() }
    }
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, self.at)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Refusal> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'N' | b'I') => Err(self.refuse(Reason::NotFinite)),
            _ => Err(self.refuse(Reason::Expected("a value"))),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, Refusal> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.refuse(Reason::Expected(word)))
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Refusal> {
        self.open(depth)?;
        let base = self.items.len();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(Vec::new()));
        }
        loop {
            match self.value(depth + 1) {
                Ok(item) => self.items.push(item),
                Err(refusal) => return Err(refusal.within(Step::Index(self.items.len() - base))),
            }
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.refuse(Reason::Expected("',' or ']'"))),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::Array(self.items.drain(base..).collect()))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Refusal> {
        self.open(depth)?;
        let mut keys = Keys::default();
        let base = self.members.len();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Object(Vec::new())));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.refuse(Reason::Expected("a key in quotes")));
            }
            let key = self.string()?;
            if keys.is_known(&key, &self.members[base..]) {
                return Err(Refusal::new(Reason::DuplicateKey, start).within(Step::Key(key)));
            }
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.refuse(Reason::Expected("':'")));
            }
            self.at += 1;
            self.skip_space();
            match self.value(depth + 1) {
                Ok(value) => self.members.push((key, value)),
                Err(refusal) => return Err(refusal.within(Step::Key(key))),
            }
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.refuse(Reason::Expected("',' or '}'"))),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(Value::Object(Object(self.members.drain(base..).collect())))
    }

    fn open(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth >= MAX_DEPTH {
            return Err(self.refuse(Reason::TooDeep));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    pub(super) fn string(&mut self) -> Result<String, Refusal> {
        self.at += 1;
        let mut out = String::new();
        let mut start = self.at;
        loop {
            self.at += plain_run(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    if out.is_empty() {
                        out = self.text[start..self.at].to_owned();
                    } else {
                        out.push_str(&self.text[start..self.at]);
                    }
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[start..self.at]);
                    out.push(self.escape()?);
                    start = self.at;
                }
                // A control character, or the end.
                Some(_) | None => return Err(self.refuse(Reason::Expected("a closing quote"))),
            }
        }
    }

    pub(super) fn escape(&mut self) -> Result<char, Refusal> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(b'u') => return self.unicode(start),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.refuse(Reason::Expected("an escape"))),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self, start: usize) -> Result<char, Refusal> {
        let lone = || Refusal::new(Reason::LoneSurrogate, start);
        let first = self.hex4()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(lone());
                }
                self.at += 1;
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(lone());
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(lone)
    }

    /// Reads `uXXXX`, standing on the `u`.
    fn hex4(&mut self) -> Result<u32, Refusal> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let code = digits.and_then(|digits| {
            digits.iter().try_fold(0, |code, byte| Some(code * 16 + char::from(*byte).to_digit(16)?))
        });
        let code = code.ok_or_else(|| self.refuse(Reason::Expected("four hexadecimal digits")))?;
        self.at += 5;
        Ok(code)
    }

    pub(super) fn number(&mut self) -> Result<Value, Refusal> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            Some(b'I') => return Err(self.refuse(Reason::NotFinite)),
            _ => return Err(self.refuse(Reason::Expected("a digit"))),
        }
        if let Some(b'0'..=b'9') = self.peek() {
            return Err(self.refuse(Reason::Expected("no leading zero")));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let text = &self.text[start..self.at];
        // The standard library rounds correctly, whatever features serde_json is built with.
        let number: f64 = text.parse().map_err(|_| Refusal::new(Reason::Expected("a number"), start))?;
        if !number.is_finite() {
            return Err(Refusal::new(Reason::NotFinite, start));
        }
        // Every integer beyond the limit rounds to a double beyond it, so the double decides.
        let number = Number::new(number).ok_or(Refusal::new(Reason::UnsafeInteger, start))?;
        Ok(Value::Number(number))
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        self.digits();
        if self.at == start { Err(self.refuse(Reason::Expected("a digit"))) } else { Ok(()) }
    }
}

/// Finds duplicate keys without quadratic time on hostile objects.
#[derive(Default)]
struct Keys(HashSet<String>);

impl Keys {
    fn is_known(&mut self, key: &str, members: &[(String, Value)]) -> bool {
        if members.len() < LINEAR_KEYS {
            return members.iter().any(|(name, _)| name == key);
        }
        if self.0.is_empty() {
            self.0.extend(members.iter().map(|(name, _)| name.clone()));
        }
        !self.0.insert(key.to_owned())
    }
}
