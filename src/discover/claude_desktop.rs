//! Claude Desktop: `claude_desktop_config.json`, the user's alone; local commands only.
//!
//! On Windows the Store's package keeps its own copy and does not read the usual one; both are listed.
//! Remote connectors are configured in the application and stand in no file.

use super::client::Spec;
use super::node::Format;
use super::places::{Os, join};
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;

/// Claude Desktop.
pub static CLIENT: Spec = Spec {
    id: "claude-desktop",
    title: "Claude Desktop",
    format: Format::Json,
    syntax: Syntax::None,
    reads_remote: false,
    hands_on: false,
    project: &[],
    names: &["claude_desktop_config.json"],
    keys: &[&["mcpServers"]],
    find,
    read,
};

const FILE: &str = "Claude/claude_desktop_config.json";

fn find(search: &mut Search<'_>) {
    if search.places.os == Os::Windows {
        let packages = search.places.local_appdata("Packages");
        for name in search.names(&packages) {
            if name.starts_with("Claude_") {
                search.user(join(&packages.join(name).join("LocalCache").join("Roaming"), FILE));
            }
        }
    }
    search.user(search.places.config(FILE));
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["mcpServers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    if fields.has("url") {
        fields.notes.push("Claude Desktop starts commands alone; it ignores entries with a url".into());
    }
    Draft { launch: fields.launch(&[("url", false)]), ..Draft::default() }
}
