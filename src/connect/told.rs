//! What rmcp is told instead of a server's answer: enough for its lifecycle to go on, or to fall back to
//! the older opening, or to give up. Nothing the server wrote is in it but protocol versions.

use super::error::Reason;
use super::tap::{Answer, DISCOVER, INITIALIZE};
use crate::engine::json::Value;
use rmcp::model::{ErrorCode, ErrorData, RequestId, ServerJsonRpcMessage, ServerResult};
use serde_json::json;

/// What rmcp is told instead of the server's answer.
pub(super) fn told(method: &str, answer: &Answer, id: RequestId) -> ServerJsonRpcMessage {
    let version = |key: &str| answer.as_ref().ok().and_then(|result| result.get(key));
    let told = match (method, answer) {
        (INITIALIZE, Ok(_)) => version("protocolVersion").and_then(Value::as_str).and_then(|version| {
            let info = json!({"name": "server", "version": "0"});
            typed(json!({"protocolVersion": version, "capabilities": {}, "serverInfo": info}))
        }),
        (DISCOVER, Ok(_)) => {
            let versions = version("supportedVersions").and_then(Value::as_array).unwrap_or_default();
            let versions: Vec<String> =
                versions.iter().filter_map(|version| version.as_str().map(str::to_owned)).collect();
            if wants_handshake(&versions) {
                let refusal = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "older versions only", None);
                return ServerJsonRpcMessage::error(refusal, Some(id));
            }
            let result = json!({
                "supportedVersions": versions, "capabilities": {},
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            });
            (!versions.is_empty()).then_some(result).and_then(typed)
        }
        (_, Ok(_)) => Some(ServerResult::empty(())),
        (DISCOVER, Err(Reason::Version { offered })) => {
            let data = json!({"supported": offered});
            let code = if wants_handshake(offered) {
                ErrorCode::METHOD_NOT_FOUND
            } else {
                ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
            };
            return ServerJsonRpcMessage::error(ErrorData::new(code, "refused", Some(data)), Some(id));
        }
        (_, Err(_)) => None,
    };
    match told {
        Some(result) => ServerJsonRpcMessage::response(result, id),
        None => {
            let code = refusal_code(method, answer);
            ServerJsonRpcMessage::error(ErrorData::new(code, "see the tap", None), Some(id))
        }
    }
}

/// Whether a server names versions of which only those with a handshake can be spoken.
fn wants_handshake(versions: &[String]) -> bool {
    let stateless = "2026-07-28";
    versions.iter().all(|version| version != stateless)
        && versions.iter().any(|version| version.as_str() < stateless)
}

/// The error code that makes rmcp try `initialize` after a failed `server/discover`, or give up.
fn refusal_code(method: &str, answer: &Answer) -> ErrorCode {
    match (method, answer) {
        (DISCOVER, Err(Reason::Error { code, .. })) => match code {
            // Said only by servers that know the stateless era: no fallback.
            -32021 => ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
            -32020 => ErrorCode::HEADER_MISMATCH,
            _ => ErrorCode::METHOD_NOT_FOUND,
        },
        (DISCOVER, Err(Reason::Timeout { .. } | Reason::Ended { .. })) => ErrorCode::METHOD_NOT_FOUND,
        (DISCOVER, Err(Reason::Http(error))) if error.may_be_legacy() => ErrorCode::METHOD_NOT_FOUND,
        // Refused bytes: no other question makes them readable.
        (DISCOVER, _) => ErrorCode::HEADER_MISMATCH,
        _ => ErrorCode::INTERNAL_ERROR,
    }
}

fn typed(value: serde_json::Value) -> Option<ServerResult> {
    serde_json::from_value(value).ok()
}
