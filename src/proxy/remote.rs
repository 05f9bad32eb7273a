//! One remote server over Streamable HTTP: its requests, its streams, its session.

use super::headers::{Outgoing, field};
use crate::engine::frame::{SseEvent, SseFramer};
use crate::engine::json::scan::scan;
use crate::engine::jsonrpc::{self, Envelope, Id, Message, Shape};
use crate::engine::launchpin::UrlLaunch;
use crate::sys::http::{self, HttpError};
use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// How long the goodbye to a session may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How often a stream that owes an answer is taken up again.
const RESUMPTIONS: usize = 5;

/// The first and the longest time before a stream is asked for again.
pub const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What is said of an answer that cannot be framed.
pub const TOO_LONG: &str = "mcpwatch: the server's answer is longer than the limit, or no stream of events.";

/// What is said where nobody answers.
pub const UNREACHABLE: &str = "mcpwatch: the server's address does not answer.";

/// What is said of an answer that does not come.
pub const BROKEN: &str = "mcpwatch: the server's stream ended before its answer.";

/// The way to the pump.
#[derive(Clone)]
pub struct Out {
    /// For messages of the server.
    pub lines: Sender<Vec<u8>>,
    /// For everything else.
    pub said: Sender<Said>,
}

/// What a transport says beside the server's messages.
pub enum Said {
    /// Signals may have been missed.
    Gap,
    /// A session began anew with the client's own opening; this is the answer.
    Renewed(Vec<u8>),
    /// A message that did not reach the server comes back.
    Undelivered(Bytes),
    /// A request will not be answered; why, in our words.
    Failed(Id, String),
}

impl Out {
    /// Hands on a message; `false` if the pump is gone.
    pub async fn line(&self, message: Vec<u8>) -> bool {
        self.lines.send(message).await.is_ok()
    }

    /// Says something; a pump that is gone needs to hear nothing.
    pub async fn say(&self, said: Said) {
        let _gone = self.said.send(said).await;
    }

    /// Says that requests will not be answered.
    pub async fn fail(&self, owed: &[Id], why: &str) {
        for id in owed {
            self.say(Said::Failed(id.clone(), why.to_owned())).await;
        }
    }
}

/// A remote server.
pub struct Remote {
    /// The address of the launch.
    pub url: Url,
    client: Client,
    fields: HeaderMap,
    /// The largest message.
    pub limit: usize,
    session: Mutex<Session>,
}

/// What the server said at the opening.
#[derive(Clone, Default, PartialEq)]
pub struct Session {
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

/// How an exchange ended.
#[derive(Clone, PartialEq)]
#[must_use]
pub enum Outcome {
    /// Everything that wanted an answer has one.
    Done,
    /// The server does not know this session any more, and took nothing in.
    Lost(Session),
    /// Nobody speaks this transport at the address.
    NotHere(StatusCode),
    /// The address could not be reached; answered, but signals may have been missed.
    Unreachable,
}

/// What a task that waits for the server found out.
pub enum Heard {
    /// The server forgot this session; the message, if one found out, did not reach it.
    Lost(Session, Option<Bytes>),
    /// The stream of HTTP+SSE ended.
    StreamEnded,
    /// Signals may have been missed.
    Gap,
}

/// How a stream of events ended.
#[derive(Default)]
struct Ended {
    last: Option<String>,
    retry: Option<Duration>,
    /// It cannot be read on, and would not be better the next time.
    is_refused: bool,
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
    pub async fn exchange(&self, outgoing: &Outgoing, message: Bytes, out: &Out) -> Outcome {
        let mut owed = outgoing.ids.clone();
        let session = self.session().clone();
        let Ok(response) = self.post(outgoing, message, &session).send().await else {
            out.fail(&owed, UNREACHABLE).await;
            return Outcome::Unreachable;
        };
        let status = response.status();
        let kind = kind(&response);
        if status == StatusCode::NOT_FOUND && session.id.is_some() && outgoing.version.is_none() {
            return Outcome::Lost(session);
        }
        if outgoing.method == "initialize" {
            self.session().id = response.headers().get(SESSION).filter(|id| id.len() <= 1024).cloned();
        }
        if status.is_success() && kind.starts_with("text/event-stream") {
            self.streamed(response, outgoing, &mut owed, out).await;
            return Outcome::Done;
        }
        if status.is_success() && !kind.starts_with("application/json") {
            // What was only to be taken in is taken in.
            out.fail(&owed, "mcpwatch: the server answered with something else than JSON.").await;
            return Outcome::Done;
        }
        // 2026-07-28 answers errors of the protocol with 4xx and a body of JSON-RPC.
        let body = match http::body(&self.url, response, self.limit).await {
            Ok(body) if kind.starts_with("application/json") => self.line(body, Some(outgoing)),
            Ok(_) => None,
            Err(HttpError::TooLong { .. }) => {
                out.fail(&owed, TOO_LONG).await;
                return Outcome::Done;
            }
            Err(_) => None,
        };
        let answered = body.as_deref().map_or(Vec::new(), answered);
        if answered.is_empty() {
            // The older transport answers a message to its stream's address with 4xx. Whoever wants a login
            // has one for the stream too.
            let is_missing = status.is_client_error() && status != StatusCode::UNAUTHORIZED;
            // Some servers say so with 400, and an error that answers no request.
            if status == StatusCode::BAD_REQUEST && session.id.is_some() && is_error(body.as_deref()) {
                return Outcome::Lost(session);
            }
            if is_missing && outgoing.method == "initialize" {
                return Outcome::NotHere(status);
            }
        }
        if let Some(line) = body.filter(|_| status.is_success() || !answered.is_empty()) {
            owed.retain(|id| !answered.contains(id));
            // What cannot be read is the gate's to record. A pump that is gone needs no answer.
            let _gone = out.line(line).await;
        }
        out.fail(&owed, &refused(status)).await;
        Outcome::Done
    }

    /// Listens for what the server says by itself, for as long as it lets us; tells when the stream had
    /// been broken, and when the session is gone.
    pub async fn listen(&self, out: &Out, news: &Sender<Heard>) {
        let (mut last, mut wait, mut is_first) = (None, RETRY.0, true);
        let nothing = Outgoing::default();
        loop {
            let session = self.session().clone();
            match self.get(last.as_deref(), &session).await {
                Ok(response) if is_stream(&response) => {
                    if !is_first {
                        let _gone = news.send(Heard::Gap).await;
                    }
                    is_first = false;
                    let ended = self.events(response, &nothing, &mut Vec::new(), out).await;
                    wait = ended.retry.unwrap_or(RETRY.0);
                    last = ended.last.or(last);
                }
                Ok(response) if response.status() == StatusCode::NOT_FOUND && session.id.is_some() => {
                    if !is_first {
                        let _gone = news.send(Heard::Lost(session, None)).await;
                    }
                    return;
                }
                // It gives no such stream.
                Ok(response) if !response.status().is_server_error() => return,
                Ok(_) | Err(_) => is_first = false,
            }
            tokio::time::sleep(wait.clamp(RETRY.0, RETRY.1)).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

    /// Forgets a session, if it is still this one; says whether it was.
    pub fn forget(&self, lost: &Session) -> bool {
        let mut session = self.session();
        let is_current = *session == *lost;
        if is_current {
            *session = Session::default();
        }
        is_current
    }

    /// Ends the session, if there is one.
    pub async fn goodbye(&self) {
        let session = self.session().clone();
        if session.id.is_some() {
            let request = self.client.request(Method::DELETE, self.url.clone());
            // It ends with or without an answer.
            let _ended = request.headers(self.with(&session)).timeout(GOODBYE).send().await;
        }
    }

    /// A stream of events, or whatever the server gives instead.
    pub async fn get(&self, last: Option<&str>, session: &Session) -> reqwest::Result<Response> {
        let mut fields = self.with(session);
        fields.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = last.and_then(|last| HeaderValue::from_str(last).ok()) {
            fields.insert(LAST_EVENT, last);
        }
        self.client.get(self.url.clone()).headers(fields).send().await
    }

    /// Posts to an address of the same origin, without a session.
    pub async fn post_to(&self, url: &Url, message: Bytes) -> reqwest::Result<Response> {
        let mut fields = self.with(&Session::default());
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.client.post(url.clone()).headers(fields).body(message).send().await
    }

    fn post(&self, outgoing: &Outgoing, message: Bytes, session: &Session) -> RequestBuilder {
        let none = Session::default();
        let mut fields = self.with(if outgoing.version.is_some() { &none } else { session });
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(version) = &outgoing.version {
            let name = outgoing.name.as_deref().map(|name| (NAME, field(name)));
            let own = [(VERSION, field(version)), (METHOD, field(&outgoing.method))];
            for (name, value) in own.into_iter().chain(name).chain(outgoing.params.iter().cloned()) {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    fields.insert(name, value);
                }
            }
        }
        self.client.post(self.url.clone()).headers(fields).body(message)
    }

    /// The launch's fields; what stands for a parameter never comes from there.
    fn with(&self, session: &Session) -> HeaderMap {
        let own = self.fields.iter().filter(|(name, _)| !name.as_str().starts_with("mcp-param-"));
        let mut fields: HeaderMap = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in [(SESSION, &session.id), (VERSION, &session.version)] {
            if let Some(value) = value {
                fields.insert(name, value.clone());
            }
        }
        fields
    }

    /// Reads an answer's stream, and takes it up again where it broke.
    async fn streamed(&self, response: Response, outgoing: &Outgoing, owed: &mut Vec<Id>, out: &Out) {
        let mut ended = self.events(response, outgoing, owed, out).await;
        for _ in 0..RESUMPTIONS {
            if owed.is_empty() || ended.last.is_none() || ended.is_refused || outgoing.version.is_some() {
                break;
            }
            tokio::time::sleep(ended.retry.unwrap_or(RETRY.0).min(RETRY.1)).await;
            let session = self.session().clone();
            let Ok(response) = self.get(ended.last.as_deref(), &session).await else { continue };
            if !is_stream(&response) {
                break;
            }
            let last = ended.last.take();
            ended = self.events(response, outgoing, owed, out).await;
            ended.last = ended.last.or(last);
        }
        let why = if ended.is_refused { TOO_LONG } else { BROKEN };
        out.fail(owed, why).await;
    }

    /// Hands on the events of a response until nothing is owed, or to its end.
    async fn events(&self, response: Response, outgoing: &Outgoing, owed: &mut Vec<Id>, out: &Out) -> Ended {
        let mut ended = Ended::default();
        let mut framer = SseFramer::new(self.limit);
        let mut chunks = response.bytes_stream();
        let is_answer = !owed.is_empty();
        while let Some(Ok(chunk)) = chunks.next().await {
            let Ok(events) = framer.feed(&chunk) else {
                ended.is_refused = true;
                return ended;
            };
            for event in events {
                let is_message = event.is_message();
                let SseEvent { data, id, retry, .. } = event;
                ended.last = id.filter(|id| !id.is_empty()).or(ended.last);
                ended.retry = retry.map(Duration::from_millis).or(ended.retry);
                if data.is_empty() || !is_message {
                    continue;
                }
                let answered = if is_answer { answered(&data) } else { Vec::new() };
                let Some(line) = self.line(data, Some(outgoing)) else { continue };
                if !out.line(line).await {
                    return ended;
                }
                owed.retain(|id| !answered.contains(id));
                if is_answer && owed.is_empty() {
                    return ended;
                }
            }
        }
        ended
    }

    /// A message as one line. White space between its tokens may hold line ends; nothing else may.
    pub fn line(&self, mut message: Vec<u8>, outgoing: Option<&Outgoing>) -> Option<Vec<u8>> {
        if message.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            scan(&message).ok()?;
            for byte in &mut message {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
        if outgoing.is_some_and(|outgoing| outgoing.method == "initialize")
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

/// The requests that a message answers.
pub fn answered(message: &[u8]) -> Vec<Id> {
    let of = |message: Message<'_>| match message.shape {
        Shape::Result(id) | Shape::Error(Some(id)) => Some(id),
        Shape::Error(None) | Shape::Request(..) | Shape::Notification(_) => None,
    };
    match jsonrpc::read(message) {
        Ok(Envelope::Single(message)) => of(message).into_iter().collect(),
        Ok(Envelope::Batch(elements)) => {
            elements.iter().filter_map(|text| of(jsonrpc::read_element(text).ok()?)).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Whether a response is a stream of events.
pub fn is_stream(response: &Response) -> bool {
    response.status().is_success() && kind(response).starts_with("text/event-stream")
}

fn is_error(body: Option<&[u8]>) -> bool {
    let message = body.and_then(|body| jsonrpc::read(body).ok());
    matches!(message, Some(Envelope::Single(Message { shape: Shape::Error(None), .. })))
}

/// What is said of a response that answers nothing.
pub fn refused(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "mcpwatch: the server wants a login that it was not given.".to_owned(),
        status if status.is_redirection() => {
            "mcpwatch: the server's address redirects elsewhere, and redirects are not followed.".to_owned()
        }
        status if status.is_success() => "mcpwatch: the server did not answer the request.".to_owned(),
        status => format!("mcpwatch: the server's address answered with status {}.", status.as_u16()),
    }
}

fn kind(response: &Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.unwrap_or_default().to_ascii_lowercase()
}
