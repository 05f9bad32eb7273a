//! Tables of spellings: what exactly is written, what is refused, and what later edits survive.

use super::*;

const AT: [&str; 2] = ["m", "s"];

fn json(entry: &str) -> String {
    wrap(Format::Json, &format!(r#"{{"m": {{"s": {entry}}}}}"#), &path(&AT), &wrapper("n")).unwrap()
}

#[test]
fn json_spellings() {
    let check = |entry: &str, expected: &str| {
        let before = format!(r#"{{"m": {{"s": {entry}}}}}"#);
        let after = json(entry);
        assert_eq!(after, format!(r#"{{"m": {{"s": {expected}}}}}"#).replace("EXE", EXE), "{entry}");
        assert_eq!(unwrap(Format::Json, &after, &path(&AT)).unwrap(), before, "{entry}");
    };
    check(r#"{"command": "c"}"#, r#"{"command": "EXE", "args": ["run", "--server=n", "--", "c"]}"#);
    check(r#"{"command":"c"}"#, r#"{"command":"EXE","args":["run","--server=n","--","c"]}"#);
    check(
        r#"{"command": "c", "args": []}"#,
        r#"{"command": "EXE", "args": ["run", "--server", "n", "--", "c"]}"#,
    );
    check(
        r#"{"args": [ ], "command": "c",}"#,
        r#"{"args": ["run", "--server", "n", "--", "c" ], "command": "EXE",}"#,
    );
    check(
        r#"{"command": "c", "args": ["-y", "p",]}"#,
        r#"{"command": "EXE", "args": ["run", "--server", "n", "--", "c", "-y", "p",]}"#,
    );
    check(
        r#"{"command":"c","args":["-y","p"]}"#,
        r#"{"command":"EXE","args":["run","--server","n","--","c","-y","p"]}"#,
    );
    check(
        r#"{"command": "\u0063\/x"}"#,
        r#"{"command": "EXE", "args": ["run", "--server=n", "--", "\u0063\/x"]}"#,
    );
    check(
        "{\r\n\t\"command\": \"c\", // why\r\n\t\"args\": [\r\n\t\t// first\r\n\t\t\"-y\"\r\n\t],\r\n}",
        "{\r\n\t\"command\": \"EXE\", // why\r\n\t\"args\": [\r\n\t\t// first\r\n\t\t\"run\",\r\n\t\t\"--server\",\r\n\t\t\"n\",\r\n\t\t\"--\",\r\n\t\t\"c\",\r\n\t\t\"-y\"\r\n\t],\r\n}",
    );
    check(
        "{\n  \"disabled\": true,\n\n  /* c */\n  \"command\": \"c\" // why\n}",
        "{\n  \"disabled\": true,\n\n  /* c */\n  \"command\": \"EXE\",\n  \"args\": [\"run\", \"--server=n\", \"--\", \"c\"] // why\n}",
    );
    check(
        r#"{"command": {"path": "c", "args": ["a"], "env": {}}, "x": 1}"#,
        r#"{"command": {"path": "EXE", "args": ["run", "--server", "n", "--", "c", "a"], "env": {}}, "x": 1}"#,
    );
}

#[test]
fn json_remote_entries() {
    let check = |entry: &str, expected: &str| {
        let before = format!(r#"{{"m": {{"s": {entry}}}}}"#);
        let after = json(entry);
        let carried = serde_json::Value::from(entry).to_string();
        let expected = expected.replace("EXE", EXE).replace("CARRIED", &carried);
        assert_eq!(after, format!(r#"{{"m": {{"s": {expected}}}}}"#), "{entry}");
        assert_eq!(unwrap(Format::Json, &after, &path(&AT)).unwrap(), before, "{entry}");
    };
    check(
        r#"{"url": "https://a"}"#,
        r#"{"command": "EXE", "args": ["run", "--id", "cursor:n"], "env": {"MCPWATCH_ENTRY": CARRIED}}"#,
    );
    check(
        r#"{"type": "http", "headers": {"A": "${X}"}, "url": "https://a", "timeout": 5}"#,
        r#"{"type": "stdio", "command": "EXE", "args": ["run", "--id", "cursor:n"], "env": {"MCPWATCH_ENTRY": CARRIED}, "timeout": 5}"#,
    );
    check(
        r#"{"url": "https://a", "transport": "sse", "x": 1}"#,
        r#"{"command": "EXE", "args": ["run", "--id", "cursor:n"], "env": {"MCPWATCH_ENTRY": CARRIED}, "x": 1}"#,
    );
    check(
        r#"{"url": "https://a", "transport": "sse", "headers": {"A": "b"}}"#,
        r#"{"command": "EXE", "args": ["run", "--id", "cursor:n"], "env": {"MCPWATCH_ENTRY": CARRIED}}"#,
    );
    check(
        r#"{"headers": {}, "transport": "sse", "url": "https://a"}"#,
        r#"{"command": "EXE", "args": ["run", "--id", "cursor:n"], "env": {"MCPWATCH_ENTRY": CARRIED}}"#,
    );
    check(
        "{\n  // c\n  \"serverUrl\": \"https://a\",\n  \"headers\": {}\n}",
        "{\n  // c\n  \"command\": \"EXE\",\n  \"args\": [\"run\", \"--id\", \"cursor:n\"],\n  \"env\": {\"MCPWATCH_ENTRY\": CARRIED}\n}",
    );
}

#[test]
fn what_a_person_edits_later_survives_unwrapping() {
    let check = |entry: &str, edits: &[(&str, &str)], expected: &str| {
        let mut text = json(entry);
        for (from, to) in edits {
            assert!(text.contains(from), "{text}");
            text = text.replace(from, to);
        }
        let after = unwrap(Format::Json, &text, &path(&AT)).unwrap();
        assert_eq!(after, format!(r#"{{"m": {{"s": {expected}}}}}"#));
    };
    let wrapped = r#"["run", "--server=n", "--", "c"]"#;
    check(
        r#"{"command": "c"}"#,
        &[(wrapped, r#"["run", "--server=n", "--", "c", "new"]"#)],
        r#"{"command": "c", "args": ["new"]}"#,
    );
    check(r#"{"command": "c"}"#, &[("\"--server=n\", ", "\"--server=n\",\n")], r#"{"command": "c"}"#);
    check(
        r#"{"command": "c", "args": ["a"]}"#,
        &[("\"c\", \"a\"", "\"d\", \"a\", \"b\"")],
        r#"{"command": "d", "args": ["a", "b"]}"#,
    );
    check(
        r#"{"url": "u", "disabled": false, "x": 1}"#,
        &[("false, \"x\": 1", "true, \"y\": 2")],
        r#"{"url": "u", "disabled": true, "y": 2}"#,
    );
    check(r#"{"x": 1, "y": 2, "url": "u"}"#, &[("\"x\": 1, \"y\": 2, ", "")], r#"{"url": "u"}"#);
}

#[test]
fn a_moved_program_or_name_is_put_right() {
    let text = r#"{"m": {"s": {"command": "c", "args": ["a"]}}}"#;
    let old = wrap(Format::Json, text, &path(&AT), &Wrapper { exe: "C:\\old\\mcpwatch.exe", ..wrapper("o") })
        .unwrap();
    let new = wrap(Format::Json, &old, &path(&AT), &wrapper("n")).unwrap();
    assert_eq!(new, wrap(Format::Json, text, &path(&AT), &wrapper("n")).unwrap());
}

#[test]
fn toml_spellings() {
    let check = |before: &str, expected: &str| {
        let after = wrap(Format::Toml, before, &path(&AT), &wrapper("n")).unwrap();
        assert_eq!(after, expected.replace("EXE", EXE), "{before}");
        assert_eq!(unwrap(Format::Toml, &after, &path(&AT)).unwrap(), before, "{before}");
    };
    check("[m.s]\ncommand = 'c'", "[m.s]\ncommand = \"EXE\"\nargs = [\"run\", \"--server=n\", \"--\", 'c']");
    check(
        "[m.s]\r\n  command = \"c\" # why\r\n  args = []\r\n",
        "[m.s]\r\n  command = \"EXE\" # why\r\n  args = [\"run\", \"--server\", \"n\", \"--\", \"c\"]\r\n",
    );
    check(
        "[m.s]\nargs = [\n  'a', # one\n  'b',\n]\ncommand = 'c'\n[m.s.env]\nA = 'b'\n",
        "[m.s]\nargs = [\n  \"run\",\n  \"--server\",\n  \"n\",\n  \"--\",\n  'c',\n  'a', # one\n  'b',\n]\ncommand = \"EXE\"\n[m.s.env]\nA = 'b'\n",
    );
    check(
        "m.s.command = 'c'\nx = 1\n",
        "m.s.command = \"EXE\"\nm.s.args = [\"run\", \"--server=n\", \"--\", 'c']\nx = 1\n",
    );
    check(
        "m.s = { command = 'c' }",
        "m.s = { command = \"EXE\", args = [\"run\", \"--server=n\", \"--\", 'c'] }",
    );
    check(
        "[m]\ns = { args = ['a'], command = 'c' }",
        "[m]\ns = { args = [\"run\", \"--server\", \"n\", \"--\", 'c', 'a'], command = \"EXE\" }",
    );
}

#[test]
fn toml_remote_entries() {
    let forward = [("TOK".to_owned(), String::new())];
    let check = |before: &str, expected: &str| {
        let wrapper = Wrapper { client: "codex", forward: &forward, ..wrapper("n") };
        let after = wrap(Format::Toml, before, &path(&AT), &wrapper).unwrap();
        assert_eq!(after, expected.replace("EXE", EXE), "{before}");
        assert_eq!(unwrap(Format::Toml, &after, &path(&AT)).unwrap(), before, "{before}");
    };
    check(
        "[m.s]\n# c\nbearer_token_env_var = 'TOK' # t\nhttp_headers = {}\nurl = 'u'\nenabled = true\nenv_http_headers = { A = 'B' }\n[z]\n",
        "[m.s]\n# c\ncommand = \"EXE\"\nargs = [\"run\", \"--id\", \"codex:n\"]\nenv = { MCPWATCH_ENTRY = \"bearer_token_env_var = 'TOK' # t\\nhttp_headers = {}\\nurl = 'u'\\nenabled = true\\nenv_http_headers = { A = 'B' }\" }\nenv_vars = [\"TOK\"]\nenabled = true\n[z]\n",
    );
    check(
        "m.s = { url = 'u', bearer_token_env_var = 'TOK' }",
        "m.s = { command = \"EXE\", args = [\"run\", \"--id\", \"codex:n\"], env = { MCPWATCH_ENTRY = \"url = 'u', bearer_token_env_var = 'TOK'\" }, env_vars = [\"TOK\"] }",
    );
}

#[test]
fn refusals() {
    let mut out = String::new();
    let mut check = |format: Format, text: &str, name: &str| {
        let refused = wrap(format, text, &path(&AT), &wrapper(name)).expect_err(text);
        out.push_str(&format!("{text:?}\n    {refused}\n    {}\n", refused.hint()));
    };
    check(Format::Json, "{\n  \"m\": {,", "n");
    check(Format::Json, r#"{"m": {"s": {"command": "a"}}, "m": {}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"command": "a", "com\u006dand": "b"}}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"command": "a"}, "s": {}}}"#, "n");
    check(Format::Json, r#"{"m": {}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"command": 1}}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"command": "a", "args": "b"}}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"timeout": 1}}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"url": "u", "env": {}}}}"#, "n");
    check(Format::Json, r#"{"m": {"s": {"command": "a"}}}"#, "${env:HOME}");
    check(Format::Toml, "[m.s]\ncommand = 'a'\n[m.s]\n", "n");
    check(Format::Toml, "[m.s]\nurl = 'a'\n[m.s.http_headers]\nA = 'b'\n", "n");
    check(Format::Toml, "m.s.url = 'a'\nm.s.enabled = true\n", "n");
    let plain = unwrap(Format::Json, r#"{"m": {"s": {"command": "a"}}}"#, &path(&AT)).expect_err("plain");
    out.push_str(&format!("{plain}\n"));
    insta::assert_snapshot!(out);
}

#[test]
fn a_lock_of_a_project_is_named() {
    let wrapper = Wrapper { lock: Some("/p/mcp.lock"), ..wrapper("n") };
    for entry in [r#"{"command": "c"}"#, r#"{"url": "u"}"#] {
        let text = format!(r#"{{"m": {{"s": {entry}}}}}"#);
        let after = wrap(Format::Json, &text, &path(&AT), &wrapper).unwrap();
        assert!(after.contains(r#""run", "--lock", "/p/mcp.lock", "--"#), "{after}");
        assert_eq!(wrap(Format::Json, &after, &path(&AT), &wrapper).unwrap(), after);
        assert_ne!(
            wrap(Format::Json, &after, &path(&AT), &Wrapper { lock: None, ..wrapper }).unwrap(),
            after
        );
        assert_eq!(unwrap(Format::Json, &after, &path(&AT)).unwrap(), text);
    }
}
