//! Random sessions against an oracle that knows the pins: whatever both sides do in whatever order,
//! nothing unapproved reaches the client, and no call of anything unapproved reaches the server.
//!
//! The model server offers each of three tools as approved first (`GOOD`), as approved later
//! (`NEXT`), as nobody approved (`EVIL`), twice, or not at all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

const NAMES: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 3] = ["GOOD", "NEXT", "EVIL"];

#[derive(Clone, Debug)]
enum Op {
    List,
    Call(usize),
    CallUnknown,
    Cancel(usize),
    /// The server offers a tool otherwise: 0 to 2 a text, 3 twice, 4 not at all.
    Offer(usize, usize),
    Signal,
    /// The server answers the oldest request of ours in one of these ways.
    AnswerList(u8),
    /// The server answers an open call.
    AnswerCall(usize, u8),
    /// Frames that say too much.
    Stray(usize, u8),
    Approve(usize),
    CanAsk(bool),
    Tick(u64),
    Reconnect,
    Renew(bool),
    Fail(usize),
    Noise(bool, Vec<u8>),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => Just(Op::List),
        4 => (0..3usize).prop_map(Op::Call),
        1 => Just(Op::CallUnknown),
        1 => any::<usize>().prop_map(Op::Cancel),
        3 => (0..3usize, 0..5usize).prop_map(|(tool, how)| Op::Offer(tool, how)),
        2 => Just(Op::Signal),
        6 => (0..9u8).prop_map(Op::AnswerList),
        4 => (any::<usize>(), 0..7u8).prop_map(|(which, how)| Op::AnswerCall(which, how)),
        2 => (any::<usize>(), 0..6u8).prop_map(|(which, how)| Op::Stray(which, how)),
        1 => (0..4usize).prop_map(Op::Approve),
        1 => any::<bool>().prop_map(Op::CanAsk),
        3 => prop_oneof![Just(1u64), Just(499), Just(500), Just(5_000), Just(50_000), Just(700_000)].prop_map(Op::Tick),
        1 => Just(Op::Reconnect),
        1 => any::<bool>().prop_map(Op::Renew),
        1 => any::<usize>().prop_map(Op::Fail),
        1 => (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(side, bytes)| Op::Noise(side, bytes)),
    ];
    prop::collection::vec(op, 1..60)
}

fn pins(set: usize) -> Approval {
    let tools = |text: &str| {
        let tools: Vec<String> = NAMES.iter().map(|name| tool(name, text)).collect();
        let items: Vec<_> =
            NAMES.iter().zip(&tools).map(|(name, tool)| (Kind::Tool, *name, tool.as_str())).collect();
        approval(&items)
    };
    match set {
        0 => tools("GOOD"),
        1 => tools("NEXT"),
        2 => Approval::Nobody,
        _ => Approval::Closed("it is closed.".to_owned()),
    }
}

struct Model {
    session: Session,
    set: usize,
    /// What the server offers now.
    offers: [usize; 3],
    /// What it offered in its last whole list, if nothing put that in doubt since.
    told: Option<[usize; 3]>,
    /// What it offered on the first page of a list that has two, and the signals when that was asked for.
    half: ([usize; 3], Option<usize>),
    /// Requests of ours that it has not answered.
    asked: std::collections::VecDeque<(String, Option<usize>)>,
    /// Calls that reached it.
    calls: Vec<(u64, usize)>,
    next: u64,
    /// Ids that the client waits for.
    waiting: BTreeSet<u64>,
    /// Signals so far, and how many there were when the last list was asked for.
    signals: usize,
    asked_at: BTreeMap<String, usize>,
}

impl Model {
    fn new() -> Self {
        let mut session = Session::new(pins(0));
        session.run(
            r#"C {"id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
               S {"id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"EVIL","version":"1"},"instructions":"EVIL"}}"#,
        );
        Self {
            session,
            set: 0,
            offers: [0; 3],
            told: None,
            half: ([0; 3], None),
            asked: std::collections::VecDeque::new(),
            calls: Vec::new(),
            next: 1,
            waiting: BTreeSet::new(),
            signals: 0,
            asked_at: BTreeMap::new(),
        }
    }

    fn tools(&self) -> Vec<String> {
        let mut tools = Vec::new();
        for (name, how) in NAMES.iter().zip(self.offers) {
            match how {
                3 => tools.extend([tool(name, "GOOD"), tool(name, "EVIL")]),
                4 => {}
                text => tools.push(tool(name, TEXTS[text])),
            }
        }
        tools
    }

    fn frame(&mut self, from: Side, bytes: &[u8]) {
        let effects = self.session.step(Input::Frame(from, bytes));
        self.look(&effects, Some((from, bytes)));
    }

    fn text(&mut self, from: Side, text: &str) {
        self.frame(from, text.as_bytes());
    }

    fn other(&mut self, input: Input<'_>) {
        let effects = self.session.step(input);
        self.look(&effects, None);
    }

    /// The oracle.
    fn look(&mut self, effects: &[Effect], frame: Option<(Side, &[u8])>) {
        for effect in effects {
            match &effect.output {
                Output::Forward(Side::Client) => {
                    let (from, bytes) = frame.expect("forwards a frame only when there is one");
                    assert_eq!(from, Side::Server);
                    self.client_gets(bytes);
                }
                Output::Send(Side::Client, bytes) => self.client_gets(bytes),
                Output::Forward(Side::Server) => {
                    let (from, bytes) = frame.expect("forwards a frame only when there is one");
                    assert_eq!(from, Side::Client);
                    self.server_gets(bytes);
                }
                Output::Send(Side::Server, bytes) => self.server_gets(bytes),
                Output::Record(_) | Output::Offer(_) | Output::Ask(_) => {}
            }
        }
    }

    fn client_gets(&mut self, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(!text.contains("EVIL"), "the client gets {text}");
        assert!(!text.contains("NEXT") || self.set == 1, "the client gets {text} with set {}", self.set);
        assert!(!text.contains("GOOD") || self.set == 0, "the client gets {text} with set {}", self.set);
        let value = parse(bytes).unwrap();
        let is_answer = value.get("method").is_none();
        if let (true, Some(Id::Number(id))) = (is_answer, value.get("id").and_then(Id::of_value)) {
            let id = u64::try_from(id).unwrap();
            assert!(self.waiting.remove(&id), "{id} is answered twice: {text}");
        }
    }

    fn server_gets(&mut self, bytes: &[u8]) {
        let Ok(value) = parse(bytes) else { panic!("the server gets {}", String::from_utf8_lossy(bytes)) };
        match value.get("method").and_then(Value::as_str) {
            Some("tools/list") => {
                let id = value.get("id").and_then(Value::as_str).expect("only we ask for lists").to_owned();
                let cursor = value.at(&["params", "cursor"]).and_then(Value::as_str).map(|_| 1);
                if cursor.is_none() {
                    self.asked_at.insert(id.clone(), self.signals);
                }
                self.asked.push_back((id, cursor));
            }
            Some("tools/call") => {
                let name = value.at(&["params", "name"]).and_then(Value::as_str).unwrap();
                let tool =
                    NAMES.iter().position(|own| *own == name).expect("a tool nobody approved is called");
                let told = self.told.expect("a call reaches the server while its list is in doubt");
                assert!(self.set < 2, "a call reaches a server that is not approved");
                assert_eq!(told[tool], self.set, "{name} is called, and is not as approved");
                let id = value.get("id").and_then(Value::as_f64).unwrap();
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                self.calls.push((id as u64, tool));
            }
            _ => {}
        }
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next);
        self.next
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::List => {
                let id = self.id();
                self.text(Side::Client, &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#));
            }
            Op::Call(tool) => {
                let (id, name) = (self.id(), NAMES[*tool]);
                self.text(Side::Client, &call(id, name));
            }
            Op::CallUnknown => {
                let id = self.id();
                self.text(Side::Client, &call(id, "nothing"));
            }
            Op::Cancel(which) => {
                let ids: Vec<u64> = self.waiting.iter().copied().collect();
                if ids.is_empty() {
                    return;
                }
                let id = ids[which % ids.len()];
                let text = format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
                );
                self.text(Side::Client, &text);
            }
            Op::Offer(tool, how) => self.offers[*tool] = *how,
            Op::Signal => {
                self.signals += 1;
                self.told = None;
                self.text(
                    Side::Server,
                    r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"x":"EVIL"}}"#,
                );
            }
            Op::AnswerList(how) => self.answer_list(*how),
            Op::AnswerCall(which, how) => self.answer_call(*which, *how),
            Op::Stray(which, how) => self.stray(*which, *how),
            Op::Approve(set) => {
                self.set = *set;
                // The client may have been given the earlier set; from now on it must not be.
                self.other(Input::Approval(pins(*set)));
            }
            Op::CanAsk(can) => self.other(Input::CanAsk(*can)),
            Op::Tick(later) => {
                self.session.now += later;
                self.other(Input::Tick);
            }
            Op::Reconnect => {
                // Whatever was asked before may be answered, but says nothing about now.
                self.signals += 1;
                self.told = None;
                self.other(Input::Reconnected);
            }
            Op::Renew(is_whole) => {
                self.asked.clear();
                self.told = None;
                let answer: &[u8] = if *is_whole {
                    br#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"instructions":"EVIL"}}"#
                } else {
                    b"EVIL"
                };
                self.other(Input::Renewed(answer));
                for (id, tool) in std::mem::take(&mut self.calls) {
                    let call = call(id, NAMES[tool]);
                    self.other(Input::Undelivered(call.as_bytes()));
                }
            }
            Op::Fail(which) => {
                if !self.calls.is_empty() {
                    let (id, _) = self.calls.remove(which % self.calls.len());
                    let id = Id::Number(i64::try_from(id).unwrap());
                    self.other(Input::Failed(id, "mcpwatch: it is gone.".to_owned()));
                }
            }
            Op::Noise(is_client, bytes) => {
                let from = if *is_client { Side::Client } else { Side::Server };
                self.frame(from, bytes);
            }
        }
    }

    fn answer_list(&mut self, how: u8) {
        let Some((id, page)) = self.asked.pop_front() else { return };
        let tools = self.tools();
        let at = self.asked_at.get(&id).copied();
        let whole = |model: &mut Self| {
            // Told only if no signal came since that list was asked for.
            model.told = at.filter(|at| *at == model.signals).map(|_| model.offers);
        };
        let list = |tools: &[String], rest: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"tools":[{}]{rest}}}}}"#, tools.join(","))
        };
        if page.is_some() {
            // The second page is empty; the list is what the first page said.
            let (offers, at) = self.half;
            self.told = at.filter(|at| *at == self.signals).map(|_| offers);
            return self.text(Side::Server, &list(&[], ""));
        }
        self.half = (self.offers, at);
        let text = match how {
            0..=3 => {
                whole(self);
                list(&tools, r#","_meta":{"x":"EVIL"}"#)
            }
            4 => list(&tools, r#","nextCursor":"EVIL""#),
            5 => format!(r#"{{"jsonrpc":"2.0","id":"{id}","error":{{"code":-1,"message":"EVIL"}}}}"#),
            6 => format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"tools":"EVIL"}}}}"#),
            7 => format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"tools":[],"tools":["EVIL"]}}}}"#),
            _ => {
                whole(self);
                format!("[{}]", list(&tools, ""))
            }
        };
        if matches!(how, 5..=7) {
            self.told = None;
        }
        self.text(Side::Server, &text);
    }

    fn answer_call(&mut self, which: usize, how: u8) {
        if self.calls.is_empty() {
            return;
        }
        let index = which % self.calls.len();
        let (id, _) = self.calls.remove(index);
        let text = match how {
            0..=2 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#),
            3 => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-1,"message":"no"}}}}"#),
            4 => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"input_required","inputRequests":{{"x":{{"method":"EVIL"}}}}}}}}"#
            ),
            5 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":["EVIL"]}}"#),
            _ => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}},"Result":"EVIL"}}"#),
        };
        self.text(Side::Server, &text);
    }

    fn stray(&mut self, which: usize, how: u8) {
        let ids: Vec<u64> = self.waiting.iter().copied().collect();
        let id = if ids.is_empty() { 1 } else { ids[which % ids.len()] };
        // What is open at the server may be answered by it with anything; these must not be.
        let is_open = self.calls.iter().any(|(own, _)| *own == id);
        if is_open && how == 0 {
            return;
        }
        let tools = tool("a", "EVIL");
        let text = match how {
            0 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{tools}]}}}}"#),
            1 => format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"tools":[{tools}]}}}}"#),
            2 => format!(r#"[{{"jsonrpc":"2.0","id":{},"result":{{"tools":[{tools}]}}}}]"#, self.next + 1_000),
            3 => r#"{"jsonrpc":"2.0","id":77,"method":"sampling/createMessage","params":{"x":"EVIL"}}"#.to_owned(),
            4 => r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"EVIL"}}"#.to_owned(),
            _ => r#"{"jsonrpc":"2.0","id":"mcpwatch-07070707070707070707070707070707000000000001","method":"ping","params":{"x":"EVIL"}}"#.to_owned(),
        };
        self.text(Side::Server, &text);
    }
}

fn call(id: u64, name: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}"}}}}"#)
}

/// Sessions in which a call was once left without an answer.
#[test]
fn held_calls_are_answered() {
    use Op::{AnswerList, Approve, Call, CanAsk, List, Offer, Signal};
    ends(&[
        CanAsk(true),
        List,
        Signal,
        AnswerList(0),
        Call(2),
        Call(2),
        Approve(1),
        AnswerList(0),
        Approve(0),
        AnswerList(0),
        Offer(0, 0),
    ]);
}

/// Runs a session to its end: whatever waits is answered, by us, or once the server has answered
/// the calls that went on to it.
#[track_caller]
fn ends(ops: &[Op]) {
    let mut model = Model::new();
    for op in ops {
        model.run(op);
    }
    for _ in 0..200 {
        let Some(deadline) = model.session.gate.deadline() else { break };
        model.session.now = model.session.now.max(deadline);
        model.other(Input::Tick);
    }
    // A call that equals an open one waits for that one's answer.
    while !model.calls.is_empty() {
        model.answer_call(0, 0);
    }
    let is_cancelled = ops.iter().any(|op| matches!(op, Op::Cancel(_)));
    assert!(model.waiting.is_empty() || is_cancelled, "never answered: {:?}", model.waiting);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_unapproved_passes(ops in ops()) {
        ends(&ops);
    }

    #[test]
    fn arbitrary_frames_never_panic(frames in prop::collection::vec((any::<bool>(), frame()), 0..40)) {
        let mut session = Session::new(usual());
        for (is_client, frame) in frames {
            let from = if is_client { Side::Client } else { Side::Server };
            let _effects = session.step(Input::Frame(from, frame.as_bytes()));
            session.now += 100;
        }
    }
}

/// Envelopes with any method, id and shape.
fn frame() -> impl Strategy<Value = String> {
    let methods = prop::sample::select(vec![
        "initialize",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/get",
        "resources/read",
        "skills/get",
        "completion/complete",
        "tasks/get",
        "subscriptions/listen",
        "ping",
        "x/list",
        "sampling/createMessage",
        "notifications/cancelled",
        "notifications/tools/list_changed",
        "notifications/initialized",
    ]);
    let params = prop::sample::select(vec![
        "{}",
        "[]",
        r#"{"name":"add"}"#,
        r#"{"uri":"ui://page"}"#,
        r#"{"uri":"note://1"}"#,
        r#"{"cursor":"mcpwatch-page-9"}"#,
        r#"{"requestId":1}"#,
        r#"{"taskId":"t"}"#,
        r#"{"ref":{"type":"ref/prompt","name":"greet"}}"#,
        r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"notifications":{"toolsListChanged":true}}"#,
    ]);
    let results = prop::sample::select(vec![
        "{}",
        "[]",
        "null",
        r#"{"tools":[]}"#,
        r#"{"tools":[{"name":"add"}],"nextCursor":"x"}"#,
        r#"{"contents":[]}"#,
        r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#,
        r#"{"supportedVersions":["2026-07-28"],"capabilities":[]}"#,
        r#"{"resultType":"task","taskId":"t"}"#,
        r#"{"inputRequests":{"a":{}}}"#,
    ]);
    let ids = prop_oneof![
        (0..6u8).prop_map(|id| id.to_string()),
        (1..6u8).prop_map(|id| format!("\"mcpwatch-07070707070707070707070707070707{id:012}\"")),
    ];
    let one =
        (ids, methods, params, results, 0..4u8).prop_map(|(id, method, params, result, shape)| match shape {
            0 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#),
            1 => format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#),
            2 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
            _ => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"x"}}}}"#),
        });
    prop_oneof![
        4 => one.clone(),
        1 => prop::collection::vec(one, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
        1 => "\\PC{0,40}",
    ]
}
