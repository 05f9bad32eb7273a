//! Tests of the backups of clients' files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sys::paths::Os;
use std::fs;

struct Place {
    folder: tempfile::TempDir,
    paths: Paths,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home").to_str().unwrap().to_owned();
    let paths = Paths::of(Os::current(), &[("MCPWATCH_HOME".to_owned(), home)].into()).unwrap();
    Place { folder, paths }
}

#[test]
fn a_backup_comes_back_until_it_is_forgotten() {
    let place = place();
    let (wraps, file) = (Wraps::of(&place.paths), place.folder.path().join("mcp.json"));
    assert_eq!(wraps.get(&file).unwrap(), None);
    wraps.record(&file, b"plain", b"wrapped", &[], 1).unwrap();
    let back = |current: &[u8]| wraps.backup(&file, current).unwrap();
    assert_eq!(back(b"wrapped"), Some((b"plain".to_vec(), Since::Untouched)));
    assert_eq!(back(b"edited"), Some((b"plain".to_vec(), Since::Edited)));
    // A second entry of the same file is wrapped: the first backup stays.
    wraps.record(&file, b"wrapped", b"wrapped twice", &[], 2).unwrap();
    assert_eq!(back(b"wrapped twice"), Some((b"plain".to_vec(), Since::Untouched)));
    // Edited by its owner and wrapped again: what the owner wrote is the backup.
    wraps.record(&file, b"edited", b"edited and wrapped", &[], 3).unwrap();
    assert_eq!(back(b"edited and wrapped"), Some((b"edited".to_vec(), Since::Untouched)));
    wraps.forget(&file).unwrap();
    assert_eq!(back(b"wrapped"), None);
    assert_eq!(wraps.all().unwrap().len(), 0);
    assert_eq!(fs::read_dir(place.paths.wraps_dir()).unwrap().count(), 1, "only the index stays");
    wraps.forget(&file).unwrap();
}

#[test]
fn a_damaged_backup_is_an_error() {
    let place = place();
    let (wraps, file) = (Wraps::of(&place.paths), place.folder.path().join("mcp.json"));
    wraps.record(&file, b"plain", b"wrapped", &[], 1).unwrap();
    fs::write(wraps.backup_file(&files::resolve(&file)), b"swapped").unwrap();
    assert!(matches!(wraps.backup(&file, b"wrapped"), Err(StoreError::Damaged { .. })));
    fs::write(wraps.index_file(), b"{").unwrap();
    assert!(matches!(wraps.all(), Err(StoreError::NotJson { .. })));
    assert!(wraps.record(&file, b"a", b"b", &[], 2).is_err());
    assert_eq!(fs::read(wraps.index_file()).unwrap(), b"{");
}

#[cfg(unix)]
#[test]
fn a_link_and_its_file_are_one() {
    use std::os::unix::fs::{MetadataExt, symlink};
    let place = place();
    let (wraps, file) = (Wraps::of(&place.paths), place.folder.path().join("mcp.json"));
    fs::write(&file, b"plain").unwrap();
    let link = place.folder.path().join("link.json");
    symlink(&file, &link).unwrap();
    wraps.record(&link, b"plain", b"wrapped", &[], 1).unwrap();
    assert!(wraps.get(&file).unwrap().is_some());
    let backup = wraps.backup_file(&files::resolve(&file));
    assert_eq!(fs::metadata(backup).unwrap().mode() & 0o777, 0o600);
}
