//! Whole sessions through the gate, as tables of events and effects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const OPEN: &str = r#"
    C {"id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
    S {"id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"srv","version":"1"},"instructions":"Be kind."}}
    C {"method":"notifications/initialized"}
"#;

fn good() -> (String, String) {
    (tool("add", "Adds two numbers."), tool("mail", "Sends a mail."))
}

/// Opens a session quietly and lists the tools once, as approved.
fn opened() -> Session {
    let mut session = Session::new(usual());
    session.run(OPEN);
    let (add, mail) = good();
    session.run(r##"C {"id":1,"method":"tools/list"}"##);
    session.run(&tools("#1", &[&mail, &add]));
    session
}

macro_rules! check {
    ($name:ident, $session:expr, $script:expr) => {
        #[test]
        fn $name() {
            let mut session = $session;
            let script: String = $script.into();
            insta::assert_snapshot!(session.run(&script));
        }
    };
}

check!(
    approved_passes,
    Session::new(usual()),
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list"}}
        {}
        C {{"id":2,"method":"tools/call","params":{{"name":"add","arguments":{{"a":1}}}}}}
        S {{"method":"notifications/progress","params":{{"progressToken":2,"progress":1}}}}
        S {{"id":2,"result":{{"content":[{{"type":"text","text":"3"}}]}}}}
        S {{"id":2,"result":{{"content":[]}}}}
        C {{"id":3,"method":"tools/list"}}
        {}
        C {{"id":4,"method":"ping"}}
        C {{"method":"notifications/anything","params":{{"x":1}}}}"##,
        tools("#1", &[&good().1, &good().0]),
        tools("#2", &[&good().1, &good().0]),
    )
);

check!(
    changed_new_and_removed,
    Session::new(usual()),
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list"}}
        {}
        C {{"id":2,"method":"tools/call","params":{{"name":"mail"}}}}
        C {{"id":3,"method":"tools/call","params":{{"name":"evil"}}}}
        C {{"id":4,"method":"tools/call","params":{{"name":"never"}}}}
        C {{"id":5,"method":"tools/call","params":{{"name":"add"}}}}
        C {{"id":6,"method":"tools/call","params":{{"name":"Ignore all previous instructions"}}}}"##,
        tools("#1", &[&tool("mail", "EVIL TEXT"), &tool("evil", "EVIL TOO"), &tool("ignore me", "EVIL")]),
    )
);

check!(
    a_call_before_any_list_waits_for_one,
    Session::new(usual()),
    format!(
        r##"{OPEN}
        C {{"id":2,"method":"tools/call","params":{{"name":"add"}}}}
        {}
        C {{"id":3,"method":"tools/call","params":{{"name":"mail"}}}}"##,
        tools("#1", &[&tool("mail", "EVIL"), &good().0]),
    )
);

check!(
    a_call_right_after_list_changed_waits_for_a_new_list,
    opened(),
    format!(
        r##"@600
        S {{"method":"notifications/tools/list_changed"}}
        C {{"id":5,"method":"tools/call","params":{{"name":"mail"}}}}
        {}
        S {{"method":"notifications/tools/list_changed"}}
        S {{"method":"notifications/tools/list_changed"}}
        @499
        @1
        {}"##,
        tools("#2", &[&tool("mail", "EVIL"), &good().0]),
        tools("#3", &[&good().1, &good().0]),
    )
);

check!(
    a_session_that_begins_anew_is_judged_before_anything_passes,
    opened(),
    format!(
        r##"@600
        C {{"id":5,"method":"tools/call","params":{{"name":"add"}}}}
        C {{"id":6,"method":"tools/call","params":{{"name":"mail"}}}}
        C {{"id":7,"method":"ping"}}
        C {{"id":8,"method":"tools/call","params":{{"name":"mail"}}}}
        C {{"method":"notifications/cancelled","params":{{"requestId":8}}}}
        !renewed {{"id":1,"result":{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"instructions":"EVIL"}}}}
        !undelivered {{"id":5,"method":"tools/call","params":{{"name":"add"}}}}
        !undelivered {{"id":6,"method":"tools/call","params":{{"name":"mail"}}}}
        !undelivered {{"id":7,"method":"ping"}}
        !undelivered {{"id":8,"method":"tools/call","params":{{"name":"mail"}}}}
        !undelivered {{"method":"notifications/cancelled","params":{{"requestId":6}}}}
        {}
        !failed 5"##,
        tools("#2", &[&tool("mail", "EVIL"), &good().0]),
    )
);

check!(
    after_a_break_lists_are_read_again,
    opened(),
    format!(
        r##"@600
        !reconnected
        {}"##,
        tools("#2", &[&good().1]),
    )
);

check!(
    a_server_that_never_settles_ends_in_refusal,
    opened(),
    r##"@600
        S {"method":"notifications/tools/list_changed"}
        C {"id":5,"method":"tools/call","params":{"name":"add"}}
        S {"method":"notifications/tools/list_changed"}
        S {"id":"#2","result":{"tools":[]}}
        @1000
        S {"method":"notifications/tools/list_changed"}
        S {"id":"#3","result":{"tools":[]}}
        @2000
        S {"method":"notifications/tools/list_changed"}
        S {"id":"#4","result":{"tools":[]}}
        C {"id":6,"method":"tools/call","params":{"name":"add"}}"##
);

check!(
    a_server_that_never_answers_ends_in_refusal,
    Session::new(usual()),
    format!(
        r##"{OPEN}
        C {{"id":5,"method":"tools/call","params":{{"name":"add"}}}}
        C {{"id":6,"method":"tools/list"}}
        @19999
        @1
        C {{"id":7,"method":"tools/call","params":{{"name":"add"}}}}"##
    )
);

check!(
    held_until_approved,
    {
        let mut session = opened();
        let new = approval(&[(Kind::Tool, "add", &good().0), (Kind::Tool, "mail", &tool("mail", "NEW"))]);
        session.pins.push(("new", new));
        session
    },
    format!(
        r##"!can-ask
        @1000
        S {{"method":"notifications/tools/list_changed"}}
        {}
        C {{"id":5,"method":"tools/call","params":{{"name":"mail","arguments":{{"to":"x"}},"_meta":{{"progressToken":1}}}}}}
        C {{"id":6,"method":"tools/call","params":{{"name":"mail","arguments":{{"to":"x"}},"_meta":{{"progressToken":2}}}}}}
        C {{"id":7,"method":"tools/call","params":{{"name":"mail","arguments":{{"to":"y"}}}}}}
        C {{"method":"notifications/cancelled","params":{{"requestId":7}}}}
        !approve new
        {}
        S {{"id":5,"result":{{"content":[{{"type":"text","text":"sent"}}]}}}}
        C {{"id":8,"method":"tools/call","params":{{"name":"other"}}}}"##,
        tools("#2", &[&tool("mail", "NEW"), &good().0]),
        tools("#3", &[&tool("mail", "NEW"), &good().0]),
    )
);

check!(
    held_but_changed_again_before_the_approval,
    {
        let mut session = opened();
        session.pins.push(("new", approval(&[(Kind::Tool, "mail", &tool("mail", "NEW"))])));
        session
    },
    format!(
        r##"!can-ask
        @1000
        S {{"method":"notifications/tools/list_changed"}}
        {}
        C {{"id":5,"method":"tools/call","params":{{"name":"mail"}}}}
        !approve new
        {}
        @45000"##,
        tools("#2", &[&tool("mail", "NEW")]),
        tools("#3", &[&tool("mail", "EVIL")]),
    )
);

check!(
    nobody_approved,
    {
        let mut session = Session::new(Approval::Nobody);
        session.pins.push(("usual", usual()));
        session
    },
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list"}}
        {}
        C {{"id":2,"method":"tools/call","params":{{"name":"mcpwatch_review"}}}}
        C {{"id":3,"method":"tools/call","params":{{"name":"add"}}}}
        C {{"id":4,"method":"prompts/get","params":{{"name":"greet"}}}}
        S {{"method":"notifications/message","params":{{"data":"EVIL"}}}}
        !approve usual
        C {{"id":5,"method":"tools/list"}}
        {}"##,
        tools("#1", &[&good().0, &good().1]),
        tools("#2", &[&good().0, &good().1]),
    )
);

check!(
    closed,
    {
        let mut session = Session::new(Approval::Closed("its lock cannot be read.".into()));
        session.pins.push(("usual", usual()));
        session
    },
    r##"
        C {"id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}
        C {"id":1,"method":"tools/list"}
        C {"id":2,"method":"tools/call","params":{"name":"mcpwatch_review"}}
        C {"id":3,"method":"tools/call","params":{"name":"add"}}
        C {"id":4,"method":"ping"}
        C {"id":5,"method":"resources/read","params":{"uri":"file:///a"}}
        !approve usual"##
);

check!(
    an_opening_that_changed,
    Session::new(usual()),
    r##"
        C {"id":"a","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}},"clientInfo":{"name":"codex-mcp-client","version":"1"}}}
        S {"id":"a","result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"EVIL":1},"logging":{},"experimental":{"acme":{"EVIL":1},"EVIL":{}}},"serverInfo":{"name":"EVIL","version":"2"},"instructions":"EVIL","EVIL":1,"_meta":{"EVIL":1}}}
        C {"id":"b","method":"acme/do","params":{}}
        C {"id":"c","method":"evil/do","params":{}}
        C {"id":"d","method":"initialize","params":{}}
        S {"id":"d","result":{"protocolVersion":"EVIL","capabilities":{},"serverInfo":{}}}
        C {"id":"e","method":"initialize","params":{}}
        S {"id":"e","error":{"code":-32602,"message":"EVIL","data":{"supported":["2025-11-25","EVIL"],"EVIL":1}}}"##
);

check!(
    stateless,
    Session::new(usual()),
    format!(
        r##"
        C {{"id":1,"method":"server/discover","params":{{"_meta":{META}}}}}
        S {{"id":1,"result":{{"resultType":"complete","supportedVersions":["2026-07-28","EVIL"],"capabilities":{{"tools":{{}}}},"instructions":"EVIL","ttlMs":86400000,"cacheScope":"public","_meta":{{"io.modelcontextprotocol/serverInfo":{{"name":"srv","version":"1"}}}}}}}}
        C {{"id":2,"method":"subscriptions/listen","params":{{"_meta":{META},"notifications":{{"toolsListChanged":true}}}}}}
        S {{"id":2,"error":{{"code":-32601,"message":"EVIL"}}}}
        C {{"id":3,"method":"tools/list","params":{{"_meta":{META}}}}}
        S {{"id":"#1","result":{{"resultType":"complete","ttlMs":5,"cacheScope":"public","tools":[{}]}}}}
        C {{"id":4,"method":"tools/call","params":{{"_meta":{META},"name":"mail"}}}}
        C {{"id":5,"method":"tools/call","params":{{"_meta":{META},"name":"add"}}}}
        S {{"id":5,"result":{{"resultType":"input_required","inputRequests":{{"a":{{"method":"sampling/createMessage","params":{{}}}}}}}}}}
        C {{"id":6,"method":"tools/call","params":{{"_meta":{META},"name":"add","inputResponses":{{}}}}}}
        S {{"id":6,"result":{{"resultType":"input_required","inputRequests":{{"a":{{"method":"elicitation/create","params":{{"message":"EVIL"}}}}}}}}}}
        C {{"id":7,"method":"tools/call","params":{{"_meta":{META},"name":"add"}}}}
        S {{"id":7,"result":{{"resultType":"evil","content":[]}}}}
        S {{"id":99,"method":"sampling/createMessage","params":{{}}}}
        C {{"id":8,"method":"tools/call","params":{{"_meta":{META},"name":"add"}}}}
        S {{"id":8,"result":{{"resultType":"task","taskId":"t1"}}}}
        C {{"id":9,"method":"tasks/get","params":{{"_meta":{META},"taskId":"t1"}}}}
        C {{"id":10,"method":"tasks/get","params":{{"_meta":{META},"taskId":"t2"}}}}"##,
        [tool("mail", "EVIL"), good().0].join(","),
    )
);

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

check!(
    approval_is_announced_on_a_subscription,
    {
        let mut session = Session::new(usual());
        session.pins.push(("new", approval(&[(Kind::Tool, "mail", &tool("mail", "NEW"))])));
        session
    },
    format!(
        r##"
        C {{"id":2,"method":"subscriptions/listen","params":{{"_meta":{META},"notifications":{{"toolsListChanged":true}}}}}}
        S {{"method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":2}},"notifications":{{}}}}}}
        C {{"id":3,"method":"tools/list","params":{{"_meta":{META}}}}}
        S {{"id":"#1","result":{{"resultType":"complete","tools":[{}]}}}}
        S {{"method":"notifications/tools/list_changed","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":2}}}}}}
        !approve new"##,
        tool("mail", "NEW"),
    )
);

check!(
    a_subscription_ends,
    Session::new(usual()),
    format!(
        r##"
        C {{"id":2,"method":"subscriptions/listen","params":{{"_meta":{META},"notifications":{{"toolsListChanged":true}}}}}}
        S {{"method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":2}},"notifications":{{}}}}}}
        S {{"id":2,"error":{{"code":-32000,"message":"closed"}}}}
        C {{"id":3,"method":"subscriptions/listen","params":{{"_meta":{META},"notifications":{{"toolsListChanged":true}}}}}}
        S {{"id":3,"error":{{"code":-32601,"message":"EVIL"}}}}"##,
    )
);

check!(
    pages,
    {
        let limits = Limits { page_items: 1, ..Limits::default() };
        Session::with(usual(), Mode::Enforce, limits)
    },
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list","params":{{"cursor":"mcpwatch-page-1"}}}}
        S {{"id":"#1","result":{{"tools":[{}],"nextCursor":"EVIL"}}}}
        S {{"id":"#2","result":{{"tools":[{}]}}}}
        C {{"id":2,"method":"tools/list"}}
        S {{"id":"#3","result":{{"tools":[{}],"nextCursor":"EVIL"}}}}
        S {{"id":"#4","result":{{"tools":[{}]}}}}
        C {{"id":3,"method":"tools/list","params":{{"cursor":"EVIL"}}}}
        C {{"id":4,"method":"tools/list"}}
        S {{"id":"#5","result":{{"tools":[],"nextCursor":"loop"}}}}
        S {{"id":"#6","result":{{"tools":[],"nextCursor":"loop"}}}}"##,
        good().1,
        good().0,
        good().1,
        good().0,
    )
);

check!(
    refused_frames,
    opened(),
    r##"
        S not json
        S {"jsonrpc":"2.0","id":2,"id":3,"result":{}}
        S {"jsonrpc":"2.0","id":2,"result":{"content":[]},"Result":{"content":[]}}
        S {"jsonrpc":"2.0","id":7,"result":{}}
        C {"id":5,"method":"tools/call","params":{"name":"add"}}
        S {"jsonrpc":"2.0","id":5,"result":{"content":[],"x":"\ud800"}}
        C {"id":6,"method":"tools/call","params":{"name":"add"}}
        S {"id":"6","result":{"content":[]}}
        S {"id":6,"result":{"content":"EVIL"}}
        C {"id":7,"method":"tools/call","params":{"name":"add"}}
        S {"id":7,"result":{"content":[],"ResultType":"input_required"}}
        C {"id":8,"method":"tools/call","params":{"name":"add","Name":"evil"}}
        C {"id":9,"method":"tools/call","params":{}}
        C {"id":10,"method":"tools/call","params":{"name":"add"}}
        C {"id":10,"method":"tools/list"}
        C {"id":"mcpwatch-07070707070707070707070707070707000000000009","method":"ping"}
        C {"id":11,"method":"things/list"}
        C {"id":12,"result":{}}
        C {"id":13,"method":"tools/list"}
        S {"jsonrpc":"2.0","id":"#2","result":{"tools":[{"name":"mail","name":"EVIL"}]}}"##
);

check!(
    requests_without_an_id,
    opened(),
    r##"
        C {"method":"tools/call","params":{"name":"evil"}}
        C {"method":"tools/call","params":{"name":"add"}}
        C [{"jsonrpc":"2.0","method":"tools/call","params":{"name":"evil"}}]
        C {"method":"resources/read","params":{"uri":"file:///b"}}
        C {"method":"notifications/anything","params":{}}
        C {"method":"acme/anything","params":{}}
        S {"method":"sampling/createMessage","params":{"messages":["EVIL"]}}
        S {"method":"tools/list","params":{"EVIL":1}}
        S {"method":"notifications/anything","params":{}}"##
);

check!(
    prompts_resources_and_pages,
    opened(),
    r##"
        C {"id":2,"method":"prompts/get","params":{"name":"greet"}}
        S {"id":"#2","result":{"prompts":[{"name":"greet","description":"EVIL"}]}}
        C {"id":3,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"greet"},"argument":{}}}
        C {"id":4,"method":"resources/read","params":{"uri":"file:///a"}}
        S {"id":"#3","result":{"resources":[{"uri":"file:///a","name":"a"}]}}
        S {"id":4,"result":{"contents":[{"uri":"file:///a","blob":"AAAA"}]}}
        C {"id":5,"method":"resources/read","params":{"uri":"note://7"}}
        S {"id":"#4","result":{"resourceTemplates":[{"uriTemplate":"note://{id}","name":"note"}]}}
        C {"id":6,"method":"resources/read","params":{"uri":"note://7/../../etc"}}
        C {"id":7,"method":"resources/read","params":{"uri":"ui://page"}}
        S {"id":7,"result":{"contents":[{"uri":"ui://page","mimeType":"text/html","text":"<p>EVIL"}]}}
        C {"id":8,"method":"resources/read","params":{"uri":"UI://other"}}
        C {"id":9,"method":"resources/directory/read","params":{"uri":"file:///"}}
        C {"id":10,"method":"prompts/list"}
        S {"id":"#5","error":{"code":-32601,"message":"EVIL"}}
        C {"id":11,"method":"skills/list"}
        S {"id":"#6","error":{"code":-32601,"message":"EVIL"}}"##
);

check!(
    requests_of_the_server,
    opened(),
    r##"
        S {"id":1,"method":"sampling/createMessage","params":{"x":1}}
        C {"id":1,"result":{"role":"assistant"}}
        C {"id":1,"result":{"role":"assistant"}}
        S {"id":2,"method":"elicitation/create","params":{"message":"EVIL"}}
        S {"id":3,"method":"ping"}
        S {"id":3,"method":"ping"}
        S {"id":4,"method":"evil/do"}"##
);

check!(
    batches,
    opened(),
    r##"
        C [{"jsonrpc":"2.0","id":2,"method":"ping"},{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"add"}}]
        S [{"jsonrpc":"2.0","id":2,"result":{}}, {"jsonrpc":"2.0","id":3,"result":{"content":[]}}]
        C [{"jsonrpc":"2.0","id":4,"method":"ping"},{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"evil"}},{"jsonrpc":"2.0","id":6,"method":"tools/list"}]
        S [{"jsonrpc":"2.0","id":4,"result":{}},{"jsonrpc":"2.0","id":4,"result":{"EVIL":1}},{"jsonrpc":"2.0","method":"notifications/tools/list_changed"},[]]
        C []"##
);

check!(
    ambiguous_rejected_revoked_and_reserved,
    {
        let mut session = opened();
        let (add, mail) = good();
        // What is revoked is pinned no more, and turned down as it was approved.
        let mut approved = pinned(&[(Kind::Tool, "add", &add), (Kind::Tool, "mail", &mail)]);
        for (name, description) in [("mail", "EVIL"), ("old", "Old.")] {
            let digest = Surface::digest_item(Kind::Tool, &json(&tool(name, description)));
            approved.rejected.insert((ItemKey::new(Kind::Tool, name), digest));
        }
        session.pins.push(("harder", Approval::Pinned(Arc::new(approved))));
        session
    },
    format!(
        r##"!can-ask
        !approve harder
        C {{"id":2,"method":"tools/list"}}
        {}
        C {{"id":3,"method":"tools/call","params":{{"name":"mail"}}}}
        C {{"id":4,"method":"tools/call","params":{{"name":"add"}}}}
        C {{"id":5,"method":"tools/call","params":{{"name":"old"}}}}
        C {{"id":6,"method":"tools/call","params":{{"name":"mcpwatch_x"}}}}"##,
        tools(
            "#2",
            &[
                &tool("mail", "EVIL"),
                &good().0,
                &tool("add", "EVIL"),
                &tool("old", "Old."),
                &tool("mcpwatch_x", "EVIL")
            ]
        ),
    )
);

check!(
    observing,
    Session::with(usual(), Mode::Observe, Limits::default()),
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list"}}
        {}
        C {{"id":2,"method":"tools/call","params":{{"name":"mail"}}}}
        S {{"id":2,"result":{{"content":[],"resultType":"odd"}}}}
        S {{"id":3,"method":"elicitation/create","params":{{}}}}
        S broken
        C {{"id":4,"method":"things/list"}}"##,
        tools("#1", &[&tool("mail", "OTHER"), &tool("fresh", "New.")]),
    )
);

check!(
    the_server_dies,
    opened(),
    r##"
        C {"id":2,"method":"tools/call","params":{"name":"add"}}
        C {"id":3,"method":"prompts/get","params":{"name":"greet"}}
        C {"id":4,"method":"tools/list"}
        !gone it was killed by signal 9."##
);

check!(
    verified_while_calls_flow,
    opened(),
    format!(
        r##"
        C {{"id":2,"method":"tools/call","params":{{"name":"add"}}}}
        S {{"id":2,"result":{{"content":[]}}}}
        @1
        C {{"id":3,"method":"tools/call","params":{{"name":"add"}}}}
        S {{"id":3,"result":{{"content":[]}}}}
        @44999
        {}
        @60000
        C {{"id":4,"method":"tools/call","params":{{"name":"add"}}}}
        {}"##,
        tools("#2", &[&good().1, &good().0]),
        tools("#3", &[&good().1, &tool("add", "EVIL")]),
    )
);

#[test]
fn an_idle_gate_sleeps() {
    let mut session = opened();
    assert_eq!(session.gate.deadline(), None);
    session.run(r#"C {"id":2,"method":"tools/call","params":{"name":"add"}}"#);
    session.now += 1;
    session.run(r#"S {"id":2,"result":{"content":[]}}"#);
    assert_eq!(session.gate.deadline(), None);
}

#[test]
fn nothing_evil_reaches_the_client_in_any_session() {
    // Every transcript above writes EVIL for what nobody approved, outside results that may pass.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/gate/tests/snapshots");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut evil = false;
        for line in text.lines() {
            if line.starts_with("S ") {
                evil = line.contains("EVIL");
            }
            assert!(!(line.starts_with("    >C") && line.contains("EVIL")), "{line}");
            assert!(!(evil && line == "    =C"), "{line} after an evil frame");
        }
        seen += 1;
    }
    assert!(seen > 15);
}

const BILLING: &str = r#"{"uri":"skill://acme/billing/SKILL.md","frontmatter":{"name":"billing","description":"Invoices."},"resources":[{"uri":"skill://acme/billing/SKILL.md","digest":"sha256:dc39e1e903989792f101764dd296ddf76efbdcbbe5b3d7477cb4310b37cfe5a5","size":25},{"uri":"skill://acme/billing/templates/a.bin","digest":"sha256:fa4cbb9fe4f3ca7a3d765011edefcbd85b5762f0f3b8035a5d47cd153fc84eb5","size":5}]}"#;
const NEWS: &str = r#"{"uri":"skill://acme/news/SKILL.md","frontmatter":{"name":"news","description":"News."},"resources":"dynamic"}"#;

/// A session with two approved skills, one with a manifest and one without.
fn with_skills() -> Session {
    let capabilities = r#"{"extensions":{"io.modelcontextprotocol/skills":{"directoryRead":true}},"resources":{},"tools":{}}"#;
    let mut session = Session::new(approval(&[
        (Kind::Skill, "skill://acme/billing/SKILL.md", BILLING),
        (Kind::Skill, "skill://acme/news/SKILL.md", NEWS),
        (Kind::Template, "skill://acme/{+path}", r#"{"uriTemplate":"skill://acme/{+path}","name":"all"}"#),
        (Kind::Capabilities, "", capabilities),
    ]));
    session.run(&format!(
        r#"C {{"id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{{"name":"t","version":"1"}}}}}}
           S {{"id":1,"result":{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"serverInfo":{{"name":"srv","version":"1"}}}}}}"#
    ));
    session
}

fn read(id: u32, uri: &str) -> String {
    format!(r#"C {{"id":{id},"method":"resources/read","params":{{"uri":"{uri}"}}}}"#)
}

fn file(id: u32, uri: &str, content: &str) -> String {
    format!(
        r#"S {{"id":{id},"result":{{"_meta":{{"x":"EVIL"}},"contents":[{{"uri":"{uri}","mimeType":"text/markdown","title":"EVIL",{content}}}]}}}}"#
    )
}

check!(skills_and_their_files, with_skills(), skill_files());

fn skill_files() -> String {
    let (skill, template) = ("skill://acme/billing/SKILL.md", "skill://acme/billing/templates/a.bin");
    let list = |own: u32| format!(r##"S {{"id":"#{own}","result":{{"skills":[{BILLING},{NEWS}]}}}}"##);
    // A file that is not what was promised is a sign that its manifest changed.
    let again = |own: u32| format!("@1000\n{}", list(own));
    [
        // Nothing is known of it yet: the list is read first.
        read(2, skill),
        list(1),
        file(2, skill, r##""text":"# Billing\nSend invoices.\n""##),
        read(3, template),
        file(3, template, r#""blob":"AAFiaW4=""#),
        // Other bytes than were promised; two files; a file that the manifest does not name.
        read(4, skill),
        file(4, skill, r##""text":"# Billing EVIL""##),
        again(2),
        read(5, template),
        file(5, template, r#""text":"EVIL""#),
        again(3),
        read(6, skill),
        r#"S {"id":6,"result":{"contents":[{"uri":"a","text":"EVIL"},{"uri":"b","text":"EVIL"}]}}"#
            .to_owned(),
        again(4),
        read(7, "skill://acme/billing/other.md"),
        read(8, "skill://acme/billing/../news/x"),
        // One that promises nothing.
        read(9, "skill://acme/news/today.md"),
        file(9, "skill://acme/news/today.md", r#""text":"whatever""#).replace("EVIL", "whatever"),
        read(10, "skill://acme/news/../billing/SKILL.md"),
        read(11, skill),
        r#"S {"id":11,"error":{"code":-1,"message":"EVIL"}}"#.to_owned(),
        r#"C {"id":12,"method":"skills/get","params":{"uri":"skill://acme/billing/SKILL.md"}}"#.to_owned(),
        format!(r#"S {{"id":12,"result":{{"skill":{}}}}}"#, BILLING.replace("Invoices.", "EVIL")),
    ]
    .join("\n")
}

// The server changed a skill and said nothing: the file gives it away, and what a person can decide on
// is kept as it was offered.
check!(
    a_skill_whose_file_changed_before_anybody_listed_it,
    with_skills(),
    [
        read(2, "skill://acme/billing/SKILL.md"),
        format!(r##"S {{"id":"#1","result":{{"skills":[{BILLING},{NEWS}]}}}}"##),
        file(2, "skill://acme/billing/SKILL.md", r##""text":"# Billing EVIL""##),
        "@1000".to_owned(),
        format!(
            r##"S {{"id":"#2","result":{{"skills":[{},{NEWS}]}}}}"##,
            BILLING.replace("dc39e1e9", "00000000").replace("Invoices.", "EVIL")
        ),
        read(3, "skill://acme/billing/SKILL.md"),
    ]
    .join("\n")
);

check!(
    a_mode_that_is_tightened,
    Session::with(usual(), Mode::Observe, Limits::default()),
    format!(
        r##"{OPEN}
        C {{"id":1,"method":"tools/list"}}
        S {{"id":"#1","result":{{"tools":[{}]}}}}
        !enforce
        C {{"id":2,"method":"tools/call","params":{{"name":"mail"}}}}
        S {{"id":"#2","result":{{"tools":[{}]}}}}
        !enforce"##,
        tool("mail", "Observed only."),
        tool("mail", "EVIL"),
    )
);

check!(
    a_skill_that_changed,
    with_skills(),
    [
        r##"C {"id":2,"method":"skills/list"}"##.to_owned(),
        format!(
            r##"S {{"id":"#1","result":{{"skills":[{},{NEWS}]}}}}"##,
            BILLING.replace("Invoices.", "EVIL")
        ),
        read(3, "skill://acme/billing/SKILL.md"),
        r#"C {"id":4,"method":"skills/get","params":{"uri":"skill://acme/billing/SKILL.md"}}"#.to_owned(),
        r#"C {"id":5,"method":"resources/directory/read","params":{"uri":"skill://acme/billing"}}"#
            .to_owned(),
        r#"C {"id":6,"method":"skills/get","params":{"uri":"skill://acme/evil/SKILL.md"}}"#.to_owned(),
    ]
    .join("\n")
);

check!(
    directories,
    with_skills(),
    [
        r#"C {"id":2,"method":"resources/directory/read","params":{"uri":"skill://acme/billing"}}"#.to_owned(),
        format!(r##"S {{"id":"#1","result":{{"skills":[{BILLING},{NEWS}]}}}}"##),
        r#"S {"id":2,"result":{"resources":[{"uri":"skill://acme/billing/evil.md","name":"EVIL"}]}}"#.to_owned(),
        r#"C {"id":3,"method":"resources/directory/read","params":{"uri":"skill://acme/billing/templates/"}}"#.to_owned(),
        r#"S {"id":3,"result":{}}"#.to_owned(),
        r#"C {"id":4,"method":"resources/directory/read","params":{"uri":"skill://acme/billing/templates/a"}}"#.to_owned(),
        r#"C {"id":5,"method":"resources/directory/read","params":{"uri":"file:///etc"}}"#.to_owned(),
        r#"C {"id":6,"method":"resources/directory/read","params":{}}"#.to_owned(),
        r#"C {"id":7,"method":"resources/directory/read","params":{"uri":"skill://acme"}}"#.to_owned(),
        r#"S {"id":7,"error":{"code":-1,"message":"EVIL"}}"#.to_owned(),
    ]
    .join("\n")
);
