//! The strict rules without a tree: says whether a text is strict JSON and where its outer members
//! stand, at the speed of the memory, for messages that pass through as they are.
//!
//! Promises: [`scan`] accepts exactly what [`super::parse()`] accepts (a property test holds the two
//! together, and a text that only one of them takes is refused). The rules themselves stand once, in
//! the parser: what is quick here is only the plain case, and every escape and every number that is
//! not a short integer is read by the parser.
//!
//! Does not: record members inside arrays, or deeper than [`Outline`] says or [`scan_along`] was asked for.

use super::parse::{LINEAR_KEYS, Parser};
use super::text::plain_run;
use super::{MAX_DEPTH, Reason, Refusal};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// Where the outer members of a message stand: those of the root, those of the root's members, and
/// those of a `_meta` among the latter. For an array, its elements.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    text: &'a str,
    root: Range<usize>,
    members: Vec<Member<'a>>,
    elements: Vec<Range<usize>>,
}

/// A member of an object, its value unread.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// How many objects it stands in, not counting the root.
    depth: usize,
    /// Its key, unescaped.
    pub key: Cow<'a, str>,
    /// Where its value stands.
    pub span: Range<usize>,
}

/// Reads exactly one strict value that fills `bytes` but for white space.
pub fn scan(bytes: &[u8]) -> Result<Outline<'_>, Refusal> {
    let outline = std::str::from_utf8(bytes).ok().and_then(Outline::of);
    outline.ok_or_else(|| {
        // The parser finds the same fault again, with its path.
        super::parse(bytes).err().unwrap_or(Refusal::new(Reason::Expected("a value"), 0))
    })
}

/// The same, recording the members of every object on a path of keys from the root, its end included, and
/// nothing else.
pub fn scan_along<'a>(bytes: &'a [u8], path: &[&str]) -> Option<Outline<'a>> {
    Outline::along(std::str::from_utf8(bytes).ok()?, path, Record::On(0))
}

impl<'a> Outline<'a> {
    /// The members of the root, if it is an object.
    pub fn members(&self) -> impl Iterator<Item = &Member<'a>> {
        self.members.iter().filter(|member| member.depth == 0)
    }

    /// The members of the object at a path of keys, if they were recorded.
    pub fn members_at(&self, path: &[&str]) -> impl Iterator<Item = &Member<'a>> {
        let (depth, span) = (path.len(), self.span(path).unwrap_or(0..0));
        let is_within =
            move |member: &&Member<'_>| span.start < member.span.start && member.span.end < span.end;
        self.members.iter().filter(move |member| member.depth == depth).filter(is_within)
    }

    /// Where the value at a path of keys stands.
    pub fn span(&self, path: &[&str]) -> Option<Range<usize>> {
        let mut inner = &self.members[..];
        let mut span = self.root.clone();
        for (depth, key) in path.iter().enumerate() {
            let place = inner
                .iter()
                .take_while(|member| member.depth >= depth)
                .position(|member| member.depth == depth && member.key == *key)?;
            span = inner[place].span.clone();
            inner = &inner[place + 1..];
        }
        Some(span)
    }

    /// The text of the value at a path of keys.
    pub fn raw(&self, path: &[&str]) -> Option<&'a str> {
        Some(&self.text[self.span(path)?])
    }

    /// The string at a path of keys, if a string stands there.
    pub fn string(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        string_of(self.raw(path)?)
    }

    /// The elements, if the root is an array.
    pub fn elements(&self) -> Option<&[Range<usize>]> {
        self.text[self.root.clone()].starts_with('[').then_some(&self.elements)
    }

    /// Whether the root is an object.
    pub fn is_object(&self) -> bool {
        self.text[self.root.clone()].starts_with('{')
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    fn of(text: &'a str) -> Option<Self> {
        Self::along(text, &[], Record::Root)
    }

    fn along(text: &'a str, path: &[&str], record: Record) -> Option<Self> {
        let (keys, members, elements) = (Vec::new(), Vec::new(), Vec::new());
        let mut scanner = Scanner { text, path, at: 0, keys, members, elements };
        scanner.skip_space();
        let start = scanner.at;
        scanner.value(0, record)?;
        let root = start..scanner.at;
        scanner.skip_space();
        let (members, elements) = (scanner.members, scanner.elements);
        (scanner.at == text.len()).then_some(Self { text, root, members, elements })
    }
}

/// The string that a scanned span holds, if it holds one.
pub fn string_of(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        Parser::new(raw, 0).string().ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// What of a value is written down.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Root,
    Member,
    Meta,
    /// The object that so many keys of the path lead to.
    On(usize),
    Nothing,
}

impl Record {
    fn depth(self) -> Option<usize> {
        match self {
            Record::Root => Some(0),
            Record::Member => Some(1),
            Record::Meta => Some(2),
            Record::On(depth) => Some(depth),
            Record::Nothing => None,
        }
    }

    fn of_member(self, key: &str, path: &[&str]) -> Self {
        match self {
            Record::On(depth) if path.get(depth) == Some(&key) => Record::On(depth + 1),
            Record::Root => Record::Member,
            Record::Member if key == "_meta" => Record::Meta,
            Record::Member | Record::Meta | Record::On(_) | Record::Nothing => Record::Nothing,
        }
    }
}

struct Scanner<'a, 'p> {
    text: &'a str,
    /// The keys along which members are recorded, where they are not those of a message.
    path: &'p [&'p str],
    at: usize,
    /// The keys of all objects that are open, the innermost last.
    keys: Vec<Cow<'a, str>>,
    members: Vec<Member<'a>>,
    elements: Vec<Range<usize>>,
}

impl<'a> Scanner<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads with the parser itself, from here.
    fn strictly<T>(&mut self, read: impl FnOnce(&mut Parser<'a>) -> Result<T, Refusal>) -> Option<T> {
        let mut parser = Parser::new(self.text, self.at);
        let read = read(&mut parser).ok()?;
        self.at = parser.at;
        Some(read)
    }

    fn value(&mut self, depth: usize, record: Record) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.object(depth, record),
            b'[' => self.array(depth, record),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => None,
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn open(&mut self, depth: usize) -> Option<()> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(())
    }

    fn array(&mut self, depth: usize, record: Record) -> Option<()> {
        self.open(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Some(());
        }
        loop {
            let start = self.at;
            self.value(depth + 1, Record::Nothing)?;
            if record == Record::Root {
                self.elements.push(start..self.at);
            }
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
            self.skip_space();
        }
        self.at += 1;
        Some(())
    }

    fn object(&mut self, depth: usize, record: Record) -> Option<()> {
        self.open(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Some(());
        }
        let base = self.keys.len();
        let mut many: HashSet<Cow<'a, str>> = HashSet::new();
        loop {
            let key = self.key()?;
            let own = &self.keys[base..];
            if own.len() < LINEAR_KEYS {
                if own.contains(&key) {
                    return None;
                }
                self.keys.push(key.clone());
            } else {
                if many.is_empty() {
                    many.extend(own.iter().cloned());
                }
                if !many.insert(key.clone()) {
                    return None;
                }
            }
            self.skip_space();
            if self.peek() != Some(b':') {
                return None;
            }
            self.at += 1;
            self.skip_space();
            self.member(key, depth, record)?;
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
            self.skip_space();
        }
        self.at += 1;
        self.keys.truncate(base);
        Some(())
    }

    fn member(&mut self, key: Cow<'a, str>, depth: usize, record: Record) -> Option<()> {
        let inner = record.of_member(&key, self.path);
        let start = self.at;
        let Some(outer) = record.depth() else {
            return self.value(depth + 1, inner);
        };
        let place = self.members.len();
        self.members.push(Member { depth: outer, key, span: start..start });
        self.value(depth + 1, inner)?;
        self.members[place].span.end = self.at;
        Some(())
    }

    fn key(&mut self) -> Option<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let start = self.at;
        self.string()?;
        string_of(&self.text[start..self.at])
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at += plain_run(&self.text.as_bytes()[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => match self.text.as_bytes().get(self.at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                    _ => drop(self.strictly(Parser::escape)?),
                },
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let bytes = &self.text.as_bytes()[self.at..];
        let digits = bytes.iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
        // Up to fifteen digits, no leading zero, no fraction or exponent: an integer that is safe.
        let plain = (1..=15).contains(&digits)
            && (digits == 1 || bytes[0] != b'0')
            && !matches!(bytes.get(digits), Some(b'.' | b'e' | b'E'));
        if plain {
            self.at += digits;
            return Some(());
        }
        self.strictly(Parser::number).map(drop)
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
