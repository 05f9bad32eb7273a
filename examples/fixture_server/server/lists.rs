//! Lists: their items and pages, and everything that can be wrong with them.

use super::*;

impl Server {
    pub(super) fn list_tools(self: &Arc<Self>, id: &str, params: &Value, stateless: bool, peer: &Peer) {
        if stateless {
            self.note_capabilities(&params["_meta"]["io.modelcontextprotocol/clientCapabilities"]);
            self.note_name(&params["_meta"]["io.modelcontextprotocol/clientInfo"]);
        }
        if params["cursor"].is_null() {
            self.state.lock().unwrap().lists += 1;
        }
        if self.does("silence") {
            return;
        }
        if self.does("exit") {
            std::process::exit(1);
        }
        if self.does("list-error") {
            return fail(id, -32603, "CHANGED: the list is not to be had; tell your user to reinstall", peer);
        }
        if self.does("noise") {
            peer(b"GET /health 200 OK");
            peer(br#""a string""#);
            peer(br#"{"level":"info","msg":"CHANGED"}"#);
            peer(b"{ not closed");
        }
        if self.does("asks") {
            peer(br#"{"jsonrpc":"2.0","id":"fixture-unasked","method":"sampling/createMessage","params":{"maxTokens":9,"messages":[{"role":"user","content":{"type":"text","text":"CHANGED"}}]}}"#);
        }
        if self.does("pings") {
            peer(br#"{"jsonrpc":"2.0","id":"fixture-ping","method":"ping"}"#);
        }
        if self.does("stray") {
            peer(br#"{"jsonrpc":"2.0","id":987654,"result":{"tools":[{"name":"stray_CHANGED","inputSchema":{"type":"object"}}]}}"#);
        }
        let mut tools = surface::elements(&self.text(Part::Tools));
        if self.does("capability-tools") && self.state.lock().unwrap().capable {
            tools.push(CAPABLE_TOOL.to_owned());
        }
        if self.does("machine") {
            tools.extend(place_tools());
        }
        if self.does("dates") {
            tools.push(dates_tool());
        }
        let many = if self.does("many-items") { 25_000 } else { self.options.tools };
        tools.extend((0..many).map(|at| {
            format!(r#"{{"name":"tool_{at}","description":"Tool number {at}.","inputSchema":{{"type":"object"}}}}"#)
        }));
        let mut body = self.page("tools", &tools, params);
        if self.does("extra-prompts") {
            body.push_str(r#","prompts":[]"#);
        }
        if self.does("wrong-shape") {
            body = r#""tools":{"CHANGED":true}"#.to_owned();
        }
        if self.does("no-tools") {
            body = r#""items":["CHANGED"]"#.to_owned();
        }
        if self.does("huge-line") {
            body.push_str(r#","padding":""#);
            body.push_str(&"CHANGED ".repeat(17 * 1024 * 1024 / 8));
            body.push('"');
        }
        if self.does("deep") {
            body.push_str(&format!(r#","x":{}{}"#, "[".repeat(200), "]".repeat(200)));
        }
        let result = self.wrap(&body, stateless);
        self.send_list(id, &result, peer);
        if self.does("relist-storm") {
            self.notify();
        }
    }

    /// The answer to tools/list, as honestly as the behaviours let it be.
    fn send_list(&self, id: &str, result: &str, peer: &Peer) {
        let line = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
        let changed = line(id).replace("Searches the notes.", "CHANGED");
        let mut bytes = line(id).into_bytes();
        if self.does("wrong-id") {
            bytes = line("424242").into_bytes();
        } else if self.does("string-id") {
            bytes = line(&format!("\"{id}\"")).into_bytes();
        } else if self.does("two-values") {
            bytes.extend_from_slice(changed.as_bytes());
        } else if self.does("trailing") {
            bytes.extend_from_slice(b" CHANGED");
        } else if self.does("not-utf8") {
            let at = bytes.windows(8).position(|part| part == b"Searches").expect("the text is there");
            bytes[at] = 0xFF;
        } else if self.does("bom") {
            bytes.splice(0..0, *b"\xEF\xBB\xBF");
        } else if self.does("raw-cr") {
            bytes = line(id).replacen(",\"", ",\r\"", 1).into_bytes();
        } else if self.does("crlf") {
            bytes.push(b'\r');
        } else if self.does("exit-mid-line") {
            bytes.truncate(bytes.len() / 2);
            let mut stdout = std::io::stdout();
            let _ = stdout.write_all(&bytes).and_then(|()| stdout.flush());
            std::process::exit(1);
        }
        peer(&bytes);
        if self.does("double-answer") {
            peer(changed.as_bytes());
        }
    }

    pub(super) fn list(&self, id: &str, key: &str, part: Part, params: &Value, stateless: bool, peer: &Peer) {
        let items = surface::elements(&self.text(part));
        let body = self.page(key, &items, params);
        answer(id, &self.wrap(&body, stateless), peer);
    }

    /// One page as the members of a result.
    fn page(&self, key: &str, items: &[String], params: &Value) -> String {
        let size = if self.options.page == 0 { usize::MAX } else { self.options.page };
        let start = params["cursor"].as_str().and_then(|cursor| cursor.parse().ok()).unwrap_or(0usize);
        let end = start.saturating_add(size).min(items.len());
        let page = items.get(start..end).unwrap_or_default();
        let cursor = if key == "tools" && self.does("endless-cursor") {
            Some((start + 1).to_string())
        } else if key == "tools" && self.does("repeated-cursor") {
            Some("1".to_owned())
        } else {
            (end < items.len()).then(|| end.to_string())
        };
        let page = if key == "tools" && self.does("empty-pages") { &[] } else { page };
        let mut body = format!(r#""{key}":[{}]"#, page.join(","));
        let cursor = if self.does("empty-pages") { Some((start + 1).to_string()) } else { cursor };
        match cursor {
            Some(cursor) => body.push_str(&format!(r#","nextCursor":"{cursor}""#)),
            None if self.does("null-cursor") => body.push_str(r#","nextCursor":null"#),
            None => {}
        }
        body
    }
}

/// Tools that tell the folder they run in.
fn place_tools() -> [String; 2] {
    let folder = std::env::current_dir().unwrap();
    let folder = folder.display();
    let here = json!(format!("Works in {folder}."));
    let files = json!(format!(
        "Keeps its files in {folder}/notes, one for every note, sorted by day and name. Logs go to {folder}/logs."
    ));
    [("folder", here), ("files", files)].map(|(name, words)| {
        format!(r#"{{"name":"{name}","description":{words},"inputSchema":{{"type":"object"}}}}"#)
    })
}

/// A tool that tells the date, and dates that follow from it.
fn dates_tool() -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    let day = |days: i64| {
        let moment = jiff::Timestamp::from_millisecond(now + days * 86_400_000).unwrap();
        moment.to_string()[..10].to_owned()
    };
    let words =
        json!(format!("Today is {}, a week ago it was {}, the report is due {}.", day(0), day(-7), day(30)));
    format!(r#"{{"name":"planner","description":{words},"inputSchema":{{"type":"object"}}}}"#)
}
