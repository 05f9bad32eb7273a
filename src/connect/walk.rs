//! The walk over everything a server lists, page by page, into a surface.

use super::error::Reason;
use super::options::Limits;
use super::session::Session;
use crate::engine::json::Value;
use crate::engine::surface::{ItemKey, Kind, Surface};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a list that the server does not declare is waited for: it owes no answer.
const UNDECLARED: Duration = Duration::from_secs(2);

/// The extension under which `skills/list` is declared.
const SKILLS: &str = "io.modelcontextprotocol/skills";

/// Reads every list and every `ui://` resource that a tool names; what could not be read of what the
/// server does not owe is told in notes.
pub(super) async fn walk(session: &Session, limits: &Limits) -> Result<(Surface, Vec<String>), Reason> {
    let limit = limits.walk;
    let walked = tokio::time::timeout(limit, walk_all(session, limits)).await;
    walked.unwrap_or_else(|_| Err(Reason::Timeout { method: "everything that was asked".into(), limit }))
}

async fn walk_all(session: &Session, limits: &Limits) -> Result<(Surface, Vec<String>), Reason> {
    let mut surface = Surface::new(session.protocol.clone());
    surface.add_opening(&session.opening);
    let count = AtomicUsize::new(0);
    // All lists at once: their answers are waited for together.
    let lists = Kind::LISTED.map(|kind| list(session, kind, limits, &count));
    let mut notes = Vec::new();
    for (kind, pages) in Kind::LISTED.into_iter().zip(join_all(lists).await) {
        for page in pages? {
            surface.add_page(kind, page);
        }
    }
    let uris = surface.ui_uris();
    let contents = join_all(uris.iter().map(|uri| session.resource(uri, limits.request))).await;
    for (uri, contents) in uris.into_iter().zip(contents) {
        match contents {
            Ok(result) => match result.get("contents") {
                Some(contents @ Value::Array(_)) => {
                    surface.add(ItemKey::new(Kind::Ui, uri), contents.clone());
                }
                _ => return Err(Reason::Shape { method: "resources/read".into(), expected: "contents" }),
            },
            // A page that is named and not there shows nothing to anybody.
            Err(Reason::Error { code, .. }) => {
                notes.push(format!("a ui:// resource that a tool names cannot be read (error {code})"));
            }
            Err(reason) => return Err(reason),
        }
    }
    Ok((surface, notes))
}

/// The pages of one list. A list that is not declared is asked for too, since clients do; its absence
/// is no failure.
async fn list(
    session: &Session,
    kind: Kind,
    limits: &Limits,
    count: &AtomicUsize,
) -> Result<Vec<Value>, Reason> {
    let declared = is_declared(kind, &session.opening);
    if kind == Kind::Skill && !declared {
        return Ok(Vec::new());
    }
    let limit = if declared { limits.request } else { limits.request.min(UNDECLARED) };
    match pages(session, kind, limits, limit, count).await {
        Err(Reason::Error { .. } | Reason::Timeout { .. } | Reason::Http(_)) if !declared => Ok(Vec::new()),
        // A server that answers everything with something lists nothing by that.
        Ok(mut pages) if !declared => {
            pages.retain(|page| page.get(kind.key()).is_some());
            Ok(pages)
        }
        pages => pages,
    }
}

async fn pages(
    session: &Session,
    kind: Kind,
    limits: &Limits,
    limit: Duration,
    count: &AtomicUsize,
) -> Result<Vec<Value>, Reason> {
    let method = || kind.list_method().unwrap_or_default().to_owned();
    let mut seen = HashSet::new();
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = session.page(kind, cursor.take(), limit).await?;
        let items = page.get(kind.key()).and_then(Value::as_array).map_or(0, <[Value]>::len);
        if count.fetch_add(items, Ordering::Relaxed) + items > limits.items {
            return Err(Reason::Items { limit: limits.items });
        }
        let next = match page.get("nextCursor") {
            None | Some(Value::Null) => None,
            Some(Value::String(next)) => Some(next.clone()),
            Some(_) => return Err(Reason::Shape { method: method(), expected: "nextCursor of type string" }),
        };
        pages.push(page);
        // An empty cursor ends the walk for the clients in use.
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(pages) };
        if !seen.insert(next.clone()) {
            return Err(Reason::Cursor { method: method(), pages: pages.len() });
        }
        if pages.len() >= limits.pages {
            return Err(Reason::Pages { method: method(), limit: limits.pages });
        }
        cursor = Some(next);
    }
}

fn is_declared(kind: Kind, opening: &Value) -> bool {
    let path: &[&str] = match kind {
        Kind::Tool => &["tools"],
        Kind::Prompt => &["prompts"],
        Kind::Resource | Kind::Template => &["resources"],
        Kind::Skill => &["extensions", SKILLS],
        _ => return false,
    };
    let capabilities = opening.get("capabilities");
    capabilities.and_then(|capabilities| capabilities.at(path)).is_some_and(|value| *value != Value::Null)
}
