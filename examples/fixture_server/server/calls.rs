//! Calls of tools: echoes, slow ones, and those that ask the client something.

use super::*;

impl Server {
    pub(super) fn call(self: &Arc<Self>, id: &str, params: &Value, stateless: bool, peer: &Peer) {
        let arguments = &params["arguments"];
        let text = match params["name"].as_str().unwrap_or_default() {
            "echo" => arguments["text"].as_str().unwrap_or_default().to_owned(),
            "add" => {
                let sum = arguments["a"].as_f64().unwrap_or(0.0) + arguments["b"].as_f64().unwrap_or(0.0);
                let body = format!(r#"{},"structuredContent":{{"sum":{sum}}}"#, content(&sum.to_string()));
                return answer(id, &self.wrap(&body, stateless), peer);
            }
            "blob" => "x".repeat(usize::try_from(arguments["bytes"].as_u64().unwrap_or(0)).unwrap_or(0)),
            "change" => {
                self.state.lock().unwrap().switched = arguments["back"] != true;
                if self.options.when == When::Call {
                    self.turn();
                }
                "changed".to_owned()
            }
            "slow" => return self.slow(id, params, stateless, peer),
            "ask" => return self.ask(id, params, stateless, peer),
            name if self.text(Part::Tools).contains(&format!(r#""name":"{name}""#)) => {
                format!("{name} was called with {arguments}")
            }
            name if name.starts_with("tool_") || name == "capable" => format!("{name} was called"),
            _ => return fail(id, -32602, "no such tool", peer),
        };
        answer(id, &self.wrap(&content(&text), stateless), peer);
    }

    fn slow(self: &Arc<Self>, id: &str, params: &Value, stateless: bool, peer: &Peer) {
        let steps = params["arguments"]["steps"].as_u64().unwrap_or(3);
        let pause = Duration::from_millis(params["arguments"]["ms"].as_u64().unwrap_or(20));
        let token = params["_meta"].get("progressToken").cloned();
        let (server, id, peer) = (Arc::clone(self), id.to_owned(), Arc::clone(peer));
        std::thread::spawn(move || {
            for step in 1..=steps {
                std::thread::sleep(pause);
                if server.state.lock().unwrap().cancelled.contains(&id) {
                    return server.log(&format!("cancelled {id}"));
                }
                if let Some(token) = &token {
                    let line = format!(
                        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"total":{steps}}}}}"#
                    );
                    peer(line.as_bytes());
                }
            }
            answer(&id, &server.wrap(&content(&format!("counted to {steps}")), stateless), &peer);
        });
    }

    fn ask(&self, id: &str, params: &Value, stateless: bool, peer: &Peer) {
        let kind = params["arguments"]["kind"].as_str().unwrap_or("sampling");
        let (method, body) = match kind {
            "elicitation" => (
                "elicitation/create",
                r#"{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"}}}}"#,
            ),
            "roots" => ("roots/list", "{}"),
            _ => (
                "sampling/createMessage",
                r#"{"maxTokens":16,"messages":[{"role":"user","content":{"type":"text","text":"Say a word."}}]}"#,
            ),
        };
        if stateless {
            let said = &params["inputResponses"];
            if !said.is_null() {
                return answer(id, &self.wrap(&content(&format!("the client said {said}")), true), peer);
            }
            let result = format!(
                r#"{{"resultType":"input_required","inputRequests":{{"first":{{"method":"{method}","params":{body}}}}},"requestState":"asked"}}"#
            );
            return answer(id, &result, peer);
        }
        let mut state = self.state.lock().unwrap();
        state.asked += 1;
        let ours = format!("\"fixture-{}\"", state.asked);
        state.waiting.insert(ours.clone(), (id.to_owned(), Arc::clone(peer)));
        drop(state);
        peer(format!(r#"{{"jsonrpc":"2.0","id":{ours},"method":"{method}","params":{body}}}"#).as_bytes());
    }
}
