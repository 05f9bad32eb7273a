//! Streamable HTTP: rmcp's sessions and headers over our client, bytes through the tap.

use super::error::{ConnectError, Reason};
use super::events::{self, EventStream};
use super::options::{Options, Remote};
use super::session::{LISTEN, Opening, Session};
use super::tap::{DISCOVER, INITIALIZE, Tap};
use super::{Progress, Reading, Then, converse, signals, sse};
use crate::sys::http::{self, HttpError};
use ::http::{HeaderName, HeaderValue};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Response, Url};
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The header that names a session.
const SESSION: &str = "Mcp-Session-Id";

/// The header from which a stream goes on.
const LAST_EVENT: &str = "Last-Event-ID";

/// How long the goodbye to a session may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The address with all that a request to it needs.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    pub(super) client: Client,
    pub(super) fields: HeaderMap,
    pub(super) limit: usize,
}

/// Why a request failed; the tap keeps the reason, rmcp only needs to know that it did.
#[derive(Debug, thiserror::Error)]
#[error("the request failed")]
pub(super) struct Failed;

/// The same, as rmcp wants it.
pub(super) type Failure = StreamableHttpError<Failed>;

/// rmcp's HTTP backend.
#[derive(Clone)]
struct Tapped {
    endpoint: Endpoint,
    tap: Arc<Tap>,
    probe: Duration,
}

/// Reads a remote server once; one that knows neither era of Streamable HTTP is tried as HTTP+SSE.
pub(super) async fn read(
    remote: &Remote,
    opening: Opening,
    options: &Options,
    progress: Progress<'_>,
    then: &mut Then<'_>,
) -> Result<Reading, ConnectError> {
    let tap = Arc::new(Tap::new(options));
    let read = converse_with(remote, opening, options, progress, &tap, then).await;
    read.map_err(|reason| ConnectError { reason, stderr_tail: String::new(), notes: tap.notes() })
}

async fn converse_with(
    remote: &Remote,
    opening: Opening,
    options: &Options,
    progress: Progress<'_>,
    tap: &Arc<Tap>,
    then: &mut Then<'_>,
) -> Result<Reading, Reason> {
    let started = Instant::now();
    let endpoint = Endpoint::new(remote, options)?;
    if remote.sse {
        let session = open_sse(&endpoint, tap, options).await;
        return converse(session, tap, started, options, progress, then).await;
    }
    let client = Tapped { endpoint: endpoint.clone(), tap: Arc::clone(tap), probe: options.limits.probe };
    let config = StreamableHttpClientTransportConfig::with_uri(endpoint.url.as_str())
        .max_sse_event_size(endpoint.limit);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let session = Session::open(transport, Arc::clone(tap), opening, options).await;
    let session = match session {
        // The older transport answers a POST to its stream's address with 4xx.
        Err(Reason::Http(HttpError::Status { host, status: status @ 400..500 })) => {
            match open_sse(&endpoint, tap, options).await {
                Err(Reason::Http(HttpError::Status { .. } | HttpError::Kind { .. })) => {
                    Err(HttpError::Status { host, status }.into())
                }
                session => session,
            }
        }
        session => session,
    };
    converse(session, tap, started, options, progress, then).await
}

async fn open_sse(endpoint: &Endpoint, tap: &Arc<Tap>, options: &Options) -> Result<Session, Reason> {
    let limit = options.limits.start;
    let connected = tokio::time::timeout(limit, sse::connect(endpoint, Arc::clone(tap))).await;
    let transport = match connected {
        Ok(transport) => transport?,
        Err(_) => return Err(Reason::Start { method: "the event stream".into(), limit }),
    };
    // The transport is older than `server/discover`.
    Session::open(transport, Arc::clone(tap), Opening::Initialize, options).await
}

impl Endpoint {
    fn new(remote: &Remote, options: &Options) -> Result<Self, HttpError> {
        let url = http::address(&remote.url)?;
        let fields = http::header_fields(&remote.headers)?;
        let client = http::client(&url)?;
        Ok(Self { url, client, fields, limit: options.limits.message })
    }

    /// A request with the fields that the launch gives it.
    pub(super) fn request(&self, method: reqwest::Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).headers(self.fields.clone())
    }

    /// Sends a request; a failure of the network is told without the URL's secrets.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, HttpError> {
        request.send().await.map_err(|error| HttpError::network(&self.url, error))
    }
}

impl Tapped {
    /// Posts a message and takes in the answer. What fails is kept by the tap.
    async fn post(
        &self,
        message: &ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        fields: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let endpoint = &self.endpoint;
        let mut request = endpoint
            .request(reqwest::Method::POST, endpoint.url.clone())
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(self.tap.sending(message));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if let Some(session) = session {
            request = request.header(SESSION, session.as_ref());
        }
        let response = endpoint.send(request).await?;
        let Some(id) = id_of(message) else {
            // Nothing is owed for a notification or an answer of ours; a refusal shows at the next request.
            return match http::checked(&endpoint.url, response) {
                Err(error @ (HttpError::Login { .. } | HttpError::Redirect { .. })) => Err(error),
                _ => Ok(StreamableHttpPostResponse::Accepted),
            };
        };
        let status = response.status();
        let kind = header(&response, CONTENT_TYPE.as_str()).unwrap_or_default();
        let session = header(&response, SESSION);
        if session.is_none() && is_a(message, INITIALIZE) {
            // rmcp opens no stream of signals without a session's name.
            self.tap.deafen();
        }
        if kind.starts_with("application/json") && (status.is_client_error() || status.is_server_error()) {
            return self.error_body(id, response).await;
        }
        let response = http::checked(&endpoint.url, response)?;
        if kind.starts_with("text/event-stream") {
            let events = EventStream::new(response, Arc::clone(&self.tap), Some(id), endpoint.limit);
            // What a stream of signals missed is read again instead.
            let events = if is_a(message, LISTEN) { events.once() } else { events };
            return Ok(StreamableHttpPostResponse::Sse(events::boxed(events), session));
        }
        if !kind.starts_with("application/json") {
            return Err(self.no_answer(&kind));
        }
        let body = http::body(&endpoint.url, response, endpoint.limit).await?;
        let told = self.tap.receive(&body);
        match told.into_iter().find(|message| is_answer_to(message, id)) {
            Some(message) => Ok(StreamableHttpPostResponse::Json(message, session)),
            None => Err(self.no_answer("JSON that answers something else")),
        }
    }

    /// Opens a stream of what the server says by itself, or of what is left of an answer.
    async fn events(
        self,
        session: Option<Arc<str>>,
        last: Option<String>,
        fields: HashMap<HeaderName, HeaderValue>,
    ) -> Result<EventStream, HttpError> {
        let endpoint = &self.endpoint;
        let mut request =
            endpoint.request(reqwest::Method::GET, endpoint.url.clone()).header(ACCEPT, "text/event-stream");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        for (name, value) in [(SESSION, session.as_deref()), (LAST_EVENT, last.as_deref())] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let response = http::checked(&endpoint.url, endpoint.send(request).await?)?;
        let kind = header(&response, CONTENT_TYPE.as_str()).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(self.no_answer(&kind));
        }
        Ok(EventStream::new(response, Arc::clone(&self.tap), None, endpoint.limit))
    }

    /// A failure may still carry the server's JSON-RPC error: then that is the answer.
    async fn error_body(&self, id: i64, response: Response) -> Result<StreamableHttpPostResponse, HttpError> {
        let url = &self.endpoint.url;
        if response.status() == reqwest::StatusCode::UNAUTHORIZED {
            return http::checked(url, response).and(Err(self.no_answer("nothing")));
        }
        let failed = HttpError::Status { host: http::host(url), status: response.status().as_u16() };
        let body = http::body(url, response, self.endpoint.limit).await?;
        let told = self.tap.receive_error(id, &body);
        told.map(|message| StreamableHttpPostResponse::Json(message, None)).ok_or(failed)
    }

    fn no_answer(&self, kind: &str) -> HttpError {
        HttpError::Kind { host: http::host(&self.endpoint.url), kind: kind.chars().take(60).collect() }
    }
}

impl StreamableHttpClient for Tapped {
    type Error = Failed;

    async fn post_message(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let id = id_of(&message);
        let discovers = id.is_some() && is_a(&message, DISCOVER);
        let post = self.post(&message, session_id, custom_headers);
        let reason = if discovers {
            match tokio::time::timeout(self.probe, post).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => error.into(),
                Err(_) => Reason::Timeout { method: DISCOVER.into(), limit: self.probe },
            }
        } else {
            match post.await {
                Ok(response) => return Ok(response),
                Err(error) => error.into(),
            }
        };
        let told = id.and_then(|id| self.tap.fail(id, reason));
        told.map(|message| StreamableHttpPostResponse::Json(message, None))
            .ok_or(StreamableHttpError::Client(Failed))
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session_id: Arc<str>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let endpoint = &self.endpoint;
        let mut request = endpoint.request(reqwest::Method::DELETE, endpoint.url.clone());
        for (name, value) in custom_headers {
            request = request.header(name, value);
        }
        // The session ends with or without an answer.
        let _ = endpoint.send(request.header(SESSION, session_id.as_ref()).timeout(GOODBYE)).await;
        Ok(())
    }

    async fn get_stream(
        &self,
        _uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<events::Boxed, Failure> {
        let tapped = self.clone();
        if last_event_id.is_some() {
            // What is left of an answer whose stream broke.
            let events = tapped.events(session_id, last_event_id, custom_headers).await;
            return events.map(events::boxed).map_err(|_| StreamableHttpError::ServerDoesNotSupportSse);
        }
        let open = move || tapped.clone().events(session_id.clone(), None, custom_headers.clone());
        signals::lasting(Arc::clone(&self.tap), open).await
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn is_a(message: &ClientJsonRpcMessage, method: &str) -> bool {
    matches!(message, ClientJsonRpcMessage::Request(request) if request.request.method() == method)
}

fn id_of(message: &ClientJsonRpcMessage) -> Option<i64> {
    match message {
        ClientJsonRpcMessage::Request(request) => match request.id {
            RequestId::Number(id) => Some(id),
            RequestId::String(_) => None,
        },
        _ => None,
    }
}

/// Whether a message ends the wait for this request.
pub(super) fn is_answer_to(message: &ServerJsonRpcMessage, id: i64) -> bool {
    let id = RequestId::Number(id);
    match message {
        ServerJsonRpcMessage::Response(response) => response.id == id,
        ServerJsonRpcMessage::Error(error) => error.id.as_ref() == Some(&id),
        _ => false,
    }
}
