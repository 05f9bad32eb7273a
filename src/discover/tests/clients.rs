//! What each client's samples hold, on each system.

use super::*;

const HOME: &str = "/home/ana";

/// Finds everything for one client's samples: `system` mounted as the home folder, `project` as
/// `/home/ana/shop`, which is a repository.
fn find(os: Os, client: &str, system: &str, project: Option<&str>) -> Discovered {
    let mut files = Memory::default().file("/home/ana/shop/.git/HEAD", "ref");
    files = files.mount(&format!("{client}/{system}"), HOME);
    if let Some(project) = project {
        files = files.mount(&format!("{client}/{project}"), "/home/ana/shop");
    }
    all(&Places::new(os, HOME), Path::new("/home/ana/shop"), &files)
}

macro_rules! check {
    ($name:ident, $os:ident, $client:literal, $system:literal, $project:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(show(&find(Os::$os, $client, $system, $project)));
        }
    };
}

check!(claude_code_linux, Linux, "claude-code", "linux", Some("project"));
check!(claude_code_macos, MacOs, "claude-code", "macos", None);
check!(claude_code_windows, Windows, "claude-code", "windows", None);
check!(claude_desktop_linux, Linux, "claude-desktop", "linux", None);
check!(claude_desktop_macos, MacOs, "claude-desktop", "macos", None);
check!(claude_desktop_windows, Windows, "claude-desktop", "windows", None);
check!(claude_desktop_store, Windows, "claude-desktop", "windows-msix", None);
check!(cursor_linux, Linux, "cursor", "linux", Some("project"));
check!(cursor_windows, Windows, "cursor", "windows", None);
check!(vscode_linux, Linux, "vscode", "linux", Some("project"));
check!(vscode_macos, MacOs, "vscode", "macos", None);
check!(vscode_windows, Windows, "vscode", "windows", None);
check!(codex_linux, Linux, "codex", "linux", Some("project"));
check!(codex_windows, Windows, "codex", "windows", None);
check!(gemini_linux, Linux, "gemini-cli", "linux", Some("project"));
check!(windsurf_linux, Linux, "windsurf", "linux", None);
check!(windsurf_jetbrains, Linux, "windsurf-jetbrains", "linux", None);
check!(zed_linux, Linux, "zed", "linux", Some("project"));
check!(zed_macos, MacOs, "zed", "macos", None);

#[test]
fn claude_code_managed_excludes_all_others() {
    let files = Memory::default().mount("claude-code/linux", HOME).mount("claude-code/managed/etc", "/etc");
    insta::assert_snapshot!(show(&all(&Places::new(Os::Linux, HOME), Path::new("/srv"), &files)));
}

#[test]
fn claude_code_policy_denies() {
    let mut files =
        Memory::default().mount("claude-code/linux", HOME).mount("claude-code/managed/etc", "/etc");
    files.0.remove("/etc/claude-code/managed-mcp.json");
    let found = all(&Places::new(Os::Linux, HOME), Path::new("/srv"), &files);
    let off: Vec<_> = found.entries.iter().map(|entry| (entry.name.as_str(), entry.disabled)).collect();
    assert_eq!(off, [("github", false), ("search", false), ("legacy-sse", false)]);
}

#[test]
fn claude_code_plugins_that_are_installed() {
    let files = Memory::default().mount("claude-code/plugin", HOME);
    insta::assert_snapshot!(show(&all(&Places::new(Os::Linux, HOME), Path::new("/srv"), &files)));
}

#[test]
fn claude_code_enabled_by_the_user_is_enabled_by_name() {
    let enabled = r#"{"projects": {"/home/ana/shop": {"enabledMcpjsonServers": ["search"]}}}"#;
    let files = Memory::default()
        .file("/home/ana/shop/.git/HEAD", "ref")
        .file("/home/ana/.claude.json", enabled)
        .file("/home/ana/shop/.mcp.json", r#"{"search": {"command": "a"}, "other": {"command": "b"}}"#);
    let found = all(&Places::new(Os::Linux, HOME), Path::new("/home/ana/shop/packages/web"), &files);
    let told: Vec<_> =
        found.entries.iter().map(|entry| (entry.name.as_str(), entry.asked, entry.notes.len())).collect();
    assert_eq!(told, [("search", false, 1), ("other", false, 0)]);
}

#[test]
fn where_it_looks() {
    let mut out = String::new();
    for os in [Os::Linux, Os::MacOs, Os::Windows] {
        writeln!(out, "{os:?}").unwrap();
        for looked in all(&Places::new(os, HOME), Path::new("/srv/shop"), &Memory::default()).looked_in {
            writeln!(out, "  {} {} {}", looked.client.id(), looked.scope, key(&looked.file)).unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn folders_from_variables() {
    let mut places = Places::new(Os::Linux, HOME);
    for (name, value) in [
        ("CLAUDE_CONFIG_DIR", "/c/claude"),
        ("CODEX_HOME", "/c/codex"),
        ("XDG_CONFIG_HOME", "/c/config"),
        ("VSCODE_PORTABLE", "/c/portable"),
        ("GEMINI_CLI_SYSTEM_SETTINGS_PATH", "/c/gemini.json"),
    ] {
        places.vars.insert(name.to_owned(), value.to_owned());
    }
    let looked = all(&places, Path::new("/srv/shop"), &Memory::default()).looked_in;
    let moved: Vec<_> =
        looked.iter().map(|looked| key(&looked.file)).filter(|file| file.starts_with("/c/")).collect();
    insta::assert_snapshot!(moved.join("\n"));
}
