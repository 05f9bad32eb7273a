//! Gemini CLI: `settings.json` of the machine, the user and each project, and its extensions.
//!
//! `url` means the HTTP+SSE transport, `httpUrl` Streamable HTTP. `mcp.allowed` and `mcp.excluded`
//! switch servers off by name, wherever they are written.

use super::client::Spec;
use super::entry::Scope;
use super::node::{Format, Node};
use super::reader::{Draft, Fields, Reader};
use super::search::Search;
use super::variables::Syntax;
use std::path::PathBuf;

/// Gemini CLI.
pub static CLIENT: Spec = Spec {
    id: "gemini-cli",
    title: "Gemini CLI",
    format: Format::Json,
    syntax: Syntax::Shell,
    reads_remote: true,
    hands_on: true,
    project: &[".gemini/settings.json"],
    names: &["gemini-cli/settings.json", "GeminiCli/settings.json", "gemini-extension.json"],
    keys: &[&["mcpServers"]],
    find,
    read,
};

fn find(search: &mut Search<'_>) {
    let places = search.places;
    let machine = "gemini-cli/settings.json";
    let machine = places
        .folder_of("GEMINI_CLI_SYSTEM_SETTINGS_PATH")
        .unwrap_or_else(|| places.machine(machine, "GeminiCli/settings.json", machine));
    let user = places.home(".gemini/settings.json");
    search.read(Scope::Managed, None, true, machine.clone(), read);
    search.user(user.clone());
    extensions(search, places.home(".gemini/extensions"));
    search.projects();
    switch_off(search, &[machine, user]);
}

fn extensions(search: &mut Search<'_>, folder: PathBuf) {
    for name in search.names(&folder) {
        let home = folder.join(&name);
        let file = home.join("gemini-extension.json");
        for index in search.read(Scope::Plugin(name), None, true, file, read) {
            if let Some(entry) = search.entry(index) {
                let separator = std::path::MAIN_SEPARATOR_STR;
                let given = [("extensionPath", home.display().to_string()), ("/", separator.to_owned())];
                entry.given.extend(given.map(|(name, value)| (name.to_owned(), value)));
            }
        }
    }
}

/// Marks what the lists of the machine and the user exclude. A list in a project's file is the
/// project's business: it can switch off, never on.
fn switch_off(search: &mut Search<'_>, files: &[PathBuf]) {
    let list = |root: Node<'_>, key: &str| -> Option<Vec<String>> {
        let names = root.at(&["mcp", key])?.elements()?;
        Some(names.into_iter().filter_map(Node::as_str).map(str::to_owned).collect())
    };
    for file in files {
        let lists = search.peek(file, |root| (list(root, "allowed"), list(root, "excluded")));
        let Some((allowed, excluded)) = lists else { continue };
        for entry in &mut search.found.entries {
            let off = excluded.as_ref().is_some_and(|names| names.contains(&entry.name))
                || allowed.as_ref().is_some_and(|names| !names.contains(&entry.name));
            entry.disabled |= off;
        }
    }
}

fn read(reader: &mut Reader<'_>) {
    reader.servers(&["mcpServers"], server);
}

fn server(fields: &mut Fields<'_, '_>) -> Draft {
    Draft {
        launch: fields.launch(&[("httpUrl", false), ("url", true)]),
        own_fields: fields.present(&["oauth", "authProviderType", "targetAudience"]),
        ..Draft::default()
    }
}
