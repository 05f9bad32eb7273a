//! Envelopes: requests, answers, and what is neither.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn shape(text: &str) -> Result<String, String> {
    match read(text.as_bytes()) {
        Ok(Envelope::Single(message)) => Ok(match message.shape {
            Shape::Request(id, method) => format!("request {id} {method}"),
            Shape::Notification(method) => format!("notification {method}"),
            Shape::Result(id) => format!("result {id}"),
            Shape::Error(Some(id)) => format!("error {id}"),
            Shape::Error(None) => "error".to_owned(),
        }),
        Ok(Envelope::Batch(elements)) => Ok(format!("batch of {}", elements.len())),
        Err(malformed) => Err(malformed.to_string()),
    }
}

#[test]
fn reads_envelopes() {
    let good = [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "request 1 ping"),
        (r#"{"method":"tools\/call","params":{},"id":"1","jsonrpc":"2.0"}"#, r#"request "1" tools/call"#),
        (r#"{"jsonrpc":"2.0","id":1.0,"method":"a"}"#, "request 1 a"),
        (r#"{"jsonrpc":"2.0","id":-3e2,"result":null}"#, "result -300"),
        (r#"{"jsonrpc":"2.0","method":"x","params":[]}"#, "notification x"),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#, "error"),
        (r#"{"jsonrpc":"2.0","id":"a\"b","error":{}}"#, r#"error "a\"b""#),
        (r#"{"jsonrpc":"2.0","id":7,"result":{},"extra":1}"#, "result 7"),
        (r#"[{"jsonrpc":"2.0","id":7,"result":{}},3]"#, "batch of 2"),
    ];
    for (text, expected) in good {
        assert_eq!(shape(text).as_deref(), Ok(expected), "{text}");
    }
    let bad = [
        "1",
        "[]",
        "{}",
        r#"{"id":1,"method":"a"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"a"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"text"}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"Id":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"RESULT":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"re\u017Fult":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}} {}"#,
        r#"{"jsonrpc":"2.0","id":9007199254740993,"result":{}}"#,
    ];
    let refused: Vec<String> =
        bad.iter().map(|text| format!("{text}\n    {}", shape(text).unwrap_err())).collect();
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn writes_what_it_reads() {
    let id = Id::Text("a\"\n".to_owned());
    let texts = [
        answer(&id, b"{\"x\":1}"),
        error(&id, -32_600, "no \"such\" thing"),
        request(&id, "tools/list", None),
        notification("notifications/x", Some(&super::super::json::parse(b"{\"a\":[1]}").unwrap())),
    ];
    let shapes: Vec<String> =
        texts.iter().map(|text| shape(std::str::from_utf8(text).unwrap()).unwrap()).collect();
    assert_eq!(
        shapes,
        [
            r#"result "a\"\n""#,
            r#"error "a\"\n""#,
            r#"request "a\"\n" tools/list"#,
            "notification notifications/x"
        ]
    );
}
