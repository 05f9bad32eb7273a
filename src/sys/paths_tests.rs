//! Tests of our directories: all three systems on any.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn variables(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// One line a directory, slashes in the manner of the system.
fn listed(os: Os, list: &[(&str, &str)]) -> String {
    let paths = match Paths::of(os, &variables(list)) {
        Ok(paths) => paths,
        Err(error) => return format!("{error}. {}", error.hint()),
    };
    let lines = [
        ("config", paths.config_file()),
        ("lock", paths.user_lock()),
        ("trust", paths.trust_file()),
        ("offers", paths.offers_dir()),
        ("wraps", paths.wraps_dir()),
        ("log", paths.log_dir()),
        ("guards", paths.guards_dir()),
        ("cache", paths.cache.clone()),
        ("runtime", paths.runtime.clone()),
        ("policy", paths.policy.clone()),
    ];
    let slashes = |path: &Path| match os {
        Os::Windows => path.to_string_lossy().replace('/', "\\"),
        Os::Linux | Os::MacOs => path.to_string_lossy().replace('\\', "/"),
    };
    lines.map(|(name, path)| format!("{name:8}{}", slashes(&path))).join("\n")
}

#[test]
fn directories_of_every_system() {
    let xdg = [
        ("HOME", "/home/ann"),
        ("XDG_CONFIG_HOME", "/x/config"),
        ("XDG_DATA_HOME", "/x/data"),
        ("XDG_STATE_HOME", "/x/state"),
        ("XDG_CACHE_HOME", "relative/is/ignored"),
        ("XDG_RUNTIME_DIR", "/run/user/1000"),
    ];
    let windows = [
        ("USERPROFILE", "C:\\Users\\Ann"),
        ("APPDATA", "D:\\Roaming"),
        ("LOCALAPPDATA", "C:\\Users\\Ann\\AppData\\Local"),
    ];
    let moved_windows = [(HOME_VARIABLE, "C:\\t")];
    type Row<'a> = (&'a str, Os, &'a [(&'a str, &'a str)]);
    let table: &[Row<'_>] = &[
        ("linux", Os::Linux, &[("HOME", "/home/ann")]),
        ("linux, XDG", Os::Linux, &xdg),
        ("linux, moved", Os::Linux, &[("HOME", "/home/ann"), (HOME_VARIABLE, "/tmp/t")]),
        ("linux, moved wrongly", Os::Linux, &[("HOME", "/home/ann"), (HOME_VARIABLE, "t")]),
        ("linux, no home", Os::Linux, &[("HOME", "")]),
        ("macos", Os::MacOs, &[("HOME", "/Users/ann")]),
        ("windows", Os::Windows, &windows),
        ("windows, moved", Os::Windows, &moved_windows),
    ];
    let all: Vec<String> =
        table.iter().map(|(name, os, list)| format!("# {name}\n{}", listed(*os, list))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

/// The pure half says what the real half does.
#[test]
fn both_halves_agree() {
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    if let (Ok(real), Ok(mut pure)) = (Paths::system(), Paths::of(Os::current(), &variables)) {
        if !variables.contains_key("XDG_RUNTIME_DIR") {
            // Only the real half can see what a login made.
            pure.runtime.clone_from(&real.runtime);
        }
        assert_eq!(real, pure);
    }
}

#[test]
fn the_account_has_directories_without_an_environment() {
    if let Ok(paths) = Paths::account() {
        assert!(!paths.is_moved);
        assert!(paths.data.is_absolute());
    }
}

/// A process that got few variables of its own finds what one with all of them noted.
#[test]
fn a_note_says_where_everything_is() {
    let paths = |list: &[(&str, &str)]| {
        let variables = list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Paths::of(Os::Linux, &variables.collect()).unwrap()
    };
    let usual = paths(&[("HOME", "/home/ann")]);
    let moved = paths(&[
        ("HOME", "/home/ann"),
        ("XDG_CONFIG_HOME", "/x/config"),
        ("XDG_DATA_HOME", "/x/data"),
        ("XDG_STATE_HOME", "/x/state"),
        ("XDG_CACHE_HOME", "/x/cache"),
    ]);
    let note = json::write::to_bytes(&json::Value::Object(moved.note().unwrap()));
    let found = Paths::from_note(&usual, &note).unwrap();
    assert_eq!((found.user_lock(), found.config_file()), (moved.user_lock(), moved.config_file()));
    assert_eq!((found.log_dir(), &found.cache), (moved.log_dir(), &moved.cache));
    for broken in ["", "{}", r#"{"config":"x","data":"x","state":"x","cache":"x"}"#] {
        assert_eq!(Paths::from_note(&usual, broken.as_bytes()), None, "{broken}");
    }
}
