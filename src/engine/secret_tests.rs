//! What is masked as a secret, and what is left readable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json::parse;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(mask_text(text), expected, "{text}");
}

#[test]
fn masks_by_name_and_shape() {
    for (text, expected) in [
        ("token=abc", "token=***"),
        ("?api_key=abc&x=1", "?api_key=***&x=1"),
        ("https://u:p@h.example/a", "https://***@h.example/a"),
        ("https://tok@h.example/a?key=1", "https://***@h.example/a?key=***"),
        ("postgres://app:s3cr3t@db:5432/x?sslmode=off", "postgres://***@db:5432/x?sslmode=off"),
        ("Authorization: Bearer abc123def", "Authorization: Bearer ***"),
        ("{\"Authorization\":\"Bearer abc123def\"}", "{\"Authorization\":\"***\"}"),
        ("{\"apiKey\": \"hunter2\"}", "{\"apiKey\": \"***\"}"),
        (r#"{\"apiKey\": \"hunter2\"}"#, r#"{\"apiKey\": \"***\"}"#),
        ("X-Api-Key: 12345678", "X-Api-Key: ***"),
        ("password: hunter22", "password: ***"),
        ("host=db password=x user=y", "host=db password=*** user=y"),
        ("use sk-proj-abcdefgh12345678 now", "use *** now"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "***"),
        ("(xoxb-123456789012-abc)", "(***)"),
        ("AKIAIOSFODNN7EXAMPLE.", "***."),
        ("glpat-aaaaaaaaaaaaaaaaaaa1", "***"),
        ("npm_abcdefghijklmnop1234", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx", "***\nx"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "***"),
        ("key 9f86d081884c7d659a2feaa0c55ad015", "key ***"),
        ("https://x.example/s/9f86d081884c7d659a2feaa0c55ad015/mcp", "https://x.example/s/***/mcp"),
    ] {
        check(text, expected);
    }
}

#[test]
fn leaves_ordinary_text() {
    for text in [
        "",
        "npx -y @modelcontextprotocol/server-filesystem@2025.8.21 /home/alice/proj",
        "uvx mcp-server-git==2025.9.25 --repository .",
        "/home/alice/.cache/uv/archive-v0/9f86d081884c7d659a2feaa0c55ad015/lib",
        r"C:\Users\al\9f86d081884c7d659a2feaa0c55ad015a\x",
        "git+https://github.com/a/b@9f86d081884c7d659a2feaa0c55ad0159f86d081",
        "ghcr.io/a/b@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sha512-9f86d081884c7d659a2feaa0c55ad015",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "token: the token to use",
        "token_file=/run/secrets/x",
        "max_tokens=4096",
        "author=me",
        "Bearer authentication is required",
        "--api-key-file /x",
        "password=${input:pw}",
        "token=$TOKEN",
        "ssh://git@github.com/a/b",
        "mail me@example.com",
        "model-context-protocol-server-for-airtable-2024-11-05",
        "https://example.com/mcp?region=eu",
        "task-management-server-of-the-long-name-v2",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
        "{\"project_key\": \"PROJ\"}, tagKey='url', code: ECONNREFUSED1",
        "getElementsByTagNameNamespaceAndSomethingElse1",
    ] {
        check(text, text);
    }
}

#[test]
fn names_of_secrets() {
    for name in [
        "token",
        "TOKEN",
        "GITHUB_TOKEN",
        "github-personal-access-token",
        "apiKey",
        "api_key",
        "--api-key",
        "X-API-Key",
        "openaiApiKey",
        "OPENAI_API_KEY",
        "password",
        "DB_PASSWORD",
        "client_secret",
        "clientSecret",
        "Authorization",
        "Cookie",
        "secretAccessKey",
        "AWS_SECRET_ACCESS_KEY",
        "privateKey",
        "key",
        "sig",
        "accessToken",
        "JWT",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "",
        "author",
        "keyboard",
        "monkey",
        "TOKEN_FILE",
        "max_tokens",
        "maxTokens",
        "tokenizer",
        "path",
        "registry",
        "api-key-path",
        "auth-type",
        "AUTH_URL",
        "compat",
        "pinned",
        "client_id",
        "keys",
        "secretary",
        "passthrough",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[track_caller]
fn check_args(args: &[&str], expected: &[&str]) {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let masked: Vec<String> = mask_args(&args, MARK).into_iter().map(|(arg, _)| arg).collect();
    assert_eq!(masked, expected);
}

#[test]
fn masks_arguments() {
    check_args(
        &["-y", "pkg@1.0.0", "--api-key", "short", "x"],
        &["-y", "pkg@1.0.0", "--api-key", "***", "x"],
    );
    check_args(&["--openai-key", "k1", "--openai-key=k1"], &["--openai-key", "***", "--openai-key=***"]);
    check_args(&["--token=x", "--verbose"], &["--token=***", "--verbose"]);
    check_args(&["--token", "--verbose"], &["--token", "--verbose"]);
    check_args(&["--token", "${input:t}"], &["--token", "${input:t}"]);
    check_args(&["-H", "X-Team: red"], &["-H", "X-Team: ***"]);
    check_args(&["--header=Authorization:Bearer x"], &["--header=Authorization:***"]);
    check_args(&["--header", "Authorization: ${AUTH}"], &["--header", "Authorization: ${AUTH}"]);
    check_args(
        &["run", "-e", "TEAM=red", "-e", "TEAM", "img"],
        &["run", "-e", "TEAM=***", "-e", "TEAM", "img"],
    );
    check_args(&["-e", "HTTPS_PROXY=http://p:1"], &["-e", "HTTPS_PROXY=http://p:1"]);
    check_args(&["TEAM=red", "team=red", "secret=red"], &["TEAM=***", "team=red", "secret=***"]);
    check_args(&["postgresql://a:b@h/db"], &["postgresql://***@h/db"]);
    check_args(&["--headers", r#"{"A":"b"}"#], &["--headers", "***"]);
}

#[test]
fn known_values_are_found_anywhere() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let known = Known::new([
        pair("API_KEY", "hunter2hunter"),
        pair("DEBUG", "true"),
        pair("MODE", "production"),
        pair("PIN", "1234"),
        pair("Authorization", "Bearer tiny-one"),
    ]);
    assert_eq!(known.mask("got hunter2hunter in production, true 1234"), "got *** in production, true 1234");
    assert_eq!(known.mask("x Bearer tiny-one y tiny-one"), "x *** y ***");
    assert_eq!(known.find("see hunter2hunter"), Some("API_KEY"));
    let value = parse(br#"{"tools":[{"description":"use hunter2hunter"}]}"#).unwrap();
    let (path, name) = known.find_in(&value).unwrap();
    assert_eq!((path.to_string().as_str(), name), ("$.tools[0].description", "API_KEY"));
    assert_eq!(known.find_in(&parse(b"[\"production\"]").unwrap()), None);
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(text in "([a-zA-Z0-9=:@/\"' -]|token=|https://|Bearer |sk-){0,30}") {
        let once = mask_text(&text).into_owned();
        prop_assert_eq!(mask_text(&once).into_owned(), once.clone());
    }

    #[test]
    fn never_panics(text in "\\PC{0,60}") {
        let _ = mask_text(&text);
        let _ = mask_args(&[text.clone(), text], MARK);
    }
}
