//! Which fields a message gets, and how values are written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::gate::Approved;
use crate::engine::json::parse;
use crate::engine::launchpin::LaunchPin;
use crate::engine::lockfile::{Pin, ServerPin};
use crate::engine::surface::ItemKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn params(schema: &str) -> Params {
    let launch =
        LaunchPin::Url { url: "https://example.org/mcp".into(), sse: false, headers: BTreeMap::new() };
    let mut pin = ServerPin::new(launch, "2026-07-28");
    let tool = parse(format!(r#"{{"name":"find","inputSchema":{schema}}}"#).as_bytes()).unwrap();
    pin.items.insert(ItemKey::new(Kind::Tool, "find"), Pin::of(Kind::Tool, tool));
    let approved = Approved { pin, rejected: BTreeSet::new(), unfit: BTreeSet::new() };
    Params::of(&Approval::Pinned(Arc::new(approved)))
}

#[track_caller]
fn check(schema: &str, arguments: &str, expected: &[(&str, &str)]) {
    let message = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"find","arguments":{arguments},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}}}}"#
    );
    let outgoing = Outgoing::read(message.as_bytes(), &params(schema)).unwrap();
    let found: Vec<(&str, &str)> =
        outgoing.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected, "{schema} {arguments}");
    let ascii = |text: &str| text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    assert!(outgoing.params.iter().all(|(_, value)| ascii(value)), "{schema} {arguments}");
}

#[test]
fn marked_parameters_become_fields() {
    let region =
        r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"},"query":{"type":"string"}}}"#;
    check(region, r#"{"region":"us-west1","query":"x"}"#, &[("mcp-param-region", "us-west1")]);
    check(region, r#"{"query":"x"}"#, &[]);
    check(region, r#"{"region":null}"#, &[]);
    check(region, r#"{"region":"Hello, 世界"}"#, &[("mcp-param-region", "=?base64?SGVsbG8sIOS4lueVjA==?=")]);
    check(region, r#"{"region":" padded "}"#, &[("mcp-param-region", "=?base64?IHBhZGRlZCA=?=")]);
    check(region, r#"{"region":"a\r\nX-Evil: 1"}"#, &[("mcp-param-region", "=?base64?YQ0KWC1FdmlsOiAx?=")]);
    let nested = r#"{"properties":{"at":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"},"b":{"type":"boolean","x-mcp-header":"B"}}}}}"#;
    check(nested, r#"{"at":{"n":-7,"b":true}}"#, &[("mcp-param-n", "-7"), ("mcp-param-b", "true")]);
}

#[test]
fn what_may_not_be_marked_is_not_repeated() {
    let marked = |kind: &str, mark: &str| {
        format!(r#"{{"properties":{{"a":{{"type":"{kind}","x-mcp-header":{mark}}}}}}}"#)
    };
    for (kind, mark) in [
        ("string", r#""""#),
        ("string", r#""a b""#),
        ("string", r#""a\r\nEvil""#),
        ("string", "1"),
        ("object", r#""Whole""#),
        ("array", r#""Whole""#),
    ] {
        check(&marked(kind, mark), r#"{"a":"x"}"#, &[]);
    }
    let twice = r#"{"properties":{"a":{"type":"string","x-mcp-header":"X"},"b":{"type":"string","x-mcp-header":"x"}}}"#;
    check(twice, r#"{"a":"1","b":"2"}"#, &[]);
}

#[test]
fn a_message_tells_its_names() {
    let read = |text: &str| Outgoing::read(text.as_bytes(), &Params::default()).unwrap();
    let call = read(r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b"}}"#);
    assert_eq!((call.ids.len(), call.name.as_deref(), call.version), (1, Some("a:b"), None));
    let cancelled =
        read(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}"#);
    assert_eq!((cancelled.ids.len(), cancelled.cancels), (0, Some(Id::Text("x".into()))));
    let batch = read(
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#,
    );
    assert_eq!(batch.ids, [Id::Number(1), Id::Number(2)]);
}
