//! The socket's folder, its rights, and who may speak there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What binding in a folder gives, in words.
fn bind(folder: &Path) -> String {
    Listener::bind(folder).map_or_else(|error| error.to_string(), |_| "bound".to_owned())
}

#[tokio::test]
async fn a_folder_must_be_ours_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    assert_eq!(bind(&folder), "bound");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for open in [0o701, 0o710, 0o770, 0o755] {
        mode(&folder, open);
        assert!(bind(&folder).ends_with("other accounts may enter it"), "{open:o}");
    }
    mode(&folder, 0o700);
    let link = place.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(bind(&link).ends_with("it is a link or no folder"));
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Listener::bind(&file).is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_of_another_account_is_refused() {
    if !Uid::effective().is_root() {
        eprintln!("not run: a_folder_of_another_account_is_refused (not root)");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    mode(place.path(), 0o700);
    std::os::unix::fs::chown(place.path(), Some(12345), None).unwrap();
    assert!(bind(place.path()).ends_with("another account owns it"));
    assert!(matches!(connect(place.path()).await, Err(IpcError::Folder { .. })));
}

#[tokio::test]
async fn the_socket_is_private_and_goes_with_its_listener() {
    let place = tempfile::tempdir().unwrap();
    mode(place.path(), 0o700);
    assert!(matches!(connect(place.path()).await, Err(IpcError::NoDaemon)));
    let listener = Listener::bind(place.path()).unwrap();
    assert_eq!(fs::symlink_metadata(listener.path()).unwrap().permissions().mode() & 0o777, 0o600);
    let (near, far) = tokio::join!(connect(place.path()), listener.accept());
    near.unwrap();
    assert!(far.unwrap().is_some());
    let path = listener.path().to_owned();
    drop(listener);
    assert!(!path.exists());
    // A dead daemon's socket is replaced; anything else under its name is not.
    std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(matches!(connect(place.path()).await, Err(IpcError::NoDaemon)));
    drop(Listener::bind(place.path()).unwrap());
    fs::write(&path, "precious").unwrap();
    assert!(bind(place.path()).ends_with("something that is no socket has its name"));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("x".repeat(120)).join("run");
    let listener = Listener::bind(&folder).unwrap();
    let (near, far) = tokio::join!(connect(&folder), listener.accept());
    assert!(near.is_ok() && far.unwrap().is_some());
}
