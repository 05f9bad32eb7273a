//! Which addresses the HTTP client takes, and what it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn check(text: &str, expected: &str) {
    let said = match address(text) {
        Ok(url) => host(&url),
        Err(error) => {
            assert!(!error.hint().is_empty());
            error.to_string()
        }
    };
    assert_eq!(said, expected, "{text}");
}

#[test]
fn plain_http_stays_on_this_machine() {
    check("https://example.com/mcp", "example.com");
    check("https://example.com:8443/mcp", "example.com:8443");
    check("http://localhost:3000/mcp", "localhost:3000");
    check("http://127.0.0.1:3000/mcp", "127.0.0.1:3000");
    check("http://127.8.9.10/mcp", "127.8.9.10");
    check("http://[::1]:3000/mcp", "[::1]:3000");
    check("http://example.com/mcp", "example.com would be spoken to without encryption");
    check("http://localhost.example.com/", "localhost.example.com would be spoken to without encryption");
    check("http://127.0.0.1.example.com/", "127.0.0.1.example.com would be spoken to without encryption");
    check("http://0.0.0.0/", "0.0.0.0 would be spoken to without encryption");
    check("http://192.168.1.2/", "192.168.1.2 would be spoken to without encryption");
    check("ws://example.com/", r#"the address "ws://example.com/" is no http or https URL"#);
    check("example.com/mcp", r#"the address "example.com/mcp" is no http or https URL"#);
    check("${input:url}", r#"the address "${input:url}" is no http or https URL"#);
}

#[test]
fn header_fields_hold_no_line_break() {
    let fields =
        |name: &str, value: &str| header_fields(&BTreeMap::from([(name.to_owned(), value.to_owned())]));
    assert!(fields("Authorization", "Bearer x").is_ok());
    for (name, value) in
        [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\rb"), ("X\r\nY", "a"), ("X Y", "a"), ("", "a")]
    {
        let error = fields(name, value).unwrap_err();
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let map = fields("Authorization", "Bearer x").unwrap();
    assert!(map.values().all(HeaderValue::is_sensitive));
}

/// Not under Wine, whose certificate store the verifier cannot open.
#[cfg(not(windows))]
#[test]
fn clients_are_shared() {
    let local = address("http://localhost/").unwrap();
    let remote = address("https://example.com/").unwrap();
    for address in [&local, &local, &remote] {
        client(address).unwrap();
    }
}
