//! The HTTP client: one set of rules for every address that mcpwatch speaks to.
//!
//! Promises: no redirect is followed; no plain `http://` beyond loopback; no header field with a line
//! break; bodies are read up to a limit, and only as they are (no content encoding). `HTTPS_PROXY`,
//! `HTTP_PROXY` and `NO_PROXY` are obeyed, never for loopback; the system's roots and `SSL_CERT_FILE`
//! are trusted.
//!
//! Does not: know MCP, retry, or keep cookies.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// Why an address could not be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a URL that can be spoken to.
    #[error("the address {url:?} is no http or https URL")]
    Address {
        /// The text.
        url: String,
    },
    /// Plain HTTP to another machine.
    #[error("{host} would be spoken to without encryption")]
    Plain {
        /// The host.
        host: String,
    },
    /// A header field that cannot be sent.
    #[error(
        "the header field {name:?} holds what a header cannot (a line break, or a character beyond ASCII)"
    )]
    Header {
        /// The field's name.
        name: String,
    },
    /// The server wants to know who asks.
    #[error("{host} asks for a login")]
    Login {
        /// The host.
        host: String,
        /// Its `WWW-Authenticate`.
        challenge: Option<String>,
    },
    /// The server names another address.
    #[error("{host} redirects to {to}, and redirects are not followed")]
    Redirect {
        /// The host.
        host: String,
        /// Where to; the origin only.
        to: String,
    },
    /// The server wants what is meant for it sent to another origin.
    #[error("{host} wants messages sent to another origin, {to}")]
    OtherOrigin {
        /// The host.
        host: String,
        /// Where to; the origin only.
        to: String,
    },
    /// A status that is no success.
    #[error("{host} answered with status {status}")]
    Status {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// A body that is not what was asked for.
    #[error("{host} answered with {kind}, which is no MCP message")]
    Kind {
        /// The host.
        host: String,
        /// What came.
        kind: String,
    },
    /// A body above the limit.
    #[error("{host} sent a message longer than {} MiB", .limit >> 20)]
    TooLong {
        /// The host.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The network, the proxy or TLS.
    #[error("{host} could not be reached: {cause}")]
    Network {
        /// The host.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The client could not be set up.
    #[error("no HTTPS client: {cause}")]
    Setup {
        /// The cause.
        cause: String,
    },
}

impl HttpError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            HttpError::Address { .. } => "correct the URL in the client's file".into(),
            HttpError::Plain { .. } => "use https, or a tunnel that ends on this machine".into(),
            HttpError::Header { name } => format!("correct the header field {name} in the client's file"),
            HttpError::Login { .. } => {
                "give the token that the client uses, as a header field or with `mcpwatch login`".into()
            }
            HttpError::OtherOrigin { .. } => {
                "its headers would go there too; ask the server's operator".into()
            }
            HttpError::Redirect { .. } => {
                "if the new address is right, write it into the client's file".into()
            }
            HttpError::Status { status: 404 | 405, .. } => "check the path of the URL".into(),
            HttpError::Status { .. } | HttpError::Kind { .. } => {
                "check that the URL is the server's MCP address, and that the server is up".into()
            }
            HttpError::TooLong { .. } => {
                "no honest server lists this much; look at what it sends before raising the limit".into()
            }
            HttpError::Network { .. } => {
                "check the address, the network, HTTPS_PROXY and SSL_CERT_FILE".into()
            }
            HttpError::Setup { .. } => "check SSL_CERT_FILE and the system's certificates".into(),
        }
    }

    /// Whether a server may answer so that knows only an older protocol.
    pub fn may_be_legacy(&self) -> bool {
        match self {
            HttpError::Status { status, .. } => !matches!(status, 401 | 403 | 407 | 429),
            HttpError::Kind { .. } => true,
            _ => false,
        }
    }

    /// A failure of the network, told by its innermost cause and without the URL's secrets.
    pub fn network(url: &Url, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        HttpError::Network { host: host(url), cause: cause.to_string() }
    }
}

/// The host of an address with its port, for messages.
pub fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        None => false,
    }
}

/// Reads an address by our rules.
pub fn address(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|_| HttpError::Address { url: text.chars().take(80).collect() })?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(HttpError::Plain { host: host(&url) }),
        _ => Err(HttpError::Address { url: text.chars().take(80).collect() }),
    }
}

/// Header fields as they can be sent.
pub fn header_fields(fields: &BTreeMap<String, String>) -> Result<HeaderMap, HttpError> {
    let field = |(name, value): (&String, &String)| {
        let error = || HttpError::Header { name: name.clone() };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| error())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| error())?;
        value.set_sensitive(true);
        Ok((key, value))
    };
    fields.iter().map(field).collect()
}

/// The client for an address. Clients are shared: connections are reused, roots are loaded once.
pub fn client(url: &Url) -> Result<Client, HttpError> {
    static PLAIN: OnceLock<Client> = OnceLock::new();
    static LOCAL: OnceLock<Client> = OnceLock::new();
    static REMOTE: OnceLock<Client> = OnceLock::new();
    let (local, plain) = (is_loopback(url), url.scheme() == "http");
    let cell = match (local, plain) {
        (true, true) => &PLAIN,
        (true, false) => &LOCAL,
        (false, _) => &REMOTE,
    };
    if let Some(client) = cell.get() {
        return Ok(client.clone());
    }
    let client = build(local, plain).map_err(|error| HttpError::Setup { cause: error.to_string() })?;
    Ok(cell.get_or_init(|| client).clone())
}

/// Where plain HTTP is spoken, which is on this machine only, no certificate is looked at: none is loaded,
/// and a system whose store cannot be opened is no obstacle.
fn build(local: bool, plain: bool) -> reqwest::Result<Client> {
    // A second call finds the first one's provider; that is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
    let builder = if local { builder.no_proxy() } else { builder };
    if local && plain { builder.tls_certs_only([]).build() } else { extra_roots(builder).build() }
}

/// Linux's verifier reads `SSL_CERT_FILE` itself; the others' do not.
#[cfg(target_os = "linux")]
fn extra_roots(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

#[cfg(not(target_os = "linux"))]
fn extra_roots(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let read = std::env::var_os("SSL_CERT_FILE").and_then(|file| std::fs::read(file).ok());
    let roots = read.and_then(|pem| reqwest::Certificate::from_pem_bundle(&pem).ok());
    match roots {
        Some(roots) => builder.tls_certs_merge(roots),
        None => builder,
    }
}

/// Turns what is no plain success into an error: logins, redirects, failures, encodings.
pub fn checked(url: &Url, response: Response) -> Result<Response, HttpError> {
    let status = response.status();
    let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if status == StatusCode::UNAUTHORIZED {
        let challenge = text(reqwest::header::WWW_AUTHENTICATE).map(str::to_owned);
        return Err(HttpError::Login { host: host(url), challenge });
    }
    if status.is_redirection() {
        let to = text(LOCATION).and_then(|to| url.join(to).ok());
        let to = to.map_or_else(|| "nowhere".to_owned(), |to| to.origin().ascii_serialization());
        return Err(HttpError::Redirect { host: host(url), to });
    }
    if let Some(encoding) = text(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        let kind = format!("a body encoded as {encoding:?}, though none was offered");
        return Err(HttpError::Kind { host: host(url), kind });
    }
    if !status.is_success() {
        return Err(HttpError::Status { host: host(url), status: status.as_u16() });
    }
    Ok(response)
}

/// Reads a body up to a limit.
pub async fn body(url: &Url, response: Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    let too_long = || HttpError::TooLong { host: host(url), limit };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|error| HttpError::network(url, error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
