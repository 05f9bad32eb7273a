//! Tests of writing: whole or not at all, also under SIGKILL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_reads_and_leaves_nothing_beside() {
    let folder = folder();
    let path = folder.path().join("a").join("mcp.lock");
    assert!(read(&path, LIMIT).unwrap().is_none());
    write(&path, b"one", Access::Shared).unwrap();
    write(&path, b"two", Access::Shared).unwrap();
    assert_eq!(read(&path, LIMIT).unwrap().unwrap(), b"two");
    assert_eq!(names(path.parent().unwrap()), ["mcp.lock"]);
    assert!(matches!(read(&path, 2), Err(FilesError::TooLarge { .. })));
    assert!(matches!(read(folder.path(), LIMIT), Err(FilesError::Read { .. })));
    remove(&path).unwrap();
    remove(&path).unwrap();
}

#[test]
fn replaces_only_what_was_read() {
    let folder = folder();
    let path = folder.path().join("f");
    assert!(matches!(replace(&path, Some(b"x"), b"y", Access::Shared), Err(FilesError::Changed { .. })));
    replace(&path, None, b"one", Access::Shared).unwrap();
    assert!(matches!(replace(&path, None, b"two", Access::Shared), Err(FilesError::Changed { .. })));
    assert!(matches!(replace(&path, Some(b"on"), b"two", Access::Shared), Err(FilesError::Changed { .. })));
    replace(&path, Some(b"one"), b"two", Access::Shared).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(folder.path()), ["f"]);
}

#[test]
fn a_second_writer_waits_and_gives_up() {
    let folder = folder();
    let (guards, path) = (folder.path().join("guards"), folder.path().join("f"));
    let first = guard(&guards, &path, WAIT).unwrap();
    let wait = Duration::from_millis(30);
    assert!(matches!(guard(&guards, &path, wait), Err(FilesError::Busy { .. })));
    let _other_file = guard(&guards, &folder.path().join("g"), wait).unwrap();
    let same_file = folder.path().join("guards").join("..").join("f");
    assert!(matches!(guard(&guards, &same_file, wait), Err(FilesError::Busy { .. })));
    drop(first);
    let _second = guard(&guards, &path, wait).unwrap();
}

#[test]
fn clears_away_what_a_killed_writer_left() {
    let folder = folder();
    let old = folder.path().join(".f.abc.mcpwatch-new");
    let young = folder.path().join(".f.def.mcpwatch-new");
    for path in [&old, &young] {
        fs::write(path, b"half").unwrap();
    }
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&old).unwrap().set_modified(hour_ago).unwrap();
    write(&folder.path().join("f"), b"x", Access::Shared).unwrap();
    assert_eq!(names(folder.path()), [".f.def.mcpwatch-new", "f"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::process::{Command, Stdio};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn symlinks_are_followed_and_stay() {
        let folder = folder();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        let link = folder.path().join("link");
        symlink("real/file", &link).unwrap();
        let second = folder.path().join("second");
        symlink("link", &second).unwrap();
        // The first write goes through a link that dangles.
        write(&second, b"one", Access::Shared).unwrap();
        write(&link, b"two", Access::Shared).unwrap();
        assert_eq!(fs::read(real.join("file")).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&second).unwrap().is_symlink());
        assert_eq!(resolve(&second), resolve(&real.join("file")));
    }

    #[test]
    fn permissions_are_kept() {
        let folder = folder();
        let path = folder.path().join("f");
        write(&path, b"one", Access::Shared).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, b"two", Access::Shared).unwrap();
        assert_eq!(mode(&path), 0o640);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(matches!(write(&path, b"three", Access::Shared), Err(FilesError::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn private_is_private() {
        let folder = folder();
        let path = folder.path().join("trust").join("f");
        write(&path, b"one", Access::Private).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        write(&path, b"two", Access::Private).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(write(&path, b"x", Access::Private), Err(FilesError::NotPrivate { .. })));
    }

    /// What the child of the test below writes: a number and a body that depends on it.
    fn body(number: usize) -> Vec<u8> {
        format!("{number}\n").repeat(1 + number % 5000).into_bytes()
    }

    /// Writes for ever where the parent says; does nothing in an ordinary run.
    #[test]
    fn child_that_writes_until_it_is_killed() {
        let Some(path) = std::env::var_os("MCPWATCH_TEST_KILLED_WRITER") else { return };
        for number in (0..).step_by(7) {
            write(Path::new(&path), &body(number), Access::Private).unwrap();
        }
    }

    #[test]
    fn a_killed_writer_leaves_the_old_or_the_new_file_whole() {
        let folder = folder();
        let path = folder.path().join("private").join("f");
        let test = "sys::files::tests::unix::child_that_writes_until_it_is_killed";
        for round in 0..60_u64 {
            // The child writes multiples of seven, so this one is ours.
            write(&path, &body(3), Access::Private).unwrap();
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--test-threads=1"])
                .env("MCPWATCH_TEST_KILLED_WRITER", &path)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let start = Instant::now();
            while fs::read(&path).unwrap() == body(3) {
                assert!(start.elapsed() < WAIT, "the child writes nothing");
                std::thread::sleep(Duration::from_micros(200));
            }
            // At a different point of the writing each time.
            std::thread::sleep(Duration::from_micros(round * 97));
            child.kill().unwrap();
            child.wait().unwrap();
            let found = fs::read(&path).unwrap();
            let text = std::str::from_utf8(&found).unwrap();
            let number: usize = text.lines().next().unwrap().parse().unwrap();
            assert!(found == body(number), "round {round}: a mixture was left");
        }
    }
}
