//! Variables as each client expands them.

use super::*;

fn vars(os: Os) -> Vars {
    let pairs =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Vars {
        os,
        home: "/home/ana".into(),
        env: pairs(&[("KEY", "k1"), ("NESTED", "${KEY}"), ("EMPTY", "")]),
        file: pairs(&[("gh", "from-file")]),
        workspace: "/home/ana/open".into(),
    }
}

/// Parses an entry as a client's and resolves it.
fn resolved(client_id: &str, entry: &str, os: Os) -> String {
    let client = client(client_id).unwrap();
    let text = match client_id {
        "codex" => format!("[mcp_servers.s]\n{entry}"),
        "vscode" => format!(r#"{{"servers": {{"s": {entry}}}}}"#),
        "zed" => format!(r#"{{"context_servers": {{"s": {entry}}}}}"#),
        _ => format!(r#"{{"mcpServers": {{"s": {entry}}}}}"#),
    };
    let found = client.parse(Path::new("f"), Scope::User, &text);
    let [entry] = &found.entries[..] else { panic!("{:?}", found.problems) };
    let files = Memory::default().file("/home/ana/open/.env", "# c\nFROM_FILE='a b'\nexport KEY=other\n");
    let shown = match resolve(entry, &vars(os), &files) {
        Ok(launch) => show_launch(&launch),
        Err(error) => format!("{error} | {}", error.hint()),
    };
    // Windows joins with its own separator, whatever system is asked about.
    if cfg!(windows) { shown.replace('\\', "/") } else { shown }
}

#[test]
fn variables() {
    let check = |client: &str, entry: &str, expected: &str| {
        assert_eq!(resolved(client, entry, Os::Linux), expected, "{client}: {entry}");
    };
    let claude = |args: &str| format!(r#"{{"command": "c", "args": [{args}]}}"#);
    check(
        "claude-code",
        &claude(r#""a${KEY}b", "${NO:-d}", "${KEY:-d}", "$KEY", "${EMPTY}""#),
        r#""c" ["ak1b", "d", "k1", "$KEY", ""]"#,
    );
    check("claude-code", &claude(r#""${NESTED}""#), r#""c" ["${KEY}"]"#);
    check("claude-code", &claude(r#""${", "a}", "${}", "$""#), r#""c" ["${", "a}", "${}", "$"]"#);
    check(
        "claude-code",
        &claude(r#""${NO}", "${NO2}""#),
        "needs the variable NO, the variable NO2 | Put NO=… and NO2=… into a file and give it with --env-file FILE.",
    );
    check(
        "claude-code",
        r#"{"type": "sse", "url": "https://x/${KEY}", "headers": {"A": "B ${KEY}"}}"#,
        "sse https://x/k1 A: B k1",
    );
    check("claude-desktop", &claude(r#""${KEY}""#), r#""c" ["${KEY}"]"#);
    check(
        "cursor",
        &claude(r#""${env:KEY}", "${userHome}", "${workspaceFolder}/x", "${KEY2}""#),
        "needs \"${KEY2}\", which only the client knows | Write the value itself into the configuration, or leave this server out.",
    );
    check(
        "vscode",
        &claude(r#""${env:KEY}${env:NO}", "${userHome}${/}${workspaceFolderBasename}""#),
        r#""c" ["k1", "/home/ana/open"]"#,
    );
    check("vscode", &claude(r#""${input:gh}""#), r#""c" ["from-file"]"#);
    check(
        "vscode",
        &claude(r#""${input:id}""#),
        "needs the input \"id\", which the client asks for | Put id=… into a file and give it with --env-file FILE.",
    );
    check(
        "vscode",
        r#"{"command": "c", "env": {"KEY": "own"}, "envFile": "${workspaceFolder}/.env"}"#,
        r#""c" [] with FROM_FILE=a b KEY=own"#,
    );
    check(
        "vscode",
        r#"{"command": "c", "envFile": ".no"}"#,
        "needs its envFile /home/ana/open/.no (there is no such file) | Write the value itself into the configuration, or leave this server out.",
    );
    check(
        "windsurf",
        &claude(r#""${env:KEY}", "${env:NO}", "${KEY}""#),
        r#""c" ["k1", "${env:NO}", "${KEY}"]"#,
    );
    check(
        "gemini-cli",
        &claude(r#""$KEY/x", "${KEY}", "%KEY%", "$NO", "100%", "$5", "${NO:-d}""#),
        r#""c" ["k1/x", "k1", "k1", "$NO", "100%", "$5", "d"]"#,
    );
    check(
        "codex",
        "command = 'c'\nargs = ['$KEY', '${KEY}']\nenv_vars = ['KEY', 'NO']",
        r#""c" ["$KEY", "${KEY}"] with KEY=k1"#,
    );
    check(
        "codex",
        "url = 'https://x'\nbearer_token_env_var = 'KEY'\nhttp_headers = {A = 'b'}\nenv_http_headers = {B = 'KEY'}",
        "http https://x A: b, Authorization: Bearer k1, B: k1",
    );
    check(
        "codex",
        "url = 'https://x'\nbearer_token_env_var = 'NO'",
        "needs the variable NO | Put NO=… into a file and give it with --env-file FILE.",
    );
    check("zed", &claude(r#""${KEY}""#), r#""c" ["${KEY}"]"#);
    check("zed", r#"{"command": {"path": "c", "args": ["a"], "env": {"K": "v"}}}"#, r#""c" ["a"] with K=v"#);
}

#[test]
fn working_folders_and_relative_commands() {
    let check = |os: Os, entry: &str, expected: &str| {
        let files = Memory::default().file("/r/.git/HEAD", "x").file("/r/.mcp.json", entry);
        let found = all(&Places::new(os, "/home/ana"), Path::new("/r"), &files);
        let mut entry = found.entries[0].clone();
        assert!(matches!(resolve(&entry, &vars(os), &files), Err(Unresolved::NotAsked { .. })));
        entry.asked = true;
        assert_eq!(key(Path::new(&show_launch(&resolve(&entry, &vars(os), &files).unwrap()))), expected);
    };
    check(Os::Linux, r#"{"s": {"command": "./t/x.sh"}}"#, r#""/r/t/x.sh" [] in /r"#);
    check(Os::Linux, r#"{"s": {"command": "npx", "cwd": "sub"}}"#, r#""npx" [] in /r/sub"#);
    check(Os::Linux, r#"{"s": {"command": "/bin/x", "cwd": "/tmp"}}"#, r#""/bin/x" [] in /tmp"#);
    check(Os::Windows, r#"{"s": {"command": "C:/x.exe", "cwd": "."}}"#, r#""C:/x.exe" [] in /r"#);
}

#[test]
fn windows_ignores_the_case_of_variables() {
    let entry = r#"{"command": "${key}"}"#;
    assert_eq!(resolved("claude-code", entry, Os::Windows), r#""k1" []"#);
    assert!(resolved("claude-code", entry, Os::Linux).contains("needs the variable key"));
}
