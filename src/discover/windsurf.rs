//! Windsurf and its JetBrains plugin: `mcp_config.json`, the user's alone.
//!
//! Remote servers are written `serverUrl`; a `url` copied from another client does not connect there,
//! and is listed all the same.

use super::client::Spec;
use super::node::Format;
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;

/// Windsurf.
pub static CLIENT: Spec = Spec {
    id: "windsurf",
    title: "Windsurf",
    format: Format::Json,
    syntax: Syntax::EnvOnly,
    reads_remote: true,
    hands_on: false,
    project: &[],
    names: &["windsurf/mcp_config.json", ".codeium/mcp_config.json", "mcp_config.json"],
    keys: &[&["mcpServers"]],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    search.user(search.places.home(".codeium/windsurf/mcp_config.json"));
    search.user(search.places.home(".codeium/mcp_config.json"));
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["mcpServers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    if fields.has("url") {
        fields.notes.push("Windsurf reads \"serverUrl\", not \"url\"".into());
    }
    Draft {
        launch: fields.launch(&[("serverUrl", false), ("url", false)]),
        disabled: fields.flag("disabled") == Some(true),
        own_fields: fields.present(&["oauth", "auth"]),
        ..Draft::default()
    }
}
