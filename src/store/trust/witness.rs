//! A second place that knows what the trust store is, so that one that was edited by hand or replaced by
//! an older one is noticed.
//!
//! One small file in another folder holds the digest of the store's bytes: of the next ones as well
//! while they are being written, so that a crash accuses nobody. Does not stop who edits both.

use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{Object, Value};
use crate::store::format::{self, StoreError};
use crate::sys::files;
use crate::sys::paths::Paths;
use std::path::Path;

const VERSION: u32 = 1;

/// Notes the bytes that the store is about to become, beside those that it is.
pub(super) fn announce(paths: &Paths, next: &[u8]) -> Result<(), StoreError> {
    let now = files::read_private(&paths.trust_file(), files::LIMIT)?;
    let known = now.as_deref().map(digest).filter(|now| is_noted(paths, now).unwrap_or(true));
    write(&paths.trust_note(), known.into_iter().chain([digest(next)]))
}

/// Notes that it is these bytes now and no others.
pub(super) fn confirm(paths: &Paths, bytes: &[u8]) {
    // Without it the bytes before count too, until the next decision.
    let _ = write(&paths.trust_note(), [digest(bytes)].into_iter());
}

/// Whether the store is as we wrote it; also where there is nothing to compare it with.
pub fn is_as_written(paths: &Paths) -> bool {
    match files::read_private(&paths.trust_file(), files::LIMIT) {
        Ok(Some(bytes)) => is_noted(paths, &digest(&bytes)).unwrap_or(true),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// `None` where nothing is noted.
fn is_noted(paths: &Paths, store: &Digest) -> Option<bool> {
    let note = paths.trust_note();
    let mut reader = format::open(&note, VERSION).ok()??;
    let digests = reader.take("digests")?;
    let is_it = |value: &Value| value.as_str().is_some_and(|text| text == store.to_string());
    Some(digests.as_array()?.iter().any(is_it))
}

fn write(note: &Path, digests: impl Iterator<Item = Digest>) -> Result<(), StoreError> {
    let digests: Vec<Value> = digests.map(|digest| Value::from(digest.to_string())).collect();
    let mut members = Object::new();
    members.insert("digests", digests);
    format::save(note, VERSION, members)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of_bytes(Tag::File, bytes)
}
