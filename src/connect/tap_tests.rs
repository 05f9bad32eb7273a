//! What the tap keeps of an answer, and what it refuses to keep.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use rmcp::model::{ClientRequest, ListToolsRequest};

/// A tap with `tools/list` open under each of these ids.
fn open(ids: &[i64]) -> Tap {
    let tap = Tap::new(&Options::default());
    for id in ids {
        let request = ClientRequest::ListToolsRequest(ListToolsRequest::default());
        tap.sending(&ClientJsonRpcMessage::request(request, RequestId::Number(*id)));
    }
    tap
}

/// What is kept for request 1 after these bytes, and how many messages rmcp is told.
fn check(bytes: &str, expected: &str, told: usize) {
    let tap = open(&[1]);
    let messages = tap.receive(bytes.as_bytes());
    assert_eq!(messages.len(), told, "{bytes}");
    for message in messages {
        let text = serde_json::to_string(&message).unwrap();
        assert!(!text.contains("SERVER"), "rmcp sees the server's text: {text}");
    }
    let kept = match tap.take(&RequestId::Number(1)) {
        None => "nothing".to_owned(),
        Some(Ok(result)) => format!("{result:?}"),
        Some(Err(reason)) => reason.to_string(),
    };
    assert!(kept.contains(expected), "{bytes}: {kept}");
}

#[test]
fn answers_are_kept_and_rmcp_is_told_nothing_of_them() {
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":["SERVER"]}}"#, "SERVER", 1);
    check(r#"{"jsonrpc":"2.0","id":1.0,"result":{"tools":[]}}"#, "tools", 1);
    check(r#"[{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}]"#, "tools", 1);
    check(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"SERVER"}}"#, "with error -32601", 1);
    check(
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"SERVER"}}"#,
        "with error -32600",
        1,
    );
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"SERVER","tools":[]}}"#, "no complete result", 1);
}

#[test]
fn what_some_client_could_read_is_refused_at_once() {
    check(r#"{"jsonrpc":"2.0","id":"1","result":{"tools":[]}}"#, "spells the id", 1);
    check(
        r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{"tools":["SERVER"]}}"#,
        "a duplicate key at $.result",
        1,
    );
    check(r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#, "a duplicate key at $.id", 1);
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"a":"\ud800SERVER"}}"#, "a lone surrogate at $.result.a", 1);
    check(r#"{"jsonrpc":"2.0","id":"1","result":{"a":"\ud800"}}"#, "a lone surrogate at $.result.a", 1);
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"a":NaN}}"#, "not finite at $.result.a", 1);
    check(r#"{"jsonrpc":"2.0","ID":1,"result":{}}"#, "differs from \"id\" only in case", 1);
    check(r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}"#, "cannot be read safely", 1);
    check(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "cannot be read safely", 1);
    check(r#"{"id":1,"result":{}}"#, "cannot be read safely", 1);
    check("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "a byte order mark", 1);
}

#[test]
fn what_no_client_reads_is_skipped() {
    for noise in [
        "Listening on port 3000",
        "\"a string\"",
        "12",
        "{ level: 'info' }",
        r#"{"level":"info","msg":"ready"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":"x","result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"\ud800"}}"#,
    ] {
        check(noise, "nothing", 0);
        let tap = open(&[1]);
        tap.receive(noise.as_bytes());
        assert_eq!(tap.notes().len(), 1, "{noise}");
    }
}

#[test]
fn a_second_answer_changes_nothing() {
    let tap = open(&[1]);
    tap.receive(br#"{"jsonrpc":"2.0","id":1,"result":{"first":true}}"#);
    assert!(tap.receive(br#"{"jsonrpc":"2.0","id":1,"result":{"second":true}}"#).is_empty());
    assert!(tap.take(&RequestId::Number(1)).unwrap().unwrap().get("first").is_some());
    assert_eq!(tap.notes(), ["it answered once without being asked, which was ignored"]);
    tap.receive(br#"{"jsonrpc":"2.0","id":1,"result":{"third":true}}"#);
    assert_eq!(tap.notes(), ["it answered 2 times without being asked, which was ignored"]);
}

#[test]
fn an_error_without_id_belongs_to_nobody_where_two_are_open() {
    let tap = open(&[1, 2]);
    assert!(tap.receive(br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#).is_empty());
    assert!(tap.take(&RequestId::Number(1)).is_none());
}

#[test]
fn kinds_of_request_are_noted_in_both_eras() {
    let tap = open(&[1]);
    let ask = br#"{"jsonrpc":"2.0","id":5,"method":"roots/list"}"#;
    assert_eq!(tap.receive(ask).len(), 1, "rmcp answers it");
    tap.receive(br#"{"jsonrpc":"2.0","id":6,"method":"ping"}"#);
    tap.receive(
        br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create"}}}}"#,
    );
    assert_eq!(tap.requests(), ["elicitation/create", "roots/list"]);
}
