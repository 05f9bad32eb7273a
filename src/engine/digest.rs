//! Digests: domain-tagged BLAKE3 of canonical bytes, written `blake3:<64 hex digits>`.
//!
//! Promises: a digest of one kind of thing never equals a digest of another kind over the same bytes,
//! because each kind has a tag of its own, ended by a NUL byte that no tag contains.

use super::canon;
use super::json::Value;
use std::fmt;
use std::str::FromStr;

/// What a digest is taken of; each kind hashes under a tag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// An item of a surface, by the name its kind has in the lockfile ("tools", "prompts", …).
    Item(super::surface::Kind),
    /// A launch pin.
    Launch,
    /// An artifact pin.
    Artifact,
    /// The set of an artifact's dependencies.
    Dependencies,
    /// A whole surface.
    Surface,
    /// What was shown to a person.
    Offer,
    /// The raw bytes of a lockfile.
    Lock,
    /// The raw bytes of a file.
    File,
    /// One line of the log, over the line before it.
    LogLine,
}

/// A BLAKE3 digest of 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// A digest in the making, of bytes that come piece by piece.
#[derive(Clone, Debug)]
pub struct Hashing(blake3::Hasher);

/// A text that is not `blake3:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected \"blake3:\" and 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl Tag {
    fn name(self) -> &'static str {
        match self {
            Tag::Item(kind) => kind.tag(),
            Tag::Launch => "launch",
            Tag::Artifact => "artifact",
            Tag::Dependencies => "dependencies",
            Tag::Surface => "surface",
            Tag::Offer => "offer",
            Tag::Lock => "lock",
            Tag::File => "file",
            Tag::LogLine => "log-line",
        }
    }
}

impl Digest {
    /// The digest of a value's canonical form.
    pub fn of(tag: Tag, value: &Value) -> Self {
        Self::of_bytes(tag, &canon::canonical(value))
    }

    /// The digest of bytes as they are.
    pub fn of_bytes(tag: Tag, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"mcpwatch/v1/").update(tag.name().as_bytes()).update(b"\0").update(bytes);
        Self(*hasher.finalize().as_bytes())
    }

    /// The digest of bytes under a secret key, for comparing what must not be guessed.
    pub fn keyed(key: &[u8; 32], tag: Tag, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(b"mcpwatch/v1/").update(tag.name().as_bytes()).update(b"\0").update(bytes);
        Self(*hasher.finalize().as_bytes())
    }

    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[7..19].to_owned()
    }
}

impl Hashing {
    /// Starts a digest; equal to [`Digest::of_bytes`] over all pieces together.
    pub fn new(tag: Tag) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"mcpwatch/v1/").update(tag.name().as_bytes()).update(b"\0");
        Self(hasher)
    }

    /// Takes in one more piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hex = text.strip_prefix("blake3:").ok_or(NotADigest)?;
        if hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotADigest);
        }
        blake3::Hash::from_hex(hex).map(|hash| Self(*hash.as_bytes())).map_err(|_| NotADigest)
    }
}
