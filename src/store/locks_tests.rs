//! Tests of finding, loading and saving locks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::approval::Level;

const EMPTY: &str = "{\n  \"servers\": {},\n  \"version\": 1\n}\n";

/// A monorepo with two locks of ours, some that are not, and one above it.
fn monorepo() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(folder.path()).unwrap();
    let root = base.join("repo");
    let locks = ["../mcp.lock", "mcp.lock", "a/mcp.lock", "node_modules/x/mcp.lock", ".cache/mcp.lock"];
    for name in locks {
        let path = root.join(name);
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, EMPTY).unwrap();
    }
    fs::create_dir_all(root.join("a").join("b")).unwrap();
    fs::create_dir_all(root.join("c")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    (folder, root)
}

#[test]
fn a_lock_is_searched_upward_to_the_root_and_no_further() {
    let (_folder, root) = monorepo();
    let found = |name: &str| governing(&root.join(name));
    assert_eq!(found("a"), Some(root.join("a").join(NAME)));
    assert_eq!(found("a/b"), Some(root.join("a").join(NAME)));
    assert_eq!(found("c"), Some(root.join(NAME)));
    fs::remove_file(root.join(NAME)).unwrap();
    assert_eq!(found("c"), None);
    assert_eq!(for_project(&root.join("c")), root.join("c").join(NAME));
    // Outside a repository only the folder itself counts.
    let outside = root.parent().unwrap().join("other");
    fs::create_dir(&outside).unwrap();
    assert_eq!(governing(&outside), None);
    assert_eq!(governing(root.parent().unwrap()), Some(root.parent().unwrap().join(NAME)));
}

#[test]
fn a_monorepo_has_several() {
    let (_folder, root) = monorepo();
    let found = all_below(&root);
    assert_eq!(found.locks, [root.join("a").join(NAME), root.join(NAME)]);
    assert!(found.is_complete);
}

#[test]
fn loads_and_saves() {
    let (_folder, root) = monorepo();
    let path = root.join("new").join(NAME);
    assert_eq!(load(&path).unwrap(), None);
    let bytes = render(&path, &Lockfile::default()).unwrap();
    save(&path, None, &bytes).unwrap();
    let loaded = load(&path).unwrap().unwrap();
    assert_eq!((loaded.digest, loaded.lockfile.servers.len()), (digest(EMPTY.as_bytes()), 0));
    fs::write(&path, EMPTY.replace('\n', "\r\n")).unwrap();
    let error = save(&path, Some(&loaded), b"other").unwrap_err();
    assert!(matches!(error, LocksError::Files(FilesError::Changed { .. })), "{error}");
}

#[test]
fn a_refusal_names_the_file() {
    let (_folder, root) = monorepo();
    let path = root.join(NAME);
    fs::write(&path, "<<<<<<< HEAD\n").unwrap();
    let error = load(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: line 1: a merge conflict that nobody has resolved", path.display())
    );
    assert!(error.hint().contains("mcpwatch fmt"));
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    use crate::engine::json::Value;
    use crate::engine::launchpin::LaunchPin;
    use crate::engine::lockfile::{Pin, ServerPin};
    use crate::engine::surface::{ItemKey, Kind};
    let launch = LaunchPin::Url { url: "https://a.example/".into(), sse: false, headers: Default::default() };
    let mut server = ServerPin::new(launch, "2025-11-25");
    server.items.insert(ItemKey::new(Kind::Tool, "a"), Pin::of(Kind::Tool, Value::from("no object")));
    let lockfile = Lockfile { servers: [("s".to_owned(), server)].into(), ..Lockfile::default() };
    assert!(matches!(render(Path::new("mcp.lock"), &lockfile), Err(LocksError::Unreadable { .. })));
}

#[test]
fn one_server_is_read_as_the_whole_lock_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let example = include_bytes!("../../mcp.lock.example").as_slice();
    let cut = &example[..example.len() / 2];
    let newer = b"{\n  \"servers\": {},\n  \"version\": 99\n}\n".as_slice();
    for (bytes, is_read) in
        [(example, true), (EMPTY.as_bytes(), true), (cut, false), (newer, false), (b"", false)]
    {
        fs::write(&path, bytes).unwrap();
        let mut trust = Trust::with_key([1; 32]);
        trust.trust(&files::resolve(&path), digest(bytes), None, Level::Terminal, 1);
        for trust in [None, Some(&trust)] {
            let unread = look(&path, trust).unwrap().unwrap();
            assert_eq!(unread.standing == Standing::Trusted, trust.is_some());
            match load_standing(&path, trust) {
                Ok(Some((whole, _))) => {
                    assert!(is_read);
                    for name in whole.lockfile.servers.keys().map(String::as_str).chain(["nobody's"]) {
                        let pin = unread.server(name, Part::Whole).unwrap();
                        assert_eq!(pin.as_ref(), whole.lockfile.servers.get(name), "{name}");
                    }
                }
                Ok(None) => panic!("it is there"),
                Err(error) => {
                    assert!(!is_read, "{error}");
                    assert_eq!(
                        unread.server("nobody's", Part::Whole).unwrap_err().to_string(),
                        error.to_string()
                    );
                }
            }
        }
    }
}
