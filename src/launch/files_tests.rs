//! Digests that are taken once, and again whenever anything touched the file.

#![allow(clippy::unwrap_used)]

use super::Digests;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

/// Writes other bytes of the same length, and gives the file back the time it had.
fn change_secretly(path: &Path, bytes: &[u8]) {
    let before = fs::metadata(path).unwrap().modified().unwrap();
    fs::write(path, bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
    assert_eq!(fs::metadata(path).unwrap().modified().unwrap(), before);
}

#[test]
fn a_file_that_anything_touched_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("server"), folder.path().join("other"));
    fs::write(&path, "one").unwrap();
    let digests = Digests::default();
    // One that was just written is not remembered: another change would leave the same times.
    let one = digests.of(&path).unwrap();
    assert!(digests.known().is_empty());
    change_secretly(&path, b"two");
    let two = digests.of(&path).unwrap();
    assert_ne!(one, two);
    std::thread::sleep(Duration::from_millis(3_100));
    assert_eq!(digests.of(&path).unwrap(), two);
    assert_eq!(digests.known().len(), usize::from(cfg!(unix)));
    assert_eq!(digests.of(&path).unwrap(), two);
    change_secretly(&path, b"one");
    assert_eq!(digests.of(&path).unwrap(), one);
    // Another file in its place, as package managers put it there.
    fs::write(&other, "two").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(digests.of(&path).unwrap(), two);
    digests.forget();
    assert!(digests.known().is_empty());
    fs::remove_file(&path).unwrap();
    assert!(digests.of(&path).is_err());
}
