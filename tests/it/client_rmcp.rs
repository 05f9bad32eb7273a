//! rmcp as the client: what `client_libraries` compares, done with it; and one session over a real
//! upgrade, in which the server's next release takes the place of the one that was approved.

// What a revision has given up is what earlier servers still ask for.
#![allow(deprecated)]

use crate::cli::bench::Bench;
use crate::clients::folder as clients;
use crate::{rmcp_http, servers};
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, CreateMessageRequestParams, CreateMessageResult,
    CustomNotification, CustomRequest, ElicitRequestParams, ElicitResult, Implementation, ListRootsResult,
    ProtocolVersion,
};
use rmcp::service::{
    ClientLifecycleMode, NotificationContext, PeerRequestOptions, RequestContext, RunningService,
    ServiceError, serve_client_with_lifecycle,
};
use rmcp::transport::IntoTransport;
use rmcp::{ClientHandler, ErrorData, RoleClient};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A client that answers what it is asked, and notes what it hears.
#[derive(Clone, Default)]
struct Hearing(Arc<Mutex<Vec<Value>>>);

type Service = RunningService<RoleClient, Hearing>;

impl Hearing {
    fn note(&self, what: Value) {
        self.0.lock().unwrap().push(what);
    }

    /// How often it has heard of something.
    fn times(&self, name: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|one| one.to_string().contains(name)).count()
    }

    /// Waits until it has heard of something so often.
    async fn until(&self, name: &str, times: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.times(name) < times {
            assert!(Instant::now() < until, "{name} was not heard {times} times: {:?}", self.0.lock());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl ClientHandler for Hearing {
    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.note(json!({ "request": "sampling/createMessage", "params": params }));
        read(
            json!({ "role": "assistant", "model": "none", "content": { "type": "text", "text": "sampled" } }),
        )
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        self.note(json!({ "request": "roots/list" }));
        read(json!({ "roots": [{ "uri": "file:///nowhere", "name": "nowhere" }] }))
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.note(json!({ "request": "elicitation/create", "params": params }));
        let content = json!({ "name": "Ada", "interpretation": "programming" });
        read(json!({ "action": "accept", "content": content }))
    }

    async fn on_logging_message(
        &self,
        params: rmcp::model::LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.note(json!({ "notification": "notifications/message", "params": params }));
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.note(json!({ "notification": "notifications/tools/list_changed" }));
    }

    async fn on_custom_notification(&self, told: CustomNotification, _: NotificationContext<RoleClient>) {
        self.note(json!({ "notification": told.method, "params": told.params }));
    }

    fn get_info(&self) -> ClientConfig {
        let capabilities: ClientCapabilities =
            read(json!({ "sampling": {}, "elicitation": {}, "roots": { "listChanged": true } })).unwrap();
        ClientConfig::new(capabilities, Implementation::new("driver", "1.0.0"))
    }
}

/// Starts a server and opens a session with it.
async fn open(command: &mut tokio::process::Command) -> (Service, tokio::process::Child) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let transport = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    (open_over(transport).await, child)
}

/// Opens a session over a transport of the library's.
async fn open_over<T, E, A>(transport: T) -> Service
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let mode = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    serve_client_with_lifecycle(Hearing::default(), transport, mode).await.unwrap()
}

/// The answer to a request, or what the library says of an error.
async fn ask(service: &Service, method: &str, params: Value) -> Result<Value, Value> {
    send(service, serde_json::from_value(json!({ "method": method, "params": params })).unwrap()).await
}

async fn send(service: &Service, request: ClientRequest) -> Result<Value, Value> {
    let answer = service.peer().send_request(request).await.map_err(|error| match error {
        ServiceError::McpError(error) => json!({ "code": error.code.0, "message": error.message }),
        other => json!({ "message": other.to_string() }),
    })?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// Does what a driver is told (`tests/clients/drive.mjs`).
pub fn told(told: &Value, home: &Path) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if let Some(url) = told["url"].as_str() {
            return reported(open_over(rmcp_http::transport(url)).await, &told["acts"]).await;
        }
        let mut program = tokio::process::Command::new(told["command"].as_str().unwrap());
        program.args(told["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()));
        let (service, mut child) = open(program.env("MCPWATCH_HOME", home.join("ours"))).await;
        let report = reported(service, &told["acts"]).await;
        let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
        report
    })
}

/// What comes of acts in a session, which is closed after them.
async fn reported(mut service: Service, acts: &Value) -> Value {
    let mut seen = vec![json!({ "opened": service.peer_info() })];
    for act in acts.as_array().unwrap() {
        let outcome = do_one(&service, act).await;
        seen.push(json!({ "act": act, "outcome": outcome.unwrap_or_else(|error| error) }));
    }
    let heard = service.service().0.lock().unwrap().clone();
    let _ = service.close_with_timeout(Duration::from_secs(1)).await;
    seen.push(json!({ "heard": heard }));
    Value::Array(seen)
}

async fn do_one(service: &Service, act: &Value) -> Result<Value, Value> {
    let (what, value) = act.as_object().unwrap().iter().next().unwrap();
    let what = ["call", "prompt", "task"]
        .iter()
        .find(|key| act.get(**key).is_some())
        .map_or(what.as_str(), |key| key);
    let with = || act.get("with").cloned().unwrap_or(json!({}));
    let (method, params) = match what {
        "tools" => ("tools/list", json!({})),
        "prompts" => ("prompts/list", json!({})),
        "resources" => ("resources/list", json!({})),
        "templates" => ("resources/templates/list", json!({})),
        "call" => ("tools/call", json!({ "name": act["call"], "arguments": with() })),
        "prompt" => ("prompts/get", json!({ "name": act["prompt"], "arguments": with() })),
        "read" => ("resources/read", json!({ "uri": value })),
        "complete" => ("completion/complete", value.clone()),
        "level" => ("logging/setLevel", json!({ "level": value })),
        "subscribe" => ("resources/subscribe", json!({ "uri": value })),
        "unsubscribe" => ("resources/unsubscribe", json!({ "uri": value })),
        "wait" => {
            service.service().until(value.as_str().unwrap(), 1).await;
            return Ok(Value::Null);
        }
        "task" => return task(service, act).await,
        // Subscriptions are left to the other libraries.
        _ => return Ok(Value::Null),
    };
    let Some(after) = act.get("cancel").and_then(Value::as_u64) else {
        return ask(service, method, params).await;
    };
    let request: ClientRequest =
        serde_json::from_value(json!({ "method": method, "params": params })).unwrap();
    let options = PeerRequestOptions::no_options();
    let handle = service.peer().send_request_with_option(request, options).await.unwrap();
    tokio::time::sleep(Duration::from_millis(after)).await;
    handle.cancel(Some("no longer wanted".to_owned())).await.unwrap();
    Ok(json!("cancelled"))
}

/// A task as of 2025-11-25. The library's own types are those of the extension that took its place: a
/// call has no `task` there, `tasks/list` and `tasks/result` are not known. These are custom requests,
/// which it sends and answers as they are; `tasks/get` and `tasks/cancel`, whose parameters are the same,
/// go by its types, and an answer that fits them loses what they do not have.
async fn task(service: &Service, act: &Value) -> Result<Value, Value> {
    let with = act.get("with").cloned().unwrap_or(json!({}));
    let params = json!({ "name": act["task"], "arguments": with, "task": { "ttl": 60000 } });
    let call = CustomRequest::new("tools/call", Some(params));
    let started = send(service, ClientRequest::CustomRequest(call)).await?;
    let one = json!({ "taskId": started["task"]["taskId"] });
    let mut seen = vec![json!({ "tools/call": started })];
    let steps: &[&str] = match act.get("then") {
        Some(_) => &["tasks/get", "tasks/list", "tasks/cancel", "tasks/get", "tasks/result"],
        None => &["tasks/get", "tasks/result", "tasks/list", "tasks/get"],
    };
    for step in steps {
        let params = if *step == "tasks/list" { json!({}) } else { one.clone() };
        seen.push(json!({ *step: ask(service, step, params).await.unwrap_or_else(|error| error) }));
    }
    // One that this session did not start.
    let other = ask(service, "tasks/get", json!({ "taskId": "another" })).await;
    seen.push(json!({ "another": other.unwrap_or_else(|error| error) }));
    Ok(Value::Array(seen))
}

/// The tool that is looked at over the upgrade.
const TOOL: &str = "list_directory";

/// That tool, as the client gets it.
async fn tool(service: &Service) -> Option<Value> {
    let tools = ask(service, "tools/list", json!({})).await.unwrap();
    tools["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == TOOL).cloned()
}

/// The same of a release without a gate.
async fn shown(script: &str, place: &str) -> Option<Value> {
    let mut command = tokio::process::Command::new("node");
    let (mut service, _child) = open(command.args([script, place])).await;
    let shown = tool(&service).await;
    let _ = service.close_with_timeout(Duration::from_secs(1)).await;
    shown
}

#[tokio::test]
async fn one_session_goes_on_over_an_upgrade_of_a_real_server() {
    const SCRIPT: &str = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
    let before = clients().join("earlier").join(SCRIPT);
    let after = servers::folder().join("npm").join(SCRIPT);
    if !before.exists() || !after.exists() {
        servers::skipped("server-filesystem");
        return;
    }
    let [before, after] = [before, after].map(|script| script.to_str().unwrap().to_owned());
    let bench = Bench::new();
    let place = bench.work().to_str().unwrap().to_owned();
    let (old, new) = (shown(&before, &place).await, shown(&after, &place).await);
    assert_ne!(old, new, "the releases show the same");

    // A server that runs one release until it is told to run the next.
    let switch = bench.work().join("switch");
    let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/switching.mjs");
    let words = [launcher.to_str().unwrap(), switch.to_str().unwrap(), &before, &after, &place];
    let args = words.map(str::to_owned);
    let entry = json!({ "command": "node", "args": args });
    bench.write("client.json", &json!({ "mcpServers": { "files": entry } }).to_string());
    let common = ["--config", "client.json", "--lock", "mcp.lock"];
    let run = bench.at_terminal(&[&["init"], &common[..]].concat(), &["y", "n"]);
    let Some(run) = run else { return };
    assert_eq!(run.code, 0, "{}", run.all());

    let mut gate = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcpwatch"));
    gate.args(["run", "--server", "files", "--lock"])
        .arg(bench.work().join("mcp.lock"))
        .arg("--")
        .arg("node");
    gate.args(&args).env("MCPWATCH_HOME", bench.home().join("mcpwatch")).current_dir(bench.work());
    let (mut service, _child) = open(&mut gate).await;
    assert_eq!(tool(&service).await, old);
    let list = json!({ "name": TOOL, "arguments": { "path": place } });
    let called = ask(&service, "tools/call", list.clone()).await.unwrap();
    assert!(called.to_string().contains("client.json"), "{called}");

    std::fs::write(&switch, "").unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while !bench.work().join("switch.done").exists() {
        assert!(Instant::now() < until, "the server was not upgraded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The call waits for a list that the gate reads after the server's signal.
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(tool(&service).await, old, "it keeps its approved text");
    let refused = ask(&service, "tools/call", list.clone()).await.unwrap();
    assert!(refused.to_string().contains("Blocked by mcpwatch"), "{refused}");

    // The server's own signal may have come through; the one that counts is the gate's, after the approval.
    let before = service.service().times("tools/list_changed");
    let run = bench.at_terminal(&[&["approve"], &common[..]].concat(), &["y"; 40]).unwrap();
    assert_eq!(run.code, 0, "{}", run.all());
    service.service().until("tools/list_changed", before + 1).await;
    assert_eq!(tool(&service).await, new);
    let called = ask(&service, "tools/call", list).await.unwrap();
    assert!(called.to_string().contains("client.json"), "{called}");
    let _ = service.close_with_timeout(Duration::from_secs(1)).await;
}
