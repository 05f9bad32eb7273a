//! Which changes of files are heard.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::fs;
use tokio::time::timeout;

fn files() -> Files {
    Files::new(Duration::from_millis(50), Duration::from_secs(60))
}

async fn hears(files: &mut Files, within: u64) -> bool {
    timeout(Duration::from_millis(within), files.changed()).await.is_ok()
}

// Elsewhere a watched folder cannot be removed, and changes come later.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_appears_changes_or_is_replaced_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (file, deep) = (base.join("mcp.json"), base.join("new/deep/mcp.json"));
    let mut files = files();
    files.set(&BTreeSet::from([file.clone(), deep.clone()]));
    assert!(!hears(&mut files, 100).await, "nothing happened yet");
    fs::write(&file, "1").unwrap();
    assert!(hears(&mut files, 3000).await, "it appeared");
    fs::write(base.join("other"), "1").unwrap();
    fs::read(&file).unwrap();
    assert!(!hears(&mut files, 300).await, "another file does not count, nor reading this one");
    fs::write(&file, "2").unwrap();
    assert!(hears(&mut files, 3000).await, "it was written");
    fs::write(base.join("temporary"), "3").unwrap();
    fs::rename(base.join("temporary"), &file).unwrap();
    assert!(hears(&mut files, 3000).await, "it was replaced");
    fs::write(&file, "4").unwrap();
    assert!(hears(&mut files, 3000).await, "what replaced it was written");
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    assert!(hears(&mut files, 3000).await, "the way to it appeared");
    fs::write(&deep, "1").unwrap();
    assert!(hears(&mut files, 3000).await, "it appeared in a new folder");
    fs::remove_dir_all(base.join("new")).unwrap();
    assert!(hears(&mut files, 3000).await, "it went with its folder");
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    assert!(hears(&mut files, 3000).await, "the folder came back");
    fs::write(&deep, "2").unwrap();
    assert!(hears(&mut files, 3000).await, "and the file in it");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_link_leads_to_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let (link, real) = (folder.path().join("link.json"), folder.path().join("dotfiles/real.json"));
    fs::create_dir(real.parent().unwrap()).unwrap();
    fs::write(&real, "1").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut files = files();
    files.set(&BTreeSet::from([link]));
    fs::write(&real, "2").unwrap();
    assert!(hears(&mut files, 3000).await, "written behind the link");
    fs::write(real.with_extension("new"), "3").unwrap();
    fs::rename(real.with_extension("new"), &real).unwrap();
    assert!(hears(&mut files, 3000).await, "replaced behind the link");
    fs::write(&real, "4").unwrap();
    assert!(hears(&mut files, 3000).await, "and written again");
}

/// As package managers do that keep every version beside the others.
#[cfg(unix)]
#[tokio::test]
async fn a_folder_behind_a_link_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    for version in ["1", "2"] {
        fs::create_dir_all(base.join(version).join("dist")).unwrap();
        fs::write(base.join(version).join("dist/index.js"), version).unwrap();
    }
    let place = |version: &str| {
        std::os::unix::fs::symlink(base.join(version), base.join("fresh")).unwrap();
        fs::rename(base.join("fresh"), base.join("current")).unwrap();
    };
    place("1");
    std::os::unix::fs::symlink("current/dist", base.join("linked")).unwrap();
    let (direct, linked) = (base.join("current/dist/index.js"), base.join("linked/index.js"));
    for file in [direct, linked] {
        let mut files = files();
        files.set(&BTreeSet::from([file.clone()]));
        assert!(!hears(&mut files, 100).await);
        let before = look(&file);
        place("2");
        assert!(hears(&mut files, 3000).await, "{}", file.display());
        assert_ne!(look(&file), before);
        fs::write(&file, "3").unwrap();
        assert!(hears(&mut files, 3000).await, "the new one is watched: {}", file.display());
        place("1");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_wait_that_is_dropped_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().canonicalize().unwrap().join("mcp.json");
    let mut files = Files::new(Duration::from_millis(400), Duration::from_secs(60));
    files.set(&BTreeSet::from([file.clone()]));
    fs::write(&file, "1").unwrap();
    // Dropped while it waits for the rest of the burst.
    assert!(!hears(&mut files, 200).await);
    assert!(hears(&mut files, 3000).await);
}

#[tokio::test]
async fn what_cannot_be_watched_is_polled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    let mut files = Files { system: None, poll: Duration::from_millis(20), ..files() };
    files.set(&BTreeSet::from([file.clone()]));
    assert!(!hears(&mut files, 200).await);
    fs::write(&file, "1").unwrap();
    assert!(hears(&mut files, 3000).await);
}
