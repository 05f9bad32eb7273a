//! The pipe's name, its access list, and who may speak there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Wine 8 heeds neither a pipe's access list nor the flag of its first instance.
fn is_wine() -> bool {
    Path::new(r"C:\windows\system32\winecfg.exe").exists()
}

/// What connecting gives to us, who made the pipe with this access list.
async fn check(access: &str, expected: &str) {
    let place = tempfile::tempdir().unwrap();
    let _listener = Listener::bind_for(place.path(), access).unwrap();
    let given = match connect(place.path()).await {
        Ok(_) => "admitted".to_owned(),
        Err(IpcError::Stranger { .. }) => "refused".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(given, expected, "{access}");
}

#[tokio::test]
async fn the_access_list_decides() {
    check(OWNER_ONLY, "admitted").await;
    if is_wine() {
        eprintln!("not run: the_access_list_decides (Wine opens a pipe for everybody)");
        return;
    }
    // Nobody; and accounts that are not ours: the guest, and another of some domain.
    for access in
        ["D:P", "D:P(A;;GA;;;BG)", "D:P(A;;GA;;;S-1-5-21-1-2-3-1001)", "D:P(D;;GA;;;WD)(A;;GA;;;OW)"]
    {
        check(access, "refused").await;
    }
}

#[tokio::test]
async fn the_pipe_belongs_to_its_folder_and_goes_with_its_listener() {
    let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(matches!(connect(place.path()).await, Err(IpcError::NoDaemon)));
    let listener = Listener::bind(place.path()).unwrap();
    assert!(matches!(connect(other.path()).await, Err(IpcError::NoDaemon)));
    let (near, far) = tokio::join!(connect(place.path()), listener.accept());
    let (mut near, mut far) = (near.unwrap(), far.unwrap().unwrap());
    near.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
    drop((near, far, listener));
    assert!(matches!(connect(place.path()).await, Err(IpcError::NoDaemon)));
}

/// Whoever took the name first keeps it, and the second one is told: it is not served by a stranger's pipe.
#[tokio::test]
async fn the_first_instance_must_be_our_own() {
    if is_wine() {
        eprintln!("not run: the_first_instance_must_be_our_own (Wine lets anybody add an instance)");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let first = Listener::bind_for(place.path(), "D:P(A;;GA;;;WD)").unwrap();
    assert!(matches!(Listener::bind(place.path()), Err(IpcError::Socket { .. })));
    drop(first);
    drop(Listener::bind(place.path()).unwrap());
}
