//! Cursor and its command line: `mcp.json` of the user and of each project.
//!
//! A project's server of the same name wins over the user's there. That Cursor also reads a `.mcp.json`
//! in the project's root is claimed by others and not documented; Claude Code's reader lists that file.

use super::client::Spec;
use super::node::Format;
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;

/// Cursor.
pub static CLIENT: Spec = Spec {
    id: "cursor",
    title: "Cursor",
    format: Format::Json,
    syntax: Syntax::Editor,
    reads_remote: true,
    hands_on: false,
    project: &[".cursor/mcp.json"],
    names: &[],
    keys: &[&["mcpServers"]],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    search.user(search.places.home(".cursor/mcp.json"));
    search.projects();
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["mcpServers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    Draft {
        launch: fields.launch(&[("url", false)]),
        disabled: fields.flag("disabled") == Some(true),
        env_file: fields.text("envFile"),
        own_fields: fields.present(&["auth", "oauth"]),
        ..Draft::default()
    }
}
