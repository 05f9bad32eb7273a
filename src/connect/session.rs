//! One open conversation: rmcp's lifecycle and requests, answers from the tap.

use super::error::Reason;
use super::options::Options;
use super::tap::{Answer, DISCOVER, INITIALIZE, Tap};
use crate::engine::json::Value;
use crate::engine::surface::{Era, Kind};
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, Implementation, ListPromptsRequest,
    ListResourceTemplatesRequest, ListResourcesRequest, ListSkillsRequest, ListToolsRequest,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequest, ReadResourceRequestParams,
    SubscriptionFilter, SubscriptionsListenRequest, SubscriptionsListenRequestParams,
};
use rmcp::service::{
    ClientCacheConfig, ClientInitializeError, ClientLifecycleMode, PeerRequestOptions, RunningService,
    ServiceError, serve_client_with_lifecycle,
};
use rmcp::transport::IntoTransport;
use rmcp::{Peer, RoleClient};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the end of a conversation may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The method that opens the stream of a stateless server's signals.
pub(super) const LISTEN: &str = "subscriptions/listen";

/// How a conversation is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// `initialize` at once.
    Initialize,
    /// `server/discover`, and `initialize` if it is not understood.
    Probe,
    /// `server/discover` alone, for as long as a start may take: rmcp's probe ends after 10 s.
    Discover,
}

/// An open conversation.
pub(super) struct Session {
    service: RunningService<RoleClient, Client>,
    tap: Arc<Tap>,
    /// The era it was opened in.
    pub(super) era: Era,
    /// The protocol version that is spoken.
    pub(super) protocol: String,
    /// The result of the opening.
    pub(super) opening: Value,
}

/// What the client says about itself; requests of the server get rmcp's own answers: a ping is
/// answered, roots are none, sampling and elicitation are declined.
#[derive(Clone)]
struct Client(ClientConfig);

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        self.0.clone()
    }
}

impl Session {
    /// Opens a conversation over a transport.
    pub(super) async fn open<T, E, A>(
        transport: T,
        tap: Arc<Tap>,
        opening: Opening,
        options: &Options,
    ) -> Result<Self, Reason>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let mode = match opening {
            Opening::Initialize => ClientLifecycleMode::Initialize,
            Opening::Discover => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] }
            }
            Opening::Probe => ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::LATEST],
                legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
            },
        };
        let served = serve_client_with_lifecycle(client(options), transport, mode);
        let limit = options.limits.start;
        let served = tokio::time::timeout(limit, served).await;
        let service = match served {
            Ok(Ok(service)) => service,
            Ok(Err(error)) => return Err(failed_opening(&tap, &error)),
            Err(_) => return Err(Reason::Start { method: tap.asked_last(), limit }),
        };
        service.set_response_cache_config(ClientCacheConfig::disabled()).await;
        let shape = || Reason::Shape { method: tap.asked_last(), expected: "result" };
        let (method, result) = tap.take_opening().ok_or_else(shape)?;
        let opening = result?;
        let protocol = service.peer_info().map(|info| info.protocol_version.to_string());
        let protocol = protocol.ok_or_else(shape)?;
        let era = if method == DISCOVER { Era::Stateless } else { Era::Session };
        Ok(Self { service, tap, era, protocol, opening })
    }

    /// The answer to a request for one page of a list.
    pub(super) async fn page(
        &self,
        kind: Kind,
        cursor: Option<String>,
        limit: Duration,
    ) -> Result<Value, Reason> {
        match list_request(kind, cursor) {
            Some(request) => self.ask(request, limit).await,
            None => Ok(Value::Null),
        }
    }

    /// The answer to a request for a resource's contents.
    pub(super) async fn resource(&self, uri: &str, limit: Duration) -> Result<Value, Reason> {
        let request = ReadResourceRequest::new(ReadResourceRequestParams::new(uri));
        self.ask(ClientRequest::ReadResourceRequest(request), limit).await
    }

    /// Opens the stream of a stateless server's signals; the task ends when the stream does, with what was
    /// answered, if anything was. Its notifications are heard by the tap.
    pub(super) async fn listen(&self) -> Option<JoinHandle<Option<Answer>>> {
        let all = SubscriptionFilter::builder().tools_list_changed().prompts_list_changed();
        let params = SubscriptionsListenRequestParams::new(all.resources_list_changed().build());
        let request = ClientRequest::SubscriptionsListenRequest(SubscriptionsListenRequest::new(params));
        let peer: &Peer<RoleClient> = self.service.peer();
        let handle = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await.ok()?;
        let (tap, id) = (Arc::clone(&self.tap), handle.id.clone());
        Some(tokio::spawn(async move {
            let _ = handle.await_response().await;
            tap.take(&id)
        }))
    }

    /// Says goodbye, as the transport does it.
    pub(super) async fn close(mut self) {
        let _ = self.service.close_with_timeout(GOODBYE).await;
    }

    async fn ask(&self, request: ClientRequest, limit: Duration) -> Result<Value, Reason> {
        let method = request.method().to_owned();
        let ended = || Reason::Ended { method: method.clone(), status: None };
        let peer: &Peer<RoleClient> = self.service.peer();
        let options = PeerRequestOptions::with_timeout(limit);
        let sent = tokio::time::timeout(limit, peer.send_request_with_option(request, options)).await;
        let handle = match sent {
            Ok(handle) => handle.map_err(|_| ended())?,
            Err(_) => return Err(Reason::Timeout { method, limit }),
        };
        let id = handle.id.clone();
        let told = handle.await_response().await;
        match (self.tap.take(&id), told) {
            (Some(answer), _) => answer,
            (None, Err(ServiceError::Timeout { .. })) => Err(Reason::Timeout { method, limit }),
            (None, _) => Err(ended()),
        }
    }
}

fn failed_opening(tap: &Tap, error: &ClientInitializeError) -> Reason {
    match (tap.take_opening(), error) {
        (
            Some((_, Err(Reason::Error { .. }))),
            ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. },
        ) => Reason::Version { offered: server_supported.iter().map(ToString::to_string).collect() },
        (Some((_, Err(reason))), _) => reason,
        (
            Some((method, Ok(result))),
            ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. },
        ) if method == DISCOVER && result.get("supportedVersions").is_some() => {
            Reason::Version { offered: server_supported.iter().map(ToString::to_string).collect() }
        }
        (Some((method, Ok(_))), _) => {
            let expected = if method == INITIALIZE { "protocolVersion" } else { "supportedVersions" };
            Reason::Shape { method, expected }
        }
        (None, _) => Reason::Ended { method: tap.asked_last(), status: None },
    }
}

fn client(options: &Options) -> Client {
    let capabilities: ClientCapabilities =
        serde_json::from_value(options.capabilities.declared()).unwrap_or_default();
    let name = Implementation::new(options.client.name.clone(), options.client.version.clone());
    let version = ProtocolVersion::LATEST_WITH_INITIALIZE;
    Client(ClientConfig::new(capabilities, name).with_protocol_version(version))
}

fn list_request(kind: Kind, cursor: Option<String>) -> Option<ClientRequest> {
    let params = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
    Some(match kind {
        Kind::Tool => ClientRequest::ListToolsRequest(ListToolsRequest { params, ..Default::default() }),
        Kind::Prompt => {
            ClientRequest::ListPromptsRequest(ListPromptsRequest { params, ..Default::default() })
        }
        Kind::Resource => {
            ClientRequest::ListResourcesRequest(ListResourcesRequest { params, ..Default::default() })
        }
        Kind::Template => ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest {
            params,
            ..Default::default()
        }),
        Kind::Skill => ClientRequest::ListSkillsRequest(ListSkillsRequest { params, ..Default::default() }),
        _ => return None,
    })
}
