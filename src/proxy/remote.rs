//! One remote server: its requests, its streams, its session.

use crate::engine::frame::{SseEvent, SseFramer};
use crate::engine::json::scan::scan;
use crate::engine::jsonrpc::{self, Envelope, Id, Shape};
use crate::engine::launchpin::UrlLaunch;
use crate::sys::http::{self, HttpError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

const SESSION: &str = "Mcp-Session-Id";
const VERSION: &str = "MCP-Protocol-Version";
const LAST_EVENT: &str = "Last-Event-ID";

/// How long the goodbye to a session may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How often a stream that owes an answer is taken up again.
const RESUMPTIONS: usize = 5;

/// The first and the longest time before a stream is asked for again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A remote server.
pub struct Remote {
    url: Url,
    client: Client,
    fields: HeaderMap,
    limit: usize,
    session: Mutex<Session>,
}

/// What the server said at the opening.
#[derive(Clone, Default)]
struct Session {
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

/// What of a message its headers repeat.
pub struct Outgoing {
    /// The id, if it is a request.
    pub id: Option<Id>,
    /// The method; empty for an answer.
    pub method: String,
    /// The item it names.
    pub name: Option<String>,
    /// The protocol version it carries, since 2026-07-28.
    pub version: Option<String>,
    /// The request it takes back.
    pub cancels: Option<Id>,
}

/// How a stream of events ended.
#[derive(Default)]
struct Ended {
    answered: bool,
    last: Option<String>,
    retry: Option<Duration>,
}

impl Remote {
    /// A remote server by its launch.
    pub fn new(launch: &UrlLaunch, limit: usize) -> Result<Self, String> {
        let made = || {
            let url = http::address(&launch.url)?;
            let fields = http::header_fields(&launch.headers)?;
            let client = http::client(&url)?;
            Ok::<_, HttpError>(Self { url, client, fields, limit, session: Mutex::default() })
        };
        made().map_err(|error| match error {
            HttpError::Plain { .. } => "its address is plain http to another machine.".to_owned(),
            _ => "its address or its header fields cannot be used.".to_owned(),
        })
    }

    /// Sends a message and hands on whatever is answered.
    pub async fn exchange(&self, outgoing: &Outgoing, message: Vec<u8>, out: &Sender<Vec<u8>>) {
        let failed = |why: String| {
            let answer = outgoing.id.as_ref().map(|id| jsonrpc::error(id, -32_000, &why));
            async move {
                if let Some(answer) = answer {
                    // A pump that is gone needs no answer.
                    let _gone = out.send(answer).await;
                }
            }
        };
        let response = match self.post(outgoing, message).send().await {
            Ok(response) => response,
            Err(_) => return failed("mcpwatch: the server's address does not answer.".to_owned()).await,
        };
        let status = response.status();
        let kind = kind(&response);
        if outgoing.method == "initialize" {
            self.session().id = response.headers().get(SESSION).filter(|id| id.len() <= 1024).cloned();
        }
        if status.is_success() && kind.starts_with("text/event-stream") {
            let mut ended = self.events(response, outgoing, out).await;
            let mut left = RESUMPTIONS;
            while !ended.answered && outgoing.id.is_some() && ended.last.is_some() && left > 0 {
                left -= 1;
                tokio::time::sleep(ended.retry.unwrap_or(RETRY.0)).await;
                let Some(response) = self.get(ended.last.as_deref()).await else { break };
                let last = ended.last.take();
                ended = self.events(response, outgoing, out).await;
                ended.last = ended.last.or(last);
            }
            if !ended.answered {
                failed("mcpwatch: the server's stream ended before its answer.".to_owned()).await;
            }
            return;
        }
        if status.is_success() && !kind.starts_with("application/json") {
            // What was only to be taken in is taken in.
            if outgoing.id.is_some() {
                failed("mcpwatch: the server answered with something else than JSON.".to_owned()).await;
            }
            return;
        }
        // 2026-07-28 answers errors of the protocol with 4xx and a body of JSON-RPC.
        let answer = match http::body(&self.url, response, self.limit).await {
            Ok(body) if kind.starts_with("application/json") => self.line(body, outgoing),
            Ok(_) | Err(_) => None,
        };
        match answer {
            Some(line) => drop(out.send(line).await),
            None if status == StatusCode::UNAUTHORIZED => {
                failed("mcpwatch: the server wants a login that it was not given.".to_owned()).await;
            }
            None => failed(format!("mcpwatch: the server's address answered with status {status}.")).await,
        }
    }

    /// Listens for what the server says by itself, for as long as it lets us.
    pub async fn listen(&self, out: &Sender<Vec<u8>>) {
        let nothing = Outgoing { id: None, method: String::new(), name: None, version: None, cancels: None };
        let (mut last, mut wait) = (None, RETRY.0);
        loop {
            let Some(response) = self.get(last.as_deref()).await else { return };
            let ended = self.events(response, &nothing, out).await;
            wait = ended.retry.unwrap_or(wait).clamp(RETRY.0, RETRY.1);
            last = ended.last.or(last);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

    /// Ends the session, if there is one.
    pub async fn goodbye(&self) {
        if self.session().id.is_some() {
            let request = self.with_session(self.client.request(Method::DELETE, self.url.clone()));
            // It ends with or without an answer.
            let _ended = request.headers(self.fields.clone()).timeout(GOODBYE).send().await;
        }
    }

    fn post(&self, outgoing: &Outgoing, message: Vec<u8>) -> RequestBuilder {
        let request = self.client.post(self.url.clone()).headers(self.fields.clone());
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.header(ACCEPT, "application/json, text/event-stream").body(message);
        let Some(version) = &outgoing.version else { return self.with_session(request) };
        let named = outgoing.name.as_ref().map(|name| ("Mcp-Name", field(name)));
        let method = ("Mcp-Method", field(&outgoing.method));
        let fields = [(VERSION, field(version)), method].into_iter().chain(named);
        fields.fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Asks for a stream; `None` if the server does not give one.
    async fn get(&self, last: Option<&str>) -> Option<Response> {
        let request = self.client.get(self.url.clone()).headers(self.fields.clone());
        let mut request = self.with_session(request.header(ACCEPT, "text/event-stream"));
        if let Some(last) = last {
            request = request.header(LAST_EVENT, last);
        }
        let response = request.send().await.ok()?;
        let is_stream = response.status().is_success() && kind(&response).starts_with("text/event-stream");
        is_stream.then_some(response)
    }

    fn with_session(&self, mut request: RequestBuilder) -> RequestBuilder {
        let Session { id, version } = self.session().clone();
        for (name, value) in [(SESSION, id), (VERSION, version)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }

    /// Hands on the events of a response to its end.
    async fn events(&self, response: Response, outgoing: &Outgoing, out: &Sender<Vec<u8>>) -> Ended {
        let mut ended = Ended::default();
        let mut framer = SseFramer::new(self.limit);
        let mut chunks = response.bytes_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            let Ok(events) = framer.feed(&chunk) else { return ended };
            for event in events {
                let SseEvent { event, data, id, retry } = event;
                ended.last = id.filter(|id| !id.is_empty()).or(ended.last);
                ended.retry = retry.map(Duration::from_millis).or(ended.retry);
                if data.is_empty() || !matches!(event.as_str(), "" | "message") {
                    continue;
                }
                let answers = outgoing.id.is_some() && answered(&data) == outgoing.id;
                let Some(line) = self.line(data, outgoing) else { continue };
                if out.send(line).await.is_err() {
                    return ended;
                }
                if answers {
                    ended.answered = true;
                    return ended;
                }
            }
        }
        ended
    }

    /// A message as one line. White space between its tokens may hold line ends; nothing else may.
    fn line(&self, mut message: Vec<u8>, outgoing: &Outgoing) -> Option<Vec<u8>> {
        if message.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            scan(&message).ok()?;
            for byte in &mut message {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
        if outgoing.method == "initialize"
            && let Ok(Envelope::Single(answer)) = jsonrpc::read(&message)
            && let Some(version) = answer.string(&["result", "protocolVersion"])
        {
            self.session().version = HeaderValue::from_str(&version).ok();
        }
        Some(message)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that a message answers.
fn answered(message: &[u8]) -> Option<Id> {
    match jsonrpc::read(message).ok()? {
        Envelope::Single(message) => match message.shape {
            Shape::Result(id) | Shape::Error(Some(id)) => Some(id),
            Shape::Error(None) | Shape::Request(..) | Shape::Notification(_) => None,
        },
        Envelope::Batch(_) => None,
    }
}

fn kind(response: &Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.unwrap_or_default().to_ascii_lowercase()
}

/// A value for a header field; what is not plain ASCII goes in the sentinel of 2026-07-28.
fn field(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    if is_plain && text.trim() == text && !text.starts_with("=?") {
        return text.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(text))
}
