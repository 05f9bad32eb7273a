//! Reading a lockfile: strict JSON, then its shape, then every digest in it.
//!
//! Promises: never panics; fields of another version's making are kept where they stood and never
//! looked at; what would change *what matches* (a condition, an artifact type, an open list that this
//! version does not know) is refused, because such a change comes with a new version.

use super::error::{LockError, Place};
use super::{Condition, Definition, Lockfile, Pin, ServerPin, VERSION, place};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::scan::{Outline, scan_along};
use crate::engine::json::{self, Object, Path, Step, Value};
use crate::engine::launchpin::{Artifact, LaunchPin};
use crate::engine::surface::{ItemKey, Kind, Surface};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Reads a lockfile.
pub fn parse(text: &str) -> Result<Lockfile, LockError> {
    parse_bytes(text.as_bytes())
}

/// Reads a lockfile from a file's bytes.
pub fn parse_bytes(bytes: &[u8]) -> Result<Lockfile, LockError> {
    read(bytes, Digests::Verify)
}

/// Reads a lockfile whose raw bytes are known to be those that were verified and trusted before: its
/// digests are not computed again, which halves the time.
pub fn parse_trusted(bytes: &[u8]) -> Result<Lockfile, LockError> {
    read(bytes, Digests::Verified)
}

/// Whether the digests in a lock have to be computed.
#[derive(Clone, Copy)]
enum Digests {
    Verify,
    Verified,
}

/// How much of a server is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Everything but its items: what its start is compared with. Nothing is approved by that.
    Start,
}

/// Reads one server of a lockfile whose raw bytes are known to be those that were verified and trusted
/// before; `None` if it pins no server of that name. The text is held to the strict rules to its end, and
/// only that server becomes a value: a gate needs no other.
pub fn parse_trusted_server(bytes: &[u8], name: &str, part: Part) -> Result<Option<ServerPin>, LockError> {
    match only(bytes, name, part) {
        Some(pin) => Ok(pin),
        // Whatever is unusual, and every error with its place, is left to the whole reading.
        None => Ok(parse_trusted(bytes)?.servers.remove(name)),
    }
}

fn only(bytes: &[u8], name: &str, part: Part) -> Option<Option<ServerPin>> {
    let outline = scan_along(bytes, &["servers", name])?;
    if outline.raw(&["version"])? != VERSION.to_string() || !outline.raw(&["servers"])?.starts_with('{') {
        return None;
    }
    let Some(span) = outline.span(&["servers", name]) else { return Some(None) };
    let value = match part {
        Part::Whole => json::parse(&bytes[span]).ok()?,
        Part::Start => Value::Object(without_items(bytes, &outline, &["servers", name])?),
    };
    server(value, Path::default(), Digests::Verified).ok().map(Some)
}

fn without_items(bytes: &[u8], outline: &Outline<'_>, server: &[&str]) -> Option<Object> {
    let is_item = |key: &str| Kind::ALL.iter().any(|kind| kind.key() == key);
    let others = outline.members_at(server).filter(|member| !is_item(&member.key));
    others.map(|member| Some((&*member.key, json::parse(&bytes[member.span.clone()]).ok()?))).collect()
}

fn read(bytes: &[u8], digests: Digests) -> Result<Lockfile, LockError> {
    let value = match json::parse(bytes) {
        Ok(value) => value,
        Err(refusal) => {
            let text = String::from_utf8_lossy(bytes);
            // No line of valid JSON starts like that: strings cannot hold a line break.
            let marker = |line: &str| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>");
            return Err(match text.lines().position(marker) {
                Some(index) => LockError::Conflict { line: index + 1 },
                None => LockError::Json { line: place::line_at(&text, refusal.offset), refusal },
            });
        }
    };
    file(value, digests).map_err(|mut error| {
        if let Some(place) = error.place_mut() {
            let text = String::from_utf8_lossy(bytes);
            place.line = place::line_of(&text, &place.path);
        }
        error
    })
}

/// The members of one object while it is read; what nobody took is unknown.
pub(super) struct Fields {
    members: Object,
    path: Path,
}

impl Fields {
    /// Opens a value that has to be an object.
    pub(super) fn open(value: Value, path: Path) -> Result<Self, LockError> {
        match value {
            Value::Object(members) => Ok(Self { members, path }),
            other => Err(shape(path, "an object", other.kind())),
        }
    }

    /// The path of a member.
    pub(super) fn path(&self, key: &str) -> Path {
        self.path.join(Step::Key(key.to_owned()))
    }

    /// Takes a member that may be missing.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.members.remove(key)
    }

    /// Takes a member that must be there.
    pub(super) fn need(&mut self, key: &str) -> Result<Value, LockError> {
        self.take(key).ok_or_else(|| shape(self.path(key), "this field", "nothing"))
    }

    /// Takes a string that must be there.
    pub(super) fn text(&mut self, key: &str) -> Result<String, LockError> {
        let value = self.need(key)?;
        text(value, || self.path(key))
    }

    /// Takes a string that may be missing.
    pub(super) fn text_or_none(&mut self, key: &str) -> Result<Option<String>, LockError> {
        self.take(key).map(|value| text(value, || self.path(key))).transpose()
    }

    /// Takes a truth value that must be there.
    pub(super) fn truth(&mut self, key: &str) -> Result<bool, LockError> {
        let value = self.need(key)?;
        value.as_bool().ok_or_else(|| shape(self.path(key), "true or false", value.kind()))
    }

    /// Takes a digest that must be there.
    pub(super) fn digest(&mut self, key: &str) -> Result<Digest, LockError> {
        let text = self.text(key)?;
        let expected = "\"blake3:\" and 64 lower-case hexadecimal digits";
        Digest::from_str(&text).map_err(|_| shape(self.path(key), expected, "another text"))
    }

    /// Takes an array of strings; none if it is missing.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, LockError> {
        let items = match self.take(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(shape(self.path(key), "an array of strings", other.kind())),
        };
        let read = |(index, item)| text(item, || self.path(key).join(Step::Index(index)));
        items.into_iter().enumerate().map(read).collect()
    }

    /// Takes an object of strings; none if it is missing.
    pub(super) fn text_map(&mut self, key: &str) -> Result<BTreeMap<String, String>, LockError> {
        let path = self.path(key);
        let Some(value) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let map = Fields::open(value, path)?;
        let path = map.path.clone();
        let read = |(key, value): (String, Value)| {
            let value = text(value, || path.join(Step::Key(key.clone())))?;
            Ok((key, value))
        };
        map.members.into_iter().map(read).collect()
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Object {
        self.members
    }
}

/// A refusal for a value of the wrong shape.
pub(super) fn shape(path: Path, expected: &'static str, found: &'static str) -> LockError {
    LockError::Shape { place: Place::from(path), expected, found }
}

fn text(value: Value, path: impl FnOnce() -> Path) -> Result<String, LockError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(shape(path(), "a string", other.kind())),
    }
}

fn file(value: Value, digests: Digests) -> Result<Lockfile, LockError> {
    let mut fields = Fields::open(value, Path::default())?;
    let version = fields.need("version")?;
    let path = fields.path("version");
    let number = version.as_f64().filter(|number| *number >= 1.0 && number.fract() == 0.0);
    let number = number.ok_or_else(|| shape(path.clone(), "a version number", version.kind()))?;
    // Strict values hold integers up to 2^53-1 only.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let found = number as u64;
    if found > u64::from(VERSION) {
        return Err(LockError::Newer { place: path.into(), found });
    }
    let path = fields.path("servers");
    let servers = Fields::open(fields.need("servers")?, path)?;
    let mut lockfile = Lockfile { unknown: fields.rest(), ..Lockfile::default() };
    let path = servers.path.clone();
    for (name, value) in servers.members {
        let path = path.join(Step::Key(name.clone()));
        lockfile.servers.insert(name, server(value, path, digests)?);
    }
    Ok(lockfile)
}

fn server(value: Value, path: Path, digests: Digests) -> Result<ServerPin, LockError> {
    let mut fields = Fields::open(value, path)?;
    let mut unknown = Object::new();

    let path = fields.path("launch");
    let (launch, rest) = sealed(Tag::Launch, fields.need("launch")?, path, LaunchPin::read, digests)?;
    keep(&mut unknown, "launch", rest);

    let mut artifacts = BTreeMap::new();
    let mut rests = Object::new();
    let path = fields.path("artifacts");
    for (platform, value) in members(fields.take("artifacts"), &path)? {
        let path = path.join(Step::Key(platform.clone()));
        let (artifact, rest) = sealed(Tag::Artifact, value, path, Artifact::read, digests)?;
        keep(&mut rests, &platform, rest);
        artifacts.insert(platform, artifact);
    }
    keep(&mut unknown, "artifacts", rests);

    let protocol = fields.text("protocol")?;
    let open = open_kinds(&mut fields)?;

    let mut items = BTreeMap::new();
    for kind in Kind::ALL {
        let path = fields.path(kind.key());
        let Some(value) = fields.take(kind.key()) else {
            continue;
        };
        if kind.is_single() {
            let (pin, rest) = pin(ItemKey::single(kind), value, path, digests)?;
            keep(&mut unknown, kind.key(), rest);
            items.insert(ItemKey::single(kind), pin);
            continue;
        }
        let mut rests = Object::new();
        for (name, value) in members(Some(value), &path)? {
            let path = path.join(Step::Key(name.clone()));
            let key = ItemKey::new(kind, name);
            let (pin, rest) = pin(key.clone(), value, path, digests)?;
            keep(&mut rests, &key.name, rest);
            items.insert(key, pin);
        }
        keep(&mut unknown, kind.key(), rests);
    }
    for (key, value) in fields.rest() {
        unknown.insert(key, value);
    }
    Ok(ServerPin { launch, artifacts, protocol, items, open, unknown })
}

fn open_kinds(fields: &mut Fields) -> Result<BTreeSet<Kind>, LockError> {
    let path = fields.path("open");
    let mut open = BTreeSet::new();
    for (index, name) in fields.texts("open")?.into_iter().enumerate() {
        if name != Kind::Resource.key() {
            let path = path.join(Step::Index(index));
            return Err(shape(path, "\"resources\", the only list that can be open", "another text"));
        }
        open.insert(Kind::Resource);
    }
    Ok(open)
}

/// Reads a launch or an artifact and verifies its digest, which covers unknown members too.
fn sealed<T>(
    tag: Tag,
    value: Value,
    path: Path,
    read: fn(&mut Fields) -> Result<T, LockError>,
    digests: Digests,
) -> Result<(T, Object), LockError> {
    let mut fields = Fields::open(value, path)?;
    let written = fields.digest("digest")?;
    let whole = || Value::Object(fields.members.clone());
    verify(written, || Digest::of(tag, &whole()), || fields.path("digest"), digests)?;
    let value = read(&mut fields)?;
    Ok((value, fields.rest()))
}

fn pin(key: ItemKey, value: Value, path: Path, digests: Digests) -> Result<(Pin, Object), LockError> {
    let mut fields = Fields::open(value, path)?;
    let variants = match fields.take("variants") {
        None => Vec::new(),
        Some(Value::Array(variants)) => variants,
        Some(other) => return Err(shape(fields.path("variants"), "an array", other.kind())),
    };
    let path = if variants.is_empty() { Path::default() } else { fields.path("variants") };
    let first = definition(&key, &mut fields, digests)?;
    let rest = fields.rest();
    let mut read = vec![(first, Object::new())];
    for (index, value) in variants.into_iter().enumerate() {
        let path = path.join(Step::Index(index));
        let mut fields = Fields::open(value, path.clone())?;
        let variant = definition(&key, &mut fields, digests)?;
        if read.iter().any(|(other, _)| other.when == variant.when) {
            return Err(LockError::SameCondition { place: path.into() });
        }
        read.push((variant, fields.rest()));
    }
    finish_pin(read, rest)
}

/// Puts definitions into the order in which they are rendered, unknown members with them.
fn finish_pin(mut read: Vec<(Definition, Object)>, mut rest: Object) -> Result<(Pin, Object), LockError> {
    read.sort_by(|a, b| a.0.when.cmp(&b.0.when));
    let mut rests = Object::new();
    let mut definitions = Vec::with_capacity(read.len());
    for (index, (definition, unknown)) in read.into_iter().enumerate() {
        match index.checked_sub(1) {
            Some(index) => keep(&mut rests, &index.to_string(), unknown),
            None => unknown.into_iter().for_each(|(key, value)| {
                rest.insert(key, value);
            }),
        }
        definitions.push(definition);
    }
    keep(&mut rest, "variants", rests);
    Ok((Pin { definitions }, rest))
}

fn definition(key: &ItemKey, fields: &mut Fields, digests: Digests) -> Result<Definition, LockError> {
    let value = fields.need("definition")?;
    let digest = fields.digest("digest")?;
    verify(digest, || Surface::digest_item(key.kind, &value), || fields.path("digest"), digests)?;
    if let Some(field) = key.kind.name_field() {
        let path = || fields.path("definition").join(Step::Key(field.to_owned()));
        let name = value.get(field).and_then(Value::as_str);
        let name = name.ok_or_else(|| shape(path(), "the item's name", "nothing"))?;
        if name != key.name {
            return Err(LockError::Misnamed { place: path().into() });
        }
    }
    let when = fields.take("when").map(|value| condition(value, fields.path("when"))).transpose()?;
    Ok(Definition { when, digest, value })
}

fn condition(value: Value, path: Path) -> Result<Condition, LockError> {
    let expected = "{\"platform\": …} or {\"client\": \"full\" or \"empty\"} and nothing else";
    let unknown = |found| shape(path.clone(), expected, found);
    let object = value.as_object().ok_or_else(|| unknown(value.kind()))?;
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some(("platform", Value::String(platform))), None) => Ok(Condition::Platform(platform.clone())),
        (Some(("client", Value::String(client))), None) if client == "full" => Ok(Condition::FullClient),
        (Some(("client", Value::String(client))), None) if client == "empty" => Ok(Condition::EmptyClient),
        _ => Err(unknown("another condition")),
    }
}

fn verify(
    written: Digest,
    compute: impl FnOnce() -> Digest,
    path: impl FnOnce() -> Path,
    digests: Digests,
) -> Result<(), LockError> {
    let computed = match digests {
        Digests::Verify => compute(),
        Digests::Verified => written,
    };
    if written == computed {
        return Ok(());
    }
    Err(LockError::Damaged { place: path().into(), written, computed })
}

fn members(value: Option<Value>, path: &Path) -> Result<Object, LockError> {
    value.map_or(Ok(Object::new()), |value| Ok(Fields::open(value, path.clone())?.members))
}

fn keep(unknown: &mut Object, key: &str, rest: Object) {
    if !rest.is_empty() {
        unknown.insert(key, rest);
    }
}
