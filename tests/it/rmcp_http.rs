//! rmcp's Streamable HTTP transport for a client of the tests: its sessions, headers and streams are the
//! library's own, and only the sending is done here, as its `reqwest` feature would. That feature is
//! not switched on: whatever else is built beside the tests would be built with it.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use std::collections::HashMap;
use std::sync::Arc;

/// Sends what the transport is to send.
#[derive(Clone)]
pub struct Sending(Client);

type Failure = StreamableHttpError<reqwest::Error>;
type Fields = HashMap<HeaderName, HeaderValue>;

/// The transport to an address.
pub fn transport(url: &str) -> StreamableHttpClientTransport<Sending> {
    let client = mcpwatch::sys::http::client(&Url::parse(url).unwrap()).unwrap();
    StreamableHttpClientTransport::with_client(
        Sending(client),
        StreamableHttpClientTransportConfig::with_uri(url),
    )
}

impl Sending {
    fn request(
        &self,
        method: Method,
        uri: &str,
        session: Option<Arc<str>>,
        fields: Fields,
    ) -> RequestBuilder {
        let mut request = self.0.request(method, uri).header(ACCEPT, "application/json, text/event-stream");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        match session {
            Some(session) => request.header("Mcp-Session-Id", session.as_ref()),
            None => request,
        }
    }
}

impl StreamableHttpClient for Sending {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth: Option<String>,
        fields: Fields,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let body = serde_json::to_vec(&message)?;
        let request = self.request(Method::POST, &uri, session, fields);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(StreamableHttpError::Client)?;
        if matches!(response.status(), StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let field = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (session, kind) = (field("Mcp-Session-Id"), field("Content-Type").unwrap_or_default());
        if kind.starts_with("text/event-stream") {
            let events = SseStream::from_bytes_stream(response.bytes_stream()).boxed();
            return Ok(StreamableHttpPostResponse::Sse(events, session));
        }
        let body = response.bytes().await.map_err(StreamableHttpError::Client)?;
        let mut answer = serde_json::from_slice(&body)?;
        // A server without a session's name refuses before it looks at the number of a request.
        if let (ServerJsonRpcMessage::Error(error), ClientJsonRpcMessage::Request(request)) =
            (&mut answer, &message)
        {
            error.id = Some(request.id.clone());
        }
        Ok(StreamableHttpPostResponse::Json(answer, session))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _auth: Option<String>,
        fields: Fields,
    ) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, &uri, Some(session), fields);
        request.send().await.map(drop).map_err(StreamableHttpError::Client)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        _auth: Option<String>,
        fields: Fields,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let mut request = self.request(Method::GET, &uri, session, fields);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.map_err(StreamableHttpError::Client)?;
        if !response.status().is_success() {
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        Ok(SseStream::from_bytes_stream(response.bytes_stream()).boxed())
    }
}
