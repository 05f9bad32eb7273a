//! What a name means, whatever system this runs on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn what_a_name_means() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["bin", "work", "work/tools"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    for file in [
        "bin/npx",
        "bin/npx.cmd",
        "bin/uv.exe",
        "bin/uv.cmd",
        "bin/python3.11.exe",
        "bin/twice.cmd",
        "work/twice.cmd",
        "work/own.exe",
        "work/tools/inner.cmd",
    ] {
        std::fs::write(path(file), "").unwrap();
    }
    let folders = std::env::join_paths(["".into(), path("bin"), "tools".into()]).unwrap();
    let find = |name: &str| find(Path::new(name), &path("work"), &folders, ENDINGS);
    let (file, beside) = (|name: &str| Found::File(path(name)), |name: &str| Found::Beside(path(name)));
    let full = path("bin/npx");
    for (name, expected) in [
        ("npx", file("bin/npx.cmd")),
        ("npx.cmd", file("bin/npx.cmd")),
        (full.to_str().unwrap(), file("bin/npx.cmd")),
        ("uv", file("bin/uv.exe")),
        ("python3.11", file("bin/python3.11.exe")),
        ("inner", file("work/tools/inner.cmd")),
        ("tools/inner", file("work/tools/inner.cmd")),
        ("own", beside("work/own.exe")),
        ("own.exe", beside("work/own.exe")),
        ("twice", beside("work/twice.cmd")),
        ("./own", file("work/./own.exe")),
        ("tools", Found::Nowhere),
        ("bin/none", Found::Nowhere),
        ("none", Found::Nowhere),
    ] {
        assert_eq!(find(name), expected, "{name}");
    }
    // The one file by two ways is one.
    let here = super::find(Path::new("uv"), &path("bin"), &folders, ENDINGS);
    assert_eq!(here, file("bin/uv.exe"));
}

#[test]
fn how_a_path_is_spelled() {
    for (path, expected) in [
        (r"\\?\C:\a\b", r"C:\a\b"),
        (r"\\?\UNC\host\share", r"\\?\UNC\host\share"),
        (r"C:\a", r"C:\a"),
        ("/home/ada", "/home/ada"),
    ] {
        assert_eq!(spelled(Path::new(path)), expected);
    }
}
