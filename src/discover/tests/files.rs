//! Awkward files: what breaks parsers, and `--config FILE`.

use super::*;

fn sample(file: &str) -> Discovered {
    let bytes = std::fs::read(samples().join(file)).unwrap();
    let mut found = from_file(Path::new(file), &bytes);
    found.looked_in.clear();
    found
}

#[test]
fn awkward_files() {
    let mut names: Vec<_> =
        std::fs::read_dir(samples().join("awkward")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    let mut out = String::new();
    for name in names {
        let name = format!("awkward/{}", name.into_string().unwrap());
        writeln!(out, "# {name}\n{}", show(&sample(&name))).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn files_of_every_client_are_recognised() {
    let check = |file: &str, client: &str| {
        let found = sample(file);
        let clients: Vec<_> = found.entries.iter().map(|entry| entry.client.id()).collect();
        assert!(!clients.is_empty() && clients.iter().all(|id| *id == client), "{file}: {clients:?}");
        assert!(found.entries.iter().all(|entry| entry.asked), "{file}");
    };
    check("claude-code/linux/.claude.json", "claude-code");
    check("claude-code/project/.mcp.json", "claude-code");
    check(
        "claude-code/plugin/.claude/plugins/cache/market/inline/0.1.0/.claude-plugin/plugin.json",
        "claude-code",
    );
    check("claude-desktop/linux/.config/Claude/claude_desktop_config.json", "claude-desktop");
    check("cursor/linux/.cursor/mcp.json", "cursor");
    check("vscode/linux/.config/Code/User/mcp.json", "vscode");
    check("vscode/linux/.config/Code/User/settings.json", "vscode");
    check("vscode/project/team.code-workspace", "vscode");
    check("vscode/project/.vscode/mcp.json", "vscode");
    check("codex/linux/.codex/config.toml", "codex");
    check("gemini-cli/linux/.gemini/settings.json", "gemini-cli");
    check("windsurf/linux/.codeium/windsurf/mcp_config.json", "windsurf");
    check("zed/linux/.config/zed/settings.json", "zed");
    check("awkward/bare-map.json", "claude-code");
}

#[test]
fn files_of_other_names_are_recognised_by_content() {
    let check = |name: &str, text: &str, client: &str| {
        let found = from_file(Path::new(name), text.as_bytes());
        let clients: Vec<_> = found.entries.iter().map(|entry| entry.client.id()).collect();
        assert_eq!(clients, [client], "{name}: {text} {:?}", found.problems);
    };
    check("x.json", r#"{"mcpServers": {"a": {"command": "a"}}}"#, "claude-code");
    check("x.json", r#"{"mcpServers": {"a": {"httpUrl": "https://a"}}}"#, "claude-code");
    check("x.json", r#"{"servers": {"a": {"command": "a"}}}"#, "vscode");
    check("x.json", r#"{"mcp": {"servers": {"a": {"command": "a"}}}}"#, "vscode");
    check("x.json", r#"{"context_servers": {"a": {"command": "a"}}}"#, "zed");
    check("x.json", r#"{"a": {"url": "https://a"}}"#, "claude-code");
    check("x.toml", "[mcp_servers.a]\ncommand = 'a'", "codex");
}

#[test]
fn four_hundred_projects_are_read_quickly() {
    let history: String =
        (0..60).map(|n| format!(r#"{{"display": "fix the build {n}", "pasted": {{}}}},"#)).collect();
    let mut text = String::from(r#"{"mcpServers": {"a": {"command": "a"}}, "projects": {"#);
    for n in 0..400 {
        let more = format!(
            "\"/home/ana/p{n}\": {{\"history\": [{history} 0, \"{}\"], \"mcpServers\": {{\"s\": {{\"command\": \"c\"}}}}}},",
            "x".repeat(5000)
        );
        text.push_str(&more);
    }
    text.push_str(r#""/z": {}}}"#);
    assert!(text.len() > 3_000_000, "{}", text.len());
    let files = Memory::default().file("/home/ana/.claude.json", &text);
    let places = Places::new(Os::Linux, "/home/ana");
    let started = std::time::Instant::now();
    let found = all(&places, Path::new("/home/ana/p7"), &files);
    println!("{} bytes in {:?}", text.len(), started.elapsed());
    let names: Vec<_> =
        found.entries.iter().map(|entry| (entry.name.as_str(), entry.scope.clone())).collect();
    assert_eq!(names, [("a", Scope::User), ("s", Scope::Local)]);
    assert_eq!(found.remarks.len(), 1);
}

#[test]
fn broken_settings_without_servers_hide_nothing() {
    let check = |text: &str, problems: usize, remarks: usize| {
        let files = Memory::default().file("/h/.config/zed/settings.json", text);
        let found = all(&Places::new(Os::Linux, "/h"), Path::new("/srv"), &files);
        assert_eq!((found.problems.len(), found.remarks.len()), (problems, remarks), "{text}");
    };
    check(r#"{"theme": }"#, 0, 1);
    check(r#"{"theme": "dark", "#, 1, 0);
    check(r#"{"context_servers": {"a": "#, 1, 0);
}

#[test]
fn one_bad_file_or_entry_stops_no_other() {
    let files = Memory::default()
        .file("/h/.claude.json", "{")
        .file("/h/.cursor/mcp.json", r#"{"mcpServers": {"bad": 1, "none": {}, "both": {"command": "a", "url": "b"}, "ws": {"type": "ws", "url": "ws://a"}, "args": {"command": "c", "args": "x"}, "twice": {"command": "a", "command": "b"}, "\u0000": {"command": "a"}, "nul": {"command": "a\u0000"}, "good": {"command": "a"}}}"#)
        .file("/h/.codex/config.toml", "[mcp_servers.a]\ncommand = 'c'\n[mcp_servers.a]\n");
    insta::assert_snapshot!(show(&all(&Places::new(Os::Linux, "/h"), Path::new("/srv"), &files)));
}

proptest::proptest! {
    /// Nothing that stands in a file makes the reader panic.
    #[test]
    fn damaged_samples_are_read_or_refused(which in 0usize..6, at in 0usize..2000, put in ".{0,4}") {
        let names = ["x/.claude.json", "x/.mcp.json", "x/User/mcp.json", "x/zed/settings.json", "x/.gemini/settings.json", "x/config.toml"];
        let samples_of = ["claude-code/linux/.claude.json", "claude-code/project/.mcp.json", "vscode/linux/.config/Code/User/mcp.json", "zed/linux/.config/zed/settings.json", "gemini-cli/linux/.gemini/settings.json", "codex/linux/.codex/config.toml"];
        let mut bytes = std::fs::read(samples().join(samples_of[which])).unwrap();
        let at = at.min(bytes.len());
        bytes.splice(at..(at + 2).min(bytes.len()), put.bytes());
        let found = from_file(Path::new(names[which]), &bytes);
        for entry in &found.entries {
            let _ = resolve(entry, &Vars::new(&Places::new(Os::Linux, "/h"), "/w"), &Memory::default());
        }
    }
}

#[test]
fn a_named_file_keeps_its_scope() {
    let check = |file: &str, expected: Scope, folder: Option<&str>| {
        let places = Places::new(Os::Linux, "/h");
        let text = br#"{"mcpServers": {"a": {"command": "a"}}}"#;
        let found = named(Path::new(file), text, &places, Path::new("/h/p"));
        let entry = &found.entries[0];
        let place = entry.folder.as_deref().map(key);
        assert_eq!((&entry.scope, place.as_deref(), entry.asked), (&expected, folder, true), "{file}");
    };
    check("/h/.cursor/mcp.json", Scope::User, None);
    check("/h/.claude.json", Scope::User, None);
    check("/h/p/.mcp.json", Scope::Project, Some("/h/p"));
    check("/h/q/.cursor/mcp.json", Scope::Project, Some("/h/q"));
    check("/h/q/any.json", Scope::Named, None);
}
