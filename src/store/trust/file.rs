//! The trust store's file, format version 1.
//!
//! ```json
//! {
//!   "accepted": {"settings": "blake3:…"},
//!   "allowsBrought": false,
//!   "denials": [{"at": 0, "digest": "blake3:…", "how": "rejected", "kind": "tools", "name": "x", "server": "s"}],
//!   "grants": [{"at": 0, "definition": {…}, "digest": "blake3:…", "key": …, "lifetime": "once", "lock": "/…"}],
//!   "key": "64 hexadecimal digits",
//!   "level": "terminal",
//!   "locks": {"/home/ann/p/mcp.lock": {"at": 0, "digest": "blake3:…", "level": "terminal"}},
//!   "logged": {"link": "blake3:…", "seq": 12},
//!   "values": {"/home/ann/p/mcp.lock": {"github": {"env.TOKEN": "blake3:…"}}},
//!   "version": 1
//! }
//! ```
//!
//! A denial's `part` is `launch` or `artifact` (with `platform`) instead of `kind` and `name`. Every
//! digest of a granted definition is verified on reading.

use super::{Denial, Denied, Grant, Subject, Trust, Trusted, Values};
use crate::engine::approval::Lifetime;
use crate::engine::json::{Object, Value};
use crate::engine::lockfile::{Condition, Definition};
use crate::engine::surface::{ItemKey, Kind, Surface};
use crate::store::format::{self, Reader, StoreError, count, path_text};
use crate::sys::files;
use crate::sys::paths::Paths;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

pub(super) fn load(file: &Path) -> Result<Option<Trust>, StoreError> {
    let Some(mut reader) = format::open(file, VERSION)? else { return Ok(None) };
    let key = reader.text("key")?;
    let key = hex(&key).ok_or_else(|| reader.damaged("key", "64 hexadecimal digits"))?;
    let mut trust = Trust::with_key(key);
    trust.level = reader.parsed("level", "a level")?;
    trust.allows_brought = reader.truth("allowsBrought")?;
    for (path, value, place) in reader.map("locks")? {
        let mut entry = Reader::open(file, place, value)?;
        let trusted = Trusted {
            digest: entry.digest("digest")?,
            replaces: entry.digest_or_none("replaces")?,
            at: entry.count("at")?,
            level: entry.parsed("level", "a level")?,
        };
        trust.locks.insert(PathBuf::from(path), trusted);
    }
    for entry in reader.list("denials")? {
        trust.denials.push(denial(entry)?);
    }
    for entry in reader.list("grants")? {
        trust.grants.push(grant(entry)?);
    }
    for (path, value, place) in reader.map("values")? {
        let mut servers = BTreeMap::new();
        let mut entry = Reader::open(file, place, Object::from_iter([("servers", value)]).into())?;
        for (server, value, place) in entry.map("servers")? {
            servers.insert(server, digests(Reader::open(file, place, value)?)?);
        }
        trust.values.insert(PathBuf::from(path), servers);
    }
    let accepted = reader.take("accepted").unwrap_or_else(|| Object::new().into());
    trust.accepted = digests(Reader::open(file, Default::default(), accepted)?)?;
    if let Some(logged) = reader.take("logged") {
        let mut logged = Reader::open(file, Default::default(), logged)?;
        trust.logged = Some((logged.count("seq")?, logged.digest("link")?));
    }
    trust.unknown = reader.rest();
    Ok(Some(trust))
}

/// The bytes of a store.
pub(super) fn render(trust: &Trust) -> Result<Vec<u8>, StoreError> {
    let mut out = trust.unknown.clone();
    out.insert("key", trust.key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    out.insert("level", trust.level.to_string());
    out.insert("allowsBrought", trust.allows_brought);
    let mut locks = Object::new();
    for (path, trusted) in &trust.locks {
        let mut entry = Object::new();
        entry.insert("digest", trusted.digest.to_string());
        entry.insert("at", count(trusted.at));
        entry.insert("level", trusted.level.to_string());
        if let Some(replaces) = trusted.replaces {
            entry.insert("replaces", replaces.to_string());
        }
        locks.insert(path_text(path)?, entry);
    }
    out.insert("locks", locks);
    let denials: Vec<Value> = trust.denials.iter().map(denial_value).collect();
    out.insert("denials", denials);
    let grants: Result<Vec<Value>, StoreError> = trust.grants.iter().map(grant_value).collect();
    out.insert("grants", grants?);
    let mut values = Object::new();
    for (path, servers) in &trust.values {
        let servers: Object =
            servers.iter().map(|(server, values)| (server.as_str(), digests_value(values))).collect();
        values.insert(path_text(path)?, servers);
    }
    out.insert("values", values);
    out.insert("accepted", digests_value(&trust.accepted));
    if let Some((seq, link)) = trust.logged {
        let mut logged = Object::new();
        logged.insert("link", link.to_string());
        logged.insert("seq", count(seq));
        out.insert("logged", logged);
    }
    Ok(format::render(VERSION, out))
}

/// Where this account's store is, if a variable has put it elsewhere.
pub(super) fn elsewhere(account: &Paths) -> Result<Option<PathBuf>, StoreError> {
    let note = account.elsewhere_file();
    let Some(mut reader) = format::open(&note, VERSION)? else { return Ok(None) };
    Ok(Some(PathBuf::from(reader.text("store")?)))
}

/// Notes where this account's store and our other directories are, unless they are where they would be
/// anyway or there is a store there.
pub(super) fn note_elsewhere(account: &Paths, paths: &Paths) -> Result<(), StoreError> {
    let store = paths.trust_file();
    let is_there = store == account.trust_file() || account.trust_file().exists();
    let note = account.elsewhere_file();
    if is_there || is_noted(account, paths)? {
        return Ok(());
    }
    let mut members = paths.note().unwrap_or_default();
    members.insert("store", path_text(&store)?);
    format::save(&note, VERSION, members)
}

fn is_noted(account: &Paths, paths: &Paths) -> Result<bool, StoreError> {
    let Some(bytes) = files::read_private(&account.elsewhere_file(), files::LIMIT)? else { return Ok(false) };
    Ok(Paths::from_note(account, &bytes).is_some_and(|noted| noted.note() == paths.note()))
}

fn digests(mut reader: Reader<'_>) -> Result<Values, StoreError> {
    let keys: Vec<String> = reader.keys();
    keys.into_iter()
        .map(|key| {
            let digest = reader.digest(&key)?;
            Ok((key, digest))
        })
        .collect()
}

fn digests_value(values: &Values) -> Object {
    values.iter().map(|(place, digest)| (place.as_str(), digest.to_string())).collect()
}

fn denial(mut entry: Reader<'_>) -> Result<Denial, StoreError> {
    let subject = match entry.text_or_none("part")?.as_deref() {
        None => Subject::Item(key(&mut entry)?),
        Some("launch") => Subject::Launch,
        Some("artifact") => Subject::Artifact(entry.text("platform")?),
        Some(_) => return Err(entry.damaged("part", "\"launch\" or \"artifact\"")),
    };
    let how = match entry.text("how")?.as_str() {
        "rejected" => Denied::Rejected,
        "revoked" => Denied::Revoked,
        _ => return Err(entry.damaged("how", "\"rejected\" or \"revoked\"")),
    };
    let (server, digest, at) = (entry.text("server")?, entry.digest("digest")?, entry.count("at")?);
    Ok(Denial { server, subject, digest, how, at })
}

fn denial_value(denial: &Denial) -> Value {
    let mut out = Object::new();
    match &denial.subject {
        Subject::Item(key) => insert_key(&mut out, key),
        Subject::Launch => {
            out.insert("part", "launch");
        }
        Subject::Artifact(platform) => {
            out.insert("part", "artifact");
            out.insert("platform", platform.as_str());
        }
    }
    out.insert("server", denial.server.as_str());
    out.insert("digest", denial.digest.to_string());
    out.insert("how", if denial.how == Denied::Rejected { "rejected" } else { "revoked" });
    out.insert("at", count(denial.at));
    out.into()
}

fn grant(mut entry: Reader<'_>) -> Result<Grant, StoreError> {
    let key = key(&mut entry)?;
    let value = entry.take("definition").ok_or_else(|| entry.damaged("definition", "a definition"))?;
    let digest = entry.digest("digest")?;
    if Surface::digest_item(key.kind, &value) != digest {
        return Err(entry.damaged("digest", "the digest of the definition"));
    }
    let when = match (entry.text_or_none("platform")?, entry.text_or_none("client")?.as_deref()) {
        (None, None) => None,
        (Some(platform), None) => Some(Condition::Platform(platform)),
        (None, Some("full")) => Some(Condition::FullClient),
        (None, Some("empty")) => Some(Condition::EmptyClient),
        _ => return Err(entry.damaged("client", "one condition")),
    };
    let lifetime: Lifetime = entry.parsed("lifetime", "\"once\" or a date")?;
    if lifetime == Lifetime::UntilChange {
        return Err(entry.damaged("lifetime", "\"once\" or a date"));
    }
    Ok(Grant {
        lock: PathBuf::from(entry.text("lock")?),
        server: entry.text("server")?,
        key,
        definition: Definition { when, digest, value },
        lifetime,
        session: entry.text_or_none("session")?,
        at: entry.count("at")?,
    })
}

fn grant_value(grant: &Grant) -> Result<Value, StoreError> {
    let mut out = Object::new();
    insert_key(&mut out, &grant.key);
    out.insert("definition", grant.definition.value.clone());
    out.insert("digest", grant.definition.digest.to_string());
    match &grant.definition.when {
        None => None,
        Some(Condition::Platform(platform)) => out.insert("platform", platform.as_str()),
        Some(Condition::FullClient) => out.insert("client", "full"),
        Some(Condition::EmptyClient) => out.insert("client", "empty"),
    };
    out.insert("lifetime", grant.lifetime.to_string());
    out.insert("lock", path_text(&grant.lock)?);
    out.insert("server", grant.server.as_str());
    if let Some(session) = &grant.session {
        out.insert("session", session.as_str());
    }
    out.insert("at", count(grant.at));
    Ok(out.into())
}

fn key(entry: &mut Reader<'_>) -> Result<ItemKey, StoreError> {
    let kind: Kind = entry.parsed("kind", "a kind of item")?;
    Ok(ItemKey::new(kind, entry.text("name")?))
}

fn insert_key(out: &mut Object, key: &ItemKey) {
    out.insert("kind", key.kind.key());
    out.insert("name", key.name.as_str());
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(key)
}
