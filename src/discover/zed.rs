//! Zed: `context_servers` in `settings.json` of the user and of each project.
//!
//! Servers that an extension brings have settings here and no command; they are remarked.

use super::client::Spec;
use super::node::Format;
use super::places::Os;
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;

/// Zed.
pub static CLIENT: Spec = Spec {
    id: "zed",
    title: "Zed",
    format: Format::Json,
    syntax: Syntax::None,
    reads_remote: true,
    hands_on: false,
    project: &[".zed/settings.json"],
    names: &["zed/settings.json"],
    keys: &[&["context_servers"]],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    // macOS too keeps Zed's settings in ~/.config; XDG counts on Linux alone.
    let file = match search.places.os {
        Os::Linux => search.places.xdg_config("zed/settings.json"),
        Os::MacOs => search.places.home(".config/zed/settings.json"),
        Os::Windows => search.places.appdata("Zed/settings.json"),
    };
    search.user(file);
    search.projects();
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["context_servers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    let disabled = fields.flag("enabled") == Some(false);
    if !fields.has("command") && !fields.has("url") {
        fields.elsewhere("an extension of Zed");
        return Draft::default();
    }
    // Settings before version 0.200 wrote {"command": {"path": …, "args": …, "env": …}}.
    if fields.enter("command") {
        return Draft { launch: fields.launch_of("path", &[]), disabled, ..Draft::default() };
    }
    Draft {
        launch: fields.launch(&[("url", false)]),
        disabled,
        own_fields: fields.present(&["oauth"]),
        ..Draft::default()
    }
}
