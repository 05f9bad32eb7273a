//! Tests of the offers: addressed by content, bounded, evidence kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sys::paths::Os;

fn offers(folder: &tempfile::TempDir) -> Offers {
    let home = folder.path().to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    Offers::of(&paths)
}

/// Keeps bytes as if they had been kept so many seconds ago.
fn put_ago(offers: &Offers, bytes: &[u8], seconds: u64) -> Digest {
    let digest = offers.put(Tag::Offer, bytes).unwrap();
    let file = File::options().write(true).open(offers.path(&digest)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    digest
}

fn is_kept(offers: &Offers, digest: &Digest) -> bool {
    offers.path(digest).exists()
}

#[test]
fn what_is_read_is_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let offers = offers(&folder);
    let digest = offers.put(Tag::Offer, b"shown").unwrap();
    assert_eq!(offers.put(Tag::Offer, b"shown").unwrap(), digest);
    assert_eq!(offers.get(Tag::Offer, &digest).unwrap().unwrap(), b"shown");
    assert!(matches!(offers.get(Tag::Lock, &digest), Err(OffersError::Damaged { .. })));
    assert!(offers.get(Tag::Offer, &Digest::of_bytes(Tag::Offer, b"other")).unwrap().is_none());
    fs::write(offers.path(&digest), b"swapped").unwrap();
    assert!(matches!(offers.get(Tag::Offer, &digest), Err(OffersError::Damaged { .. })));
    // Keeping it again repairs it.
    offers.put(Tag::Offer, b"shown").unwrap();
    assert_eq!(offers.get(Tag::Offer, &digest).unwrap().unwrap(), b"shown");
}

#[test]
fn the_oldest_make_room_and_evidence_never_does() {
    let folder = tempfile::tempdir().unwrap();
    let offers = offers(&folder).with_bounds(30, 3);
    let evidence = put_ago(&offers, b"evidence", 500);
    offers.hold(&evidence).unwrap();
    let old = put_ago(&offers, b"old", 400);
    let young = put_ago(&offers, b"young", 300);
    let next = put_ago(&offers, b"next", 200);
    assert!(is_kept(&offers, &evidence) && !is_kept(&offers, &old));
    assert!(is_kept(&offers, &young) && is_kept(&offers, &next));
    // Bytes count as well as files.
    let large = put_ago(&offers, &[b'x'; 20], 100);
    assert!(is_kept(&offers, &evidence) && is_kept(&offers, &large) && !is_kept(&offers, &next));
    offers.hold(&large).unwrap();
    assert!(matches!(offers.put(Tag::Offer, b"no room"), Err(OffersError::Full { .. })));
    offers.release(&evidence).unwrap();
    offers.put(Tag::Offer, b"room").unwrap();
    assert!(!is_kept(&offers, &evidence) && is_kept(&offers, &large));
}

#[cfg(unix)]
#[test]
fn offers_are_private() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let offers = offers(&folder);
    let digest = offers.put(Tag::Offer, b"shown").unwrap();
    assert_eq!(fs::metadata(offers.path(&digest)).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&offers.folder).unwrap().mode() & 0o777, 0o700);
}
